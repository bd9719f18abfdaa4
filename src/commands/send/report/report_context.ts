import type { Endpoint } from "../../../http/endpoint.ts";
import type { Explainer, ReceiverProfile } from "../../../receivers/profile.ts";
import type { OutputConfig } from "../../../settings/output_config.ts";
import { isGeneratedSource } from "../../../source/generate/load_config.ts";
import type { SendConfig } from "../../send_config.ts";

/** Part of the configuration that the words of a report depend on. */
export interface ReportContext {
  readonly output: OutputConfig;
  /** Names of the metrics; those of an exposition are known when it was read. */
  readonly metrics: readonly string[];
  readonly endpoint: Endpoint<ReceiverProfile>;
  /** Explanations of responses, once an attempt has needed them. */
  readonly explainer?: Explainer;
  readonly loop: boolean;
  /** Whether only the requests in the spool are sent. */
  readonly spoolOnly: boolean;
  /** Whether built-in samples are sent. */
  readonly samples: boolean;
  /** Whether values are read, whose unit may differ from that of the bounds. */
  readonly input: boolean;
  /** Whether a Prometheus endpoint is scraped. */
  readonly scrape: boolean;
  /** Whether recorded requests are sent again. */
  readonly replays: boolean;
  /** Whether the run is a load test, whose rate and latency are reported at its end. */
  readonly load: boolean;
  readonly intervalMs: number;
  /** Measurements per second of generated series that a loop sends; undefined without --rate. */
  readonly rate: { readonly perSecond: number; readonly series: number } | undefined;
  readonly insecure: boolean;
  readonly spool: string | undefined;
  /** Which of several processes this is, from 0; null for the only one. */
  readonly shard: { readonly index: number; readonly of: number } | null;
}

/** Takes the context of reports out of a configuration. `metrics`: their names, as people are shown them. */
export function reportContext(
  { output, destination, schedule, keep, load: { share, workers }, source }: SendConfig,
  metrics: readonly string[],
): ReportContext {
  return {
    output,
    metrics,
    endpoint: destination.endpoint,
    loop: schedule.loop,
    spoolOnly: source.kind === "spool",
    samples: source.kind === "sample",
    input: source.kind === "input",
    scrape: source.kind === "scrape",
    replays: source.kind === "replay",
    load: isGeneratedSource(source) && (schedule.loop || workers > 1),
    intervalMs: schedule.intervalMs,
    rate: schedule.loop && source.kind === "synthetic" && source.rate !== undefined
      ? { perSecond: source.rate, series: source.series ?? 1 }
      : undefined,
    insecure: destination.tls.insecure,
    spool: keep.spool?.value,
    shard: share.of > 1 ? share : null,
  };
}
