import type { Attributes } from "../measurements/measurement.ts";

/**
 * The same for the same attributes in any order. Each part says how long it is or how it ends, so that no two sets have
 * one key.
 */
export function keyOf(attributes: Attributes): string {
  const names = Object.keys(attributes);
  if (names.length > 1) names.sort();
  let key = "";
  for (const name of names) {
    const value = attributes[name];
    key += typeof value === "string"
      ? `${name.length}"${value.length}:${name}${value}`
      : `${name.length}:${name}${value};`;
  }
  return key;
}
