import type {
  AnyValue,
  InstrumentationScope,
  KeyValue,
} from "./gen/opentelemetry/proto/common/v1/common_pb.ts";

/** Returns a text that is equal for attributes of the same keys, types and values, in any order. */
export function identityOf(attributes: readonly KeyValue[]): string {
  return attributes.map(({ key, value }) => `${JSON.stringify(key)}:${identityOfValue(value)}`)
    .sort().join(",");
}

/** Returns a text that is equal for equal scopes. One that is not set is the same as an empty one (metrics.proto). */
export function scopeIdentity(scope: InstrumentationScope | undefined): string {
  const { name = "", version = "", attributes = [] } = scope ?? {};
  return JSON.stringify([name, version, identityOf(attributes)]);
}

function identityOfValue(value: AnyValue | undefined): string {
  const { case: type, value: held } = value?.value ?? { case: undefined, value: undefined };
  switch (type) {
    case "arrayValue":
      return `[${held.values.map(identityOfValue).join(",")}]`;
    case "kvlistValue":
      return `{${identityOf(held.values)}}`;
    case "bytesValue":
      return `bytes ${held.toHex()}`;
    case "stringValue":
      return JSON.stringify(held);
    case undefined:
      return "none";
    default:
      return `${type} ${held}`;
  }
}
