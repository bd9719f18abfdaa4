/// <reference lib="dom" />
import type { Estimates } from "../../../../aggregate/quantile.ts";
import { estimates } from "../columns.ts";
import { BarChart } from "./bar_chart.ts";
import { LINES } from "./chart.ts";
import { byId, element, setTerms, setText, setWrapped, tableElement } from "./dom.ts";
import { LINE_COLUMNS, LineChart } from "./line_chart.ts";
import { differingKeys, type ListEntry, rejectedPoints } from "./list_entry.ts";
import { problemElements } from "./requests.ts";
import { counted } from "../../../../console/plural.ts";
import { bound, clock, duration, exactCount, formatValue, withUnit } from "./format.ts";
import { filledColumns, select, type Selected, type SeriesData, SHARES } from "./series_data.ts";
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
  readonly #lines: LineChart;
  readonly #by = byId("by", HTMLSelectElement);
  readonly #lineOf = byId("line-of", HTMLSelectElement);
  #data: SeriesData | undefined;
  #now = 0;
  #range: Range | undefined;

  /** `ask` fetches the lines of another attribute. */
  constructor(ask: () => void) {
    this.#time = new TimeChart(this.#over, (range) => this.#select(range));
    this.#bars = new BarChart(byId("bars", HTMLElement));
    this.#lines = new LineChart(byId("lines-chart", HTMLElement));
    this.#by.addEventListener("change", ask);
    this.#lineOf.addEventListener("change", () => this.#redraw());
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

  /** Shows the names of another entry, whose data follow. */
  begin(entry: ListEntry): void {
    this.#data = undefined;
    this.#by.replaceChildren();
    this.describe(entry);
  }

  /** Returns the query for an entry's history, with the attribute of its lines. */
  query(entry: ListEntry): string {
    const by = this.#by.value;
    return `${entry.query}${by === "" ? "" : `&by=${encodeURIComponent(by)}`}`;
  }

  /** Updates everything about an entry that is not in its history. */
  describe(entry: ListEntry): void {
    const { names, members } = entry;
    setWrapped(byId("name", HTMLElement), names.name);
    const of = [
      names.type,
      names.temporality,
      names.unit || "no unit",
      members.length > 0 ? `all ${members.length} series` : null,
    ];
    setText(byId("kind", HTMLElement), of.filter((word) => word !== null).join(" · "));
    const chips = [
      ...names.attributes.map((text) => element("span", { text })),
      ...[...names.resource, names.scope].filter((text) => text !== "")
        .map((text) => element("span", { text, className: "resource" })),
    ];
    const box = byId("attributes", HTMLElement);
    const text = chips.map(({ textContent }) => textContent).join("");
    if (box.textContent !== text) box.replaceChildren(...chips);
    byId("names", HTMLElement).hidden = chips.length === 0;
    this.#offerKeys(entry);
    this.#describeRefusal(entry);
  }

  draw(data: SeriesData, nowMs: number): void {
    const { kind } = data.row;
    byId("pictures", HTMLElement).hidden = false;
    byId("histogram", HTMLElement).hidden = kind !== "histogram";
    byId("legend", HTMLElement).hidden = kind !== "histogram";
    byId("lines", HTMLElement).hidden = data.lines.length === 0;
    setText(byId("over-title", HTMLElement), TITLES[kind]);
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
    this.#lines.clear();
    byId("pictures", HTMLElement).hidden = true;
  }

  restyle(): void {
    this.#time.restyle();
    this.#bars.restyle();
    this.#lines.restyle();
    this.#redraw();
  }

  /** Offers the attributes that differ; the one with the fewest values comes first. */
  #offerKeys(entry: ListEntry): void {
    const keys = [...differingKeys(entry)].sort(([, a], [, b]) => a - b).map(([key]) => key);
    for (const key of keys) {
      if ([...this.#by.options].some(({ value }) => value === key)) continue;
      this.#by.append(new Option(key));
    }
  }

  #describeRefusal(entry: ListEntry): void {
    const box = byId("refusal", HTMLElement);
    const { kind, rejected, members } = entry;
    const reason = [rejected, ...members.map((member) => member.rejected)]
      .find((each) => each !== undefined)?.reason;
    box.hidden = reason === undefined;
    if (reason === undefined) return;
    const points = rejectedPoints(entry);
    const text = kind === "refused"
      ? `Refused: 0 of ${counted(points, "data point")} accepted.`
      : `${counted(points, "data point")} rejected. The latest reason:`;
    box.replaceChildren(
      element("div", { text }),
      ...problemElements(reason),
    );
  }

  #select(range: Range | undefined): void {
    this.#range = range;
    this.#redraw();
  }

  #redraw(): void {
    const data = this.#data;
    // A chart has no size while it is not displayed.
    if (data === undefined || this.#over.clientWidth === 0) return;
    this.#time.draw(data, this.#now, this.#range);
    const selected = select(data, this.#range);
    if (data.row.kind === "histogram") this.#bars.draw(data, selected);
    if (data.lines.length > 0) this.#drawLines(data);
    this.#describe(data, selected);
    if (this.#overTable.open) showTable(this.#overTable, timeTable(data));
    if (this.#barsTable.open) showTable(this.#barsTable, barTable(data, selected));
  }

  #describe({ row, slices, bounds }: SeriesData, selected: Selected): void {
    const { unit, kind } = row;
    const of = (value: number | null | undefined) => formatValue(value, unit);
    const { count, sum, min, max } = selected;
    setTerms(
      byId("figures", HTMLElement),
      kind === "histogram"
        ? [
          ["measurements", exactCount(count)],
          ...estimates(SHARES, bounds, selected.columns, selected).map(
            (each, i): readonly [string, string] => [
              LINES[i] ?? "",
              percentileText(each, unit),
            ],
          ),
          ["mean", of(sum === null || count === 0 ? null : sum / count)],
          ["min", of(min)],
          ["max", of(max)],
        ]
        : [
          ["data points", exactCount(count)],
          kind === "added" ? ["added", of(sum)] : ["last", of(slices.at(-1)?.columns[0])],
          ["min", of(min)],
          ["max", of(max)],
        ],
    );
    this.#clear.disabled = this.#range === undefined;
    setText(byId("range", HTMLElement), rangeText(this.#range, this.#time.shown));
  }

  #drawLines(data: SeriesData): void {
    const isHistogram = data.row.kind === "histogram";
    this.#lineOf.hidden = !isHistogram;
    const column = isHistogram ? this.#lineOf.value : "added";
    this.#lines.draw(
      data,
      this.#time.shown,
      LINE_COLUMNS[column as keyof typeof LINE_COLUMNS],
    );
    showLegend(byId("lines-table", HTMLElement), data, this.#by.value);
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

/** Formats a percentile: held to min and max, beside it from buckets alone if that differs, or above the last bound. */
function percentileText(estimate: Estimates | undefined, unit: string): string {
  if (estimate === undefined) return formatValue(undefined);
  const { held, alone, above, isFarOff } = estimate;
  if (above !== undefined) return `> ${formatValue(above, unit)}`;
  const beside = isFarOff ? ` (buckets alone: ${formatValue(alone?.value, unit)})` : "";
  return formatValue(held.value, unit) + beside;
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
    entry("heat", "fewer – more"),
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
    ...estimates(SHARES, data.bounds, slice.columns, slice).map((each) =>
      percentileText(each, unit)
    ),
    ...slice.columns.slice(first, end).map((count) => exactCount(count ?? 0)),
  ]);
  return tableElement(["until", "all", ...LINES, ...columnNames(data)], rows, caption);
}

/** Shows the figures of lines since the start, and which colour is whose. */
function showLegend(
  box: HTMLElement,
  { lines, bounds, row: { unit, kind } }: SeriesData,
  by: string,
): void {
  const isHistogram = kind === "histogram";
  const rows = lines.map(({ value, isRest, series, count, sum, min, max, columns }) => [
    isRest ? "other values" : value ?? `without ${by}`,
    exactCount(series),
    exactCount(count),
    ...isHistogram
      ? estimates(SHARES, bounds, columns, { min: min ?? undefined, max: max ?? undefined })
        .map((each) => percentileText(each, ""))
      : [formatValue(sum)],
  ]);
  const heads = isHistogram ? ["count", ...LINES] : ["data points", "added"];
  const units = heads.map((head, i) => i === 0 || unit === "" ? head : `${head} (${unit})`);
  const table = tableElement([by, "series", ...units], rows, "the lines, since the start");
  table.querySelectorAll("tbody th").forEach((head, i) => {
    const mark = element("i");
    mark.style.background = `var(--line${i})`;
    head.prepend(mark);
  });
  box.replaceChildren(table);
}

function barTable(data: SeriesData, { columns, count }: Selected): HTMLElement {
  const [first, end] = filledColumns(data);
  const names = columnNames(data);
  let below = 0;
  const rows = columns.slice(first, end).map((measurements, i) => {
    below += measurements;
    const share = (part: number) => count === 0 ? "–" : `${(100 * part / count).toFixed(1)}%`;
    return [names[i] ?? "", exactCount(measurements), share(measurements), share(below)];
  });
  return tableElement(["bucket", "measurements", "share", "cumulative"], rows, "the selected time");
}
