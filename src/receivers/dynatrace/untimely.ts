import type { MeasuredInterval } from "../../aggregate/snapshot.ts";
import type { Finding } from "../finding.ts";
import { LIMITS } from "./limits.ts";
import { Findings } from "./preflight.ts";
import { RULES } from "./rules.ts";

/**
 * Counts the measurements of a metric in intervals that ended longer ago than Dynatrace accepts, or end further ahead.
 * `now` is in ms since 1970.
 */
export function untimely(
  measured: readonly MeasuredInterval[],
  metric: string,
  now: number,
): readonly Finding[] {
  const findings = new Findings();
  const past = measured.filter(({ interval: { end } }) => now - end > LIMITS.pastMs);
  const future = measured.filter(({ interval: { end } }) => end - now > LIMITS.futureMs);
  for (
    const [id, those, wrong] of [
      ["time-past", past, "more than an hour old"],
      ["time-future", future, "more than ten minutes in the future"],
    ] as const
  ) {
    const rule = RULES.point.find((rule) => rule.id === id);
    const [first] = those;
    if (rule === undefined || first === undefined) continue;
    const count = those.reduce((sum, { measurements }) => sum + measurements, 0);
    const since = new Date(first.interval.start).toISOString();
    const what = count === 1 ? "1 measurement is" : `${count} measurements are`;
    findings.add(
      { ...rule, remedy: REMEDY },
      `${what} ${wrong}, the first of ${since}`,
      metric,
      "--time-field",
    );
  }
  return findings.all;
}

const REMEDY =
  "send newer lines only (--where), remove --time-field to count them as measured now, or send them to a receiver that " +
  "accepts them";
