/** Longest Retry-After in ms: 24 days, which a timer can wait. Pending requests become too old long before. */
export const LONGEST_RETRY_AFTER_MS = 2_000_000_000;

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
    ? parseHttpDate(text, now) - now
    : NaN;
  return ms > 0 ? Math.min(ms, LONGEST_RETRY_AFTER_MS) : undefined;
}

/**
 * An HTTP date (RFC 9110, 5.6.7) as ms since 1970; NaN for any other text. A date without a zone, as asctime() writes it,
 * is in GMT. `now`, ms since 1970, tells the century of a year with two digits.
 */
export function parseHttpDate(text: string, now: number): number {
  const hasZone = /(?:[a-z]|[+-]\d\d:?\d\d)$/i.test(text);
  const date = text.replace(/-(\d\d) /, (_, year: string) => `-${fullYear(Number(year), now)} `);
  return Date.parse(hasZone ? date : `${date} GMT`);
}

/** The year that a date of RFC 850 means with its last two digits: it is at most 50 years ahead. */
function fullYear(digits: number, now: number): number {
  const thisYear = new Date(now).getUTCFullYear();
  const past = thisYear - (thisYear - digits) % 100;
  return past + 100 <= thisYear + 50 ? past + 100 : past;
}
