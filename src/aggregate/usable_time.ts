/** Nanoseconds since 1970 in 63 bits, as receivers hold them, end in the year 2262; an interval's end fits behind it. */
const LATEST_MS = 2 ** 63 / 1e6;

/** Whether OTLP can say this time, in ms since 1970. A line with any other has no usable time. */
export function isUsableTime(ms: number): boolean {
  return ms >= 0 && ms < LATEST_MS;
}
