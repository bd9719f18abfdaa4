import type { Ledger } from "../../../delivery/delivering.ts";
import type { RampResult } from "../ramp.ts";
import type { Figures, Latency } from "../request_figures.ts";

/** Lines about rate and latency at the end of a loop, for a load test. */
export function loadLines(
  { elapsedMs, requests, points, latencyMs, ramp }: Figures,
): readonly string[] {
  if (requests === 0) return [];
  const seconds = elapsedMs / 1000;
  const perSecond = (count: number) => shownRate(seconds > 0 ? count / seconds : 0);
  return [
    `Rate: ${perSecond(points)} points/s in ${perSecond(requests)} requests/s, over ${
      shownSeconds(seconds)
    }`,
    ...latencyLines(latencyMs),
    ...ramp === undefined ? [] : [rampText(ramp)],
  ];
}

function latencyLines({ p50, p90, p99, max }: Latency): readonly string[] {
  if (p50 === null || p90 === null || p99 === null || max === null) return [];
  return [
    `Latency of requests: p50 ${shownMs(p50)}, p90 ${shownMs(p90)}, p99 ${shownMs(p99)}, greatest ${
      shownMs(max)
    }`,
  ];
}

/** `12,400 measurements/s (3,100 points/s) taken with p99 38 ms; above that 429`. */
export function rampText({ taken, above }: RampResult): string {
  const why = above === null || typeof above === "string" ? above : `p99 ${shownMs(above.p99Ms)}`;
  if (taken === null) return `Not even the lowest rate was taken: ${why ?? "nothing was sent"}`;
  const { measurementsPerSecond, pointsPerSecond, p99Ms } = taken;
  return `${shownRate(measurementsPerSecond)} measurements/s (${
    shownRate(pointsPerSecond)
  } points/s) taken with p99 ${shownMs(p99Ms)}; ${
    why === null ? "the rate rose no further" : `above that ${why}`
  }`;
}

/** How a loop is doing, in one line; `failures`: requests that were not accepted. */
export function liveText(
  { elapsedMs, pointsPerSecond, failures, p99 }: {
    readonly elapsedMs: number;
    readonly pointsPerSecond: number;
    readonly failures: number;
    readonly p99: number | null;
  },
  { pending }: Ledger,
): string {
  const count = (number: number) => number.toLocaleString("en");
  return [
    `${Math.floor(elapsedMs / 1000)} s`,
    `${shownRate(pointsPerSecond)} points/s`,
    `${count(pending)} pending`,
    `${count(failures)} ${failures === 1 ? "failure" : "failures"}`,
    `p99 ${p99 === null ? "-" : shownMs(p99)}`,
  ].join(", ");
}

/** Three digits say what can be known of it. */
function shownRate(perSecond: number): string {
  return Number(perSecond.toPrecision(3)).toLocaleString("en");
}

function shownMs(ms: number): string {
  return `${Number(ms.toPrecision(ms >= 1000 ? 4 : 3)).toLocaleString("en")} ms`;
}

function shownSeconds(seconds: number): string {
  return `${Number(seconds.toFixed(1)).toLocaleString("en")} s`;
}
