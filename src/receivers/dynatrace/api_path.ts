import { ACCESS, PLATFORM } from "./tokens.ts";

/** Path of Dynatrace's OTLP API, below the environment's. */
export const OTLP_PATH = "/api/v2/otlp";

/** Examples for messages about the settings of a destination. */
export const EXAMPLES = {
  url: `https://ENV.live.dynatrace.com${OTLP_PATH}`,
  path: OTLP_PATH,
  tokens: `${ACCESS.prefix}.…, an access token with the scope ${ACCESS.scope}, or ` +
    `${PLATFORM.prefix}.…, a platform token with the scope ${PLATFORM.scope}`,
};

/** Tells whether a URL is Dynatrace's, an ActiveGate's or that of something that stands in for one. */
export function isOtlpApi({ pathname }: URL): boolean {
  return pathname.includes(OTLP_PATH);
}
