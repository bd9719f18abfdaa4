import type { Endpoint } from "../http/endpoint.ts";
import type { Receivers } from "../http/profile.ts";
import { EXAMPLES } from "./dynatrace/api_path.ts";
import { DYNATRACE } from "./dynatrace/profile.ts";
import { TOKENS } from "./dynatrace/tokens.ts";
import type { Finding } from "./finding.ts";
import { otlpProfile } from "./otlp/profile.ts";
import type { ReceiverProfile, VendorProfile } from "./profile.ts";

/** Profiles of vendors: another one is a directory beside this file, a line here and a choice of `--rules`. */
const BY_NAME = { dynatrace: DYNATRACE } as const;
const VENDORS: readonly VendorProfile[] = Object.values(BY_NAME);

/** Profiles by the names that `--rules` takes. */
export const PROFILES = { otlp: otlpProfile(VENDORS), ...BY_NAME };

/** Receivers that commands pass down to `http/`. */
export const RECEIVERS: Receivers<ReceiverProfile> = {
  profileAt: (url) => VENDORS.find((vendor) => vendor.acceptsAt(url)) ?? PROFILES.otlp,
  // DT_API_TOKEN and --token-file are Dynatrace's by name, whatever the endpoint is.
  tokens: TOKENS,
  examples: EXAMPLES,
};

/** Findings about a URL by every vendor that it may be meant for; with "own-host" by the one whose host it names. */
export async function endpointFindings(
  endpoint: Endpoint,
  scope: "any-host" | "own-host",
): Promise<readonly Finding[]> {
  const vendors = VENDORS.filter((vendor) => scope === "any-host" || vendor.ownsHost(endpoint.url));
  return (await Promise.all(vendors.map((vendor) => vendor.inspectEndpoint(endpoint)))).flat();
}
