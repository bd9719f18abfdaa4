const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
/** Offsets change at quarters of an hour. */
const STEP = 15 * MINUTE;
/** Beyond this many they are computed again. */
const MOST_KNOWN = 4096;

/** Offset from UTC of times that are written without one. */
export interface TimeZone {
  /** ms to subtract from a local time, counted in ms since 1970 as if it were UTC, so that it becomes UTC. */
  offsetAt(local: number): number;
}

/** Coordinated Universal Time. */
export const UTC: TimeZone = { offsetAt: () => 0 };

/** Finds the zone of an IANA name or an offset such as `+02:00`; undefined when there is none. */
export function timeZoneOf(text: string): TimeZone | undefined {
  if (/^(?:Z|UTC|GMT)$/i.test(text)) return UTC;
  const offset = /^([+-])(\d\d):?(\d\d)?$/.exec(text);
  if (offset !== null) {
    const [, sign, hours, minutes = "0"] = offset;
    if (Number(hours) > 23 || Number(minutes) > 59) return undefined;
    const ms = (Number(hours) * 60 + Number(minutes)) * MINUTE;
    return { offsetAt: () => sign === "-" ? -ms : ms };
  }
  try {
    return new NamedZone(text);
  } catch (thrown) {
    if (thrown instanceof RangeError) return undefined;
    throw thrown;
  }
}

/**
 * A zone with daylight saving time. A local time that comes twice is the first one; one that is left out is counted from
 * the offset before.
 */
class NamedZone implements TimeZone {
  readonly #format: Intl.DateTimeFormat;
  readonly #known = new Map<number, number>();

  /** Throws a RangeError when there is no such zone. */
  constructor(name: string) {
    this.#format = new Intl.DateTimeFormat("en-US", {
      timeZone: name,
      hourCycle: "h23",
      year: "numeric",
      month: "numeric",
      day: "numeric",
      hour: "numeric",
      minute: "numeric",
      second: "numeric",
    });
  }

  offsetAt(local: number): number {
    const step = Math.floor(local / STEP);
    const known = this.#known.get(step);
    if (known !== undefined) return known;
    const [before, after] = [this.#offset(local - DAY), this.#offset(local + DAY)];
    const offset = this.#offset(local - before) === before || this.#offset(local - after) !== after
      ? before
      : after;
    if (this.#known.size >= MOST_KNOWN) this.#known.clear();
    this.#known.set(step, offset);
    return offset;
  }

  /** The offset at an instant. */
  #offset(instant: number): number {
    const parts = new Map(
      this.#format.formatToParts(instant).map(({ type, value }) => [type, Number(value)]),
    );
    const part = (type: Intl.DateTimeFormatPartTypes) => parts.get(type) ?? NaN;
    const local = Date.UTC(
      part("year"),
      part("month") - 1,
      part("day"),
      part("hour"),
      part("minute"),
      part("second"),
    );
    return local - Math.floor(instant / 1000) * 1000;
  }
}
