import type { AnyValue, KeyValue } from "../otlp/gen/opentelemetry/proto/common/v1/common_pb.ts";
import { escapeText } from "../console/escape.ts";
import type { Hide } from "../redact/secrets.ts";

const MOST_ATTRIBUTES = 100;

/** Formats attributes as `key=value` words, safe for a terminal, with secrets hidden by `hide`. */
export function attributeWords(
  attributes: readonly KeyValue[],
  hide: Hide = (text) => text,
): string[] {
  const words = attributes.slice(0, MOST_ATTRIBUTES).map(({ key, value }) =>
    `${escapeText(hide(key))}=${valueText(value, hide)}`
  );
  const more = attributes.length - MOST_ATTRIBUTES;
  return more > 0 ? [...words, `… and ${more} more`] : words;
}

function valueText(value: AnyValue | undefined, hide: Hide): string {
  const { case: type, value: held } = value?.value ?? { case: undefined, value: undefined };
  switch (type) {
    case "stringValue":
      return stringWord(hide(held));
    case "arrayValue":
      return `[${held.values.slice(0, 20).map((each) => valueText(each, hide)).join(",")}]`;
    case "kvlistValue":
      return `{${attributeWords(held.values.slice(0, 20), hide).join(" ")}}`;
    case "bytesValue":
      return `(${held.length} bytes)`;
    case undefined:
      return "(none)";
    default:
      return String(held);
  }
}

/** Formats a string safely for a terminal; quoted if it would run into its neighbour. */
export function stringWord(text: string): string {
  return /^[^\s"=]+$/.test(text) ? escapeText(text) : escapeText(JSON.stringify(text));
}
