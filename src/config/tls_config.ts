import { UsageError } from "../base/errors.ts";
import type { Setting, Variables } from "./setting.ts";
import { isOn, type SendFlags, settingOf } from "./settings.ts";

export interface TlsConfig {
  readonly insecure: boolean;
  readonly ca: Setting | undefined;
  readonly client: { readonly cert: Setting; readonly key: Setting } | undefined;
}

export function tlsConfig(
  flags: Pick<SendFlags, "insecure" | "ca" | "clientCert" | "clientKey">,
  find: Variables,
): TlsConfig {
  const cert = settingOf("clientCert", flags, find);
  const key = settingOf("clientKey", flags, find);
  if ((cert === undefined) !== (key === undefined)) {
    const [given, other] = cert === undefined ? [key, "--client-cert"] : [cert, "--client-key"];
    throw new UsageError(
      `${given?.name} (${given?.source}) needs the other half of the pair: add ${other}`,
    );
  }
  return {
    insecure: isOn("insecure", flags, find),
    ca: settingOf("ca", flags, find),
    client: cert === undefined || key === undefined ? undefined : { cert, key },
  };
}
