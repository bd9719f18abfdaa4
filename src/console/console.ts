import { escapeJson } from "./escape.ts";
import type { System } from "../platform/system.ts";
import { errorLines, escapedLines, type Lines, type OutputFormat, warningLines } from "./lines.ts";

/** What a console writes to, and the secrets that it never writes. */
export type Terminal = Pick<System, "stdout" | "stderr" | "secrets">;

// ECMA-48: back to the start of the line, erase to its end.
const CLEAR_LINE = "\r\x1b[K";

/**
 * The one writer of a command: warnings, errors and notes in the form of the output, and at the foot of a terminal one line
 * of status, which makes way for whatever is printed.
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

  /** Prints a warning on standard error. What it quotes may hold a secret. */
  readonly warn = (message: string): void => {
    this.print({ out: [], err: warningLines(this.#format, this.#hidden(message)) });
  };

  /** Prints an error on standard error, and what to do about it. */
  error(message: string, hint?: string): void {
    this.print({ out: [], err: errorLines(this.#format, this.#hidden(message), hint) });
  }

  /** Prints what is no warning: for people who asked for more than warnings, or as an object on standard error. */
  readonly note = (message: string): void => {
    const text = this.#hidden(message);
    if (this.#format === "json") {
      this.print({ out: [], err: [escapeJson({ type: "note", message: text })] });
    } else if (!this.#isQuiet) this.print({ out: escapedLines(text), err: [] });
  };

  /** Prints lines that are in the form of the output, and escaped. */
  readonly print = ({ out, err }: Lines): void => {
    if (out.length + err.length > 0) this.clear();
    for (const line of err) this.#terminal.stderr(`${line}\n`);
    for (const line of out) this.#terminal.stdout(`${line}\n`);
  };

  /** Shows how things are, over what was shown before. Standard error must be a terminal. */
  status(text: string): void {
    this.#terminal.stderr(CLEAR_LINE + text);
    this.#hasStatus = true;
  }

  /** Takes the line of status away. */
  clear(): void {
    if (this.#hasStatus) this.#terminal.stderr(CLEAR_LINE);
    this.#hasStatus = false;
  }

  #hidden(message: string): string {
    return this.#terminal.secrets.hideQuoted(message);
  }
}
