import type { InputProgress } from "./input/sink.ts";

/** Formats the progress of an input: lines, lines per second, and the share where its length in bytes is known. */
export function progressLine(
  { bytes, lines }: InputProgress,
  seconds: number,
  length: number | undefined,
): string {
  const rate = seconds > 0 ? Math.round(lines / seconds) : 0;
  const share = length === undefined || length === 0
    ? ""
    : `, ${Math.min(100, Math.floor(bytes / length * 100))}%`;
  return `${lines.toLocaleString("en")} lines, ${rate.toLocaleString("en")} lines/s${share}`;
}
