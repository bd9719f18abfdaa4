/** The part of a connection that a dialogue with a proxy uses. */
export interface Line {
  /** Reads into `bytes`; null at the end of the connection. */
  read(bytes: Uint8Array): Promise<number | null>;
  /** Writes some of the bytes and returns how many. */
  write(bytes: Uint8Array): Promise<number>;
}

/** Writes all bytes. */
export async function writeAll(line: Line, bytes: ArrayLike<number>): Promise<void> {
  const all = Uint8Array.from(bytes);
  for (let at = 0; at < all.length;) at += await line.write(all.subarray(at));
}

/** Reads `length` bytes; rejects if the connection ends before. */
export async function readExactly(line: Line, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length;) {
    const count = await line.read(bytes.subarray(at));
    if (count === null) throw new Error("the proxy answered nothing");
    at += count;
  }
  return bytes;
}
