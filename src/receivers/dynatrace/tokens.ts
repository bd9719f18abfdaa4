import type { TokenFormat } from "../../http/profile.ts";
import { hasQuotes, withoutQuotes } from "../../platform/errors.ts";
import { redactToken } from "../../redact/redact.ts";
import { invalid } from "../../settings/setting.ts";
import type { TokenFacts } from "./rule.ts";

/** Access token: how it begins, its scheme in an Authorization header, and the scope that it needs. */
export const ACCESS = { prefix: "dt0c01", scheme: "Api-Token", scope: "metrics.ingest" } as const;

/** Platform token, likewise. */
export const PLATFORM = {
  prefix: "dt0s16",
  scheme: "Bearer",
  scope: "openpipeline:metrics:ingest",
} as const;

/** Format of Dynatrace's tokens. */
export const TOKENS: TokenFormat = {
  authorization(setting) {
    const text = setting.value.trim();
    const token = parseToken(text);
    if (token !== undefined && !hasQuotes(token.token)) return `${token.scheme} ${token.token}`;
    const bare = withoutQuotes(text).replace(/^(Api-Token|Bearer)\s+/i, "");
    const [first = ""] = withoutQuotes(bare).split(/\s/, 1);
    throw invalid(setting, expectedToken(text), redactToken(first));
  },
  hasTwoSchemes: (authorization) =>
    /^\W?(?:Api-Token|Bearer)\s+(?:Api-Token|Bearer)(?:\s|$)/i.test(authorization),
  redacted(authorization) {
    // A Bearer may be a token of any kind: only one that begins as Dynatrace's do has a public part.
    const token = /^(?:Api-Token\s+|Bearer\s+(?=dt\d))(\S+)$/i.exec(authorization)?.[1];
    return token && redactToken(token);
  },
};

function expectedToken(text: string): string {
  if (TOKENS.hasTwoSchemes(text)) {
    return "a token with at most one scheme before it, but it has two";
  }
  if (/^\W?Authorization\s*[:=]/i.test(text)) {
    return "only the token, without the name of the header";
  }
  return `a token that starts with ${ACCESS.prefix}. or ${PLATFORM.prefix}., of printable ASCII characters without spaces`;
}

/**
 * Reads a token as people keep it, with its scheme in front or without: a platform token is a Bearer, everything else an
 * Api-Token. Undefined when it is not printable ASCII without blanks.
 */
function parseToken(text: string): TokenFacts | undefined {
  const [, scheme, token = ""] = /^(?:(Api-Token|Bearer)(?:\s+|$))?(.*)$/is.exec(text) ?? [];
  if (!/^[\x21-\x7e]+$/.test(token)) return undefined;
  const isBearer = scheme === undefined
    ? token.toLowerCase().startsWith(`${PLATFORM.prefix}.`)
    : /^bearer$/i.test(scheme);
  return { scheme: isBearer ? PLATFORM.scheme : ACCESS.scheme, token };
}
