import type { Hide } from "../redact/secrets.ts";
import type { System } from "../platform/system.ts";
import { COLORED, type Paint, PLAIN } from "./paint.ts";

/** The area that a command draws on: its size, its colours, and the secrets to hide. */
export interface Canvas {
  /** Length of the longest bar's line, in characters. */
  readonly width: number;
  /** Column at which text wraps; Infinity when there is no terminal. */
  readonly breakAt: number;
  readonly paint: Paint;
  /** Removes secrets from a text. */
  readonly hide: Hide;
}

const WIDTH_WITHOUT_TERMINAL = 80;

/**
 * Canvas of standard output as it is now. It has colour only on a terminal, and only if NO_COLOR is not set (no-
 * color.org).
 */
export function canvasOf(
  { columns, env }: Pick<System, "columns" | "env">,
  { color = true, hide = (text) => text }: {
    readonly color?: boolean;
    readonly hide?: Hide;
  } = {},
): Canvas {
  return {
    width: columns ?? WIDTH_WITHOUT_TERMINAL,
    breakAt: columns ?? Infinity,
    paint: columns !== undefined && color && !env("NO_COLOR") ? COLORED : PLAIN,
    hide,
  };
}

/**
 * Wraps words into lines of at most `breakAt` characters. The first is indented by `indent`, the others by two more.
 */
export function wrapWords(words: readonly string[], indent: number, breakAt: number): string[] {
  const lines: string[] = [];
  let line = "";
  const room = () => Math.max(1, breakAt - indent - (lines.length > 0 ? 2 : 0));
  const end = () => {
    lines.push(" ".repeat(lines.length > 0 ? indent + 2 : indent) + line);
    line = "";
  };
  for (const word of words) {
    if (line !== "" && line.length + 1 + word.length > room()) end();
    line += line === "" ? word : ` ${word}`;
    while (line.length > room()) {
      const rest = line.slice(room());
      line = line.slice(0, room());
      end();
      line = rest;
    }
  }
  if (line !== "") end();
  return lines;
}
