/// <reference lib="dom" />
import uPlot from "uplot";
import {
  axis,
  everyNth,
  heatColors,
  LINES,
  Plot,
  TEXT_HEIGHT,
  timeAxis,
  widthOfTexts,
} from "./chart.ts";
import { color } from "./dom.ts";
import { bound, formatValue } from "./format.ts";
import { filledColumns, positionOf, type SeriesData } from "./series_data.ts";

/** Span of time in seconds since 1970. */
export type Range = readonly [from: number, to: number];

/** Shortest time that is shown, in seconds. */
const SHORTEST = 60;

/**
 * Chart of a series over time. A histogram's columns are equally high and its counts are colours, with quantiles as
 * lines over them. A number is a line. Dragging selects a time.
 */
export class TimeChart {
  readonly #plot: Plot;
  readonly #onSelect: (range: Range | undefined) => void;
  #data: SeriesData | undefined;
  #now = 0;
  #range: Range | undefined;
  #columns: Range = [0, 1];
  #colors: readonly string[] = [];

  constructor(element: HTMLElement, onSelect: (range: Range | undefined) => void) {
    this.#plot = new Plot(element);
    this.#onSelect = onSelect;
  }

  /** Span of time that is shown. */
  get shown(): Range {
    const first = this.#data?.slices[0]?.from ?? this.#now;
    return [Math.min(first, this.#now - SHORTEST), this.#now];
  }

  draw(data: SeriesData, now: number, range: Range | undefined): void {
    this.#data = data;
    this.#now = Math.max(now, data.slices.at(-1)?.to ?? 0);
    this.#range = range;
    const isHistogram = data.row.kind === "histogram";
    const made = `${data.row.kind} ${data.row.unit}`;
    if (isHistogram) this.#columns = filledColumns(data);
    this.#plot.draw(made, () => this.#options(), this.#series(data));
    this.#mark();
  }

  /** Redraws after a change of the window, or between light and dark. */
  restyle(): void {
    this.#colors = [];
    this.#plot.restyle();
    this.#mark();
  }

  clear(): void {
    this.#plot.clear();
  }

  #series(data: SeriesData): uPlot.AlignedData {
    const { slices, bounds, row: { kind } } = data;
    const x = slices.map(({ from, to }) => (from + to) / 2);
    if (kind !== "histogram") {
      return [x, slices.map(({ sum, columns: [last] }) => kind === "added" ? sum : last ?? null)];
    }
    const lines = LINES.map((_, i) =>
      slices.map((slice) => {
        const value = slice.quantiles[i];
        return value === undefined ? null : positionOf(value, bounds, slice);
      })
    );
    // Each twice: a wide line of the page's colour lets the narrow one be seen on every count's.
    return [x, ...lines, ...lines];
  }

  #options(): Omit<uPlot.Options, "width" | "height"> {
    const { row, bounds } = this.#data ?? { row: undefined, bounds: [] };
    const isHistogram = row?.kind === "histogram";
    const unit = row?.unit ?? "";
    const line = (name: string, width: number): uPlot.Series => ({
      stroke: () => color(name),
      width,
      points: { show: (_plot, _series, from, to) => to - from < 3, size: width + 3 },
      spanGaps: false,
    });
    const y: uPlot.Axis = isHistogram
      ? {
        splits: (plot) => {
          const [first, end] = this.#columns;
          return everyNth(first + 1, end - 1, plot.height / TEXT_HEIGHT / 1.4);
        },
        values: (_plot, splits) =>
          splits.map((at) => bound(this.#data?.bounds[at - 1] ?? bounds[at - 1] ?? NaN)),
      }
      : { values: (_plot, splits) => splits.map((value) => formatValue(value)) };
    return {
      scales: {
        x: { time: true, range: () => [this.shown[0], this.shown[1]] },
        y: isHistogram ? { range: () => [this.#columns[0], this.#columns[1]] } : {
          range: (_plot, min, max) => uPlot.rangeNum(Math.min(0, min ?? 0), max ?? 1, 0.1, true),
        },
      },
      axes: [
        timeAxis(),
        axis({
          ...y,
          label: unit === "" ? "value" : unit,
          labelSize: 18,
          size: widthOfTexts,
        }),
      ],
      series: [
        {},
        ...isHistogram
          ? [...LINES.map(() => line("case", 5)), ...LINES.map((name) => line(name, 2))]
          : [line("accent", 2)],
      ],
      cursor: {
        drag: { x: true, y: false, setScale: false },
        points: { show: false },
        y: false,
      },
      hooks: {
        drawAxes: isHistogram ? [(plot) => this.#paint(plot)] : [],
        setSelect: [({ select, posToVal }) => {
          const range = [posToVal(select.left, "x"), posToVal(select.left + select.width, "x")];
          const [from = 0, to = 0] = range;
          this.#onSelect(select.width > 0 ? [from, to] : undefined);
        }],
      },
    };
  }

  /** Draws the counts as colours, over the grid and under the lines. */
  #paint(plot: uPlot): void {
    const data = this.#data;
    if (data === undefined) return;
    if (this.#colors.length === 0) this.#colors = heatColors();
    const colors = this.#colors;
    const density = (count: number, from: number, to: number) => count / (to - from);
    let most = 0;
    for (const { columns, from, to } of data.slices) {
      for (const count of columns) most = Math.max(most, density(count ?? 0, from, to));
    }
    const { ctx, bbox } = plot;
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
    ctx.clip();
    const [first, end] = this.#columns;
    for (const { columns, from, to } of data.slices) {
      const left = Math.round(plot.valToPos(from, "x", true));
      const right = Math.max(left + 1, Math.round(plot.valToPos(to, "x", true)));
      for (let i = first; i < end; i++) {
        const count = columns[i] ?? 0;
        if (count === 0) continue;
        // A root, so that the few of a long tail can be told from none.
        const share = Math.sqrt(density(count, from, to) / most);
        ctx.fillStyle = colors[Math.round(share * (colors.length - 1))] ?? "";
        const bottom = Math.round(plot.valToPos(i, "y", true));
        const top = Math.round(plot.valToPos(i + 1, "y", true));
        ctx.fillRect(
          left,
          top,
          right - left,
          Math.max(1, bottom - top - (bottom - top > 6 ? 1 : 0)),
        );
      }
    }
    ctx.restore();
  }

  /** Moves the mark of the selection to its current place. */
  #mark(): void {
    const { plot } = this.#plot;
    if (plot === undefined) return;
    const [from, to] = this.#range ?? [0, 0];
    const left = this.#range === undefined ? 0 : Math.max(0, plot.valToPos(from, "x"));
    const right = this.#range === undefined ? 0 : plot.valToPos(to, "x");
    const height = plot.over.clientHeight;
    plot.setSelect({ left, top: 0, width: Math.max(0, right - left), height }, false);
  }
}
