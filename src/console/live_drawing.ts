/** The part of a terminal that a drawing in place uses. */
export interface Screen {
  readonly stdout: (text: string) => void;
  readonly rows: number | undefined;
}

// ECMA-48: cursor up, erase to the end of the screen; DEC private mode 7: lines wrap.
const up = (lines: number) => lines > 0 ? `\r\x1b[${lines}A` : "\r";
const ERASE = "\x1b[J";
const NO_WRAP = "\x1b[?7l";
const WRAP = "\x1b[?7h";
const ROWS_UNKNOWN = 24;

/** Drawing that the next one replaces, limited to the height of the terminal. */
export class LiveDrawing {
  readonly #screen: Screen;
  #drawn = 0;

  constructor(screen: Screen) {
    this.#screen = screen;
  }

  /** Replaces the drawing. */
  draw(lines: readonly string[]): void {
    // The cursor stands in the line below, and what is scrolled away cannot be drawn over.
    const room = Math.max(2, (this.#screen.rows ?? ROWS_UNKNOWN) - 1);
    const shown = lines.length <= room ? lines : [
      ...lines.slice(0, room - 1),
      `… ${lines.length - room + 1} more lines: Ctrl+C ends and shows all`,
    ];
    this.#screen.stdout(
      `${up(this.#drawn)}${ERASE}${NO_WRAP}${shown.map((line) => `${line}\n`).join("")}${WRAP}`,
    );
    this.#drawn = shown.length;
  }

  /** Removes the drawing. */
  clear(): void {
    if (this.#drawn > 0) this.#screen.stdout(`${up(this.#drawn)}${ERASE}`);
    this.#drawn = 0;
  }
}
