import { hasQuotes, withoutQuotes } from "../platform/errors.ts";
import { redactToken } from "../redact/redact.ts";
import { authorizationValue, parseToken } from "../redact/token.ts";
import type { Endpoint } from "./endpoint.ts";
import type { Header } from "./header.ts";
import { invalid, type Setting, type Variables } from "../settings/setting.ts";
import { flagName, type SendFlags, variableOf } from "../settings/settings.ts";

/** Origin of the Authorization header: none, a fixed value, or a file that is read for every send. */
export type Authorization =
  | { readonly kind: "none" }
  | { readonly kind: "value"; readonly value: string; readonly from: Setting["name"] }
  | { readonly kind: "token-file"; readonly path: string; readonly from: Setting["name"] };

/** Returns the Authorization value of a token; the UsageError never shows its secret part. */
export function tokenValue(setting: Setting): string {
  const token = parseToken(setting.value);
  if (token === undefined || hasQuotes(token.token)) {
    const bare = withoutQuotes(setting.value.trim()).replace(/^(Api-Token|Bearer)\s+/i, "");
    const [first = ""] = withoutQuotes(bare).split(/\s/, 1);
    throw invalid(setting, expectedToken(setting.value.trim()), redactToken(first));
  }
  return authorizationValue(token);
}

/** Value with two schemes, as when one that has a scheme is put after another. */
const TWO_SCHEMES = /^\W?(?:Api-Token|Bearer)\s+(?:Api-Token|Bearer)(?:\s|$)/i;

function expectedToken(text: string): string {
  if (TWO_SCHEMES.test(text)) {
    return "a token with one scheme in front of it at most, and it has two";
  }
  if (/^\W?Authorization\s*[:=]/i.test(text)) {
    return "the token alone, without the name of the header";
  }
  return "a token such as dt0c01.PUBLIC.SECRET, of printable ASCII characters without blanks";
}

/**
 * Chooses the Authorization header: `--header` overrides `--token-file`, which overrides DT_API_TOKEN, which overrides
 * DT_API_TOKEN_FILE. Adds to `warnings` if a token is not sent.
 */
export function authorizationOf(
  flags: Pick<SendFlags, "tokenFile">,
  find: Variables,
  header: Header | undefined,
  endpoint: Endpoint | undefined,
  warnings: string[],
): Authorization {
  if (header?.setting.name === flagName("header")) return fixed(header);
  const named = endpoint?.setting.name;
  if (named === "--endpoint" || named === "DT_ENDPOINT" || endpoint?.dynatrace) {
    if (flags.tokenFile !== undefined) {
      return { kind: "token-file", path: flags.tokenFile, from: flagName("tokenFile") };
    }
    const token = variableOf("apiToken", find);
    if (token !== undefined) {
      return { kind: "value", value: tokenValue(token), from: token.name };
    }
    const file = variableOf("tokenFile", find);
    if (file !== undefined) return { kind: "token-file", path: file.value, from: file.name };
  } else if (flags.tokenFile !== undefined && endpoint !== undefined) {
    warnings.push(
      `The token of --token-file is not sent to ${endpoint.shown}: it goes to DT_ENDPOINT, to ` +
        "--endpoint or to a URL whose path holds /api/v2/otlp",
    );
  }
  if (header !== undefined) return fixed(header);
  if (endpoint?.basic !== undefined) {
    return { kind: "value", value: endpoint.basic, from: endpoint.setting.name };
  }
  return { kind: "none" };
}

function fixed({ value, setting }: Header): Authorization {
  if (TWO_SCHEMES.test(value)) {
    throw invalid(setting, "one scheme in the value of Authorization, and it has two");
  }
  return { kind: "value", value, from: setting.name };
}
