import { messageOf } from "../../platform/errors.ts";
import { refusalOf, type Refused } from "./refused.ts";

/** Reads the Authorization value that requests must carry. */
export type TokenReader = () => Promise<string>;

/** Refuses a request that does not carry the token; undefined if it does, or if none is required. */
export async function tokenRefusal(
  request: Request,
  token: TokenReader | undefined,
): Promise<Refused | undefined> {
  if (token === undefined) return undefined;
  let expected: string;
  try {
    expected = await token();
  } catch (thrown) {
    return refusalOf(500, "token", `the receiver cannot read its token file: ${messageOf(thrown)}`);
  }
  if (await carriesToken(request.headers.get("Authorization"), expected)) return undefined;
  const [scheme] = expected.split(" ", 1);
  return refusalOf(
    401,
    "token",
    `expected the header Authorization: ${scheme} with the right token`,
  );
}

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
