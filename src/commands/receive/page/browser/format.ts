const WHOLE = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const COMPACT = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });

/** Formats a count with all its digits, or in short if it has many. */
export function count(value: number): string {
  return value < 100_000 ? WHOLE.format(value) : COMPACT.format(value);
}

/** Formats a count with all its digits. */
export function exactCount(value: number): string {
  return WHOLE.format(value);
}

const LARGE = new Intl.NumberFormat("en", { notation: "compact", maximumSignificantDigits: 3 });
const FOUR_DIGITS = new Intl.NumberFormat("en", { maximumSignificantDigits: 4 });
const THREE_DIGITS = new Intl.NumberFormat("en", { maximumSignificantDigits: 3 });

/** Appends a unit. UCUM has annotations in braces, and 1 for no unit. */
export function withUnit(text: string, unit: string): string {
  const shown = unit.replaceAll(/[{}]/g, "");
  return shown === "" || shown === "1" ? text : `${text} ${shown}`;
}

/** Formats a measured value with three significant digits. */
export function formatValue(value: number | null | undefined, unit = ""): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return "–";
  const size = Math.abs(value);
  const isTiny = (size < 1e-3 && size > 0) || size >= 1e15;
  const format = size >= 1e6 ? LARGE : size >= 1000 ? FOUR_DIGITS : THREE_DIGITS;
  return withUnit(isTiny ? value.toExponential(2) : format.format(value), unit);
}

/** Units of time in seconds. */
const SECONDS = new Map([["s", 1], ["ms", 1e-3], ["us", 1e-6], ["µs", 1e-6], ["ns", 1e-9]]);
const TIMES = ["s", "ms", "us", "ns"];

/** Formats a value of that unit for one column. */
export type ValueFormat = (value: number | null | undefined, unit: string) => string;

/** Creates the format of a column that shows these values: all times in one unit, which suits their median. */
export function columnFormat(
  values: readonly (readonly [value: number | null | undefined, unit: string])[],
): ValueFormat {
  const times = values.flatMap(([value, unit]) => {
    const scale = SECONDS.get(unit);
    return scale === undefined || !value ? [] : [{ unit, value, seconds: Math.abs(value) * scale }];
  }).sort((a, b) => a.seconds - b.seconds);
  const isReadable = new Set(times.map(({ unit }) => unit)).size < 2 &&
    times.every(({ value }) => Math.abs(value) >= 1e-3);
  if (isReadable) return formatValue;
  const median = times[times.length >> 1]?.seconds ?? 1;
  const unit = TIMES.find((time) => median >= 0.9995 * (SECONDS.get(time) ?? 1)) ?? "ns";
  return (value, own) => {
    const scale = (SECONDS.get(own) ?? 0) / (SECONDS.get(unit) ?? 1);
    return scale === 0 || value === null || value === undefined
      ? formatValue(value, own)
      : formatValue(value * scale, unit);
  };
}

/** Formats a bound as it was set; one that was computed has three digits. */
export function bound(value: number): string {
  const four = Number(value.toPrecision(4));
  return String(four === value ? four : Number(value.toPrecision(3)));
}

/** Formats a rate. */
export function rate(value: number): string {
  return value >= 100 ? count(Math.round(value)) : String(Number(value.toPrecision(2)));
}

/** Formats a number of bytes. */
export function formatBytes(value: number): string {
  if (value < 1000) return `${value} B`;
  return value < 1e6 ? `${(value / 1e3).toFixed(1)} kB` : `${(value / 1e6).toFixed(1)} MB`;
}

const CLOCK = new Intl.DateTimeFormat("en-GB", { timeStyle: "medium" });

/** Formats the local time of day to the second. */
export function clock(ms: number): string {
  return CLOCK.format(ms);
}

const MINUTES = new Intl.DateTimeFormat("en-GB", { timeStyle: "short" });

/** Formats a time for an axis whose marks are `step` seconds apart. */
export function timeOfDay(ms: number, step: number): string {
  return (step < 60 ? CLOCK : MINUTES).format(ms);
}

/** Formats a duration. */
export function duration(ms: number): string {
  const seconds = Math.round(ms / 1000);
  if (seconds < 120) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 120 ? `${minutes} min` : `${(minutes / 60).toFixed(1)} h`;
}
