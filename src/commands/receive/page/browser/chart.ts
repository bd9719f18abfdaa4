/// <reference lib="dom" />
import uPlot from "uplot";
import { color } from "./dom.ts";
import { timeOfDay } from "./format.ts";

/** Quantiles that are drawn as lines. */
export const LINES = ["p50", "p90", "p99"] as const;

/** Plot in an element of the page, as large as the element. */
export class Plot {
  readonly #element: HTMLElement;
  #plot: uPlot | undefined;
  #made = "";

  constructor(element: HTMLElement) {
    this.#element = element;
  }

  get plot(): uPlot | undefined {
    return this.#plot;
  }

  /** Draws data, with new options if `kind` differs from the last one. */
  draw(
    kind: string,
    options: () => Omit<uPlot.Options, "width" | "height">,
    data: uPlot.AlignedData,
  ): void {
    if (this.#plot !== undefined && this.#made === kind) {
      this.#plot.setData(data, true);
      return;
    }
    this.clear();
    this.#made = kind;
    const common = { ...this.#size, legend: { show: false }, padding: PADDING };
    this.#plot = new uPlot({ ...common, ...options() }, data, this.#element);
  }

  /** Redraws after a change of the window, or between light and dark. */
  restyle(): void {
    this.#plot?.setSize(this.#size);
    this.#plot?.redraw(false, true);
  }

  clear(): void {
    this.#plot?.destroy();
    this.#plot = undefined;
  }

  get #size() {
    return { width: this.#element.clientWidth, height: this.#element.clientHeight };
  }
}

const PADDING: uPlot.Padding = [8, 26, 0, 0];

/** Creates an axis in the colours of the page. */
export function axis(change: uPlot.Axis): uPlot.Axis {
  return {
    stroke: () => color("quiet"),
    font: "12px system-ui, sans-serif",
    grid: { stroke: () => color("grid"), width: 1 },
    ticks: { stroke: () => color("line"), width: 1, size: 5 },
    ...change,
  };
}

/** Returns the width of an axis with these texts, in pixels. */
export function widthOfTexts(_plot: uPlot, texts: readonly string[] | null): number {
  return 16 + 7 * Math.max(3, ...(texts ?? []).map(({ length }) => length));
}

/** Creates an axis of times of day. */
export function timeAxis(): uPlot.Axis {
  return axis({
    space: 80,
    size: 32,
    values: (_plot, splits, _axis, _space, step) => splits.map((at) => timeOfDay(at * 1000, step)),
  });
}

/** Height of a bound's text, in pixels. */
export const TEXT_HEIGHT = 18;

/** Returns at most `most` evenly spaced whole numbers from `from` to `to`. */
export function everyNth(from: number, to: number, most: number): number[] {
  const step = Math.max(1, Math.ceil((to - from + 1) / Math.max(1, most)));
  const all = [];
  for (let i = from; i <= to; i += step) all.push(i);
  return all;
}

/** Returns the colours of the scale, from low to high. */
export function heatColors(): readonly string[] {
  const [low, high] = [rgb(color("heat-low")), rgb(color("heat-high"))];
  return Array.from({ length: STEPS }, (_, step) => {
    const share = step / (STEPS - 1);
    const mixed = low.map((from, i) => Math.round(from + ((high[i] ?? 0) - from) * share));
    return `rgb(${mixed.join(",")})`;
  });
}

const STEPS = 48;

function rgb(hex: string): number[] {
  return [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
}
