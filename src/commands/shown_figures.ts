import { counted } from "../console/plural.ts";

/** Counts of measurements by their outcome, and of the lines that they were read from. */
export interface ShownCounts {
  readonly recorded: number;
  readonly delivered: number;
  readonly rejected: number;
  readonly dropped: number;
  readonly pending: number;
  readonly invalid: number;
  readonly skipped: number;
  readonly rejectedPoints: number;
  readonly sends: number;
}

/** `Delivered 9 of 10 measurements in 2 sends; 1 lost.` */
export function deliveredText(counts: ShownCounts): string {
  const { recorded, delivered, rejected, dropped, pending, rejectedPoints, sends } = counts;
  const { invalid, skipped } = counts;
  const parts = [
    rejected > 0 ? `${rejected} rejected` : "",
    dropped > 0 ? `${dropped} lost` : "",
    pending > 0 ? `${pending} unsent in the spool` : "",
    rejectedPoints > 0 ? `${counted(rejectedPoints, "data point")} rejected` : "",
    invalid > 0 ? `${invalid} invalid` : "",
    skipped > 0 ? `${counted(skipped, "line")} excluded` : "",
  ].filter((part) => part !== "");
  const inSends = sends === 0 ? "" : ` in ${counted(sends, "send")}`;
  return `Delivered ${delivered} of ${counted(recorded, "measurement")}${inSends}${
    parts.length > 0 ? `; ${parts.join(", ")}` : ""
  }.`;
}

/** Latency of requests in ms; null without a request that was answered. */
export interface Latency {
  readonly p50: number | null;
  readonly p90: number | null;
  readonly p99: number | null;
  readonly max: number | null;
}

/** Lines about rate and latency; none without a request. */
export function requestLines(
  { elapsedMs, requests, points, latencyMs }: {
    readonly elapsedMs: number;
    readonly requests: number;
    readonly points: number;
    readonly latencyMs: Latency;
  },
): readonly string[] {
  if (requests === 0) return [];
  const seconds = elapsedMs / 1000;
  const perSecond = (count: number) => shownRate(seconds > 0 ? count / seconds : 0);
  return [
    `Rate: ${perSecond(points)} points/s in ${perSecond(requests)} requests/s, over ${
      shownSeconds(seconds)
    }`,
    ...latencyLines(latencyMs),
  ];
}

function latencyLines({ p50, p90, p99, max }: Latency): readonly string[] {
  if (p50 === null || p90 === null || p99 === null || max === null) return [];
  return [
    `Latency of requests: p50 ${shownMs(p50)}, p90 ${shownMs(p90)}, p99 ${shownMs(p99)}, max ${
      shownMs(max)
    }`,
  ];
}

/** Rounds a rate to three digits: a measurement is not more precise. */
export function shownRate(perSecond: number): string {
  return Number(perSecond.toPrecision(3)).toLocaleString("en");
}

/** `12.3 ms`. */
export function shownMs(ms: number): string {
  return `${Number(ms.toPrecision(ms >= 1000 ? 4 : 3)).toLocaleString("en")} ms`;
}

function shownSeconds(seconds: number): string {
  return `${Number(seconds.toFixed(1)).toLocaleString("en")} s`;
}

/** Rounds milliseconds to tenths, as JSON shows them. */
export function tenths(ms: number): number;
export function tenths(ms: number | null): number | null;
export function tenths(ms: number | null): number | null {
  return ms === null ? null : Math.round(ms * 10) / 10;
}
