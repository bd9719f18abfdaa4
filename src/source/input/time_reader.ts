import { ByteNumber } from "./byte_number.ts";
import {
  END,
  instant,
  minuteOf,
  MONTHS,
  MOST_FRACTION,
  scaledFraction,
  signedOffset,
  sinceEpoch,
  type TimeFormat,
} from "./time.ts";
import type { TimeZone } from "./time_zone.ts";

const QUOTE = 34;
const DASH = 45;
const SLASH = 47;
const COLON = 58;
/** Length of `YYYY-MM-DDTHH:MM` in RFC 3339, and below of `DD/Mon/YYYY:HH:MM` in the common log format. */
const RFC_MINUTE = 16;
const CLF_MINUTE = 17;

/** Reads times out of bytes, without making strings of them where they are written as they mostly are. */
export class TimeReader {
  readonly #format: TimeFormat;
  readonly #zone: TimeZone | undefined;
  readonly #number = new ByteNumber();
  /** How the last time began, up to its minute: a log has many of one minute. */
  readonly #prefix = new Uint8Array(CLF_MINUTE);
  #prefixLength = 0;
  #minute = NaN;

  /** `zone` is that of times without one. */
  constructor(format: TimeFormat, zone?: TimeZone) {
    this.#format = format;
    this.#zone = zone;
  }

  /**
   * The ms since 1970 of what stands in bytes[from, to), quotes around it or not; NaN when `parseTime` has to decide.
   * Something other than a digit has to follow it in `bytes`.
   */
  read(bytes: Uint8Array, from: number, to: number): number {
    const inQuotes = bytes[from] === QUOTE && bytes[to - 1] === QUOTE && to - from > 1;
    const time = this.#read(bytes, inQuotes ? from + 1 : from, inQuotes ? to - 1 : to);
    return time >= 0 && time < END ? time : NaN;
  }

  #read(bytes: Uint8Array, from: number, to: number): number {
    const format = this.#format;
    if (to - from >= 19 && bytes[from + 4] === DASH) {
      return format === "auto" || format === "rfc3339" ? this.#rfc3339(bytes, from, to) : NaN;
    }
    if (to - from === 26 && bytes[from + 2] === SLASH) {
      return format === "auto" || format === "clf" ? this.#clf(bytes, from, to) : NaN;
    }
    if (format === "rfc3339" || format === "clf") return NaN;
    const end = this.#number.read(bytes, from);
    return end === to ? sinceEpoch(this.#number.value, format) : NaN;
  }

  #rfc3339(bytes: Uint8Array, from: number, to: number): number {
    if (!this.#isKnown(bytes, from, RFC_MINUTE)) {
      const t = bytes[from + 10];
      if (bytes[from + 7] !== DASH || bytes[from + 13] !== COLON) return NaN;
      if (t !== 84 && t !== 116 && t !== 32 && t !== 9) return NaN;
      const year = two(bytes, from) * 100 + two(bytes, from + 2);
      const [month, day] = [two(bytes, from + 5), two(bytes, from + 8)];
      const minute = minuteOf(year, month, day, two(bytes, from + 11), two(bytes, from + 14));
      this.#know(bytes, from, RFC_MINUTE, minute);
    }
    if (bytes[from + RFC_MINUTE] !== COLON) return NaN;
    const second = two(bytes, from + 17);
    let i = from + 19;
    let fraction = 0;
    if (i < to && (bytes[i] === 46 || bytes[i] === 44)) {
      const first = ++i;
      let number = 0;
      for (let c = (bytes[i] ?? 0) - 48; c >= 0 && c <= 9; c = (bytes[++i] ?? 0) - 48) {
        number = number * 10 + c;
      }
      if (i === first || i - first > MOST_FRACTION) return NaN;
      fraction = scaledFraction(number, i - first);
    }
    if (i === to && this.#zone !== undefined && this.#minute >= 0) {
      return instant(this.#minute, second, fraction, this.#zone.offsetAt(this.#minute));
    }
    const sign = bytes[i];
    if (i === to - 1 && (sign === 90 || sign === 122)) {
      return instant(this.#minute, second, fraction, 0);
    }
    if (i !== to - 6 || bytes[i + 3] !== COLON || (sign !== 43 && sign !== DASH)) return NaN;
    const offset = signedOffset(sign === DASH, two(bytes, i + 1), two(bytes, i + 4));
    return instant(this.#minute, second, fraction, offset);
  }

  #clf(bytes: Uint8Array, from: number, to: number): number {
    if (!this.#isKnown(bytes, from, CLF_MINUTE)) {
      if (bytes[from + 6] !== SLASH || bytes[from + 11] !== COLON || bytes[from + 14] !== COLON) {
        return NaN;
      }
      const month = monthOf(bytes, from + 3);
      const year = two(bytes, from + 7) * 100 + two(bytes, from + 9);
      const [hour, minute] = [two(bytes, from + 12), two(bytes, from + 15)];
      const start = minuteOf(year, month, two(bytes, from), hour, minute);
      this.#know(bytes, from, CLF_MINUTE, start);
    }
    const sign = bytes[to - 5];
    if (bytes[from + CLF_MINUTE] !== COLON || bytes[to - 6] !== 32) return NaN;
    if (sign !== 43 && sign !== DASH) return NaN;
    const offset = signedOffset(sign === DASH, two(bytes, to - 4), two(bytes, to - 2));
    return instant(this.#minute, two(bytes, from + 18), 0, offset);
  }

  #isKnown(bytes: Uint8Array, from: number, length: number): boolean {
    if (this.#prefixLength !== length) return false;
    // Lines differ at the end first.
    for (let i = length - 1; i >= 0; i--) if (bytes[from + i] !== this.#prefix[i]) return false;
    return true;
  }

  #know(bytes: Uint8Array, from: number, length: number, minute: number): void {
    for (let i = 0; i < length; i++) this.#prefix[i] = bytes[from + i] ?? 0;
    this.#prefixLength = length;
    this.#minute = minute;
  }
}

/** The number that two digits are; NaN when they are none. */
function two(bytes: Uint8Array, at: number): number {
  const tens = (bytes[at] ?? 0) - 48;
  const ones = (bytes[at + 1] ?? 0) - 48;
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : NaN;
}

/** 1 to 12 of `Jan` to `Dec`, or 0. */
function monthOf(bytes: Uint8Array, at: number): number {
  const name = ((bytes[at] ?? 0) << 16 | (bytes[at + 1] ?? 0) << 8 | (bytes[at + 2] ?? 0)) |
    0x202020;
  return CODED_MONTHS.indexOf(name) + 1;
}

const CODED_MONTHS = MONTHS.map((name) =>
  name.charCodeAt(0) << 16 | name.charCodeAt(1) << 8 | name.charCodeAt(2)
);
