import type { AnyValue } from "./gen/opentelemetry/proto/common/v1/common_pb.ts";

/** Value of an attribute as plain JSON; integers beyond 2^53 as text, and bytes as base64. */
export type AttributeJson =
  | null
  | boolean
  | number
  | string
  | readonly AttributeJson[]
  | { readonly [key: string]: AttributeJson };

/** Converts an attribute's value to plain JSON; null for none. */
export function attributeJson(value: AnyValue | undefined): AttributeJson {
  const { case: type, value: held } = value?.value ?? { case: undefined, value: undefined };
  switch (type) {
    case "arrayValue":
      return held.values.map(attributeJson);
    case "kvlistValue":
      return Object.fromEntries(held.values.map(({ key, value }) => [key, attributeJson(value)]));
    case "bytesValue":
      return held.toBase64();
    case "intValue":
      return Number.isSafeInteger(Number(held)) ? Number(held) : String(held);
    case "stringValue":
    case "boolValue":
    case "doubleValue":
      return held;
    default:
      return null;
  }
}
