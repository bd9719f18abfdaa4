import { hasQuotes, quotesRemedy, UsageError } from "../base/errors.ts";
import { type DestinationConfig, destinationConfig } from "./destination_config.ts";
import { type HealthConfig, healthConfig } from "./health_config.ts";
import { type KeepConfig, keepConfig } from "./keep_config.ts";
import { type MetricConfig, metricConfig } from "./metric_config.ts";
import {
  type DrawingConfig,
  drawingConfig,
  type OutputConfig,
  outputConfig,
} from "./output_config.ts";
import { type LoadConfig, ONE_PROCESS } from "./one_process.ts";
import { type Environment, proxyWarnings } from "./proxy.ts";
import { REPLAY_SCHEDULE, type ScheduleConfig, scheduleConfig } from "./schedule_config.ts";
import type { Variables } from "./setting.ts";
import { hasFlagOf, type SendFlags, variableOf } from "./settings.ts";
import type { SourceConfig } from "./source_config.ts";

export interface SendConfig {
  readonly destination: DestinationConfig;
  readonly metric: MetricConfig;
  readonly schedule: ScheduleConfig;
  readonly keep: KeepConfig;
  readonly output: OutputConfig;
  /** Undefined draws nothing. */
  readonly plot: DrawingConfig | undefined;
  readonly source: SourceConfig;
  readonly load: LoadConfig;
  /** Undefined: nothing is served. */
  readonly health: HealthConfig | undefined;
  /** A broken rule of Dynatrace's ends the program before anything is sent. */
  readonly strict: boolean;
  /** What is odd, but can be done. */
  readonly warnings: readonly string[];
}

/** A send as it would be: nothing is sent, so no destination is needed. */
export type DryRunConfig = Omit<SendConfig, "destination">;

/** Reads what the flags say of where measurements come from, and of how many send together. */
export interface SourceReader {
  source(
    flags: SendFlags,
    schedule: ScheduleConfig,
    hasSpool: boolean,
    find: Variables,
  ): SourceConfig;
  load(
    flags: SendFlags,
    find: Variables,
    source: SourceConfig,
    schedule: ScheduleConfig,
    warnings: string[],
  ): LoadConfig;
}

const SAMPLES: SourceReader = { source: () => ({ kind: "sample" }), load: () => ONE_PROCESS };

/** The one that the flags need: all that can be a source is much to load for a send that has none. */
export async function sourceReader(flags: SendFlags): Promise<SourceReader> {
  if (!hasFlagOf(["From data", "Generated"], flags)) return SAMPLES;
  const [{ sourceConfig: source }, { loadConfig: load }] = await Promise.all([
    import("./source_config.ts"),
    import("./load_config.ts"),
  ]);
  return { source, load };
}

/** Settings -> what `send` does, or a UsageError. Reads nothing but its arguments. */
export function sendConfig(
  flags: SendFlags,
  find: Variables,
  environment: Environment,
  reader: SourceReader,
): SendConfig {
  const { warnings, ...config } = commonConfig(flags, find, reader);
  const odd = [...warnings];
  const destination = destinationConfig(flags, find, environment, odd);
  const urls = [
    destination.endpoint.url,
    ...config.source.kind === "scrape" ? [config.source.url] : [],
  ];
  odd.push(...new Set(urls.flatMap((url) => proxyWarnings(url, environment))));
  return { ...config, destination, warnings: odd };
}

/** The same without a destination. */
export function dryRunConfig(
  flags: SendFlags,
  find: Variables,
  reader: SourceReader,
): DryRunConfig {
  if (flags.loop) throw new UsageError("--dry-run shows a single send: leave out --loop");
  if (flags.workers !== undefined) {
    throw new UsageError("--dry-run shows a single request: leave out --workers");
  }
  return commonConfig(flags, find, reader);
}

function commonConfig(flags: SendFlags, find: Variables, reader: SourceReader): DryRunConfig {
  const warnings: string[] = [...find.warnings ?? [], ...quotedVariables(find)];
  const output = outputConfig(flags);
  const schedule = scheduleConfig(flags, find, warnings);
  const metric = metricConfig(flags, find);
  const keep = keepConfig(flags, find);
  const source = reader.source(flags, schedule, keep.spool !== undefined, find);
  if (flags.maxSeries !== undefined && flags.series !== undefined) {
    warnFold(flags.series, metric.maxSeries, warnings);
  }
  const load = reader.load(flags, find, source, schedule, warnings);
  const health = healthConfig(flags, find);
  const plot = drawingConfig(flags, output, find);
  return {
    metric,
    schedule: source.kind === "replay" ? REPLAY_SCHEDULE : schedule,
    keep,
    output,
    plot,
    source,
    load,
    health,
    strict: flags.strict ?? false,
    warnings,
  };
}

/** Warnings about quotes in variables that may hold any text, so that no error tells of them. */
function quotedVariables(find: Variables): readonly string[] {
  return (["service", "resource", "spool"] as const).flatMap((key) => {
    const variable = variableOf(key, find);
    if (variable === undefined || !hasQuotes(variable.value)) return [];
    const { name, source } = variable;
    return `the quotes in ${name} (${source}) are part of its value${
      quotesRemedy(variable.value, source)
    }`;
  });
}

/** Of series that are asked for, and of a limit that is asked for too and is lower. */
function warnFold(series: string, maxSeries: number, warnings: string[]): void {
  if (Number(series) <= maxSeries) return;
  warnings.push(
    `--series ${series} is more than --max-series ${maxSeries}: what is beyond it is folded into one data point; ` +
      "leave --max-series out to send them all",
  );
}
