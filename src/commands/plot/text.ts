import { escapeText } from "../../console/escape.ts";
import { plural } from "../../console/plural.ts";
import { plot } from "../../draw/bars.ts";
import { type Canvas, wrapWords } from "../../console/canvas.ts";
import { formatFigures, roundToSixDigits } from "../../draw/figures.ts";
import {
  aloneLines,
  type EstimatedPercentile,
  estimateText,
  percentilesOf,
  shownEstimate,
} from "../../draw/percentiles.ts";
import { listWords, stringWord, titleWords } from "../../draw/words.ts";
import type { Hide } from "../../redact/secrets.ts";
import type { Attributes } from "../../aggregate/measurement.ts";
import type { PercentileComparison } from "../../aggregate/accuracy.ts";
import type { SourceConfig } from "../../source/source_config.ts";
import { PlottedSeries } from "./series.ts";
import { ENOUGH_VALUES, type Suggested } from "./suggested.ts";
import { largestFirst, type PlotTable, type PlottedMetric } from "./table.ts";

const INDENT = 4;
/** Maximum number of series that are drawn; the others only count in the total. */
const MOST_DRAWN = 20;
/** Maximum number of lines of an exponential histogram, whose buckets nobody chose one by one. */
const MOST_EXPONENTIAL = 24;

/**
 * Draws the series of a metric, largest first, then all of them together, then what the buckets cost in accuracy.
 * `origin` tells it apart from metrics with the same name.
 */
export function tableLines(table: PlotTable, canvas: Canvas, origin: Attributes = {}): string[] {
  const metric: TitledMetric = { ...table.metric, origin };
  const series = largestFirst(table);
  const lines = series.slice(0, MOST_DRAWN).flatMap((each) =>
    seriesLines(plottedTitle(metric, each.attributes, canvas.hide), each, metric, canvas)
  );
  const more = series.length - MOST_DRAWN;
  if (more > 0) lines.push(`  … and ${formatCount(more, "more series", "more series")}`);
  if (series.length > 1) {
    const own = series.filter(({ bounds }) => bounds === metric.bounds);
    const total = new PlottedSeries({}, metric.bounds);
    for (const each of own) total.merge(each);
    const title = [...plottedTitle(metric, {}, canvas.hide), `all ${own.length} series together`];
    if (own.length > 1) lines.push(...seriesLines(title, total, metric, canvas));
  }
  return [...lines, ...costLines(series, metric, canvas)];
}

/** Heading of the phase that begins with a table; nothing if the one before it is of the same phase. */
export function phaseLines(
  { metric: { phase } }: PlotTable,
  before: PlotTable | undefined,
  { hide, paint }: Canvas,
): string[] {
  if (phase === undefined || phase === before?.metric.phase) return [];
  return [paint.strong(`Phase ${stringWord(hide(phase))}`)];
}

/** Metric with the attributes that tell it apart from others of the same name. */
interface TitledMetric extends PlottedMetric {
  readonly origin: Attributes;
}

function plottedTitle(metric: TitledMetric, attributes: Attributes, hide: Hide): string[] {
  const all = [...Object.entries(metric.origin), ...Object.entries(attributes)];
  const words = listWords(all, ([key, value]) => {
    const text = typeof value === "string" ? stringWord(hide(value)) : String(value);
    return `${escapeText(hide(key))}=${text}`;
  });
  return titleWords(metric, words, hide);
}

function seriesLines(
  title: readonly string[],
  series: PlottedSeries,
  { exponential }: PlottedMetric,
  { width, breakAt, paint }: Canvas,
): string[] {
  const { count, min, max, sum, bounds, counts } = series;
  const figures = formatFigures(count, { min, max, sum }).split(/(?<=,) /);
  const mostLines = exponential ? MOST_EXPONENTIAL : undefined;
  const bars = plot({ bounds, counts }, width - INDENT, paint, mostLines);
  const estimates = percentilesOf({ kind: "explicit", bounds, counts }, { min, max });
  return [
    ...wrapWords(title, 2, breakAt).map(paint.strong),
    ...wrapWords(figures, INDENT, breakAt),
    ...percentileLines(series, estimates).map((line) => " ".repeat(INDENT) + line),
    ...aloneLines(estimates).flatMap((line) => wrapWords(line.split(/(?<=,) /), INDENT, breakAt)),
    ...bars.map((line) => " ".repeat(INDENT) + line),
  ];
}

/** Formats the percentiles of the values beside those that a receiver estimates from the buckets, and the errors. */
function percentileLines(
  series: PlottedSeries,
  estimates: readonly EstimatedPercentile[],
): string[] {
  const rows = series.percentiles().map(({ percent, measured, estimated }) => {
    const shown = estimates.find((each) => each.percent === percent);
    const isKnown = measured !== undefined && estimated !== undefined && shown?.above === undefined;
    return [
      `p${percent}`,
      measured === undefined ? "unknown" : roundToSixDigits(measured),
      shown === undefined ? "unknown" : estimateText(shownEstimate(shown)),
      isKnown ? deviationText(measured, estimated) : "",
    ];
  });
  const table = [["", "measured", "estimated", "off by"], ...rows];
  const widths = [0, 1, 2, 3].map((column) =>
    Math.max(...table.map((row) => row[column]?.length ?? 0))
  );
  return table.map((row) =>
    row.map((cell, i) => cell.padStart(widths[i] ?? 0)).join("  ").trimEnd()
  );
}

function deviationText(measured: number, estimated: number): string {
  if (measured === estimated) return "0%";
  if (measured === 0) return "from 0";
  const share = (estimated - measured) / measured;
  const text = percentage(Math.abs(share));
  return /^[<>]/.test(text) ? text : `${share > 0 ? "+" : "-"}${text}`;
}

