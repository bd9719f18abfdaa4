import type { Setting } from "../settings/setting.ts";

/** Profile of a receiver, as far as `settings/` and `http/` depend on it; `receivers/` implements it. */
export interface Profile {
  /** Vendor as messages name it; undefined for an OTLP receiver of no known vendor. */
  readonly vendor: string | undefined;
  /** True when DT_API_TOKEN belongs to such a receiver, which requires one. */
  readonly requiresToken: boolean;
}

/** Form of the tokens that DT_API_TOKEN, DT_API_TOKEN_FILE and --token-file hold. */
export interface TokenFormat {
  /** Makes the Authorization value of a token; the UsageError for anything else shows no secret. */
  authorization(setting: Setting): string;
  /** Tells whether an Authorization value has two schemes, one behind the other. */
  hasTwoSchemes(authorization: string): boolean;
  /** Hides the secret part of the token in an Authorization value; undefined when no part may be shown. */
  redacted(authorization: string): string | undefined;
}

/** Known receivers: passed down to whatever makes an `Endpoint` or an Authorization header. */
export interface Receivers<P extends Profile = Profile> {
  /** Chooses the profile of the receiver at a URL. */
  profileAt(url: URL): P;
  readonly tokens: TokenFormat;
  /** Examples for messages: a base URL, the path that makes a URL a vendor's, and tokens in words. */
  readonly examples: { readonly url: string; readonly path: string; readonly tokens: string };
}
