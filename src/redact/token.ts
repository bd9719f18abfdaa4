/** A token, and the scheme that it has in an Authorization header. */
export interface Token {
  readonly scheme: "Api-Token" | "Bearer";
  readonly token: string;
}

/**
 * A token as people keep it, with its scheme in front or without: a platform token of Dynatrace (`dt0s16.…`) is a Bearer,
 * everything else an Api-Token. Undefined when it is not printable ASCII without blanks.
 */
export function parseToken(text: string): Token | undefined {
  const [, given, token = ""] = /^(?:(Api-Token|Bearer)(?:\s+|$))?(.*)$/is.exec(text.trim()) ?? [];
  if (!/^[\x21-\x7e]+$/.test(token)) return undefined;
  const isBearer = given === undefined ? /^dt0s16\./i.test(token) : /^bearer$/i.test(given);
  return { scheme: isBearer ? "Bearer" : "Api-Token", token };
}

/** The value of the Authorization header. */
export function authorizationValue({ scheme, token }: Token): string {
  return `${scheme} ${token}`;
}
