import type { Clock } from "../platform/clock.ts";

/** Milliseconds since 1970. */
export interface Interval {
  readonly start: number;
  readonly end: number;
}

/**
 * Start and end of each delta: every interval begins where the one before ended, without gap or overlap (OTLP data
 * model, "Resets and Gaps"). When the wall clock was set back, the interval is placed by the time that really
 * passed, so that its start never lies behind its end.
 */
export function intervals(clock: Clock): () => Interval {
  let end = clock.wall();
  let endedAt = clock.monotonic();
  return () => {
    const now = clock.wall();
    const passed = clock.monotonic() - endedAt;
    const start = now < end ? now - Math.round(passed) : end;
    end = now;
    endedAt += passed;
    return { start, end };
  };
}

/** The number of the interval of that length, aligned to 1970, in which a time lies. */
export function intervalNumber(time: number, lengthMs: number): number {
  const number = Math.floor(time / lengthMs);
  // The quotient may have been rounded to a whole number.
  if (number * lengthMs > time) return number - 1;
  return (number + 1) * lengthMs <= time ? number + 1 : number;
}

/** From its start, inclusive, to its end, exclusive. */
export function alignedInterval(number: number, lengthMs: number): Interval {
  return { start: number * lengthMs, end: (number + 1) * lengthMs };
}
