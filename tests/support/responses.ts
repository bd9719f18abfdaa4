import { concat } from "./http.ts";
import { partialSuccess, rpcStatus } from "./decode.ts";

/** Verdicts of `send` on a response (docs/delivery.md). */
export const SEND = [
  "accepted",
  "accepted with a warning",
  "partial",
  "rejected",
  "rejected, kept in a loop",
  "retried",
  "split",
] as const;

/** The step of `check` at which a response is judged, and the judgment. */
export const CHECK = [
  "ingest ok",
  "ingest undecided",
  "ingest failed",
  "token failed",
  "http failed",
] as const;

/** Verdicts of an exporter on a response: it repeats the request, or not, and then counts it as delivered, or not. */
export const VERDICTS = ["accepted", "refused", "retried"] as const;
export type Verdict = typeof VERDICTS[number];

/** A response of a real backend, read from a file of tests/fixtures/responses/, and what is expected of it. */
export interface RealResponse {
  /** The file's name without its extension. */
  readonly name: string;
  readonly meaning: string;
  readonly send: typeof SEND[number];
  readonly check: typeof CHECK[number];
  /** Hint of `send` and, where a step fails, of `check`. */
  readonly hint: RegExp | undefined;
  /** The path of the base URL under which such a backend is found. */
  readonly endpoint: string;
  /** A proxy answers, and not the receiver. */
  readonly throughProxy: boolean;
  /** Where other exporters see it otherwise than `send` does. */
  readonly others: Readonly<Partial<Record<"collector" | "python", Verdict>>>;
  readonly status: number;
  /** Seconds. */
  readonly retryAfter: number | undefined;
  /** All of it as it goes over the wire; `url`: the receiver's own, for a redirect. */
  readonly bytes: (url: string) => Uint8Array;
}

const FOLDER = new URL("../fixtures/responses/", import.meta.url);

/** All files of tests/fixtures/responses/, by name; throws for one that is not as CONTRIBUTING.md describes it. */
export function realResponses(): readonly RealResponse[] {
  return [...Deno.readDirSync(FOLDER)]
    .map(({ name }) => name)
    .sort()
    .map((name) => parseResponse(name, Deno.readTextFileSync(new URL(name, FOLDER))));
}

/** Header lines of ours, a blank line, and the response. */
export function parseResponse(file: string, text: string): RealResponse {
  const fail = (why: string): never => {
    throw new Error(`tests/fixtures/responses/${file}: ${why}`);
  };
  const name = /^([a-z0-9-]+)\.http$/.exec(file)?.[1] ?? fail("its name is not NAME.http");
  const [about = "", head = "", ...rest] = text.split("\n\n");
  const fields = new Map<string, string>();
  for (const line of about.split("\n")) {
    const [, key = "", value = ""] = /^([a-z]+): (.+)$/.exec(line) ?? fail(`"${line}"`);
    if (!KEYS.includes(key) || fields.has(key)) fail(`unexpected "${key}"`);
    fields.set(key, value);
  }
  const field = (key: string) => fields.get(key) ?? fail(`"${key}" is missing`);
  const choice = <T extends string>(key: string, choices: readonly T[], value: string): T =>
    choices.find((choice) => choice === value) ?? fail(`${key} is none of: ${choices.join("; ")}`);
  const other = (key: "collector" | "python") => {
    const value = fields.get(key);
    if (value === undefined) return {};
    const [verdict = "", reason = ""] = value.split(": ", 2);
    if (reason === "") fail(`${key} has no reason`);
    return { [key]: choice(key, VERDICTS, verdict) };
  };
  field("source");
  const lines = head.trimEnd().split("\n");
  const status = /^HTTP\/1\.[01] (\d{3}) /.exec(lines[0] ?? "")?.[1] ?? fail("no status line");
  const body = bodyOf(rest.join("\n\n"));
  const seconds = headerOf(lines, "retry-after");
  const hint = fields.get("hint");
  return {
    name,
    meaning: field("meaning"),
    send: choice("send", SEND, field("send")),
    check: choice("check", CHECK, field("check")),
    hint: hint === undefined ? undefined : new RegExp(hint),
    endpoint: fields.get("endpoint") ?? "",
    throughProxy: fields.has("through") &&
      choice("through", ["proxy"], field("through")) === "proxy",
    others: { ...other("collector"), ...other("python") },
    status: Number(status),
    retryAfter: seconds === undefined ? undefined : Number(seconds),
    bytes: (url) => encode(lines.map((line) => line.replaceAll("{url}", url)), body),
  };
}

const KEYS = [
  ...["source", "meaning", "endpoint", "through", "send", "check", "hint"],
  ...["collector", "python"],
];

function headerOf(lines: readonly string[], name: string): string | undefined {
  const found = lines.slice(1).find((line) => line.toLowerCase().startsWith(`${name}: `));
  return found?.slice(name.length + 2);
}

/** Text as it stands, but for the newline at the end of the file, or one protobuf message. */
function bodyOf(text: string): Uint8Array {
  const line = text.replace(/\n$/, "");
  const [, kind, number, times = "1", message = ""] =
    /^\{\{(status|partial) (\d+) (?:(\d+) x )?(.*)\}\}$/.exec(line) ?? [];
  if (kind === undefined) return new TextEncoder().encode(line);
  const make = kind === "status" ? rpcStatus : partialSuccess;
  return make(Number(number), message.repeat(Number(times)));
}

/** With a Content-Length, unless the connection's end or the status says where the body ends. */
function encode(head: readonly string[], body: Uint8Array): Uint8Array {
  const framed =
    ["content-length", "transfer-encoding"].some((name) => headerOf(head, name) !== undefined) ||
    /^HTTP\/1\.0 | (204|304) /.test(head[0] ?? "") || headerOf(head, "connection") === "close";
  const lines = framed ? head : [...head, `Content-Length: ${body.length}`];
  return concat([new TextEncoder().encode(`${lines.join("\r\n")}\r\n\r\n`), body]);
}
