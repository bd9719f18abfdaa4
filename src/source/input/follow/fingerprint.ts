import type { Fingerprint } from "../place.ts";

/** Maximum number of a file's first bytes that its fingerprint covers. */
export const HEAD_BYTES = 1024;
/** Maximum number of bytes before a position that its fingerprint covers. */
export const LAST_BYTES = 256;

/** Computes the fingerprint of these bytes. */
export async function fingerprint(bytes: Uint8Array): Promise<Fingerprint> {
  const digest = await crypto.subtle.digest("SHA-256", Uint8Array.from(bytes));
  return { length: bytes.length, sha256: new Uint8Array(digest).toHex() };
}

/** Whether a file that begins with `bytes` begins with what the fingerprint was made of. */
export async function beginsWith(bytes: Uint8Array, head: Fingerprint): Promise<boolean> {
  if (bytes.length < head.length) return false;
  return (await fingerprint(bytes.subarray(0, head.length))).sha256 === head.sha256;
}

/** Whether both hold the same bytes. */
export function isSameDigest(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
