import { UsageError } from "../../platform/errors.ts";
import { type Share, WHOLE } from "./share.ts";
import {
  numberSetting,
  type Setting,
  type Variables,
  wholeSetting,
} from "../../settings/setting.ts";
import type { ScheduleConfig } from "../../settings/schedule_config.ts";
import { flagName, type SendFlags, settingOf, variableOf } from "../../settings/settings.ts";
import type { SourceConfig } from "../source_config.ts";

/** Connections and processes that send together, and the latency that they may have. */
export interface LoadConfig {
  /** Connections, with a request under way on each. */
  readonly workers: number;
  /** This process's part of what several send together. */
  readonly share: Share;
  /** Maximum of the 99th percentile of the latency of requests, in ms; undefined: no limit. */
  readonly sloMs: number | undefined;
}

/** Load of one connection, and no other process. */
export const ONE_PROCESS: LoadConfig = { workers: 1, share: WHOLE, sloMs: undefined };

/** Maximum of --workers: each is a connection and a recorder of its own. */
const MOST_WORKERS = 256;
const MOST_SHARDS = 100_000;
const FEWEST_STEPS = 5;

/** Reads the flags of a load; throws a UsageError for an invalid one, and adds odd ones that work to `warnings`. */
export function loadConfig(
  flags: SendFlags,
  find: Variables,
  source: SourceConfig,
  schedule: ScheduleConfig,
  warnings: string[],
): LoadConfig {
  const isGenerated = source.kind === "synthetic" || source.kind === "scenario";
  const workers = settingOf("workers", flags);
  const share = shareOf(flags, find);
  for (const key of ["workers", "shards"] as const) {
    if (flags[key] === undefined || isGenerated) continue;
    throw new UsageError(
      `${
        flagName(key)
      } divides generated measurements: add --series, --count, --rate, --distribution or --scenario, or leave it out`,
    );
  }
  if (isCoarse(source, schedule)) {
    warnings.push(
      `--rate FROM..TO is measured in steps of --interval (${
        schedule.intervalMs / 1000
      } s): choose a shorter one, 1 for example`,
    );
  }
  return {
    workers: workers === undefined ? 1 : wholeSetting(workers, 1, MOST_WORKERS),
    share,
    sloMs: sloOf(flags, source),
  };
}

/** The steps in which a rising rate is measured are too long to tell much. */
function isCoarse(source: SourceConfig, { intervalMs }: ScheduleConfig): boolean {
  const rate = "rate" in source ? source.rate : undefined;
  return typeof rate === "object" && rate.inSeconds * 1000 < FEWEST_STEPS * intervalMs;
}

/** The share of `--shards` and `--shard`. Kubernetes sets JOB_COMPLETION_INDEX in every pod of an Indexed Job. */
function shareOf(flags: SendFlags, find: Variables): Share {
  const shards = settingOf("shards", flags);
  if (shards === undefined) {
    if (flags.shard === undefined) return WHOLE;
    throw new UsageError(
      "--shard says which of several processes this is: add --shards N, their number",
    );
  }
  const of = wholeSetting(shards, 1, MOST_SHARDS);
  const shard = settingOf("shard", flags) ?? variableOf("shard", find);
  if (shard === undefined && of === 1) return WHOLE;
  if (shard === undefined) {
    throw new UsageError(
      `--shards ${of} needs the number of this process: add --shard I, from 0 to ${
        of - 1
      }, or run it as an Indexed Job, where Kubernetes sets JOB_COMPLETION_INDEX`,
    );
  }
  return { index: indexOf(shard, of), of };
}

function indexOf(shard: Setting, of: number): number {
  return numberSetting(
    shard,
    of === 1
      ? "0, the only one of --shards 1"
      : `a whole number from 0 to ${of - 1}, for --shards ${of}`,
    (n) => Number.isSafeInteger(n) && n >= 0 && n < of,
  );
}

function sloOf(flags: SendFlags, source: SourceConfig): number | undefined {
  const slo = settingOf("slo", flags);
  if (slo === undefined) return undefined;
  const isRising = "rate" in source && typeof source.rate === "object";
  if (!isRising) {
    throw new UsageError(
      `${slo.name} is what a rising rate is held against: add --rate FROM..TO with --loop and --duration, or leave it out`,
    );
  }
  return numberSetting(
    slo,
    "a number of milliseconds greater than 0, for example 200",
    (n) => n > 0,
  );
}
