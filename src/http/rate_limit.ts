/**
 * Explains the X-RateLimit headers of a response, which Dynatrace sends with a 429 (-Reset is in microseconds since
 * 1970); undefined if none can be read.
 */
export function rateLimitText(headers: Headers): string | undefined {
  const whole = (name: string) => {
    const text = headers.get(`X-RateLimit-${name}`) ?? "";
    return /^\d{1,16}$/.test(text) ? Number(text) : undefined;
  };
  const [limit, left, reset] = [whole("Limit"), whole("Remaining"), whole("Reset")];
  const parts = [
    limit === undefined ? "" : `${limit} requests are allowed`,
    left === undefined ? "" : `${left} are left`,
    reset === undefined ? "" : `the next begin at ${new Date(reset / 1000).toISOString()}`,
  ].filter((part) => part !== "");
  return parts.length === 0 ? undefined : `the rate is limited: ${parts.join(", ")}`;
}
