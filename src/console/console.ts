import { escapeJson } from "./escape.ts";
import type { System } from "../platform/system.ts";
import { errorLines, escapedLines, type Lines, type OutputFormat, warningLines } from "./lines.ts";

/** The streams that a console writes to, and the secrets that it hides. */
export type Terminal = Pick<System, "stdout" | "stderr" | "secrets">;

/** Characters that are printed together, so that a line costs little. */
const STREAMED_AT_ONCE = 65_536;

// ECMA-48: back to the start of the line, erase to its end.
const CLEAR_LINE = "\r\x1b[K";

/**
 * The only writer of a command. It prints warnings, errors and notes in the form of the output. At the foot of a
 * terminal it keeps one status line, which makes way for whatever is printed.
 */
export class Console {
  readonly #terminal: Terminal;
  readonly #format: OutputFormat;
  readonly #isQuiet: boolean;
  #hasStatus = false;

  constructor(
    terminal: Terminal,
    { format, level = "normal" }: { readonly format: OutputFormat; readonly level?: string },
  ) {
    this.#terminal = terminal;
    this.#format = format;
    this.#isQuiet = level === "quiet";
  }

  /** Prints a warning on standard error, with secrets in quoted values hidden. */
  readonly warn = (message: string): void => {
    this.print({ out: [], err: warningLines(this.#format, this.#hidden(message)) });
  };

  /** Prints an error and its hint on standard error. */
  error(message: string, hint?: string): void {
    this.print({ out: [], err: errorLines(this.#format, this.#hidden(message), hint) });
  }

  /** Prints a note: as text unless the output is quiet, or as an object on standard error. */
  readonly note = (message: string): void => {
    if (this.#format === "json") this.aside(message);
    else if (!this.#isQuiet) this.print({ out: escapedLines(this.#hidden(message)), err: [] });
  };

  /** Prints a note that is not part of the output: always on standard error, as text unless the output is quiet. */
  readonly aside = (message: string): void => {
    const text = this.#hidden(message);
    if (this.#format === "json") {
      this.print({ out: [], err: [escapeJson({ type: "note", message: text })] });
    } else if (!this.#isQuiet) this.print({ out: [], err: escapedLines(`NOTE: ${text}`) });
  };

  /** Prints lines that are already escaped and in the form of the output. */
  readonly print = ({ out, err }: Lines): void => {
    if (out.length + err.length > 0) this.clear();
    for (const line of err) this.#terminal.stderr(`${line}\n`);
    for (const line of out) this.#terminal.stdout(`${line}\n`);
  };

  /**
   * Prints texts on standard output, which are already escaped, as they are made: no faster than they are read, and no
   * longer than anybody reads. `printed` is the system's.
   */
  readonly stream = async (
    texts: Iterable<string>,
    printed: System["printed"],
  ): Promise<void> => {
    this.clear();
    let waiting = "";
    for (const text of texts) {
      waiting += text;
      if (waiting.length < STREAMED_AT_ONCE) continue;
      this.#terminal.stdout(waiting);
      waiting = "";
      if (!await printed()) return;
    }
    this.#terminal.stdout(waiting);
  };

  /** Replaces the status line. Standard error must be a terminal. */
  status(text: string): void {
    this.#terminal.stderr(CLEAR_LINE + text);
    this.#hasStatus = true;
  }

  /** Removes the status line. */
  clear(): void {
    if (this.#hasStatus) this.#terminal.stderr(CLEAR_LINE);
    this.#hasStatus = false;
  }

  #hidden(message: string): string {
    return this.#terminal.secrets.hideQuoted(message);
  }
}
