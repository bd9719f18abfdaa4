import { explicitBuckets, quantile } from "../../aggregate/quantile.ts";
import type { Latency } from "../shown_figures.ts";
import type { CapacityFigures, LatencyCounts, ProcessSummary } from "./summary.ts";

/** Shards of one number of shards that no summary names, or that several do. */
export interface ShardGaps {
  readonly of: number;
  readonly missing: readonly number[];
  readonly repeated: readonly number[];
}

/** Report of several processes as one. */
export interface MergedSummary extends Omit<ProcessSummary, "capacity" | "shards" | "exitCode"> {
  readonly latencyMs: Latency;
  readonly shards: readonly ShardGaps[];
  /** Sum of all capacities; undefined unless every process that sent anything has one. */
  readonly capacity: CapacityFigures | undefined;
  /** Number of processes of which it has no latency histogram, though they had answered requests or are older. */
  readonly withoutLatency: number;
  /** Number of processes that sent something without a capacity, though others have one. */
  readonly withoutCapacity: number;
}

/** Adds up summaries. There must be at least one. */
export function mergeSummaries(summaries: readonly ProcessSummary[]): MergedSummary {
  const [first] = summaries;
  if (first === undefined) throw new RangeError("There is no summary to merge");
  const bounds = summaries.find(({ latency }) => latency !== undefined)?.latency?.bounds;
  const hasLatency = ({ latency }: ProcessSummary) =>
    latency !== undefined && bounds !== undefined && haveSameBounds(latency.bounds, bounds);
  const latency = bounds && summaries.filter(hasLatency)
    .flatMap((summary) => summary.latency ?? [])
    .reduce(addLatencies);
  const maxima = summaries.flatMap(({ maxMs }) => maxMs ?? []);
  const maxMs = maxima.length === 0 ? null : maxima.reduce((a, b) => Math.max(a, b));
  const capacities = summaries.flatMap(({ capacity }) => capacity ?? []);
  const unmeasured = summaries.filter((each) => each.capacity === undefined && !isIdle(each));
  return {
    processes: sumOfAll(summaries, ({ processes }) => processes),
    counts: summaries.map(({ counts }) => counts).reduce(addKeys),
    exitCodes: addMaps(summaries.map(({ exitCodes }) => exitCodes)),
    ...timesOf(summaries),
    maxMs,
    latency,
    latencyMs: latencyMs(latency, maxMs),
    shards: shardGaps(summaries),
    capacity: capacities.length > 0 && unmeasured.length === 0
      ? capacities.reduce(addCapacities)
      : undefined,
    withoutLatency: sumOfAll(
      summaries.filter((each) => !hasLatency(each)),
      (each) => each.processes,
    ),
    withoutCapacity: capacities.length === 0
      ? 0
      : sumOfAll(unmeasured, ({ processes }) => processes),
  };
}

/** Whether a process had nothing to send, as a shard without a series. */
function isIdle({ counts: { recorded, sends, requests } }: ProcessSummary): boolean {
  return recorded === 0 && sends === 0 && requests === 0;
}

/** By the rule of `send`, 1 overrides 3; a process that ended with 2 was told nothing right at all. */
const WORST_FIRST = [2, 1, 3, 0];

/** The exit code that says the worst of all; one that `send` does not have counts as 1. */
export function worstExitCode(exitCodes: ReadonlyMap<number, number>): number {
  const codes = new Set([...exitCodes.keys()].map((code) => WORST_FIRST.includes(code) ? code : 1));
  return WORST_FIRST.find((code) => codes.has(code)) ?? 0;
}

/** Whether a summary is of a merge that lacked a process which its shards do not name. */
export function isPartialMerge(summary: ProcessSummary): boolean {
  const isExplained = shardGaps([summary]).some(({ missing, repeated }) =>
    missing.length + repeated.length > 0
  );
  return summary.exitCode === 1 && worstExitCode(summary.exitCodes) !== 1 && !isExplained;
}

