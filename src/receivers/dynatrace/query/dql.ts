import type { SentRun } from "../../backend.ts";

// DQL as "Metric commands" documents it. Names stand in backticks: they may hold any character.

/** Time in ms around a run that queries cover: slots of a minute are aligned, and clocks differ. */
const SLACK_MS = 15 * 60_000;

/** Condition that holds for the data point of a run. */
export function runFilter({ attribute, id }: Pick<SentRun, "attribute" | "id">): string {
  return `filter: { ${dqlName(attribute)} == ${dqlString(id)} }`;
}

/** Timeframe of a run by the clock that stamped it. */
export function timeframeOf({ time }: Pick<SentRun, "time">, now: number): string {
  const at = (ms: number) => dqlString(new Date(ms).toISOString());
  return `from: ${at(time - SLACK_MS)}, to: ${at(Math.max(time, now) + SLACK_MS)}`;
}

/**
 * Query for the figures of a run. Without `union: true` a series that one column lacks vanishes from the whole result.
 * DQL's count() is the number of series, so that the count of measurements is a rollup of sum().
 */
export function figuresQuery(key: string, run: SentRun, now: number): string {
  const name = dqlName(key);
  return `timeseries { n = sum(${name}, rollup: total), s = sum(${name}, rollup: sum), mn = min(${name}), ` +
    `mx = max(${name}) }, union: true, ${runFilter(run)}, ${timeframeOf(run, now)}, interval: 1m`;
}

/** Query for the count of measurements by the rollup that Dynatrace's own dashboards use. */
export function countQuery(key: string, run: SentRun, now: number): string {
  return `timeseries { n = sum(${dqlName(key)}, rollup: count) }, ${runFilter(run)}, ${
    timeframeOf(run, now)
  }, interval: 1m`;
}

/** Query for the median. It stands alone: without buckets it may have no result or be an error. */
export function medianQuery(key: string, run: SentRun, now: number): string {
  return `timeseries { p50 = percentile(${dqlName(key)}, 50) }, ${runFilter(run)}, ${
    timeframeOf(run, now)
  }, interval: 1m`;
}

/** Query for the series of a metric in the last days, without values. */
export function seriesQuery(key: string, condition = ""): string {
  return `metrics | filter metric.key == ${dqlString(key)}${condition} | limit 5`;
}

/** Query for what Dynatrace knows about a metric. */
export function metadataQuery(key: string): string {
  return `load "/dt/platform/metrics.metadata" | filter metric.key == ${dqlString(key)}`;
}

/** Query for the data points that were rejected after the receiver had accepted them, by reason. */
export function rejectedQuery(run: SentRun, now: number): string {
  return "timeseries rejected = sum(dt.sfm.active_gate.metrics.ingest.otlp.datapoints.rejected), by: {reason}, " +
    timeframeOf(run, now);
}

/** Quotes a name. */
export function dqlName(name: string): string {
  return `\`${name.replaceAll("`", "\\`")}\``;
}

/** Quotes a string. */
export function dqlString(text: string): string {
  return `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
}
