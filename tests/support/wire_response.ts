import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from "node:zlib";
import { partialSuccess } from "./decode.ts";
import { concat } from "./http.ts";
import type { Reply } from "./receiver.ts";

// Responses as real servers and what stands before them send them, and how a body may end.

export const VERSIONS = [
  "HTTP/1.0",
  "HTTP/1.0 with a length",
  "HTTP/1.1",
  "HTTP/1.1 in chunks",
  "HTTP/2",
] as const;
export type Version = typeof VERSIONS[number];

export interface WireResponse {
  readonly status?: number;
  /** Names in lower case; none about length or connection. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  /** The connection ends before the response does: more bytes were announced than came. */
  readonly cut?: boolean;
}

/** Form of a response in a version of HTTP; undefined where it cannot express it. */
export function onWire(
  { status = 200, headers = {}, body = "", cut = false }: WireResponse,
  version: Version,
): Reply | undefined {
  const bytes = typeof body === "string" ? new TextEncoder().encode(body) : body;
  if (version === "HTTP/2") return { status, headers, body: bytes, cut };
  if (status === 204 && (bytes.length > 0 || cut)) return undefined;
  if (status === 204) return raw(status, version, headers, bytes);
  switch (version) {
    case "HTTP/1.0":
      // The end of the connection is the end of the body.
      return cut ? undefined : raw(status, version, headers, bytes);
    case "HTTP/1.0 with a length":
    case "HTTP/1.1": {
      const length = String(bytes.length + (cut ? 100 : 0));
      return raw(status, version, { ...headers, "content-length": length }, bytes);
    }
    case "HTTP/1.1 in chunks": {
      const size = bytes.length + (cut ? 100 : 0);
      const chunks = [
        ...size > 0 ? [ascii(`${size.toString(16)}\r\n`), bytes] : [],
        ...cut ? [] : [ascii(size > 0 ? "\r\n0\r\n\r\n" : "0\r\n\r\n")],
      ];
      return raw(
        status,
        version,
        { ...headers, "transfer-encoding": "chunked" },
        concat(chunks),
      );
    }
  }
}

function raw(
  status: number,
  version: Version,
  headers: Readonly<Record<string, string>>,
  body: Uint8Array,
): Reply {
  const lines = [
    `${version.slice(0, "HTTP/1.1".length)} ${status} Scripted`,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    "connection: close",
  ];
  return { status, raw: concat([ascii(`${lines.join("\r\n")}\r\n\r\n`), body]) };
}

