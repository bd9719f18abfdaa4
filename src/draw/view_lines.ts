import { type HistogramView, sdkViews } from "../aggregate/sdk_view.ts";
import { escapeText } from "../console/escape.ts";
import type { Hide } from "../redact/secrets.ts";

/** Formats views that can be pasted into an SDK, so the lines are not wrapped; none without views. */
export function viewLines(views: readonly HistogramView[], hide: Hide): readonly string[] {
  if (views.length === 0) return [];
  return sdkViews(views).flatMap(({ title, lines }) => [
    `${title}:`,
    ...lines.map((line) => `  ${hide(escapeText(line, Infinity))}`),
  ]);
}
