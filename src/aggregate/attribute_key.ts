import type { Attributes } from "./measurement.ts";

/**
 * Makes the key of an attribute set, equal for equal attributes in any order. Each part says how long it is or how it
 * ends, so that no two sets share a key.
 */
export function attributeKey(attributes: Attributes): string {
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

/** Hashes an attribute set without allocating: equal for equal attributes in any order, and mostly not for others. */
export function fingerprintOf(attributes: Attributes): number {
  let sum = 0;
  for (const name in attributes) {
    const value = attributes[name];
    // Integers differ; other numbers count by their whole part alone.
    const of = typeof value === "string" ? hashText(value, 0) : Number(value) | 0;
    sum = (sum + hashText(name, of)) | 0;
  }
  // V8 holds this many bits without allocating an object.
  return sum >>> 2;
}

function hashText(text: string, seed: number): number {
  let hash = Math.imul(seed ^ text.length, 0x9e3779b1);
  for (let i = 0; i < text.length; i++) {
    hash = Math.imul(hash ^ text.charCodeAt(i), 0x9e3779b1);
    hash ^= hash >>> 15;
  }
  return hash;
}
