import { hasQuotes, quotesRemedy, UsageError } from "../platform/errors.ts";
import { type DestinationConfig, destinationConfig } from "../http/destination_config.ts";
import type { ReceiverProfile } from "../receivers/profile.ts";
import { RECEIVERS } from "../receivers/profiles.ts";
import { type HealthConfig, healthConfig } from "../settings/health_config.ts";
import { type KeepConfig, keepConfig } from "../delivery/keep_config.ts";
import {
  type Conventions,
  mergeWarnings,
  type MetricConfig,
  metricConfig,
} from "../aggregate/metric_config.ts";
import {
  type DrawingConfig,
  drawingConfig,
  type OutputConfig,
  outputConfig,
} from "../settings/output_config.ts";
import { type LoadConfig, loadConfig } from "../source/generate/load_config.ts";
import { type Environment, proxyWarnings } from "../http/proxy.ts";
import {
  REPLAY_SCHEDULE,
  type ScheduleConfig,
  scheduleConfig,
} from "../settings/schedule_config.ts";
import type { Variables } from "../settings/setting.ts";
import { type SendFlags, variableOf } from "../settings/settings.ts";
import {
  defaultIdentity,
  oldNameHints,
  type SourceConfig,
  sourceConfig,
} from "../source/source_config.ts";

/** Everything that `send` does, from its settings. */
export interface SendConfig {
  readonly destination: DestinationConfig<ReceiverProfile>;
  readonly metric: MetricConfig;
  readonly schedule: ScheduleConfig;
  readonly keep: KeepConfig;
  readonly output: OutputConfig;
  /** Drawing of sent requests; undefined draws nothing. */
  readonly plot: DrawingConfig | undefined;
  readonly source: SourceConfig;
  readonly load: LoadConfig;
  /** Address for probes and metrics; undefined serves none. */
  readonly health: HealthConfig | undefined;
  /** Ends the program before anything is sent when a vendor's rule is broken. */
  readonly strict: boolean;
  /** Warnings about settings that are odd but possible. */
  readonly warnings: readonly string[];
}

/** Configuration of a dry run, which has no destination because nothing is sent. */
export type DryRunConfig = Omit<SendConfig, "destination">;

/** Turns settings into what `send` does, or throws a UsageError. It reads nothing but its arguments. */
export function sendConfig(
  flags: SendFlags,
  find: Variables,
  environment: Environment,
  conventions?: Conventions,
): SendConfig {
  const { warnings, ...config } = commonConfig(flags, find, conventions);
  const odd = [...warnings];
  const destination = destinationConfig(flags, find, environment, RECEIVERS, odd);
  const urls = [
    destination.endpoint.url,
    ...config.source.kind === "scrape" ? [config.source.url] : [],
  ];
  odd.push(...new Set(urls.flatMap((url) => proxyWarnings(url, environment))));
  return { ...config, destination, warnings: odd };
}

/** Turns settings into a dry run, or throws a UsageError. */
export function dryRunConfig(
  flags: SendFlags,
  find: Variables,
  conventions?: Conventions,
): DryRunConfig {
  if (flags.loop) throw new UsageError("--dry-run shows a single send: remove --loop");
  if (flags.workers !== undefined) {
    throw new UsageError("--dry-run shows a single request: remove --workers");
  }
  return commonConfig(flags, find, conventions);
}

function commonConfig(
  flags: SendFlags,
  find: Variables,
  conventions: Conventions | undefined,
): DryRunConfig {
  const warnings: string[] = [...find.warnings ?? [], ...quotedVariables(find)];
  const output = outputConfig(flags);
  const schedule = scheduleConfig(flags, find, warnings);
  const keep = keepConfig(flags, find);
  const source = sourceConfig(flags, schedule, keep.spool !== undefined, find, conventions);
  const metric = metricConfig(flags, find, conventions, defaultIdentity(source));
  warnings.push(...oldNameHints(source, flags, conventions));
  warnings.push(...mergeWarnings(flags, metric));
  const load = loadConfig(flags, find, source, schedule);
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

/** Warns about quotes in variables that may hold any text, so that no error reports them. */
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
