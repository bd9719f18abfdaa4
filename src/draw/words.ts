import { counted } from "../console/plural.ts";
import type { AnyValue, KeyValue } from "../otlp/gen/opentelemetry/proto/common/v1/common_pb.ts";
import { escapeText } from "../console/escape.ts";
import type { Hide } from "../redact/secrets.ts";

const MOST_ATTRIBUTES = 100;

/** Formats attributes as `key=value` words, safe for a terminal, with secrets hidden by `hide`. */
export function attributeWords(
  attributes: readonly KeyValue[],
  hide: Hide = (text) => text,
): string[] {
  return listWords(
    attributes,
    ({ key, value }) => `${escapeText(hide(key))}=${valueText(value, hide)}`,
  );
}

/** Formats each item as a word; items beyond MOST_ATTRIBUTES are only counted. */
export function listWords<T>(items: readonly T[], format: (item: T) => string): string[] {
  const words = items.slice(0, MOST_ATTRIBUTES).map(format);
  const more = items.length - MOST_ATTRIBUTES;
  return more > 0 ? [...words, `… and ${more} more`] : words;
}

/** Title of a series: its name, unit and attribute words, safe for a terminal. */
export function titleWords(
  { name, unit }: { readonly name: string; readonly unit: string },
  attributes: readonly string[],
  hide: Hide,
): string[] {
  return [
    escapeText(hide(name)),
    ...unit === "" ? [] : [`(${escapeText(hide(unit))})`],
    ...attributes,
  ];
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
      return `(${counted(held.length, "byte")})`;
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