function ascii(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

const PROTOBUF = { "content-type": "application/x-protobuf" };
const coded = (coding: string) => ({ ...PROTOBUF, "content-encoding": coding });

/** Two of the sample's three data points were rejected. */
export const PARTIAL = new Uint8Array(partialSuccess(2, "two are odd"));
const GZIP = new Uint8Array(gzipSync(PARTIAL));

/** A body of a response, and what is to be made of it. */
export interface BodyCase extends Pick<WireResponse, "headers" | "body" | "cut"> {
  readonly what: string;
  /**
   * Meaning of a 2xx: accepted without a word, accepted with a warning that tells why a partial success could not have
   * been seen, accepted in part, or not accepted.
   */
  readonly means: "accepted" | RegExp | "partial" | "sign-in";
  /** Readable, and not OTLP. */
  readonly foreign?: true;
  /** Deno 2.6 decompresses by itself: a body that is cut off, or not compressed at all, may look empty to it. */
  readonly mayBeSilent?: true;
}

export const BODIES: readonly BodyCase[] = [
  { what: "no body", means: "accepted" },
  ...["gzip", "br", "deflate", "zstd", "x"].map((coding): BodyCase => ({
    what: `no body in ${coding}`,
    headers: coded(coding),
    means: "accepted",
  })),
  {
    what: "no body of the type text/html",
    headers: { "content-type": "text/html" },
    means: "accepted",
  },
  { what: "a partial success", headers: PROTOBUF, body: PARTIAL, means: "partial" },
  { what: "one in gzip", headers: coded("gzip"), body: GZIP, means: "partial" },
  {
    what: "one in gzip of two members",
    headers: coded("gzip"),
    body: concat([gzipSync(PARTIAL.slice(0, 5)), gzipSync(PARTIAL.slice(5))]),
    means: "partial",
  },
  {
    what: "one in deflate",
    headers: coded("deflate"),
    body: deflateSync(PARTIAL),
    means: "partial",
  },
  {
    what: "one in deflate without a header",
    headers: coded("deflate"),
    body: deflateRawSync(PARTIAL),
    means: "partial",
  },
  { what: "one in br", headers: coded("br"), body: brotliCompressSync(PARTIAL), means: "partial" },
  {
    what: "an empty message in gzip",
    headers: coded("gzip"),
    body: gzipSync(new Uint8Array()),
    means: "accepted",
  },
  {
    what: "a body that says gzip and is not compressed",
    headers: coded("gzip"),
    body: PARTIAL,
    means:
      /was not in the coding that its Content-Encoding names, "gzip"|could not be decompressed/,
    mayBeSilent: true,
  },
  {
    what: "a body that says br and is not compressed",
    headers: coded("br"),
    body: "not compressed",
    means: /"br"|could not be decompressed/,
    mayBeSilent: true,
  },
  {
    what: "a body that says deflate and is not compressed",
    headers: coded("deflate"),
    body: "not compressed",
    means: /"deflate"/,
  },
  {
    what: "gzip that ends too early",
    headers: coded("gzip"),
    body: GZIP.slice(0, 12),
    means: /"gzip"|could not be decompressed/,
    mayBeSilent: true,
  },
  {
    what: "br that ends too early",
    headers: coded("br"),
    body: brotliCompressSync(PARTIAL).subarray(0, 6),
    means: /"br"|could not be decompressed/,
    mayBeSilent: true,
  },
  {
    what: "deflate that ends too early",
    headers: coded("deflate"),
    body: deflateSync(PARTIAL).subarray(0, 6),
    means: /"deflate"/,
  },
  {
    what: "gzip on a connection that ends too early",
    headers: coded("gzip"),
    body: GZIP.slice(0, 12),
    cut: true,
    means: /was cut off/,
  },
  {
    what: "protobuf on a connection that ends too early",
    headers: PROTOBUF,
    body: PARTIAL.slice(0, 3),
    cut: true,
    means: /was cut off/,
  },
  {
    what: "nothing of a body that was announced",
    headers: PROTOBUF,
    cut: true,
    means: /was cut off/,
  },
  {
    what: "gzip that holds 16 MiB",
    headers: coded("gzip"),
    body: gzipSync(new Uint8Array(16 * 2 ** 20)),
    means: /was larger than the 4 MiB/,
  },
  {
    what: "{} in JSON",
    headers: { "content-type": "application/json" },
    body: "{}",
    means: "accepted",
  },
  {
    what: "OK as text",
    headers: { "content-type": "text/plain" },
    body: "OK",
    means: /is not OTLP: OK/,
    foreign: true,
  },
  {
    what: "a line break as text",
    headers: { "content-type": "text/plain" },
    body: "\n",
    means: /is not OTLP/,
    foreign: true,
  },
  {
    what: "JSON of another kind",
    headers: { "content-type": "application/json" },
    body: '{"status":"ok"}',
    means: /is not OTLP: .*status/,
    foreign: true,
  },
  {
    what: "a page",
    headers: { "content-type": "text/html; charset=utf-8" },
    body: "<!doctype html><title>Sign in</title>",
    means: "sign-in",
  },
  {
    what: "a page that names no type",
    body: "\r\n <html><head><title>Sign in</title></head></html>",
    means: "sign-in",
  },
  {
    what: "a page that breaks off",
    headers: { "content-type": "text/html" },
    body: "<html><title>Sign",
    cut: true,
    means: "sign-in",
  },
];
