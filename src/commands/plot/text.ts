import { escapeText } from "../../console/escape.ts";
import { plural } from "../../console/plural.ts";
import { plot } from "../../draw/bars.ts";
import { type Canvas, wrapWords } from "../../console/canvas.ts";
import { formatFigures, roundToSixDigits } from "../../draw/figures.ts";
import { listWords, stringWord, titleWords } from "../../draw/words.ts";
import type { Hide } from "../../redact/secrets.ts";
import type { Attributes } from "../../aggregate/measurement.ts";
import type { PercentileComparison } from "../../aggregate/accuracy.ts";
import type { SourceConfig } from "../../source/source_config.ts";
import { PlottedSeries } from "./series.ts";
import type { Suggested } from "./suggested.ts";
import { largestFirst, type PlotTable, type PlottedMetric } from "./table.ts";

const INDENT = 4;
/** Maximum number of series that are drawn; the others only count in the total. */
const MOST_DRAWN = 20;

/** Draws the series of a metric, largest first, then all of them together, then what the buckets cost in accuracy. */
export function tableLines(table: PlotTable, canvas: Canvas): string[] {
  const { metric } = table;
  const series = largestFirst(table);
  const lines = series.slice(0, MOST_DRAWN).flatMap((each) =>
    seriesLines(plottedTitle(metric, each.attributes, canvas.hide), each, canvas)
  );
  const more = series.length - MOST_DRAWN;
  if (more > 0) lines.push(`  … and ${formatCount(more, "more series", "more series")}`);
  if (series.length > 1) {
    const own = series.filter(({ bounds }) => bounds === metric.bounds);
    const total = new PlottedSeries({}, metric.bounds);
    for (const each of own) total.merge(each);
    const title = [...plottedTitle(metric, {}, canvas.hide), `all ${own.length} series together`];
    if (own.length > 1) lines.push(...seriesLines(title, total, canvas));
  }
  return [...lines, ...costLines(series, metric, canvas)];
}

function plottedTitle(metric: PlottedMetric, attributes: Attributes, hide: Hide): string[] {
  const words = listWords(Object.entries(attributes), ([key, value]) => {
    const text = typeof value === "string" ? stringWord(hide(value)) : String(value);
    return `${escapeText(hide(key))}=${text}`;
  });
  return titleWords(metric, words, hide);
}

function seriesLines(
  title: readonly string[],
  series: PlottedSeries,
  { width, breakAt, paint }: Canvas,
): string[] {
  const { count, min, max, sum, bounds, counts } = series;
  const figures = formatFigures(count, { min, max, sum }).split(/(?<=,) /);
  const bars = plot({ bounds, counts }, width - INDENT, paint);
  return [
    ...wrapWords(title, 2, breakAt).map(paint.strong),
    ...wrapWords(figures, INDENT, breakAt),
    ...percentileLines(series).map((line) => " ".repeat(INDENT) + line),
    ...bars.map((line) => " ".repeat(INDENT) + line),
  ];
}

/** Formats the percentiles of the values beside those that a receiver estimates from the buckets, and the errors. */
function percentileLines(series: PlottedSeries): string[] {
  const rows = series.percentiles().map(({ percent, measured, estimated }) => [
    `p${percent}`,
    measured === undefined ? "unknown" : roundToSixDigits(measured),
    estimated === undefined ? "unknown" : roundToSixDigits(estimated),
    measured === undefined || estimated === undefined ? "" : deviationText(measured, estimated),
  ]);
  const table = [["", "measured", "estimated", "off by"], ...rows];
  const widths = [0, 1, 2, 3].map((column) =>
    Math.max(...table.map((row) => row[column]?.length ?? 0))
  );
  return table.map((row) =>
    row.map((cell, i) => cell.padStart(widths[i] ?? 0)).join("  ").trimEnd()
  );
}

function deviationText(measured: number, estimated: number): string {
  if (measured === estimated) return "0 %";
  if (measured === 0) return "from 0";
  const share = (estimated - measured) / measured;
  const text = percentage(Math.abs(share));
  return text.startsWith("<") ? text : `${share > 0 ? "+" : "-"}${text}`;
}

/** Formats a share as a percentage, with two digits if it is small. */
function percentage(share: number): string {
  const percent = share * 100;
  if (percent === 0) return "0 %";
  if (percent < 0.1) return "<0.1 %";
  return `${percent < 9.95 ? percent.toFixed(1) : String(Math.round(percent))} %`;
}

/** Formats a maximum error for a person. */
function atMostText(share: number): string {
  return share < 0.001 ? "less than 0.1 %" : `up to ${percentage(share)}`;
}

function costLines(
  series: readonly PlottedSeries[],
  metric: PlottedMetric,
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
  const { percent, error } = worst.at;
  const of = series.length > 1
    ? ` of ${plottedTitle(metric, worst.series.attributes, hide).join(" ")}`
    : "";
  const text = error === 0
    ? "These buckets put no percentile off."
    : `These buckets put percentiles off by up to ${percentage(error)} (p${percent}${of}).`;
  return wrapWords(text.split(" "), 2, breakAt);
}

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
  const measurements = total(({ series }) => series.reduce((sum, { count }) => sum + count, 0));
  const lines = (count: number) => formatCount(count, "line", "lines");
  const parts = [
    `${formatCount(measurements, "measurement", "measurements")} in ${
      formatCount(total(({ size }) => size), "series", "series")
    }`,
    ...skipped > 0 ? [`${lines(skipped)} skipped`] : [],
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
  { suggestion: { bounds, worstError }, worstErrorNow, conventional }: Suggested,
  source: SourceConfig["kind"],
  { breakAt, hide }: Canvas,
): string[] {
  const isScenario = source === "scenario";
  const text = (words: string) => wrapWords(words.split(" "), 0, breakAt);
  const pasted = (bounds: readonly number[]) =>
    isScenario ? `  "buckets": [${bounds.join(", ")}]` : `  --buckets ${bounds.join(",")}`;
  const of = isScenario ? ` for ${hide(escapeText(name))}` : "";
  const better = worstError < worstErrorNow
    ? `, now by ${atMostText(worstErrorNow)}`
    : ", which is no better than now";
  return [
    ...text(
      `Suggested buckets${of}: estimates of p50, p90 and p99 are off by ${
        atMostText(worstError)
      }${better}.`,
    ),
    pasted(bounds),
    "In an SDK, as a view (Python):",
    `  View(instrument_name=${hide(escapeText(JSON.stringify(name)))}, ` +
    `aggregation=ExplicitBucketHistogramAggregation([${bounds.join(", ")}]))`,
    ...conventional === undefined ? [] : [
      ...text(
        `The semantic conventions' bounds do as well (off by ${
          atMostText(conventional.worstError)
        }):`,
      ),
      pasted(conventional.bounds),
    ],
  ];
}
