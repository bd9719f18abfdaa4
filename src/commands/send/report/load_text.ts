import type { Ledger } from "../../../delivery/delivering.ts";
import { requestLines, shownMs, shownRate } from "../../shown_figures.ts";
import type { Summary } from "../run_event.ts";

/** Lines about rate and latency at the end of a load test. */
export function loadLines(summary: Summary): readonly string[] {
  const { capacity } = summary;
  return [...requestLines(summary), ...capacity === undefined ? [] : [capacity.message]];
}

/** How a loop is doing, in one line; `failures`: requests that were not accepted, `phase`: that of a scenario. */
export function liveText(
  { elapsedMs, pointsPerSecond, failures, p99, phase }: {
    readonly elapsedMs: number;
    readonly pointsPerSecond: number;
    readonly failures: number;
    readonly p99: number | null;
    readonly phase: string | undefined;
  },
  { pending }: Ledger,
): string {
  const count = (number: number) => number.toLocaleString("en");
  return [
    `${Math.floor(elapsedMs / 1000)} s`,
    `${shownRate(pointsPerSecond)} points/s`,
    `${count(pending)} unsent`,
    `${count(failures)} ${failures === 1 ? "failure" : "failures"}`,
    `p99 ${p99 === null ? "-" : shownMs(p99)}`,
    ...phase === undefined ? [] : [`phase ${phase}`],
  ].join(", ");
}
