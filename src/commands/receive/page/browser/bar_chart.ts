/// <reference lib="dom" />
import uPlot from "uplot";
import { axis, everyNth, LINES, Plot, widthOfTexts } from "./chart.ts";
import { color } from "./dom.ts";
import { bound, count } from "./format.ts";
import { filledColumns, positionOf, type Selected, type SeriesData } from "./series_data.ts";

/** Histogram of a span of time: columns equally wide, counts as heights. */
export class BarChart {
  readonly #plot: Plot;
  #bounds: readonly number[] = [];
  #columns: readonly [number, number] = [0, 1];
  #selected: Selected | undefined;
  #unit = "";

  constructor(element: HTMLElement) {
    this.#plot = new Plot(element);
  }

  draw(data: SeriesData, selected: Selected): void {
    this.#bounds = data.bounds;
    this.#selected = selected;
    this.#columns = filledColumns(data);
    const [first, end] = this.#columns;
    const x = Array.from({ length: end - first }, (_, i) => first + i + 0.5);
    const counts = selected.columns.slice(first, end);
    this.#unit = data.row.unit;
    this.#plot.draw(this.#unit, () => this.#options(), [x, counts]);
  }

  restyle(): void {
    this.#plot.restyle();
  }

  clear(): void {
    this.#plot.clear();
  }

  #options(): Omit<uPlot.Options, "width" | "height"> {
    const bars = uPlot.paths.bars?.({ size: [1, Infinity], gap: 2 });
    return {
      cursor: { show: false },
      scales: {
        x: { time: false, range: () => [this.#columns[0], this.#columns[1]] },
        y: { range: (_plot, _min, max) => [0, (max ?? 0) > 0 ? (max ?? 0) * 1.06 : 1] },
      },
      axes: [
        axis({
          label: this.#unit === "" ? "value" : this.#unit,
          labelSize: 18,
          size: 34,
          grid: { show: false },
          splits: (plot) => {
            const [first, end] = this.#columns;
            return everyNth(first + 1, end - 1, plot.width / 52);
          },
          values: (_plot, splits) => splits.map((at) => bound(this.#bounds[at - 1] ?? NaN)),
        }),
        axis({
          size: widthOfTexts,
          label: "measurements",
          labelSize: 18,
          space: 36,
          incrs: [1, 2, 5].flatMap((step) => Array.from({ length: 15 }, (_, i) => step * 10 ** i))
            .sort((a, b) => a - b),
          values: (_plot, splits) => splits.map((value) => count(value)),
        }),
      ],
      series: [{}, {
        fill: () => color("bar"),
        stroke: () => color("bar"),
        width: 0,
        points: { show: false },
        ...bars !== undefined && { paths: bars },
      }],
      hooks: { draw: [(plot) => this.#markQuantiles(plot)] },
    };
  }

  #markQuantiles(plot: uPlot): void {
    const selected = this.#selected;
    if (selected === undefined) return;
    const { ctx, bbox } = plot;
    ctx.save();
    LINES.forEach((name, i) => {
      const value = selected.quantiles[i];
      if (value === undefined) return;
      const x = plot.valToPos(positionOf(value, this.#bounds, selected), "x", true);
      for (const [stroke, width] of [["case", 5], [name, 2]] as const) {
        ctx.strokeStyle = color(stroke);
        ctx.lineWidth = width * devicePixelRatio;
        ctx.beginPath();
        ctx.moveTo(x, bbox.top);
        ctx.lineTo(x, bbox.top + bbox.height);
        ctx.stroke();
      }
    });
    ctx.restore();
  }
}
