import { quoteClipped } from "../../redact/clip.ts";
import { decimal } from "../../platform/number.ts";
import type { TimeZone } from "./time_zone.ts";

/** Notations of a time: RFC 3339, the common log format's, or a number since 1970 in a unit; auto: by its look. */
export const TIME_FORMATS = ["auto", "rfc3339", "clf", "s", "ms", "us", "ns"] as const;
/** One of TIME_FORMATS. */
export type TimeFormat = typeof TIME_FORMATS[number];

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const DAY = 24 * 60 * MINUTE;
/** The beginning of 2262, the last year that signed nanoseconds since 1970 reach. */
export const END = 9_214_646_400_000;

/**
 * RFC 3339, and what is near to it: a blank for the T, slashes for the dashes, a comma for the point, an offset without its
 * colon, no seconds.
 */
const RFC3339 =
  /^(\d{4})([-/])(\d\d)\2(\d\d)[Tt \t](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d+))?)?(?: ?([Zz]|UTC|GMT|[+-]\d\d(?::?\d\d)?))?$/;
/** `31 Jan 2026 12:00:05,123` of log4j, `31.01.2026 12:00` and `1/31/2026 12:00:05 PM` of spreadsheets: without a zone. */
const DAY_NAME = /^(\d{1,2})[ -]([A-Za-z]{3})[ -](\d{4}) (\d\d):(\d\d):(\d\d)(?:[.,](\d+))?$/;
const DAY_FIRST =
  /^(\d{1,2})([./])(\d{1,2})\2(\d{4}),? (\d{1,2}):(\d\d)(?::(\d\d)(?:[.,](\d+))?)?(?: ?([AaPp])[Mm])?$/;
/** `10/Oct/2000:13:55:36 -0700` (Apache, mod_log_config, %t); HAProxy writes `10/Oct/2000:13:55:36.123` without a zone. */
const CLF = /^(\d\d)\/([A-Za-z]{3})\/(\d{4}):(\d\d):(\d\d):(\d\d)(?:\.(\d+))?(?: ([+-]\d{4}))?$/;
/** The English names of months, shortened. */
export const MONTHS = [
  "jan",
  "feb",
  "mar",
  "apr",
  "may",
  "jun",
  "jul",
  "aug",
  "sep",
  "oct",
  "nov",
  "dec",
];

/**
 * Parses a time into ms since 1970, or the reason why it is none, to stand behind the name of the field. A time without a
 * zone is one of `zone`; without that it is none, because it may be off by hours. Brackets around it are left out. A
 * leap second is the first one of the next minute, as in POSIX. The years are 1970 to 2261.
 */
export function parseTime(
  text: string,
  format: TimeFormat,
  zone?: TimeZone,
): number | string {
  const trimmed = text.trim();
  const inner = /^\[(.*)\]$/.exec(trimmed)?.[1] ?? trimmed;
  const time = parsed(inner, format, zone);
  if (typeof time === "string") return `${time}: ${quoteClipped(trimmed, 40)}`;
  if (Number.isNaN(time)) return `is ${EXPECTED[format]}: ${quoteClipped(trimmed, 40)}`;
  if (time < 0 || time >= END) {
    return `is not in the years 1970 to 2261: ${quoteClipped(trimmed, 40)}`;
  }
  return time + 0; // 0 of -0
}

const EXPECTED: Readonly<Record<TimeFormat, string>> = {
  auto: "not a time",
  rfc3339: "not a time of RFC 3339",
  clf: "not a time of the common log format",
  s: "not a number of seconds",
  ms: "not a number of milliseconds",
  us: "not a number of microseconds",
  ns: "not a number of nanoseconds",
};

/** NaN when the text has not this format. */
function parsed(text: string, format: TimeFormat, zone: TimeZone | undefined): number | string {
  switch (format) {
    case "rfc3339":
      return rfc3339(text, zone);
    case "clf":
      return clf(text, zone);
    case "auto": {
      const number = decimal(text);
      if (!Number.isNaN(number)) return sinceEpoch(number, "auto");
      for (const parse of [rfc3339, clf, dayFirst]) {
        const time = parse(text, zone);
        if (typeof time === "string" || !Number.isNaN(time)) return time;
      }
      return NaN;
    }
    default:
      return sinceEpoch(decimal(text), format);
  }
}

/** Converts a number in this unit to ms since 1970; auto: by its magnitude. */
export function sinceEpoch(number: number, format: "auto" | "s" | "ms" | "us" | "ns"): number {
  switch (format) {
    case "s":
      return number * 1e3;
    case "ms":
      return number;
    case "us":
      return number / 1e3;
    case "ns":
      return number / 1e6;
    case "auto":
      // A unit each thousandfold: seconds are below 1e12 for 30,000 years, ms above it since 2001.
      if (number < 1e12) return number * 1e3;
      if (number < 1e15) return number;
      return number < 1e18 ? number / 1e3 : number / 1e6;
  }
}

function rfc3339(text: string, zone: TimeZone | undefined): number | string {
  const match = RFC3339.exec(text);
  if (match === null) return NaN;
  const [, year, , month, day, hour, minute, second = "0", fraction = "", offset] = match;
  const start = minuteOf(Number(year), Number(month), Number(day), Number(hour), Number(minute));
  if (offset === undefined) return zoned(start, second, fraction, zone);
  return instant(start, Number(second), fractionOf(fraction), offsetOf(offset));
}

