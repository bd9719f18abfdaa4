import { UsageError } from "../../platform/errors.ts";
import { percentDecode } from "../../redact/percent.ts";
import { redactUrl, redactUrlText } from "../../redact/redact.ts";
import { timeoutOf } from "../../http/destination_config.ts";
import { headerOf } from "../../http/header.ts";
import { invalid, type Setting, type Variables } from "../../settings/setting.ts";
import { type SendFlags, settingsOf } from "../../settings/settings.ts";
import type { ScheduleConfig } from "../../settings/schedule_config.ts";

/** A Prometheus endpoint that is read again and again. */
export interface ScrapeConfig {
  readonly kind: "scrape";
  /** The URL without user name and password, which are in `headers`. */
  readonly url: URL;
  /** The URL without secrets, for messages. */
  readonly shown: string;
  /** Headers by lower-case name. Every value is a secret. */
  readonly headers: readonly (readonly [string, string])[];
  readonly intervalMs: number;
  /** Maximum time of one request. */
  readonly timeoutMs: number;
}

const URL_EXPECTED = "an http or https URL, for example http://localhost:9090/metrics";
const HEADER_EXPECTED = "NAME=VALUE, for example Authorization=Bearer%20…";

/**
 * Reads --scrape and its flags, with headers and timeout also from the environment; throws a UsageError for an invalid
 * one. Credentials of the URL become a header.
 */
export function scrapeConfig(
  flags: SendFlags,
  scrape: Setting,
  { loop, intervalMs }: ScheduleConfig,
  find: Variables,
): ScrapeConfig {
  const url = URL.parse(scrape.value);
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw invalid(scrape, URL_EXPECTED, `"${redactUrlText(scrape.value)}"`);
  }
  if (flags.dryRun) {
    throw new UsageError(
      "--dry-run cannot be used with --scrape, whose first scrape is only the baseline: save the endpoint's " +
        "response, and read it with --input FILE",
    );
  }
  if (!loop) {
    throw new UsageError(
      "--scrape sends the increase between two scrapes: add --loop (and --interval)",
    );
  }
  if (intervalMs === 0) {
    throw new UsageError("--scrape requires time between two scrapes: set --interval above 0");
  }
  const headers = new Map(
    settingsOf("scrapeHeader", flags).map((setting) => headerOf(setting, HEADER_EXPECTED)),
  );
  const shown = redactUrl(url);
  if (url.username !== "" || url.password !== "") {
    if (!headers.has("authorization")) headers.set("authorization", basic(url));
    url.username = "";
    url.password = "";
  }
  url.hash = "";
  const timeoutMs = timeoutOf(flags, find);
  return { kind: "scrape", url, shown, headers: [...headers], intervalMs, timeoutMs };
}

/** Basic authentication (RFC 7617), with the credentials in UTF-8. */
function basic({ username, password }: URL): string {
  const text = `${percentDecode(username)}:${percentDecode(password)}`;
  return `Basic ${btoa(String.fromCharCode(...new TextEncoder().encode(text)))}`;
}
