import type { BodyLimits } from "../../receivers/profile.ts";
import { refusalOf, type Refused } from "./refused.ts";

/** Format of a request (OTLP specification, "OTLP/HTTP Request"). */
export type Format = BodyLimits["formats"][number];

/** Compression of a request. */
export type Encoding = BodyLimits["encodings"][number];

/** Format and encoding of a body, by its head. */
export interface Media {
  readonly format: Format;
  readonly encoding: Encoding | undefined;
}

/** Content-Type per format. */
export const CONTENT_TYPES: Readonly<Record<Format, string>> = {
  protobuf: "application/x-protobuf",
  json: "application/json",
};

/** Returns the format that the Content-Type names; a response has the same. */
export function contentFormat(headers: Headers): Format | undefined {
  const named = headers.get("Content-Type")?.split(";")[0]?.trim().toLowerCase();
  return (["protobuf", "json"] as const).find((format) => CONTENT_TYPES[format] === named);
}

/** Reads format and compression from the head of a request; a refusal lists what is accepted. */
export function mediaOf(
  headers: Headers,
  accepted: BodyLimits,
): { readonly outcome: "taken"; readonly media: Media } | Refused {
  const format = contentFormat(headers);
  if (format === undefined || !accepted.formats.includes(format)) {
    const type = headers.get("Content-Type");
    const what = type === null
      ? "Content-Type is missing"
      : `Content-Type "${type}" is not supported`;
    const types = accepted.formats.map((format) => CONTENT_TYPES[format]);
    return refusalOf(415, "content-type", `${what}: send ${orList(types)}`, {
      Accept: types.join(", "),
    });
  }
  const named = (headers.get("Content-Encoding") ?? "").trim().toLowerCase();
  if (named === "") return { outcome: "taken", media: { format, encoding: undefined } };
  const send = orList([...accepted.encodings, "none"]);
  if (named === "identity") {
    // RFC 9110, section 12.5.3: reserved for Accept-Encoding.
    const why =
      `Content-Encoding "identity" is not an encoding: remove the header, or send ${send}`;
    return refusalOf(400, "content-encoding", why);
  }
  const encoding = accepted.encodings.find((encoding) => encoding === named);
  if (encoding !== undefined) return { outcome: "taken", media: { format, encoding } };
  return refusalOf(
    415,
    "content-encoding",
    `Content-Encoding "${named}" is not supported: send ${send}`,
    { "Accept-Encoding": accepted.encodings.join(", ") },
  );
}

function orList(words: readonly string[]): string {
  if (words.length < 2) return words.join();
  return `${words.slice(0, -1).join(", ")} or ${words.at(-1)}`;
}