/** From the first start to the last end. A summary without a start lasts at least as long as it says. */
function timesOf(
  summaries: readonly ProcessSummary[],
): Pick<ProcessSummary, "startTime" | "elapsedMs"> {
  const longest = (parts: readonly ProcessSummary[]) =>
    parts.reduce((most, { elapsedMs }) => Math.max(most, elapsedMs), 0);
  const spans = summaries.flatMap(({ startTime, elapsedMs }) =>
    startTime === undefined ? [] : [{ start: startTime, end: startTime + elapsedMs }]
  );
  if (spans.length === 0) return { startTime: undefined, elapsedMs: longest(summaries) };
  const startTime = spans.reduce((least, { start }) => Math.min(least, start), Infinity);
  const end = spans.reduce((most, each) => Math.max(most, each.end), -Infinity);
  return { startTime, elapsedMs: Math.max(end - startTime, longest(summaries)) };
}

function latencyMs(latency: LatencyCounts | undefined, maxMs: number | null): Latency {
  const buckets = latency === undefined ? [] : explicitBuckets(latency.bounds, latency.counts);
  const at = (q: number) => {
    const value = quantile(q, buckets, { min: undefined, max: maxMs ?? undefined })?.value;
    return value === undefined ? null : Math.min(value, maxMs ?? Infinity);
  };
  return { p50: at(0.5), p90: at(0.9), p99: at(0.99), max: maxMs };
}

function shardGaps(summaries: readonly ProcessSummary[]): readonly ShardGaps[] {
  const numbers = [...new Set(summaries.flatMap(({ shards }) => [...shards.keys()]))];
  return numbers.sort((a, b) => a - b).map((of) => {
    const counts = addMaps(summaries.map(({ shards }) => shards.get(of) ?? new Map()));
    const indexes = Array.from({ length: of }, (_, index) => index);
    return {
      of,
      missing: indexes.filter((index) => !counts.has(index)),
      repeated: indexes.filter((index) => (counts.get(index) ?? 0) > 1),
    };
  });
}

/** Limits of a receiver, the gravest first: the sum has the gravest limit of its parts. */
const LIMITS = ["failure", "status", "latency", "none"];

function addCapacities(a: CapacityFigures, b: CapacityFigures): CapacityFigures {
  return {
    pointsPerSecond: a.pointsPerSecond + b.pointsPerSecond,
    requestsPerSecond: a.requestsPerSecond + b.requestsPerSecond,
    p99Ms: a.p99Ms === null || b.p99Ms === null ? a.p99Ms ?? b.p99Ms : Math.max(a.p99Ms, b.p99Ms),
    limitedBy: LIMITS.find((limit) => limit === a.limitedBy || limit === b.limitedBy) ??
      a.limitedBy,
  };
}

function addLatencies(a: LatencyCounts, b: LatencyCounts): LatencyCounts {
  return { bounds: a.bounds, counts: a.counts.map((count, i) => count + (b.counts[i] ?? 0)) };
}

function addKeys(
  a: ProcessSummary["counts"],
  b: ProcessSummary["counts"],
): ProcessSummary["counts"] {
  return {
    recorded: a.recorded + b.recorded,
    delivered: a.delivered + b.delivered,
    rejected: a.rejected + b.rejected,
    dropped: a.dropped + b.dropped,
    pending: a.pending + b.pending,
    invalid: a.invalid + b.invalid,
    skipped: a.skipped + b.skipped,
    rejectedPoints: a.rejectedPoints + b.rejectedPoints,
    sends: a.sends + b.sends,
    requests: a.requests + b.requests,
    points: a.points + b.points,
    bytes: a.bytes + b.bytes,
  };
}

function addMaps(maps: readonly ReadonlyMap<number, number>[]): ReadonlyMap<number, number> {
  const sum = new Map<number, number>();
  for (const map of maps) {
    for (const [key, count] of map) sum.set(key, (sum.get(key) ?? 0) + count);
  }
  return sum;
}

function sumOfAll<Item>(items: readonly Item[], numberOf: (item: Item) => number): number {
  return items.reduce((sum, item) => sum + numberOf(item), 0);
}

function haveSameBounds(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((value, i) => value === b[i]);
}
