import type { System } from "../../platform/system.ts";
import { USER_AGENT } from "../../platform/version.ts";
import { proxyFor } from "../../http/proxy.ts";
import type { ScrapeConfig } from "./scrape_config.ts";
import { getText } from "../../http/get.ts";
import { type Say, ScrapeSource } from "./scrape.ts";
import type { RecordFamilies, Source } from "../source.ts";

/** Formats that Prometheus 3 asks for by default, but for protobuf. */
const ACCEPT = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6," +
  "application/openmetrics-text;version=0.0.1;q=0.5," +
  "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2";

/** Bytes of an answer that are read at most. An exposition of 10,000 series has about 20 MB. */
const MOST_BYTES = 64 * 2 ** 20;

/** Opens the source of `--scrape`. */
export function openScrape(
  config: ScrapeConfig,
  recordFamilies: RecordFamilies,
  mostSeries: number,
  { clock, env }: Pick<System, "clock" | "env">,
  say: Say,
): Source {
  const own: readonly (readonly [string, string])[] = [
    ["accept", ACCEPT],
    ["user-agent", USER_AGENT],
  ];
  const { url } = config;
  const proxy = proxyFor(url, env);
  const headers = new Map([...own, ...config.headers]);
  return new ScrapeSource({
    ...config,
    route: proxy && { url, proxy },
    scrape: (timeoutMs, signal) =>
      getText(url, {
        headers: [...headers, ["x-prometheus-scrape-timeout-seconds", String(timeoutMs / 1000)]],
        timeoutMs,
        mostBytes: MOST_BYTES,
        signal,
      }),
    recordFamilies,
    mostSeries,
    clock,
    say,
  });
}
