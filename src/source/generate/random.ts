/**
 * A seeded generator, uniform in [0, 1): the same seed gives the same numbers on every machine, since it is made of
 * 32-bit integer arithmetic alone, up to one exact division. Not for secrets.
 */
export function seededRandom(seed: string | number): () => number {
  return xoshiro128ss(seedState(String(seed)));
}

/**
 * xoshiro128** 1.1 (D. Blackman, S. Vigna, https://prng.di.unimi.it/xoshiro128starstar.c); two of its outputs make
 * the 53 bits of a double, so that the tails of a distribution are reached.
 */
export function xoshiro128ss(state: Uint32Array): () => number {
  const next = xoshiro128ssBits(state);
  return () => ((next() >>> 5) * 2 ** 26 + (next() >>> 6)) / 2 ** 53;
}

/** The generator's own output: unsigned 32-bit integers. */
export function xoshiro128ssBits(state: Uint32Array): () => number {
  let [a = 0, b = 0, c = 0, d = 0] = state;
  return () => {
    const bits = Math.imul(rotate(Math.imul(b, 5), 7), 9) >>> 0;
    const shifted = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= shifted;
    d = rotate(d, 11);
    return bits;
  };
}

function rotate(bits: number, by: number): number {
  return (bits << by) | (bits >>> (32 - by));
}

/** 128 bits of a seed of any length: four hashes of it, as the generator's authors want it seeded by another kind. */
function seedState(seed: string): Uint32Array {
  const bytes = new TextEncoder().encode(seed);
  const state = Uint32Array.from([1, 2, 3, 4], (salt) => murmur3(bytes, salt));
  // The one state that the generator cannot leave.
  if (state.every((word) => word === 0)) state[0] = 1;
  return state;
}

/** MurmurHash3_x86_32 (A. Appleby, https://github.com/aappleby/smhasher). */
export function murmur3(bytes: Uint8Array, salt: number): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let hash = salt | 0;
  const whole = bytes.length & ~3;
  for (let i = 0; i < whole; i += 4) {
    hash ^= scramble(view.getInt32(i, true));
    hash = (Math.imul(rotate(hash, 13), 5) + 0xe6546b64) | 0;
  }
  let rest = 0;
  for (let i = bytes.length - 1; i >= whole; i--) rest = (rest << 8) | (bytes[i] ?? 0);
  hash ^= scramble(rest) ^ bytes.length;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

function scramble(word: number): number {
  return Math.imul(rotate(Math.imul(word, 0xcc9e2d51), 15), 0x1b873593);
}
