const ZERO = 48;
const NINE = 57;

/** 10^22 is the largest power of ten that a double holds exactly. */
const POWERS = Float64Array.from({ length: 23 }, (_, n) => Number(`1e${n}`));

/** So many digits make an integer below 2^53. */
const EXACT_DIGITS = 15;

/** Reads a number of JSON's grammar (RFC 8259, 6) out of bytes, without making a string of it where possible. */
export class ByteNumber {
  readonly #decoder = new TextDecoder();
  /** The number that was read last. */
  value = 0;

  /**
   * Where the number that begins at `at` ends, or -1 when there is none. Something other than a digit has to follow it in
   * `bytes`.
   */
  read(bytes: Uint8Array, at: number): number {
    const negative = bytes[at] === 45;
    let i = negative ? at + 1 : at;
    let digits = bytes[i] ?? 0;
    let mantissa = 0;
    const first = i;
    if (digits === ZERO) {
      i++;
    } else {
      for (; digits >= ZERO && digits <= NINE; digits = bytes[++i] ?? 0) {
        mantissa = mantissa * 10 + (digits - ZERO);
      }
      if (i === first) return -1;
    }
    let significant = i - first;
    let decimals = 0;
    if (bytes[i] === 46) {
      const point = i++;
      digits = bytes[i] ?? 0;
      for (; digits >= ZERO && digits <= NINE; digits = bytes[++i] ?? 0) {
        mantissa = mantissa * 10 + (digits - ZERO);
      }
      decimals = i - point - 1;
      if (decimals === 0) return -1;
      significant += decimals;
    }
    const mark = bytes[i] ?? 0;
    if (mark === 101 || mark === 69) {
      i = exponentEnd(bytes, i + 1);
      if (i < 0) return -1;
    } else if (significant <= EXACT_DIGITS) {
      // An integer and a power of ten that are both exact: one division rounds once (W. D. Clinger, 1990).
      const magnitude = mantissa / (POWERS[decimals] ?? NaN);
      this.value = negative ? -magnitude : magnitude;
      return i;
    }
    this.value = Number(this.#decoder.decode(bytes.subarray(at, i)));
    return i;
  }
}

function exponentEnd(bytes: Uint8Array, at: number): number {
  const sign = bytes[at];
  const first = sign === 43 || sign === 45 ? at + 1 : at;
  let i = first;
  for (let c = bytes[i] ?? 0; c >= ZERO && c <= NINE; c = bytes[++i] ?? 0);
  return i === first ? -1 : i;
}
