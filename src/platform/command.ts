/** Way in which a command that was run ended. */
export interface CommandEnd {
  /** Exit code as a shell reports it: 128 + N when signal N ended it, 127 when it was not found, 126 when it could not be run. */
  readonly status: number;
  /** Time from its start to its end, in ms. */
  readonly durationMs: number;
  /** Name of the signal that ended it, such as SIGKILL. */
  readonly signal: string | undefined;
  /** Reason why it could not be started, as the end of a sentence; undefined if it ran. */
  readonly notStarted: string | undefined;
  /** Whether this process received a signal while the command ran. */
  readonly wasSignalled: boolean;
}

/** A command that was started. */
export interface RunningCommand {
  readonly ended: Promise<CommandEnd>;
  /** Sends it a signal, unless it has ended. */
  kill(signal: "SIGTERM" | "SIGKILL"): void;
}

/** Program with its arguments, and what is special to its run. */
export interface CommandLine {
  /** Name or path of the program, and its arguments. */
  readonly words: readonly string[];
  /** Variables to add to the environment of this process. */
  readonly env: Readonly<Record<string, string>>;
  /** Returns the exit code of this process, should it have to be ended by force, for the status of the command. */
  readonly forcedStatus: (status: number) => number;
}

/** Starts a command that has the standard streams of this process. Signals of this process are passed on to it. */
export type StartCommand = (line: CommandLine) => Promise<RunningCommand>;
