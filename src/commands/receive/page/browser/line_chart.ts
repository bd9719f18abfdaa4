/// <reference lib="dom" />
import uPlot from "uplot";
import { axis, Plot, timeAxis, widthOfTexts } from "./chart.ts";
import { color } from "./dom.ts";
import { formatValue } from "./format.ts";
import type { SeriesData } from "./series_data.ts";
import type { Range } from "./time_chart.ts";

/** Column of a line's rows that is drawn: its number of measurements, its sum, or a percentile. */
export const LINE_COLUMNS = { measurements: 1, added: 2, p50: 3, p90: 4, p99: 5 } as const;

/** Chart of the lines of a group over time. */
export class LineChart {
  readonly #plot: Plot;
  #shown: Range = [0, 1];

  constructor(element: HTMLElement) {
    this.#plot = new Plot(element);
  }

  draw({ lines, slices, sliceMs, row: { unit } }: SeriesData, shown: Range, column: number): void {
    this.#shown = shown;
    const x = slices.map(({ from, to }) => (from + to) / 2);
    const places = new Map(slices.map(({ to }, i) => [Math.round(to * 1000 / sliceMs) - 1, i]));
    const values = lines.map(({ rows }) => {
      const line: (number | null)[] = x.map(() => null);
      for (const row of rows) {
        const at = places.get(row[0]);
        if (at !== undefined) line[at] = row[column] ?? null;
      }
      return line;
    });
    const label = column === LINE_COLUMNS.measurements ? "measurements" : unit || "value";
    const count = lines.length;
    this.#plot.draw(`${count} ${label}`, () => this.#options(label, count), [x, ...values]);
  }

  restyle(): void {
    this.#plot.restyle();
  }

  clear(): void {
    this.#plot.clear();
  }

  #options(label: string, lines: number): Omit<uPlot.Options, "width" | "height"> {
    return {
      cursor: { show: false },
      scales: {
        x: { time: true, range: () => [this.#shown[0], this.#shown[1]] },
        y: {
          range: (_plot, min, max) => uPlot.rangeNum(Math.min(0, min ?? 0), max ?? 1, 0.1, true),
        },
      },
      axes: [
        timeAxis(),
        axis({
          label,
          labelSize: 18,
          space: 36,
          size: widthOfTexts,
          values: (_plot, splits) => splits.map((value) => formatValue(value)),
        }),
      ],
      series: [
        {},
        ...Array.from({ length: lines }, (_, i): uPlot.Series => ({
          stroke: () => color(`line${i}`),
          width: 2,
          spanGaps: true,
          points: { show: (_plot, _series, from, to) => to - from < 3, size: 5 },
        })),
      ],
    };
  }
}