/** Percentages above this one say nothing more. */
const MOST_PERCENT = 1_000_000;

/** Formats a share as a percentage, with two digits if it is small. */
function percentage(share: number): string {
  const percent = share * 100;
  if (percent === 0) return "0%";
  if (percent < 0.1) return "<0.1%";
  if (percent > MOST_PERCENT) return `>${MOST_PERCENT}%`;
  return `${percent < 9.95 ? percent.toFixed(1) : String(Math.round(percent))}%`;
}

/** Formats a maximum error for a person. */
function atMostText(share: number): string {
  if (share < 0.001) return "less than 0.1%";
  return share * 100 > MOST_PERCENT ? `more than ${MOST_PERCENT}%` : `up to ${percentage(share)}`;
}

function costLines(
  series: readonly PlottedSeries[],
  metric: TitledMetric,
  { breakAt, hide }: Canvas,
): string[] {
  let worst: { readonly series: PlottedSeries; readonly at: PercentileComparison } | undefined;
  for (const each of series) {
    const at = each.worst();
    if (at !== undefined && (worst === undefined || at.error > worst.at.error)) {
      worst = { series: each, at };
    }
  }
  if (worst === undefined) return [];
  const alone = worstAlone(series);
  const { percent, error } = worst.at;
  const of = series.length > 1
    ? ` of ${plottedTitle(metric, worst.series.attributes, hide).join(" ")}`
    : "";
  const text = error === 0
    ? "With these buckets, the percentile estimates are exact."
    : `With these buckets, percentile estimates are off by up to ${
      percentage(error)
    } (p${percent}${of}).`;
  const more = alone !== undefined && alone.error > error + WORTH_NAMING
    ? ` A backend with only the buckets is off by up to ${
      percentage(alone.error)
    } (p${alone.percent}).`
    : "";
  return wrapWords((text + more).split(" "), 2, breakAt);
}

/** Difference from which the error of buckets alone is named beside that of an estimate held to min and max. */
const WORTH_NAMING = 0.1;

/** Finds the percentile that the buckets alone, without min and max, put off most. */
function worstAlone(
  series: readonly PlottedSeries[],
): { readonly percent: number; readonly error: number } | undefined {
  let worst: ReturnType<typeof worstAlone>;
  for (const each of series) {
    const { bounds, counts } = each;
    const estimates = percentilesOf({ kind: "explicit", bounds, counts }, NO_EXTREMES);
    for (const { percent, measured } of each.percentiles()) {
      const alone = estimates.find((estimate) => estimate.percent === percent)?.alone;
      if (alone === undefined || measured === undefined || measured === 0) continue;
      const error = Math.abs(alone.value - measured) / measured;
      if (worst === undefined || error > worst.error) worst = { percent, error };
    }
  }
  return worst;
}

const NO_EXTREMES = { min: undefined, max: undefined };

/** Totals of a drawing. */
export interface PlotTotals {
  readonly tables: readonly PlotTable[];
  /** Number of lines of the input that were invalid, and of those that a condition excluded. */
  readonly invalid: number;
  readonly skipped: number;
}

/** Formats the totals. */
export function totalLines(
  { tables, invalid, skipped }: PlotTotals,
  { breakAt }: Canvas,
): string[] {
  const total = (of: (table: PlotTable) => number) =>
    tables.reduce((sum, table) => sum + of(table), 0);
  const measurements = total(({ count }) => count);
  const lines = (count: number) => formatCount(count, "line", "lines");
  const parts = [
    `${formatCount(measurements, "measurement", "measurements")} in ${
      formatCount(total(({ size }) => size), "series", "series")
    }`,
    ...skipped > 0 ? [`${lines(skipped)} excluded`] : [],
    ...invalid > 0 ? [`${lines(invalid)} invalid`] : [],
  ];
  return wrapWords(`Total: ${parts.join(", ")}`.split(" "), 0, breakAt);
}

/** Formats a count in groups of three digits, with its word. */
function formatCount(count: number, one: string, many: string): string {
  return `${count.toLocaleString("en")} ${plural(count, one, many)}`;
}

/**
 * Formats suggested bounds in forms that can be pasted, so those lines are not wrapped. A scenario has several
 * metrics, whose bounds belong in its file.
 */
export function suggestionLines(
  { name }: PlottedMetric,
  { suggestion: { bounds, worstError }, worstErrorNow, conventional, leftOut }: Suggested,
  source: SourceConfig["kind"],
  { breakAt, hide }: Canvas,
): string[] {
  const isScenario = source === "scenario";
  const text = (words: string) => wrapWords(words.split(" "), 0, breakAt);
  const pasted = (bounds: readonly number[]) =>
    isScenario ? `  "buckets": [${bounds.join(", ")}]` : `  --buckets ${bounds.join(",")}`;
  const of = isScenario ? ` for ${hide(escapeText(name))}` : "";
  const better = worstError < worstErrorNow
    ? ` (currently ${atMostText(worstErrorNow)})`
    : ", no better than the current ones";
  return [
    ...text(
      `Suggested buckets${of}: estimates of p50, p90 and p99 are off by ${
        atMostText(worstError)
      }${better}.`,
    ),
    ...leftOut === 0 ? [] : text(
      `${formatCount(leftOut, "series", "series")} with fewer than ${ENOUGH_VALUES} values ${
        plural(leftOut, "is", "are")
      } not considered.`,
    ),
    pasted(bounds),
    ...conventional === undefined ? [] : [
      ...text(
        `The bounds of the semantic conventions are as good (off by ${
          atMostText(conventional.worstError)
        }):`,
      ),
      pasted(conventional.bounds),
    ],
  ];
}
