/// <reference lib="dom" />
import { BarChart } from "./bar_chart.ts";
import { LINES } from "./chart.ts";
import { byId, element, setTerms, setText, tableElement } from "./dom.ts";
import { bound, clock, duration, exactCount, formatValue, withUnit } from "./format.ts";
import { filledColumns, select, type Selected, type SeriesData } from "./series_data.ts";
import { type Range, TimeChart } from "./time_chart.ts";

const MOST_TABLE_ROWS = 120;
/** Step of the keyboard, as a part of the time that is shown. */
const STEP = 1 / 40;

/** Charts of the chosen series, and the selection in them. */
export class Detail {
  readonly #over = byId("over", HTMLElement);
  readonly #clear = byId("clear", HTMLButtonElement);
  readonly #overTable = byId("over-table", HTMLDetailsElement);
  readonly #barsTable = byId("bars-table", HTMLDetailsElement);
  readonly #time: TimeChart;
  readonly #bars: BarChart;
  #data: SeriesData | undefined;
  #now = 0;
  #range: Range | undefined;

  constructor() {
    this.#time = new TimeChart(this.#over, (range) => this.#select(range));
    this.#bars = new BarChart(byId("bars", HTMLElement));
    this.#over.addEventListener("keydown", (event) => this.#key(event));
    this.#clear.addEventListener("click", () => {
      this.#select(undefined);
      this.#over.focus();
    });
    for (const table of [this.#overTable, this.#barsTable]) {
      table.addEventListener("toggle", () => this.#redraw());
    }
    legend();
  }

  /** Shows another series, whose data follow. */
  begin({ row }: Pick<SeriesData, "row">): void {
    this.#data = undefined;
    setText(byId("name", HTMLElement), row.name);
    const of = [row.type, row.temporality, row.unit === "" ? "no unit" : row.unit];
    setText(byId("kind", HTMLElement), of.filter((word) => word !== null).join(" · "));
    byId("attributes", HTMLElement).replaceChildren(
      ...row.attributes.map((text) => element("span", { text })),
      ...row.resource.map((text) => element("span", { text, className: "resource" })),
      ...row.scope === "" ? [] : [element("span", { text: row.scope, className: "resource" })],
    );
  }

  draw(data: SeriesData, nowMs: number): void {
    byId("pictures", HTMLElement).hidden = false;
    const isHistogram = data.row.kind === "histogram";
    byId("histogram", HTMLElement).hidden = !isHistogram;
    byId("legend", HTMLElement).hidden = !isHistogram;
    setText(byId("over-title", HTMLElement), TITLES[data.row.kind]);
    this.#data = data;
    this.#now = nowMs / 1000;
    this.#redraw();
  }

  /** Clears the charts. */
  reset(): void {
    this.#data = undefined;
    this.#range = undefined;
    this.#time.clear();
    this.#bars.clear();
    byId("pictures", HTMLElement).hidden = true;
  }

  restyle(): void {
    this.#time.restyle();
    this.#bars.restyle();
  }

  #select(range: Range | undefined): void {
    this.#range = range;
    this.#redraw();
  }

  #redraw(): void {
    const data = this.#data;
    if (data === undefined) return;
    this.#time.draw(data, this.#now, this.#range);
    const selected = select(data, this.#range);
    if (data.row.kind === "histogram") this.#bars.draw(data, selected);
    this.#describe(data, selected);
    if (this.#overTable.open) showTable(this.#overTable, timeTable(data));
    if (this.#barsTable.open) showTable(this.#barsTable, barTable(data, selected));
  }

  #describe({ row, slices }: SeriesData, selected: Selected): void {
    const { unit, kind } = row;
    const of = (value: number | null | undefined) => formatValue(value, unit);
    const { count, sum, min, max, quantiles: [p50, p90, p99] } = selected;
    setTerms(
      byId("figures", HTMLElement),
      kind === "histogram"
        ? [
          ["measurements", exactCount(count)],
          ["p50", of(p50)],
          ["p90", of(p90)],
          ["p99", of(p99)],
          ["mean", of(sum === null || count === 0 ? null : sum / count)],
          ["min", of(min)],
          ["max", of(max)],
        ]
        : [
          ["data points", exactCount(count)],
          kind === "added" ? ["added", of(sum)] : ["last", of(slices.at(-1)?.columns[0])],
          ["least", of(min)],
          ["greatest", of(max)],
        ],
    );
    this.#clear.disabled = this.#range === undefined;
    setText(byId("range", HTMLElement), rangeText(this.#range, this.#time.shown));
  }

  #key(event: KeyboardEvent): void {
    const [first, last] = this.#time.shown;
    const step = (last - first) * STEP;
    const [from, to] = this.#range ?? [last, last];
    const moved = movedRange(event, [from, to], step, [first, last]);
    if (moved === undefined) return;
    event.preventDefault();
    this.#select(moved === "all" ? undefined : moved);
  }
}

/** Returns the selection after a key; undefined if the key does nothing. */
function movedRange(
  { key, shiftKey }: KeyboardEvent,
  [from, to]: Range,
  step: number,
  [first, last]: Range,
): Range | "all" | undefined {
  const width = Math.max(step, to - from);
  const at = (start: number, length = width): Range => {
    const begin = Math.max(first, Math.min(last - length, start));
    return [begin, Math.min(last, begin + length)];
  };
  switch (key) {
    case "ArrowLeft":
      return shiftKey ? [Math.max(first, from - step), Math.max(to, from)] : at(from - step);
    case "ArrowRight":
      return shiftKey ? [from, Math.min(last, Math.max(to, from) + step)] : at(from + step);
    case "Home":
      return at(first);
    case "End":
      return at(last - width);
    case "Escape":
      return "all";
    default:
      return undefined;
  }
}

const TITLES = {
  histogram: "Measurements over time",
  added: "Added over time",
  last: "Value over time",
} as const;

function rangeText(range: Range | undefined, [first, last]: Range): string {
  if (range === undefined) return `whole time, ${duration((last - first) * 1000)}`;
  const [from, to] = range.map((seconds) => seconds * 1000);
  return `${clock(from ?? 0)} to ${clock(to ?? 0)}`;
}

function legend(): void {
  const entry = (name: string, text: string) =>
    element("span", { className: name }, element("i"), document.createTextNode(text));
  byId("legend", HTMLElement).append(
    entry("heat", "few to many"),
    ...LINES.map((name) => entry(name, name)),
  );
}

function showTable(details: HTMLElement, table: HTMLElement): void {
  details.querySelector(".scroll")?.replaceChildren(table);
}

function columnNames(data: SeriesData): string[] {
  const [first, end] = filledColumns(data);
  const { bounds, row: { unit } } = data;
  const text = (value: number | undefined) => value === undefined ? "" : bound(value);
  return Array.from({ length: end - first }, (_, i) => {
    const [lower, upper] = [bounds[first + i - 1], bounds[first + i]];
    const range = lower === undefined
      ? `≤ ${text(upper)}`
      : upper === undefined
      ? `> ${text(lower)}`
      : `${text(lower)} to ${text(upper)}`;
    return withUnit(range, unit);
  });
}

function timeTable(data: SeriesData): HTMLElement {
  const { row: { unit, kind }, slices } = data;
  const newest = slices.slice(-MOST_TABLE_ROWS).toReversed();
  const more = slices.length - newest.length;
  const caption = more > 0 ? `the newest ${newest.length} of ${slices.length} times` : "every time";
  const time = ({ to }: { readonly to: number }) => clock(to * 1000);
  if (kind !== "histogram") {
    const rows = newest.map((slice) => [
      time(slice),
      formatValue(kind === "added" ? slice.sum : slice.columns[0], unit),
    ]);
    return tableElement(["until", kind === "added" ? "added" : "value"], rows, caption);
  }
  const [first, end] = filledColumns(data);
  const rows = newest.map((slice) => [
    time(slice),
    exactCount(slice.count),
    ...slice.quantiles.map((value) => formatValue(value, unit)),
    ...slice.columns.slice(first, end).map((count) => exactCount(count ?? 0)),
  ]);
  return tableElement(["until", "all", ...LINES, ...columnNames(data)], rows, caption);
}

function barTable(data: SeriesData, { columns, count }: Selected): HTMLElement {
  const [first, end] = filledColumns(data);
  const names = columnNames(data);
  let below = 0;
  const rows = columns.slice(first, end).map((measurements, i) => {
    below += measurements;
    const share = (part: number) => count === 0 ? "–" : `${(100 * part / count).toFixed(1)} %`;
    return [names[i] ?? "", exactCount(measurements), share(measurements), share(below)];
  });
  return tableElement(["bucket", "measurements", "share", "up to here"], rows, "the selected time");
}
