/** The longest Retry-After that is obeyed, in ms: what waits longer is too old for Dynatrace when it comes. */
export const LONGEST_RETRY_AFTER_MS = 3_600_000;

/**
 * The Retry-After header (RFC 9110, 10.2.3: seconds, or an HTTP date) as ms from `now` (ms since 1970), at most
 * LONGEST_RETRY_AFTER_MS; undefined for a header that is missing, in the past or makes no sense.
 */
export function retryAfterMs(header: string | null, now: number): number | undefined {
  const text = header?.trim() ?? "";
  // Only a date has letters: Date.parse would take "-5" for a year.
  const ms = /^\d+(\.\d+)?$/.test(text)
    ? Number(text) * 1000
    : /^[a-z]{3,9},? /i.test(text)
    ? Date.parse(text) - now
    : NaN;
  return ms > 0 ? Math.min(ms, LONGEST_RETRY_AFTER_MS) : undefined;
}
