import type { FineBucket } from "../../aggregate/fine.ts";
import type { Hide } from "../../redact/secrets.ts";
import { counted } from "../../console/plural.ts";
import { LARGEST_DRAWN } from "../../source/generate/distribution.ts";
import { fitParts } from "../../source/generate/fitted.ts";
import { parseScenario } from "../../source/generate/scenario_file.ts";
import { hiddenAttributes } from "./json.ts";
import type { PlottedSeries } from "./series.ts";
import { largestFirst, type PlotTable } from "./table.ts";

/** A scenario file that generates measurements like those that came, or why there is none. */
export type ScenarioOutcome = { readonly text: string } | { readonly problems: readonly string[] };

/** Largest weight in a scenario file. */
const MOST_WEIGHT = 1e9;

/** A metric's measurements, and the bounds that its buckets get. */
export interface DescribedMetric {
  readonly table: PlotTable;
  readonly bounds: readonly number[];
}

/**
 * Writes a scenario file, and reads it as --scenario does before it is given away. Everything from the input passes
 * through `hide`; `warn` hears of measurements that the file cannot say.
 */
export function scenarioOf(
  metrics: readonly DescribedMetric[],
  hide: Hide,
  warn: (message: string) => void,
): ScenarioOutcome {
  const described = metrics.map(({ table, bounds }) => {
    const series = describedSeries(table, warn);
    return { metric: table.metric, bounds, series, count: sumOf(series) };
  }).filter(({ count }) => count > 0);
  const total = sumOf(described);
  const scale = Math.min(1, MOST_WEIGHT / Math.max(...described.map(({ count }) => count), 1));
  const number = described.reduce((sum, { series }) => sum + series.length, 0);
  const scenario = {
    description:
      `Made by otlp-histogram plot from ${counted(total, "measurement")} in ${number} series. ` +
      `--count ${total} generates as many.`,
    metrics: described.map(({ metric, bounds, series, count }) => ({
      name: hide(metric.name),
      unit: hide(metric.unit),
      ...metric.description !== "" && { description: hide(metric.description) },
      ...metric.exponential ? { exponential: true } : { buckets: bounds },
      ...described.length > 1 && { weight: count * scale },
      mix: series.flatMap(({ attributes, ranges }) =>
        fitParts(ranges).map(({ weight, distribution }) => ({
          weight: weight * scale,
          distribution,
          attributes: hiddenAttributes(attributes, hide),
        }))
      ),
    })),
  };
  const text = JSON.stringify(scenario, undefined, 2);
  const parsed = parseScenario(text);
  return "problems" in parsed ? parsed : { text };
}

/** Series whose values a scenario can draw, in ranges. */
interface DescribedSeries {
  readonly attributes: PlottedSeries["attributes"];
  readonly ranges: readonly FineBucket[];
  readonly count: number;
}

/** The series of a metric whose values a scenario can draw, largest first. */
function describedSeries(
  table: PlotTable,
  warn: (message: string) => void,
): readonly DescribedSeries[] {
  const { name } = table.metric;
  let left = 0;
  let isClamped = false;
  const described = largestFirst(table).flatMap((series) => {
    const { attributes, count } = series;
    const known = series.fine() ?? series.ranges();
    if (known.length === 0 || known.some(({ least }) => least < 0)) {
      left += count;
      return [];
    }
    isClamped ||= known.some(({ greatest }) => greatest > LARGEST_DRAWN);
    return [{ attributes, count, ranges: known.map(drawable) }];
  });
  if (left > 0) {
    warn(
      `${counted(left, "measurement")} of ${name} had no buckets or may be negative: ` +
        "the scenario leaves these series out",
    );
  }
  if (isClamped) {
    warn(`values of ${name} above ${LARGEST_DRAWN} become ${LARGEST_DRAWN} in the scenario`);
  }
  return described;
}

function drawable({ count, least, greatest }: FineBucket): FineBucket {
  return {
    count,
    least: Math.min(least, LARGEST_DRAWN),
    greatest: Math.min(greatest, LARGEST_DRAWN),
  };
}

function sumOf(items: readonly { readonly count: number }[]): number {
  return items.reduce((sum, { count }) => sum + count, 0);
}
