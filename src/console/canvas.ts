import type { Hide } from "../redact/secrets.ts";
import type { System } from "../platform/system.ts";
import { COLORED, type Paint, PLAIN } from "./paint.ts";

/** What is drawn on. */
export interface Canvas {
  /** How long the longest bar's line is, in characters. */
  readonly width: number;
  /** Text is broken there; Infinity where no terminal shows it. */
  readonly breakAt: number;
  readonly paint: Paint;
  /** Takes out of a text what nobody may see. */
  readonly hide: Hide;
}

const WIDTH_WITHOUT_TERMINAL = 80;

/** Standard output as it is now; in colour only on a terminal, and unless NO_COLOR is set (no-color.org). */
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

/** Words as lines of at most `breakAt` characters: the first indented by `indent`, the others by two more. */
export function wrapped(words: readonly string[], indent: number, breakAt: number): string[] {
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
