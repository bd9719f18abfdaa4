import type { Endpoint } from "./endpoint.ts";
import type { Header } from "./header.ts";
import type { Receivers, TokenFormat } from "./profile.ts";
import { invalid, type Setting, type Variables } from "../settings/setting.ts";
import { flagName, type SendFlags, variableOf } from "../settings/settings.ts";

/** Authorization header: none, a fixed value, or made from a file that is read for every send. */
export type Authorization =
  | { readonly kind: "none" }
  | { readonly kind: "value"; readonly value: string; readonly from: Setting["name"] }
  | { readonly kind: "token-file"; readonly path: string; readonly from: Setting["name"] };

/**
 * Chooses the Authorization header: `--header` overrides `--token-file`, which overrides DT_API_TOKEN, which overrides
 * DT_API_TOKEN_FILE. Adds a warning when a token is not sent.
 */
export function authorizationOf(
  flags: Pick<SendFlags, "tokenFile">,
  find: Variables,
  header: Header | undefined,
  endpoint: Endpoint | undefined,
  { tokens, examples }: Receivers,
  warnings: string[],
): Authorization {
  if (header?.setting.name === flagName("header")) return fixed(header, tokens);
  const named = endpoint?.setting.name;
  if (named === "--endpoint" || named === "DT_ENDPOINT" || endpoint?.profile.requiresToken) {
    if (flags.tokenFile !== undefined) {
      return { kind: "token-file", path: flags.tokenFile, from: flagName("tokenFile") };
    }
    const token = variableOf("apiToken", find);
    if (token !== undefined) {
      return { kind: "value", value: tokens.authorization(token), from: token.name };
    }
    const file = variableOf("tokenFile", find);
    if (file !== undefined) return { kind: "token-file", path: file.value, from: file.name };
  } else if (flags.tokenFile !== undefined && endpoint !== undefined) {
    warnings.push(
      `The token of --token-file is not sent to ${endpoint.shown}: it goes to DT_ENDPOINT, to ` +
        `--endpoint or to a URL whose path holds ${examples.path}`,
    );
  }
  if (header !== undefined) return fixed(header, tokens);
  if (endpoint?.basic !== undefined) {
    return { kind: "value", value: endpoint.basic, from: endpoint.setting.name };
  }
  return { kind: "none" };
}

function fixed({ value, setting }: Header, tokens: TokenFormat): Authorization {
  if (tokens.hasTwoSchemes(value)) {
    throw invalid(setting, "one scheme in the value of Authorization, but it has two");
  }
  return { kind: "value", value, from: setting.name };
}
