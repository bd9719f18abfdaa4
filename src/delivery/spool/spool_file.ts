import type { Checkpoint } from "../checkpoint.ts";
import type { EncodedRequest } from "../../otlp/request.ts";
import { joinBytes } from "../../platform/byte_buffer.ts";
import { isCount, isObject } from "../../platform/json_object.ts";

/*
 * A request is a file of its own: a line with the checksum of all that follows, a line of JSON that describes the
 * request, then its body as it goes over the wire. Nothing in it is secret: no URL, token or header. Requests whose
 * source has a checkpoint stand together in one file with it: both are kept, or neither. On disk a checkpoint is called
 * `followed`, with its id as `path` and its value as `place`.
 */
const FORMAT = "otlp-histogram spool 2";

/** Requests as a file holds them: one, or all that were recorded up to a checkpoint. */
export interface Stored {
  readonly requests: readonly EncodedRequest[];
  /** When they were recorded, ms since 1970. */
  readonly recordedAt: number;
  readonly checkpoint?: StoredCheckpoint | undefined;
}

/** Checkpoint with its number; greater than that of every earlier one. */
export interface StoredCheckpoint extends Checkpoint {
  readonly sequence: number;
}

/** Encodes requests that share a file: a description with a checksum, then their bodies. */
export async function encodeFile(
  { requests, recordedAt, checkpoint }: Stored,
): Promise<Uint8Array> {
  const description: Description = {
    recordedAt,
    requests: requests.map(({ body, ...rest }) => ({ ...rest, bytes: body.length })),
    followed: checkpoint && {
      path: checkpoint.id,
      place: checkpoint.value,
      sequence: checkpoint.sequence,
    },
  };
  const described = joinBytes([
    utf8(`${JSON.stringify(description)}\n`),
    ...requests.map(({ body }) => body),
  ]);
  return joinBytes([utf8(`${FORMAT} ${await sha256(described)}\n`), described]);
}

/** Decodes a file of requests; undefined when it is torn or something else. */
export async function decodeFile(bytes: Uint8Array<ArrayBuffer>): Promise<Stored | undefined> {
  const [first, described] = cutLine(bytes);
  const format = [FORMAT, FORMAT_1].find((name) => first.startsWith(`${name} `));
  if (format === undefined || first !== `${format} ${await sha256(described)}`) return undefined;
  const [line, bodies] = cutLine(described);
  const found: unknown = JSON.parse(line);
  const description = format === FORMAT_1 ? describedBefore(found, bodies.length) : found;
  if (!isDescription(description)) return undefined;
  const { recordedAt, followed } = description;
  let at = 0;
  const requests = description.requests.map(({ encoding, points, measurements, bytes }) => {
    at += bytes;
    return { body: bodies.slice(at - bytes, at), encoding, points, measurements };
  });
  if (at !== bodies.length) return undefined;
  const checkpoint = followed &&
    { id: followed.path, value: followed.place, sequence: followed.sequence };
  return { requests, recordedAt, checkpoint };
}

interface Description extends Pick<Stored, "recordedAt"> {
  readonly followed:
    | { readonly path: string; readonly place: unknown; readonly sequence: number }
    | undefined;
  readonly requests: readonly (Omit<EncodedRequest, "body"> & { readonly bytes: number })[];
}

/** Version 2.0 kept one request a file, and described it alone. */
const FORMAT_1 = "otlp-histogram spool 1";

function describedBefore(description: unknown, bytes: number): unknown {
  if (!isObject(description)) return undefined;
  return { recordedAt: description["recordedAt"], requests: [{ ...description, bytes }] };
}

function isDescription(value: unknown): value is Description {
  if (!isObject(value)) return false;
  const { recordedAt, requests, followed }: { [K in keyof Description]?: unknown } = value;
  return Number.isSafeInteger(recordedAt) && Array.isArray(requests) &&
    requests.every(isRequest) && (followed === undefined || isFollowedPlace(followed));
}

function isRequest(value: unknown): boolean {
  if (!isObject(value)) return false;
  const { encoding, points, measurements, bytes }: {
    [K in keyof Description["requests"][number]]?: unknown;
  } = value;
  return [points, measurements, bytes].every(isCount) &&
    (encoding === "gzip" || encoding === "identity");
}

function isFollowedPlace(value: unknown): boolean {
  if (!isObject(value)) return false;
  const { path, sequence, place }: {
    [K in keyof NonNullable<Description["followed"]>]?: unknown;
  } = value;
  return typeof path === "string" && Number.isSafeInteger(sequence) && place !== undefined;
}

/*
 * TIME-COUNTER-RANDOM.otlp sorts by age. A half of a request that was too large is called after the whole: -1 or -2
 * comes before the dot. ".part": not written completely, as far as its writer knew. ".unsent.otlp": its process
 * ended in order, and no attempt can have arrived.
 */
/** Ending of a file of requests. */
export const SUFFIX = ".otlp";
/** Ending of a file that is being written. */
export const PART = ".part";
const UNSENT_SUFFIX = ".unsent.otlp";

/** Makes the name of a new file. `recordedAt`: ms since 1970; `counter`: greater for a later file of this process. */
export function fileName(recordedAt: number, counter: number): string {
  const digits = (n: number, length: number) => String(n).padStart(length, "0");
  const random = crypto.randomUUID().slice(0, 8);
  return `${digits(recordedAt, 15)}-${digits(counter, 8)}-${random}${SUFFIX}`;
}

/** Makes the name of a half of a request that was too large. */
export function halfName(whole: string, half: 1 | 2): string {
  return `${whole.slice(0, -SUFFIX.length)}-${half}${SUFFIX}`;
}

/** Name of the whole that a file is half of; undefined for a whole. */
export function wholeOf(name: string): string | undefined {
  const stem = /^(\d+-\d+-[0-9a-f]{8}(?:-[12])*)-[12]\.otlp$/.exec(name)?.[1];
  return stem === undefined ? undefined : stem + SUFFIX;
}

/** Makes the name of a file whose process ended before any attempt can have arrived. */
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
