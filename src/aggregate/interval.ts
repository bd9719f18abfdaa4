import type { Clock } from "../platform/clock.ts";

/** Span of time in milliseconds since 1970, from `start` to `end`, exclusive. */
export interface Interval {
  readonly start: number;
  readonly end: number;
}

/**
 * Creates the function that ends the current interval and begins the next. Intervals follow each other without gap or
 * overlap (OTLP data model, "Resets and Gaps"). If the wall clock was set back, the interval is placed by the time
 * that really passed, so that it never starts after its end.
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

/** Returns the number of the interval that contains a time, for intervals of one length aligned to 1970. */
export function intervalNumber(time: number, lengthMs: number): number {
  const number = Math.floor(time / lengthMs);
  // The quotient may have been rounded to a whole number.
  if (number * lengthMs > time) return number - 1;
  return (number + 1) * lengthMs <= time ? number + 1 : number;
}

/** Returns the interval with that number. */
export function alignedInterval(number: number, lengthMs: number): Interval {
  return { start: number * lengthMs, end: (number + 1) * lengthMs };
}
