/** Whether an Authorization header has the expected value, in the same time whichever part of the token is wrong. */
export async function carriesToken(header: string | null, expected: string): Promise<boolean> {
  const [carried, required] = [credentials(header ?? ""), credentials(expected)];
  if (carried === undefined || required === undefined) return false;
  const [a, b] = await Promise.all([digest(carried), digest(required)]);
  let difference = 0;
  a.forEach((byte, i) => difference |= byte ^ (b[i] ?? 0));
  return difference === 0;
}

/**
 * Returns the credentials in comparable form: a scheme has no case, and several blanks may follow it (RFC 9110, 11).
 */
function credentials(value: string): string | undefined {
  const [, scheme, token] = /^(\S+)\s+(\S+)\s*$/.exec(value) ?? [];
  return scheme === undefined ? undefined : `${scheme.toLowerCase()} ${token}`;
}

async function digest(text: string): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
}
