import { counted, plural } from "../../console/plural.ts";
import { type Canvas, canvasOf } from "../../console/canvas.ts";
import type { Hide } from "../../redact/secrets.ts";
import type { Recording } from "../../source/open.ts";
import type { System } from "../../platform/system.ts";
import type { DataFinding } from "../../aggregate/snapshot.ts";
import { viewLines } from "../../draw/view_lines.ts";
import { MeaningWatch } from "../../receivers/meaning/watch.ts";
import { dataFindingTexts, FindingFilter } from "../findings.ts";
import { originsOf } from "./origin.ts";
import { seriesJson, suggestionJson } from "./json.ts";
import type { PlotConfig } from "./plot_config.ts";
import { MOST_SUGGESTED_FOR, type Suggested, suggestedFor } from "./suggested.ts";
import { largestFirst, type PlotTable, type PlottedMetric } from "./table.ts";
import { phaseLines, suggestionLines, tableLines, totalLines } from "./text.ts";

/** Tables of a plot, and the source that filled them. */
export interface PlotResult {
  readonly tables: readonly PlotTable[];
  readonly source: Recording["source"];
}

/** Suggested bounds for a metric. */
export interface MetricSuggestion {
  readonly metric: PlottedMetric;
  readonly found: Suggested;
}

/** Finds bounds for every metric whose values are known. Everything that is left out of them goes to `warn`. */
export function suggestions(
  { tables }: PlotResult,
  { suggest }: PlotConfig,
  warn: (message: string) => void,
): readonly MetricSuggestion[] {
  if (suggest === undefined) return [];
  const metrics = byMetric(tables);
  if (metrics.some((tables) => sizeOf(tables) > MOST_SUGGESTED_FOR)) {
    warn(
      `buckets are suggested for the ${MOST_SUGGESTED_FOR} series of a metric with the most measurements`,
    );
  }
  const suggested = metrics.flatMap((tables) => {
    const found = suggestedFor(tables, suggest);
    return found === undefined ? [] : tables.slice(0, 1).map(({ metric }) => ({ metric, found }));
  });
  if (suggested.length === 0 && tables.some(({ size }) => size > 0)) {
    warn("no buckets are suggested: the input has histograms instead of values");
  }
  for (const { metric: { name, unit }, found: { least, greatest } } of suggested) {
    for (const bound of suggest.keep) {
      if (bound >= least && bound < greatest) continue;
      const where = bound < least
        ? `below all values (min ${least})`
        : `above all values (max ${greatest})`;
      warn(
        `--keep-bound ${bound} lies ${where} of ${name}: check that it is in ${
          unit === "" ? "the metric's unit" : unit
        }`,
      );
    }
  }
  return suggested;
}

/** Groups the tables of each metric: there is one per phase where a scenario has phases. */
function byMetric(tables: readonly PlotTable[]): readonly (readonly PlotTable[])[] {
  const isPhased = tables.some(({ metric: { phase } }) => phase !== undefined);
  return isPhased
    ? [...Map.groupBy(tables, ({ metric: { name } }) => name).values()]
    : tables.map((table) => [table]);
}

function sizeOf(tables: readonly PlotTable[]): number {
  return tables.reduce((sum, { size }) => sum + size, 0);
}

/** Reports everything about the measurements that a send of them would report, and what cannot be drawn. */
export function tellOfMeasurements(
  { tables }: PlotResult,
  { source }: PlotConfig,
  warn: (message: string) => void,
): void {
  const filter = new FindingFilter();
  const tell = (findings: readonly DataFinding[], values: number) => {
    for (const finding of filter.worthReporting(findings, values, true)) {
      dataFindingTexts(finding, { input: source.kind === "input" }).forEach(warn);
    }
  };
  tell(meaningOf(tables), tables.reduce((sum, { count }) => sum + count, 0));
  for (const table of tables) tell(table.findings, table.count);
  const refused = tables.reduce((sum, table) => sum + table.refused, 0);
  if (refused > 0) {
    warn(
      `${counted(refused, "measurement is", "measurements are")} not counted: ${
        plural(refused, "it is", "they are")
      } negative or not finite`,
    );
  }
  if (tables.every(({ size }) => size === 0)) warn("there are no measurements to draw");
}

/** Finds the rules of meaning that the metrics break, each counted over its scopes and resources. */
function meaningOf(tables: readonly PlotTable[]): DataFinding[] {
  const watch = new MeaningWatch();
  for (const { metric: { name, unit, exponential }, series } of tables) {
    // The bounds that stand in for exponential buckets are never sent.
    const change = exponential ? { bounds: undefined, counts: [] } : {};
    for (const { bounds, counts, count, sum } of series) {
      watch.add(name, unit, { bounds, counts, count, sum, ...change });
    }
  }
  return watch.take().map((problem) => ({ type: "meaning", ...problem }));
}

/** Yields the lines of JSON, one per series and suggestion, with their ends. */
export function* jsonTexts(
  { tables }: PlotResult,
  suggested: readonly MetricSuggestion[],
  hide: Hide,
): Generator<string> {
  const origins = originsOf(tables);
  for (const table of tables) {
    const origin = origins.get(table);
    for (const series of largestFirst(table)) {
      yield `${seriesJson({ ...table.metric, origin }, series, hide)}\n`;
    }
  }
  for (const { metric, found: { suggestion, worstErrorNow } } of suggested) {
    const name = byMetric(tables).length > 1 ? hide(metric.name) : undefined;
    yield `${suggestionJson(suggestion, worstErrorNow, name)}\n`;
  }
}

/** Draws the current state as lines of text. */
export function drawing(
  { tables, source: { status: { invalid, skipped } } }: PlotResult,
  canvas: Canvas,
): string[] {
  const origins = originsOf(tables);
  return [
    ...tables.flatMap((table, i) => [
      ...phaseLines(table, tables[i - 1], canvas),
      ...tableLines(table, canvas, origins.get(table)),
    ]),
    ...totalLines({ tables, invalid, skipped }, canvas),
  ];
}

/** Draws the final state, with suggestions, as lines of text. */
export function finalDrawing(
  result: PlotResult,
  suggested: readonly MetricSuggestion[],
  { source: { kind } }: PlotConfig,
  canvas: Canvas,
): readonly string[] {
  return [
    ...drawing(result, canvas),
    ...suggested.flatMap(({ metric, found }) => suggestionLines(metric, found, kind, canvas)),
    ...viewLines(
      suggested.map(({ metric: { name }, found: { suggestion: { bounds } } }) => ({
        name,
        bounds,
      })),
      canvas.hide,
    ),
  ];
}

/** Canvas of a plot, which hides every secret that a text of the input may hold. */
export function plotCanvas({ color }: Pick<PlotConfig, "color">, system: System): Canvas {
  return canvasOf(system, { color, hide: system.secrets.hideInData });
}
