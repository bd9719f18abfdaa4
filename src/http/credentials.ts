import type { DestinationConfig } from "../config/destination_config.ts";
import { UsageError } from "../base/errors.ts";
import type { System } from "../base/system.ts";
import { readFileOf } from "../base/paths.ts";
import type { Setting } from "../config/setting.ts";
import { readTokenFile } from "../config/token_file.ts";
import type { Credentials } from "./exchange.ts";

/** Reads what the destination needs from files; adds to the secrets every token that it meets, a rotated one too. */
export async function readCredentials(
  destination: DestinationConfig,
  system: Pick<System, "cwd" | "readTextFile" | "secrets">,
): Promise<Credentials> {
  const { authorization, tls } = destination;
  const pem = async (setting: Setting, label: RegExp, what: string) => {
    const text = await readFileOf(`${setting.name} (${setting.source})`, setting.value, system);
    if (!label.test(text)) {
      throw new UsageError(
        `Invalid ${setting.name} "${setting.value}" (${setting.source}): expected a PEM file with ${what}`,
      );
    }
    return text;
  };
  const certificate = [
    /-----BEGIN (TRUSTED )?CERTIFICATE-----/,
    "-----BEGIN CERTIFICATE-----",
  ] as const;
  const fixed = authorization.kind === "value" ? authorization.value : undefined;
  const credentials: Credentials = {
    ca: tls.ca && await pem(tls.ca, ...certificate),
    client: tls.client && {
      cert: await pem(tls.client.cert, ...certificate),
      key: await pem(
        tls.client.key,
        /-----BEGIN ([A-Z]+ )?PRIVATE KEY-----/,
        "-----BEGIN PRIVATE KEY-----",
      ),
    },
    async authorization(signal) {
      if (authorization.kind !== "token-file") return fixed;
      const { from: name, path } = authorization;
      const source = name.startsWith("--") ? "command line" : "environment";
      const value = await readTokenFile({ name, source, value: path }, system, signal);
      system.secrets.addHeader("authorization", value);
      return value;
    },
  };
  await credentials.authorization();
  return credentials;
}
