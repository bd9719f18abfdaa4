import { percentDecode } from "../redact/percent.ts";
import type { Secrets } from "../redact/secrets.ts";
import { type Environment, proxySecrets } from "./proxy.ts";
import { keyValue, type Variables } from "../settings/setting.ts";
import { rowOf, type SendFlags, type SettingKey } from "../settings/settings.ts";

/**
 * Adds all secrets among the settings, used or not, before any setting is read: a message may quote a value that was
 * given in place of another. A token in a file is added when it is read.
 */
export function addKnownSecrets(
  secrets: Secrets,
  flags: Pick<SendFlags, "endpoint" | "header" | "scrape" | "scrapeHeader">,
  find: Variables,
  environment: Environment,
): void {
  const held = (key: SettingKey) =>
    (rowOf(key).variables ?? []).flatMap((name) => find(name)?.value ?? []);
  for (const token of held("apiToken")) secrets.addHeader("authorization", token);
  const headers = [
    ...flags.header ?? [],
    ...held("header").flatMap((list) => list.split(",")),
    ...flags.scrapeHeader ?? [],
  ];
  for (const header of headers) {
    const [name, value] = keyValue(header) ?? ["", header];
    secrets.addHeader(name, value);
    secrets.addHeader(name, percentDecode(value));
  }
  for (const endpoint of [flags.endpoint, ...held("endpoint"), flags.scrape]) {
    if (endpoint !== undefined) addUrl(secrets, URL.parse(endpoint.trim()));
  }
  for (const secret of proxySecrets(environment)) {
    secrets.addHeader("proxy-authorization", secret);
  }
}

function addUrl(secrets: Secrets, url: URL | null | undefined): void {
  if (url) secrets.addUrl(url);
}
