import type { Clock } from "./clock.ts";
import type { Secrets } from "../redact/secrets.ts";

/** What a command may touch of the world around it, passed in so that a test can stand in for it. */
export interface System {
  /** An environment variable; undefined when it is not set. */
  readonly env: (name: string) => string | undefined;
  /** Where the command was given: the base of relative paths. */
  readonly cwd: string;
  /** Writes to standard output as it is; the caller ends its lines. */
  readonly stdout: (text: string) => void;
  /** Writes to standard error as it is; the caller ends its lines. */
  readonly stderr: (text: string) => void;
  /**
   * Writes a line that GitHub Actions is to take for a workflow command. What `stdout` and `stderr` write never is one.
   */
  readonly workflowCommand: (to: "stdout" | "stderr", line: string) => void;
  /**
   * Resolves when standard output has taken so much of what was written that more may come; at once after `stop`. For
   * whoever writes without end: a reader can be slow.
   */
  readonly printed: () => Promise<void>;
  /**
   * What is called when the process is ended by force, after a second signal or because it did not end after the first:
   * it says, without waiting for anything, what became of its work, and returns whether there was something to say.
   */
  readonly lastWords: (say: (why: string) => boolean) => void;
  /** The terminal's width in characters, as it is now; undefined when standard output is no terminal. */
  readonly columns: number | undefined;
  /** Its height in lines, as it is now. */
  readonly rows: number | undefined;
  /** Aborted by the first SIGINT or SIGTERM: finish what is under way. */
  readonly stop: AbortSignal;
  /** Aborted by the second: end at once. */
  readonly kill: AbortSignal;
  readonly clock: Clock;
  /** Every secret that was met; a command adds to them. */
  readonly secrets: Secrets;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly readTextFile: (path: string, signal?: AbortSignal) => Promise<string>;
  /** A file as a stream, and its length. */
  readonly openFile: (
    path: string,
  ) => Promise<{ readonly stream: ReadableStream<Uint8Array>; readonly bytes: number }>;
  readonly stdin: () => ReadableStream<Uint8Array>;
  /** Whether a line on standard error can be drawn over. */
  readonly stderrIsTerminal: boolean;
  /** Whether standard input is a pipe or a file: somebody may mean it to be read. */
  readonly stdinHasData: () => Promise<boolean>;
}
