import type { DestinationConfig } from "./destination_config.ts";
import { UsageError } from "../platform/errors.ts";
import type { System } from "../platform/system.ts";
import { readFileOf } from "../platform/paths.ts";
import type { Setting } from "../settings/setting.ts";
import { readTokenFile } from "./token_file.ts";
import type { Credentials } from "./exchange.ts";

/** Reads the files that the destination needs. Adds every token that it reads to the secrets, also after a rotation. */
export async function readCredentials(
  destination: DestinationConfig,
  system: Pick<System, "cwd" | "readTextFile" | "secrets" | "stop">,
): Promise<Credentials> {
  const { authorization, tls } = destination;
  const read = async (setting: Setting) => {
    const { tidyPem } = await import("./pem.ts");
    const { name, source, value } = setting;
    return tidyPem(await readFileOf(`${name} (${source})`, value, system, system.stop));
  };
  const fixed = authorization.kind === "value" ? authorization.value : undefined;
  const credentials: Credentials = {
    ca: tls.ca && await authorities(tls.ca, await read(tls.ca)),
    client: tls.client && await clientOf(tls.client, read),
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

async function authorities(setting: Setting, text: string): Promise<string> {
  const { unusableAuthorities } = await import("./client_certificate.ts");
  const wrong = unusableAuthorities(text);
  if (wrong !== undefined) throw unusable(setting, wrong);
  return text;
}

async function clientOf(
  { cert, key }: NonNullable<DestinationConfig["tls"]["client"]>,
  read: (setting: Setting) => Promise<string>,
): Promise<NonNullable<Credentials["client"]>> {
  const pair = { cert: await read(cert), key: await read(key) };
  const { unusableClient } = await import("./client_certificate.ts");
  const wrong = unusableClient(pair.cert, pair.key);
  if (wrong !== undefined) throw unusable(wrong.file === "key" ? key : cert, wrong.reason);
  return pair;
}

function unusable({ name, source, value }: Setting, reason: string): UsageError {
  return new UsageError(`Invalid ${name} "${value}" (${source}): ${reason}`);
}
