import { isObject, type JsonObject } from "../../platform/json_object.ts";

/** Keys of a summary that add up and stand before `exitCode` in its JSON. */
export const LEDGER_KEYS = [
  ...["recorded", "delivered", "rejected", "dropped", "pending"] as const,
  ...["invalid", "skipped", "rejectedPoints", "sends"] as const,
] as const;
/** Keys of a summary that add up and stand after `elapsedMs`. */
export const TRAFFIC_KEYS = ["requests", "points", "bytes"] as const;
type CountKey = (typeof LEDGER_KEYS)[number] | (typeof TRAFFIC_KEYS)[number];

/** Summary of one process, or one merged from several. */
export interface ProcessSummary {
  readonly processes: number;
  readonly counts: Readonly<Record<CountKey, number>>;
  /** Exit code of the process, or of the merge. */
  readonly exitCode: number;
  /** Number of processes by exit code. */
  readonly exitCodes: ReadonlyMap<number, number>;
  readonly elapsedMs: number;
  /** When it began, ms since 1970; undefined in summaries of version 2 and older. */
  readonly startTime: number | undefined;
  readonly maxMs: number | null;
  /** Latencies in ms; undefined in summaries of version 2 and older. */
  readonly latency: LatencyCounts | undefined;
  /** Number of processes by shard, by the number of all shards. */
  readonly shards: ReadonlyMap<number, ReadonlyMap<number, number>>;
  readonly capacity: CapacityFigures | undefined;
}

/** Counts of latencies between upper bounds. */
export interface LatencyCounts {
  readonly bounds: readonly number[];
  readonly counts: readonly number[];
}

/** Highest rate that a receiver took, and what kept it from taking more. */
export interface CapacityFigures {
  readonly pointsPerSecond: number;
  readonly requestsPerSecond: number;
  readonly p99Ms: number | null;
  readonly limitedBy: string;
}

/** Reads a summary of `send`; undefined for one of another command. */
export function readSummary(object: JsonObject): ProcessSummary | undefined {
  const isSend = LEDGER_KEYS.slice(0, 5).every((key) => isAmount(object[key]));
  if (!isSend) return undefined;
  const count = (key: CountKey) => amountOf(object[key]);
  const latencyMs = isObject(object["latencyMs"]) ? object["latencyMs"] : {};
  const startTime = Date.parse(String(object["startTime"]));
  return {
    processes: amountOf(object["processes"], 1),
    counts: {
      recorded: count("recorded"),
      delivered: count("delivered"),
      rejected: count("rejected"),
      dropped: count("dropped"),
      pending: count("pending"),
      invalid: count("invalid"),
      skipped: count("skipped"),
      rejectedPoints: count("rejectedPoints"),
      sends: count("sends"),
      requests: count("requests"),
      points: count("points"),
      bytes: count("bytes"),
    },
    exitCode: amountOf(object["exitCode"]),
    exitCodes: exitCodesOf(object),
    elapsedMs: amountOf(object["elapsedMs"]),
    startTime: Number.isNaN(startTime) ? undefined : startTime,
    maxMs: isAmount(latencyMs["max"]) ? latencyMs["max"] : null,
    latency: latencyOf(object["latencyHistogram"]),
    shards: shardsOf(object),
    capacity: readCapacity(object["capacity"]),
  };
}

function isAmount(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value) && value >= 0;
}

function amountOf(value: unknown, otherwise = 0): number {
  return isAmount(value) ? value : otherwise;
}

/** The exit codes of merged processes count, not that of their merge: another merge may find what this one missed. */
function exitCodesOf({ exitCode, exitCodes }: JsonObject): ReadonlyMap<number, number> {
  if (!isObject(exitCodes)) return new Map([[amountOf(exitCode), 1]]);
  return new Map(Object.entries(exitCodes).map(([code, n]) => [Number(code), amountOf(n)]));
}

function latencyOf(value: unknown): LatencyCounts | undefined {
  if (!isObject(value)) return undefined;
  const { bounds, counts } = value;
  return isCounts(bounds) && isCounts(counts) && counts.length === bounds.length + 1
    ? { bounds, counts }
    : undefined;
}

function isCounts(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.every(isAmount);
}

/** Greatest number of shards that is believed; `--shards` accepts no more. */
const MOST_SHARDS = 100_000;

function shardsOf({ shard, shards }: JsonObject): ProcessSummary["shards"] {
  if (isObject(shard)) {
    const { index, of } = shard;
    return isAmount(index) && isShardCount(of) ? new Map([[of, new Map([[index, 1]])]]) : new Map();
  }
  const merged = Array.isArray(shards) ? shards.filter(isObject) : [];
  return new Map(merged.flatMap(({ of, missing, repeated }) => {
    if (!isShardCount(of)) return [];
    const absent = new Set(isCounts(missing) ? missing : []);
    const twice = new Set(isCounts(repeated) ? repeated : []);
    const indexes = Array.from({ length: of }, (_, i) => i).filter((i) => !absent.has(i));
    return [[of, new Map(indexes.map((index) => [index, twice.has(index) ? 2 : 1]))]];
  }));
}

function isShardCount(value: unknown): value is number {
  return isAmount(value) && Number.isInteger(value) && value <= MOST_SHARDS;
}

function readCapacity(value: unknown): CapacityFigures | undefined {
  if (!isObject(value)) return undefined;
  const { pointsPerSecond, requestsPerSecond, p99Ms, limitedBy } = value;
  return {
    pointsPerSecond: amountOf(pointsPerSecond),
    requestsPerSecond: amountOf(requestsPerSecond),
    p99Ms: isAmount(p99Ms) ? p99Ms : null,
    limitedBy: typeof limitedBy === "string" ? limitedBy : "none",
  };
}
