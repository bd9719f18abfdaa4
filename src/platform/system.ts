import type { Clock } from "./clock.ts";
import type { Secrets } from "../redact/secrets.ts";

/** The outside world as a command sees it, passed in so that a test can replace it. */
export interface System {
  /** An environment variable; undefined when it is not set. */
  readonly env: (name: string) => string | undefined;
  /** Directory where the command was given: the base of relative paths. */
  readonly cwd: string;
  /** Writes to standard output as it is; the caller ends its lines. */
  readonly stdout: (text: string) => void;
  /** Writes to standard error as it is; the caller ends its lines. */
  readonly stderr: (text: string) => void;
  /** Writes a workflow command for GitHub Actions. Nothing that `stdout` and `stderr` write can be one. */
  readonly workflowCommand: (to: "stdout" | "stderr", line: string) => void;
  /**
   * Resolves when standard output is ready for more, and at once after `stop`, to whether anybody reads it. A command
   * that prints much, or without end, waits for it, because its reader can be slow.
   */
  readonly printed: () => Promise<boolean>;
  /**
   * Sets the function that is called when the process is ended by force, after a second signal or because it did not
   * end after the first. It reports the state of unfinished work without waiting for anything, and returns whether
   * there was any.
   */
  readonly lastWords: (say: (why: string) => boolean) => void;
  /** The terminal's width in characters, as it is now; undefined when standard output is not a terminal. */
  readonly columns: number | undefined;
  /** The terminal's height in lines, as it is now. */
  readonly rows: number | undefined;
  /** Aborted by the first SIGINT or SIGTERM: finish the work under way. */
  readonly stop: AbortSignal;
  /** Aborted by the second signal: end at once. */
  readonly kill: AbortSignal;
  readonly clock: Clock;
  /** Secrets met so far; a command adds to them. */
  readonly secrets: Secrets;
  /** Returns a random number, uniform in [0, 1). */
  readonly random: () => number;
  readonly readTextFile: (path: string, signal?: AbortSignal) => Promise<string>;
  /** Opens a file as a stream, with its length in bytes. */
  readonly openFile: (
    path: string,
  ) => Promise<{ readonly stream: ReadableStream<Uint8Array>; readonly bytes: number }>;
  readonly stdin: () => ReadableStream<Uint8Array>;
  /** Whether standard error is a terminal, so that a line can be redrawn. */
  readonly stderrIsTerminal: boolean;
  /** Whether standard input is a pipe or a file, so that the user may mean it to be read. */
  readonly stdinHasData: () => Promise<boolean>;
}
