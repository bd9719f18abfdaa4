import { counted } from "../../console/plural.ts";
import { escapeJson } from "../../console/escape.ts";
import { deliveredText, requestLines, shownMs, shownRate, tenths } from "../shown_figures.ts";
import type { MergedSummary, ShardGaps } from "./merge.ts";
import { LEDGER_KEYS, TRAFFIC_KEYS } from "./summary.ts";

/** The merged summary as one line of JSON, its keys those of a send's summary and then those of a merge. */
export function mergedJson(merged: MergedSummary, exitCode: number): string {
  const { counts, startTime, latency, latencyMs, capacity, exitCodes } = merged;
  const pick = (keys: readonly (keyof typeof counts)[]) =>
    Object.fromEntries(keys.map((key) => [key, counts[key]]));
  return escapeJson({
    type: "summary",
    ...pick(LEDGER_KEYS),
    exitCode,
    elapsedMs: tenths(merged.elapsedMs),
    ...pick(TRAFFIC_KEYS),
    latencyMs: {
      p50: tenths(latencyMs.p50),
      p90: tenths(latencyMs.p90),
      p99: tenths(latencyMs.p99),
      max: tenths(latencyMs.max),
    },
    startTime: startTime === undefined ? null : new Date(startTime).toISOString(),
    latencyHistogram: latency ?? null,
    shard: null,
    ...capacity && { capacity },
    processes: merged.processes,
    exitCodes: Object.fromEntries([...exitCodes].map(([code, count]) => [String(code), count])),
    shards: merged.shards,
  });
}

/** Lines that tell a person the same. */
export function mergedText(merged: MergedSummary): readonly string[] {
  const { counts, elapsedMs, latencyMs, capacity, exitCodes } = merged;
  const failed = [...exitCodes].filter(([code]) => code !== 0).sort(([a], [b]) => a - b);
  return [
    `Merged the summaries of ${counted(merged.processes, "process", "processes")}${
      merged.shards.map(shardText).join("")
    }.`,
    deliveredText(counts),
    ...requestLines({ elapsedMs, latencyMs, requests: counts.requests, points: counts.points }),
    ...capacity === undefined ? [] : [
      `Capacity: ${shownRate(capacity.pointsPerSecond)} points/s in ${
        shownRate(capacity.requestsPerSecond)
      } requests/s${
        capacity.p99Ms === null ? "" : ` with p99 ${shownMs(capacity.p99Ms)} at most`
      }, limited by ${capacity.limitedBy === "none" ? "nothing" : capacity.limitedBy}`,
    ],
    ...failed.map(([code, count]) =>
      `${counted(count, "process", "processes")} ended with exit code ${code}.`
    ),
  ];
}

function shardText({ of, missing }: ShardGaps): string {
  return `, ${of - missing.length} of ${counted(of, "shard")}`;
}
