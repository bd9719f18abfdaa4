import type { Endpoint } from "../../../http/endpoint.ts";
import type { Explainer, ReceiverProfile } from "../../../receivers/profile.ts";
import type { OutputConfig } from "../../../settings/output_config.ts";
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
  /** Only what the spool holds is sent. */
  readonly spoolOnly: boolean;
  /** The sample measurements are sent, none of the user's own. */
  readonly samples: boolean;
  /** Values are read, whose unit may be another than the bounds'. */
  readonly input: boolean;
  /** A Prometheus endpoint is scraped. */
  readonly scrape: boolean;
  /** Kept requests are sent again. */
  readonly replays: boolean;
  readonly intervalMs: number;
  readonly insecure: boolean;
  readonly spool: string | undefined;
}

/** Takes the context of reports out of a configuration. `metrics`: their names, as people are shown them. */
export function reportContext(
  { output, destination, schedule, keep, source }: SendConfig,
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
    intervalMs: schedule.intervalMs,
    insecure: destination.tls.insecure,
    spool: keep.spool?.value,
  };
}
