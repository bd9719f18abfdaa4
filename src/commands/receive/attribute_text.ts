import type { AnyValue, KeyValue } from "../../otlp/gen/opentelemetry/proto/common/v1/common_pb.ts";

/**
 * Formats a value as the text that an expectation compares: 200, true, 0.5; an array as [a,b], a map as {k=v}, bytes in
 * hexadecimal.
 */
function attributeText(value: AnyValue | undefined): string {
  const { case: type, value: held } = value?.value ?? { case: undefined, value: undefined };
  switch (type) {
    case "arrayValue":
      return `[${held.values.map(attributeText).join(",")}]`;
    case "kvlistValue":
      return `{${held.values.map(({ key, value }) => `${key}=${attributeText(value)}`).join(",")}}`;
    case "bytesValue":
      return held.toHex();
    case undefined:
      return "";
    default:
      return String(held);
  }
}

/** Value as an expectation compares it: as text, and a double also as a number, whose text has many forms. */
export interface ComparedValue {
  readonly text: string;
  /** Undefined for anything but a double. */
  readonly double: number | undefined;
}

/** Returns the values of all attributes with a key; OTLP forbids two, but a request can hold them. */
export function attributeValues(
  attributes: readonly KeyValue[],
  key: string,
): readonly ComparedValue[] {
  return attributes.filter((attribute) => attribute.key === key).map(({ value }) => ({
    text: attributeText(value),
    double: value?.value.case === "doubleValue" ? value.value.value : undefined,
  }));
}
