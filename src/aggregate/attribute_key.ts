import type { Attributes } from "./measurement.ts";

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

/** Equal for equal attributes in any order, mostly not for others: a number that takes no memory to make. */
export function fingerprintOf(attributes: Attributes): number {
  let sum = 0;
  for (const name in attributes) {
    const value = attributes[name];
    // Integers are told apart, and other numbers by their whole part.
    const of = typeof value === "string" ? hashOf(value, 0) : Number(value) | 0;
    sum = (sum + hashOf(name, of)) | 0;
  }
  // As many bits as V8 holds without an object of its own.
  return sum >>> 2;
}

function hashOf(text: string, seed: number): number {
  let hash = Math.imul(seed ^ text.length, 0x9e3779b1);
  for (let i = 0; i < text.length; i++) {
    hash = Math.imul(hash ^ text.charCodeAt(i), 0x9e3779b1);
    hash ^= hash >>> 15;
  }
  return hash;
}
