import { EXACT_POWERS, longDecimal } from "./long_decimal.ts";

const ZERO = 48;
const NINE = 57;
const POINT = 46;

/** Every integer up to this is a double. */
const EXACT = 2 ** 53;

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
    const first = negative ? at + 1 : at;
    let i = first;
    let digit = bytes[i] ?? 0;
    let mantissa = 0;
    if (digit === ZERO) {
      i++;
    } else {
      for (; digit >= ZERO && digit <= NINE; digit = bytes[++i] ?? 0) {
        mantissa = mantissa * 10 + (digit - ZERO);
      }
      if (i === first) return -1;
    }
    let decimals = 0;
    if (bytes[i] === POINT) {
      const point = i++;
      digit = bytes[i] ?? 0;
      for (; digit >= ZERO && digit <= NINE; digit = bytes[++i] ?? 0) {
        mantissa = mantissa * 10 + (digit - ZERO);
      }
      decimals = i - point - 1;
      if (decimals === 0) return -1;
    }
    const mark = bytes[i] ?? 0;
    if (mark === 101 || mark === 69) {
      i = exponentEnd(bytes, i + 1);
      if (i >= 0) this.value = this.#plain(bytes, at, i);
      return i;
    }
    // An integer and a power of ten that are both exact: one division rounds once (W. D. Clinger, 1990).
    const magnitude = mantissa < EXACT && decimals < EXACT_POWERS.length
      ? mantissa / (EXACT_POWERS[decimals] ?? NaN)
      : long(bytes, first, i, decimals);
    this.value = Number.isNaN(magnitude)
      ? this.#plain(bytes, at, i)
      : negative
      ? -magnitude
      : magnitude;
    return i;
  }

  #plain(bytes: Uint8Array, from: number, to: number): number {
    return Number(this.#decoder.decode(bytes.subarray(from, to)));
  }
}

function exponentEnd(bytes: Uint8Array, at: number): number {
  const sign = bytes[at];
  const first = sign === 43 || sign === 45 ? at + 1 : at;
  let i = first;
  for (let c = bytes[i] ?? 0; c >= ZERO && c <= NINE; c = bytes[++i] ?? 0);
  return i === first ? -1 : i;
}

/** A number of 16 to 22 digits, which is what other programs print of a double; NaN when there are more. */
function long(bytes: Uint8Array, from: number, to: number, decimals: number): number {
  let high = 0;
  let low = 0;
  let digits = 0;
  for (let i = from; i < to; i++) {
    const c = bytes[i] ?? 0;
    if (c === POINT || (digits === 0 && c === ZERO)) continue;
    if (++digits <= 15) high = high * 10 + (c - ZERO);
    else low = low * 10 + (c - ZERO);
  }
  return digits > 15 && digits <= 22 && decimals < EXACT_POWERS.length
    ? longDecimal(high, low, digits - 15, decimals)
    : NaN;
}
