import { systemClock } from "../platform/clock.ts";
import type { StartCommand } from "../platform/command.ts";
import { lacksDescriptors, messageOf, UsageError } from "../platform/errors.ts";
import type { System } from "../platform/system.ts";
import { readVariables } from "../settings/dotenv_file.ts";
import { variableOf } from "../settings/settings.ts";
import { Console } from "../console/console.ts";
import { withoutCommands } from "../console/workflow_command.ts";
import { readArguments } from "./commands.ts";
import { forgetUnreadable, hostSystem, requireReadable } from "./host.ts";
import { Output } from "./output.ts";
import { Signals } from "./signals.ts";

/** Runs the command that `args` name; resolves to the exit code. */
export async function main(args: readonly string[]): Promise<number> {
  const world = new World(args);
  const { system, signals, output } = world;
  world.watch();
  let exitCode: number;
  try {
    forgetUnreadable();
    requireReadable(args);
    const invocation = await readArguments(args, system.columns ?? 80);
    if (invocation.kind === "text") {
      // A completion script may look like a command of a workflow.
      output.stdout(invocation.text);
      exitCode = 0;
    } else if (invocation.runsProgram) {
      // Nothing may keep the program from running, and signals are its own at first.
      exitCode = await invocation.run(system, world.startCommand);
    } else {
      Deno.permissions.revokeSync({ name: "run" });
      signals.listen();
      await world.color(invocation.envFile);
      exitCode = await invocation.run(system, world.startCommand);
    }
  } catch (thrown) {
    await world.color(undefined);
    exitCode = world.fail(thrown);
  }
  await output.flushed();
  // Not everything that was asked for was done.
  if (output.failed && exitCode !== 2) exitCode = 1;
  return exitCode;
}

/** Maximum time for writing the last message, in ms, when nothing else is waited for. */
const LAST_WORDS_MS = 250;

/** Process around a command: its signals, its output, and its view of the system. */
class World {
  readonly signals = new Signals((why) => this.#force(why));
  readonly output: Output;
  readonly system: System;
  readonly #json: boolean;
  /** Exit code when the process is ended by force. */
  #forcedStatus = 1;
  #paint: ((text: string) => string) | undefined;
  #lastWords: (why: string) => boolean = () => false;
  #isEnding = false;

  constructor(args: readonly string[]) {
    const end = args.indexOf("--");
    this.#json = args.slice(0, end < 0 ? undefined : end).some((arg, i) =>
      arg === "--output=json" || (arg === "--output" && args[i + 1] === "json")
    );
    this.output = new Output({
      stdout: Deno.stdout,
      stderr: Deno.stderr,
      closed: () => this.signals.outputClosed(),
      failed: (reason) =>
        this.#error(
          `Cannot write to standard output: ${reason}. Output to it is lost; everything else continues`,
        ),
      stalled: (ms) =>
        this.#console.warn(
          `standard output has not been read for ${
            ms / 1000
          } s, and this program waits for it: let its reader ` +
            "continue, or redirect standard output to a file",
        ),
      sleep: (ms) => systemClock.sleep(ms, new AbortController().signal),
      now: systemClock.monotonic,
    });
    this.system = hostSystem(this.signals, {
      stdout: (text) => this.output.stdout(this.#painted(withoutCommands(text), Deno.stdout)),
      stderr: (text) => this.output.stderr(this.#painted(withoutCommands(text), Deno.stderr)),
      workflowCommand: (to, line) => this.output[to](`${line}\n`),
      printed: () => this.output.hasRoom(this.signals.stop),
      lastWords: (say) => void (this.#lastWords = say),
    });
  }

  /** Starts the program that a command runs. */
  readonly startCommand: StartCommand = async (line) => {
    const { startChild } = await import("./child.ts");
    const running = startChild(line, this.system.cwd, this.signals);
    running.ended.then(({ status }) => this.#forcedStatus = line.forcedStatus(status));
    return running;
  };

  /** Colours later output, unless NO_COLOR is set or the terminal shows none (TERM=dumb). */
  async color(envFile: string | undefined): Promise<void> {
    const isTerminal = Deno.stdout.isTerminal() || Deno.stderr.isTerminal();
    if (!isTerminal || this.system.env("TERM") === "dumb") return;
    // The command itself says why a file cannot be read.
    const variables = await readVariables(envFile, this.system).catch(() => undefined);
    if (variables === undefined || variableOf("noColor", variables) !== undefined) return;
    this.#paint = (await import("./marks.ts")).colorMarks;
  }

  /** Reports an error and the state of the measurements; returns the exit code. */
  fail(thrown: unknown): number {
    if (thrown instanceof UsageError) {
      this.#error(thrown.message);
      return 2;
    }
    this.#unexpected(thrown);
    return 1;
  }

  /** Ends the process in order when an error is thrown that nobody can catch. */
  watch(): void {
    const end = (thrown: unknown) => void this.#end(() => this.#unexpected(thrown));
    globalThis.addEventListener("unhandledrejection", (event) => {
      event.preventDefault();
      end(event.reason);
    });
    globalThis.addEventListener("error", (event) => {
      event.preventDefault();
      end(event.error);
    });
  }

  /** Reports an unexpected error, and any unsent measurements. */
  #unexpected(thrown: unknown): void {
    const message = this.system.secrets.hide(messageOf(thrown));
    this.#error(
      lacksDescriptors(thrown)
        ? `${message}: raise this limit`
        : `Unexpected error, please report it: ${message}`,
    );
    this.#lastWords("ended by an error");
  }

  #error(message: string): void {
    this.#console.error(message);
  }

  get #console(): Console {
    return new Console(this.system, { format: this.#json ? "json" : "text" });
  }

  /** Ends the process regardless of work under way. */
  #force(why: string): Promise<void> {
    return this.#end(() => {
      if (!this.#lastWords(why)) this.#error(why);
    });
  }

  async #end(say: () => void): Promise<void> {
    if (this.#isEnding) return;
    this.#isEnding = true;
    this.output.hurry();
    say();
    const written = this.output.flushed();
    await Promise.race([written, new Promise((resolve) => setTimeout(resolve, LAST_WORDS_MS))]);
    Deno.exit(this.#forcedStatus);
  }

  #painted(text: string, to: { isTerminal(): boolean }): string {
    return this.#paint !== undefined && to.isTerminal() ? this.#paint(text) : text;
  }
}
