/** Token, with its scheme in an Authorization header. */
export interface Token {
  readonly scheme: "Api-Token" | "Bearer";
  readonly token: string;
}

/**
 * Parses a token with or without its scheme. A Dynatrace platform token (`dt0s16.…`) is a Bearer, everything else an
 * Api-Token. Undefined if it is not printable ASCII without blanks.
 */
export function parseToken(text: string): Token | undefined {
  const [, scheme, token = ""] = /^(?:(Api-Token|Bearer)(?:\s+|$))?(.*)$/is.exec(text.trim()) ?? [];
  if (!/^[\x21-\x7e]+$/.test(token)) return undefined;
  const isBearer = scheme === undefined ? /^dt0s16\./i.test(token) : /^bearer$/i.test(scheme);
  return { scheme: isBearer ? "Bearer" : "Api-Token", token };
}

/** Formats the value of the Authorization header. */
export function authorizationValue({ scheme, token }: Token): string {
  return `${scheme} ${token}`;
}
