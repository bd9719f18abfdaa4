/// <reference lib="dom" />
import uPlot from "uplot";
import { color } from "./dom.ts";

/** Quantiles that are drawn as lines. */
export const LINES = ["p50", "p90", "p99"] as const;

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
