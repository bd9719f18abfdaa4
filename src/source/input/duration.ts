import { NANOSECONDS_OF } from "../../aggregate/time_unit.ts";

/** Units of time as Go, Rust, Prometheus and people write them behind a number, in nanoseconds. */
const WRITTEN: ReadonlyMap<string, number> = new Map([
  ...NANOSECONDS_OF,
  ["µs", 1e3], // the micro sign
  ["μs", 1e3], // the Greek letter
  ["m", 60e9],
  ["d", 86_400e9],
]);

/** The metre, which a metric's unit `m` means: there it does not mean minute. */
const NO_METRIC_UNIT = "m";

const PART = /(\d+\.?\d*|\.\d+)((?:e[+-]?\d+)?) ?(ns|us|µs|μs|ms|s|min|m|h|d) ?/gy;
/** `PT1M2.5S` (ISO 8601, without years and months, which have no length), as Java and .NET write it. */
const ISO =
  /^P(?=.)(?:(\d+)W)?(?:(\d+)D)?(?:T(?=.)(?:(\d+(?:[.,]\d+)?)H)?(?:(\d+(?:[.,]\d+)?)M)?(?:(\d+(?:[.,]\d+)?)S)?)?$/i;
const ISO_UNITS = [7 * 86_400e9, 86_400e9, 3600e9, 60e9, 1e9];
/** Hours, minutes and seconds, `00:00:01.500`; .NET puts days and a point in front. Without seconds nobody knows. */
const CLOCK = /^(?:(\d+)\.)?(\d+):(\d\d):(\d\d(?:[.,]\d+)?)$/;
const CLOCK_UNITS = [86_400e9, 3600e9, 60e9, 1e9];

/** Units that `unitCode` knows, by their codes. */
const CODED = ["s", "m", "h", "d", "ms", "us", "ns"] as const;

/** Converts durations such as `12ms`, `340 µs`, `1m2.5s`, `PT1.5S` or `00:00:01.500` to one unit of time. */
export class DurationUnit {
  readonly #nanoseconds: number;
  /** By the codes of `unitCode`, so that bytes need not become text. */
  readonly #byCode: Float64Array;

  private constructor(nanoseconds: number) {
    this.#nanoseconds = nanoseconds;
    this.#byCode = Float64Array.from(CODED, (unit) => WRITTEN.get(unit) ?? NaN);
  }

  /** Undefined when `unit` is not a unit of time. */
  static of(unit: string | undefined): DurationUnit | undefined {
    const nanoseconds = unit === undefined || unit === NO_METRIC_UNIT
      ? undefined
      : WRITTEN.get(unit);
    return nanoseconds === undefined ? undefined : new DurationUnit(nanoseconds);
  }

  /** A duration in this unit; NaN when the text is none. */
  convert(text: string): number {
    const trimmed = text.trim();
    const negative = trimmed.startsWith("-");
    const first = negative || trimmed.startsWith("+") ? 1 : 0;
    const whole = trimmed.slice(first);
    for (const [expression, units] of [[ISO, ISO_UNITS], [CLOCK, CLOCK_UNITS]] as const) {
      const match = expression.exec(whole);
      if (match === null) continue;
      const total = units.reduce((sum, nanoseconds, i) => {
        const text = match[i + 1];
        return text === undefined
          ? sum
          : sum + this.#converted(Number(text.replace(",", ".")), nanoseconds);
      }, 0);
      return negative ? -total : total;
    }
    PART.lastIndex = first;
    let sum = 0;
    let at = first;
    for (let part = PART.exec(trimmed); part !== null; part = PART.exec(trimmed)) {
      at = PART.lastIndex;
      const [, digits = "", exponent = "", unit = ""] = part;
      sum += this.#converted(Number(digits + exponent), WRITTEN.get(unit) ?? NaN);
    }
    if (at === first || at < trimmed.length) return NaN;
    return negative ? -sum : sum;
  }

  /** Converts a number whose unit stands in bytes[from, to); NaN when that is not a unit of time. */
  convertBytes(number: number, bytes: Uint8Array, from: number, to: number): number {
    const code = unitCode(bytes, from, to);
    return code < 0 ? NaN : this.#converted(number, this.#byCode[code] ?? NaN);
  }

  /** One rounding, whichever of the two units is larger. */
  #converted(number: number, nanoseconds: number): number {
    return nanoseconds >= this.#nanoseconds
      ? number * (nanoseconds / this.#nanoseconds)
      : number / (this.#nanoseconds / nanoseconds);
  }
}

const ANY_UNIT = DurationUnit.of("ns");

/** Parses a duration into nanoseconds; NaN when the text is none. */
export function nanosecondsOf(text: string): number {
  return ANY_UNIT?.convert(text) ?? NaN;
}

/** Whether a text is a number with a unit of time, or several of them. */
export function isDuration(text: string): boolean {
  return !Number.isNaN(nanosecondsOf(text));
}

/** The place in CODED of the unit that is all of bytes[from, to); -1 when there is none. */
function unitCode(bytes: Uint8Array, from: number, to: number): number {
  const first = bytes[from];
  if (to - from === 1) {
    return first === 115 ? 0 : first === 109 ? 1 : first === 104 ? 2 : first === 100 ? 3 : -1;
  }
  if (bytes[to - 1] !== 115) return -1;
  if (to - from === 2) return first === 109 ? 4 : first === 117 ? 5 : first === 110 ? 6 : -1;
  const second = bytes[from + 1];
  const isMicro = (first === 0xc2 && second === 0xb5) || (first === 0xce && second === 0xbc);
  return to - from === 3 && isMicro ? 5 : -1;
}
