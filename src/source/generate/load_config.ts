import { UsageError } from "../../platform/errors.ts";
import { type Share, WHOLE } from "./share.ts";
import { decimal } from "../../platform/number.ts";
import {
  invalid,
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
  /** Data points per second; undefined: another setting says what is sent. */
  readonly pointRate: PointRate | undefined;
}

/** Settings of --point-rate, in data points per second of all processes together. */
export interface PointRate {
  readonly from: number;
  /** Highest rate; of one that does not rise, the rate. */
  readonly to: number;
  readonly isRising: boolean;
  /** Data points per request; undefined: chosen by the rate. */
  readonly pointsPerRequest: number | undefined;
  /** Maximum of the 99th percentile of the latency of requests, in ms; undefined: no limit. */
  readonly sloMs: number | undefined;
}

/** Load of one connection, and no other process. */
export const ONE_PROCESS: LoadConfig = { workers: 1, share: WHOLE, pointRate: undefined };

/** Maximum of --workers: each is a connection and a recorder of its own. */
const MOST_WORKERS = 256;
const MOST_SHARDS = 100_000;

/** Reads the flags of a load; throws a UsageError for an invalid one. */
export function loadConfig(
  flags: SendFlags,
  find: Variables,
  source: SourceConfig,
  schedule: ScheduleConfig,
): LoadConfig {
  const workers = settingOf("workers", flags);
  const share = shareOf(flags, find);
  for (const key of ["workers", "shards"] as const) {
    if (flags[key] === undefined || isGeneratedSource(source)) continue;
    throw new UsageError(
      `${
        flagName(key)
      } requires generated measurements: add --series, --count, --rate, --distribution or --scenario, or remove it`,
    );
  }
  return {
    workers: workers === undefined ? 1 : wholeSetting(workers, 1, MOST_WORKERS),
    share,
    pointRate: pointRateOf(flags, schedule),
  };
}

/** Whether a source generates its measurements. */
export function isGeneratedSource({ kind }: SourceConfig): boolean {
  return kind === "synthetic" || kind === "scenario";
}

/** The share of `--shards` and `--shard`. Kubernetes sets JOB_COMPLETION_INDEX in every pod of an Indexed Job. */
function shareOf(flags: SendFlags, find: Variables): Share {
  const shards = settingOf("shards", flags);
  if (shards === undefined) {
    if (flags.shard === undefined) return WHOLE;
    throw new UsageError(
      "--shard is the index of this process among several: add --shards N, their number",
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

/** Reads `--point-rate` and the settings that only go with it. */
function pointRateOf(flags: SendFlags, schedule: ScheduleConfig): PointRate | undefined {
  const rate = settingOf("pointRate", flags);
  const perRequest = settingOf("pointsPerRequest", flags);
  const slo = settingOf("slo", flags);
  if (rate === undefined) {
    const alone = perRequest ?? slo;
    if (alone === undefined) return undefined;
    throw new UsageError(
      `${alone.name} has no effect without --point-rate: add it, or remove ${alone.name}`,
    );
  }
  for (const key of ["rate", "count"] as const) {
    if (flags[key] === undefined) continue;
    throw new UsageError(
      `--point-rate and ${flagName(key)} cannot be used together: remove one of them`,
    );
  }
  if (flags.series === undefined || !schedule.loop) {
    throw new UsageError(
      "--point-rate requires --series N and --loop",
    );
  }
  const ends = rate.value.split("..");
  const [from = NaN, to = from] = ends.map(decimal);
  const isRising = ends.length === 2;
  if (!(from >= 0 && to > 0 && to < Infinity && (isRising ? to > from : ends.length === 1))) {
    throw invalid(
      rate,
      "data points per second, for example 5000, or FROM..TO with TO above FROM, for example 1000..50000",
    );
  }
  if (isRising) endOfRise(rate, flags, schedule);
  else if (slo !== undefined) {
    throw new UsageError(
      `${slo.name} requires a rising rate: add --point-rate FROM..TO, or remove it`,
    );
  }
  return {
    from,
    to,
    isRising,
    pointsPerRequest: perRequest && wholeSetting(perRequest, 1),
    sloMs: slo && numberSetting(
      slo,
      "a number of milliseconds above 0, for example 200",
      (n) => n > 0,
    ),
  };
}

/** A rise takes --duration, and ends by itself; nothing of it is kept. */
function endOfRise(rate: Setting, flags: SendFlags, { durationMs, iterations }: ScheduleConfig) {
  if (durationMs === Infinity) {
    throw new UsageError(`--point-rate ${rate.value} rises over a time: add --duration SECONDS`);
  }
  if (iterations !== Infinity) {
    throw new UsageError(
      `--point-rate ${rate.value} ends when a rate is confirmed: remove --iterations`,
    );
  }
  if (flags.spool !== undefined) {
    throw new UsageError(
      `--point-rate ${rate.value} does not retry or keep data: remove --spool`,
    );
  }
}
