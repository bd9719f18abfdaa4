import type { Conventions } from "../../aggregate/metric_config.ts";
import type { Environment } from "../../http/proxy.ts";
import { UsageError } from "../../platform/errors.ts";
import {
  secondsOr0Setting,
  secondsSetting,
  type Variables,
  wholeSetting,
} from "../../settings/setting.ts";
import {
  settingOf,
  settingOrDefault,
  variableOf,
  type VerifyFlags,
} from "../../settings/settings.ts";
import { SETTINGS } from "../../settings/settings_table.ts";
import { type SendConfig, sendConfig } from "../send_config.ts";
import { type QueryConfig, queryConfig } from "../../receivers/query/query_config.ts";

/** Everything that `verify` does, from its settings. */
export interface VerifyConfig {
  readonly send: SendConfig;
  readonly query: QueryConfig;
  /** How long to query until everything agrees. */
  readonly waitMs: number;
  /** Number of runs. */
  readonly repeat: number;
  /** Time from the start of one run to that of the next. */
  readonly intervalMs: number;
}

/** Metric that a verification leaves in the backend, unless the user names another. */
const METRIC = SETTINGS.metric.defaultOf.verify;

/** Returns the flags with the default of `--metric`, for which no conventions are looked up. */
export function verifyFlags(flags: VerifyFlags): VerifyFlags & { readonly metric: string } {
  return { ...flags, metric: flags.metric ?? METRIC };
}

/** Turns settings into what `verify` does, or throws a UsageError. It reads nothing but its arguments. */
export function verifyConfig(
  flags: VerifyFlags,
  find: Variables,
  environment: Environment,
  conventions?: Conventions,
): VerifyConfig {
  const { interval, ...sendFlags } = verifyFlags(flags);
  const send = sendConfig(sendFlags, find, environment, conventions);
  const repeat = wholeSetting(settingOrDefault("repeat", flags), 1, 100_000);
  if (interval !== undefined && repeat === 1) {
    throw new UsageError("--interval is the time between repetitions: add --repeat N");
  }
  return {
    send: { ...send, warnings: [...send.warnings, ...explicitOnlyWarnings(send, find)] },
    query: queryConfig(flags, find, environment, send.destination),
    waitMs: secondsSetting(
      settingOf("wait", flags) ??
        { name: "--wait", source: "default", value: SETTINGS.wait.defaultOf.verify },
    ),
    repeat,
    intervalMs: secondsOr0Setting(settingOrDefault("interval", flags, find)),
  };
}

/** Warns that `verify` ignores a variable that `send` obeys. */
function explicitOnlyWarnings(
  { metric }: Pick<SendConfig, "metric">,
  find: Variables,
): readonly string[] {
  const setting = metric.bounds === "exponential" ? variableOf("exponential", find) : undefined;
  return setting === undefined ? [] : [
    `${setting.name} (${setting.source}) requests exponential buckets, but verify sends explicit ones: it does not ` +
    "show what the backend makes of exponential histograms",
  ];
}