/** A local time, in the zone that is named for such. */
function zoned(
  start: number,
  second: string,
  fraction: string,
  zone: TimeZone | undefined,
): number | string {
  if (zone === undefined) {
    return "has no time zone, such as Z or +02:00 (set --time-zone)";
  }
  if (Number.isNaN(start)) return NaN;
  return instant(start, Number(second), fractionOf(fraction), zone.offsetAt(start));
}

function dayFirst(text: string, zone: TimeZone | undefined): number | string {
  const named = DAY_NAME.exec(text);
  if (named !== null) {
    const [, day, name = "", year, hour, minute, second = "0", fraction = ""] = named;
    const month = MONTHS.indexOf(name.toLowerCase()) + 1;
    const start = minuteOf(Number(year), month, Number(day), Number(hour), Number(minute));
    return zoned(start, second, fraction, zone);
  }
  const match = DAY_FIRST.exec(text);
  if (match === null) return NaN;
  const [, a, separator, b, year, hour, minute, second = "0", fraction = "", half] = match;
  const [first, other] = [Number(a), Number(b)];
  // Only Americans write the month first, and only with slashes.
  const isAmerican = separator === "/" && (half !== undefined || other > 12);
  if (separator === "/" && !isAmerican && first <= 12 && first !== other) {
    return "may start with the day or the month";
  }
  const [month, day] = isAmerican ? [first, other] : [other, first];
  const hours = half === undefined ? Number(hour) : hourOfDay(Number(hour), half);
  return zoned(minuteOf(Number(year), month, day, hours, Number(minute)), second, fraction, zone);
}

/** 12 AM is midnight; NaN for what no clock shows. */
function hourOfDay(hour: number, half: string): number {
  if (!(hour >= 1 && hour <= 12)) return NaN;
  return hour % 12 + (half.toLowerCase() === "p" ? 12 : 0);
}

function clf(text: string, zone: TimeZone | undefined): number | string {
  const match = CLF.exec(text);
  if (match === null) return NaN;
  const [, day, name = "", year, hour, minute, second = "0", fraction = "", offset] = match;
  const month = MONTHS.indexOf(name.toLowerCase()) + 1;
  const start = minuteOf(Number(year), month, Number(day), Number(hour), Number(minute));
  if (offset === undefined) return zoned(start, second, fraction, zone);
  return instant(start, Number(second), fractionOf(fraction), offsetOf(offset));
}

function offsetOf(zone: string): number {
  if (!/^[+-]/.test(zone)) return 0;
  const digits = zone.replace(":", "").slice(1).padEnd(4, "0");
  return signedOffset(zone.startsWith("-"), Number(digits.slice(0, 2)), Number(digits.slice(2)));
}

/** Returns an offset from UTC in ms; NaN for hours or minutes that it cannot have. */
export function signedOffset(negative: boolean, hours: number, minutes: number): number {
  if (!(hours <= 23 && minutes <= 59)) return NaN;
  const offset = (hours * 60 + minutes) * MINUTE;
  return negative ? -offset : offset;
}

/** ms of a fraction's digits. */
function fractionOf(digits: string): number {
  const some = digits.slice(0, MOST_FRACTION);
  return scaledFraction(Number(some), some.length);
}

/** Maximum number of a fraction's digits that are read: further ones change nothing that a double holds. */
export const MOST_FRACTION = 15;
const POWERS = Float64Array.from({ length: MOST_FRACTION + 1 }, (_, n) => Number(`1e${n}`));

/** Converts a fraction of a second to ms: its digits as a number, and how many there are. */
export function scaledFraction(number: number, digits: number): number {
  return digits <= 3 ? number * (POWERS[3 - digits] ?? NaN) : number / (POWERS[digits - 3] ?? NaN);
}

/** Converts a minute in UTC to ms since 1970; NaN when there is no such day or minute. */
export function minuteOf(
  year: number,
  month: number,
  day: number,
  hour: number,
  minute: number,
): number {
  if (!(month >= 1 && month <= 12 && day >= 1 && hour <= 23 && minute <= 59)) return NaN;
  if (day > daysIn(year, month)) return NaN;
  return daysSinceEpoch(year, month, day) * DAY + (hour * 60 + minute) * MINUTE;
}

const DAYS = Uint8Array.of(0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31);

function daysIn(year: number, month: number): number {
  const isLeap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  return month === 2 && isLeap ? 29 : DAYS[month] ?? 0;
}

/** Days from 1970 in the Gregorian calendar, counted in years that begin in March. */
function daysSinceEpoch(year: number, month: number, day: number): number {
  const march = month > 2 ? year : year - 1;
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  const leapDays = Math.floor(march / 4) - Math.floor(march / 100) + Math.floor(march / 400);
  return march * 365 + leapDays + dayOfYear - 719_468;
}

/**
 * Returns the ms since 1970 of a time: its minute as in UTC, and the offset that it has. NaN for a second 60 that does not
 * end a day in UTC (RFC 3339, 5.7).
 */
export function instant(minute: number, second: number, fraction: number, offset: number): number {
  const start = minute - offset;
  if (second > 60 || (second === 60 && (start + MINUTE) % DAY !== 0)) return NaN;
  return start + second * SECOND + fraction;
}
