import { UsageError } from "../platform/errors.ts";
import { VERIFIES_REGARDLESS } from "../platform/older_deno.ts";
import { halfOfPair, type Setting, type Variables } from "../settings/setting.ts";
import { flagName, isOn, type SendFlags, settingOf } from "../settings/settings.ts";

/** TLS settings of a destination. */
export interface TlsConfig {
  readonly insecure: boolean;
  readonly ca: Setting | undefined;
  readonly client: { readonly cert: Setting; readonly key: Setting } | undefined;
}

/** Warning of a command that verifies no certificate. */
export const UNVERIFIED_WARNING = "SSL verification disabled (INSECURE_SSL=true)";

/** Reads the TLS settings; throws a UsageError for half of a client's pair. */
export function tlsConfig(
  flags: Pick<SendFlags, "insecure" | "ca" | "clientCert" | "clientKey">,
  find: Variables,
): TlsConfig {
  const cert = settingOf("clientCert", flags, find);
  const key = settingOf("clientKey", flags, find);
  if ((cert === undefined) !== (key === undefined)) {
    throw halfOfPair(cert ?? key, cert === undefined ? "--client-cert" : "--client-key");
  }
  return {
    insecure: isOn("insecure", flags, find),
    ca: settingOf("ca", flags, find),
    client: cert === undefined || key === undefined ? undefined : { cert, key },
  };
}

/** Throws a UsageError if certificates are not to be verified although this executable always verifies them. */
export function demandInsecureWorks(
  { insecure }: Pick<TlsConfig, "insecure">,
  verifiesRegardless = VERIFIES_REGARDLESS,
): void {
  if (!insecure || !verifiesRegardless) return;
  throw new UsageError(
    `${
      flagName("insecure")
    } (INSECURE_SSL=true) cannot work here: this executable was made with Deno ${Deno.version.deno}, ` +
      "which always verifies certificates: set --ca FILE to the receiver's CA, or use an executable " +
      "made with Deno 2.9 or newer",
  );
}
