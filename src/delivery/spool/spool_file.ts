import type { EncodedRequest } from "../../otlp/request.ts";

/*
 * A request is a file of its own: a line with the checksum of all that follows, a line of JSON that describes the
 * request, then its body as it goes over the wire. Nothing in it is secret: no URL, token or header.
 */
const FORMAT = "otlp-histogram spool 1";

/** A request as a file holds it. */
export interface Stored {
  readonly request: EncodedRequest;
  /** When it was recorded, ms since 1970. */
  readonly recordedAt: number;
}

export async function encodeFile({ request, recordedAt }: Stored): Promise<Uint8Array> {
  const { body, encoding, points, measurements } = request;
  const description: Description = { recordedAt, encoding, points, measurements };
  const described = concat(utf8(`${JSON.stringify(description)}\n`), body);
  return concat(utf8(`${FORMAT} ${await sha256(described)}\n`), described);
}

/** Undefined when it is torn or something else. */
export async function decodeFile(bytes: Uint8Array<ArrayBuffer>): Promise<Stored | undefined> {
  const [first, described] = cutLine(bytes);
  if (first !== `${FORMAT} ${await sha256(described)}`) return undefined;
  const [line, body] = cutLine(described);
  const description: unknown = JSON.parse(line);
  if (!isDescription(description)) return undefined;
  const { recordedAt, encoding, points, measurements } = description;
  return { request: { body, encoding, points, measurements }, recordedAt };
}

interface Description extends Omit<EncodedRequest, "body"> {
  readonly recordedAt: number;
}

function isDescription(value: unknown): value is Description {
  if (typeof value !== "object" || value === null) return false;
  const { recordedAt, encoding, points, measurements }: Partial<
    Record<keyof Description, unknown>
  > = value;
  return [recordedAt, points, measurements].every(Number.isSafeInteger) &&
    (encoding === "gzip" || encoding === "identity");
}

/*
 * TIME-COUNTER-RANDOM.otlp sorts by age. A half of a request that was too large is called after the whole: -1 or -2
 * comes before the dot. ".part": not written completely, as far as its writer knew. ".unsent.otlp": its process
 * ended in order, and no attempt can have arrived.
 */
export const SUFFIX = ".otlp";
export const PART = ".part";
const UNSENT_SUFFIX = ".unsent.otlp";

export function fileName(recordedAt: number, counter: number): string {
  const digits = (n: number, length: number) => String(n).padStart(length, "0");
  const random = crypto.randomUUID().slice(0, 8);
  return `${digits(recordedAt, 15)}-${digits(counter, 8)}-${random}${SUFFIX}`;
}

export function halfName(whole: string, half: 1 | 2): string {
  return `${whole.slice(0, -SUFFIX.length)}-${half}${SUFFIX}`;
}

/** What it is half of; undefined for a whole. */
export function wholeOf(name: string): string | undefined {
  const stem = /^(\d+-\d+-[0-9a-f]{8}(?:-[12])*)-[12]\.otlp$/.exec(name)?.[1];
  return stem === undefined ? undefined : stem + SUFFIX;
}

export function unsentName(name: string): string {
  return `${name.slice(0, -SUFFIX.length)}${UNSENT_SUFFIX}`;
}

/** A file's name as it is while its process runs; undefined for one that the spool does not give. */
export function plainName(
  file: string,
): { readonly name: string; readonly unsent: boolean } | undefined {
  if (file.endsWith(UNSENT_SUFFIX)) {
    return { name: file.slice(0, -UNSENT_SUFFIX.length) + SUFFIX, unsent: true };
  }
  if (file.endsWith(SUFFIX)) return { name: file, unsent: false };
  // It gets its final name before it is first sent.
  if (file.endsWith(SUFFIX + PART)) return { name: file.slice(0, -PART.length), unsent: true };
  return undefined;
}

function cutLine(bytes: Uint8Array<ArrayBuffer>): [string, Uint8Array<ArrayBuffer>] {
  const end = bytes.indexOf(0x0a);
  if (end === -1) return ["", bytes];
  return [new TextDecoder().decode(bytes.subarray(0, end)), bytes.slice(end + 1)];
}

async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function concat(first: Uint8Array, second: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(first.length + second.length);
  bytes.set(first);
  bytes.set(second, first.length);
  return bytes;
}
