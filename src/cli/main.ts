import { systemClock } from "../base/clock.ts";
import { messageOf, UsageError } from "../base/errors.ts";
import { Secrets } from "../base/secrets.ts";
import type { System } from "../base/system.ts";
import { readVariables } from "../config/dotenv_file.ts";
import { variableOf } from "../config/settings.ts";
import { Console } from "../console/console.ts";
import { withoutCommands } from "../console/workflow_command.ts";
import { readArguments } from "./commands.ts";
import { Output } from "./output.ts";
import { readText } from "./read_text.ts";
import { Signals } from "./signals.ts";

/** Runs the command that `args` name; resolves to the exit status. */
export async function main(args: readonly string[]): Promise<number> {
  const world = new World(args);
  const { system, signals, output } = world;
  let exitCode: number;
  try {
    const asked = await readArguments(args, system.columns ?? 80);
    if (asked.kind === "text") {
      // A completion script may look like a command of a workflow.
      output.stdout(asked.text);
      exitCode = 0;
    } else {
      signals.listen();
      await world.color(asked.envFile);
      exitCode = await asked.run(system);
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

/** How long what was said last may take to be written, in ms, when nothing else is waited for. */
const LAST_WORDS_MS = 250;

/** The process around a command: its signals, its output, and what it touches of the system. */
class World {
  readonly signals = new Signals((why) => this.#force(why));
  readonly output: Output;
  readonly system: System;
  readonly #json: boolean;
  #paint: ((text: string) => string) | undefined;
  #lastWords: (why: string) => boolean = () => false;

  constructor(args: readonly string[]) {
    this.#json = args.some((arg, i) =>
      arg === "--output=json" || (arg === "--output" && args[i + 1] === "json")
    );
    this.output = new Output({
      stdout: Deno.stdout,
      stderr: Deno.stderr,
      closed: () => this.signals.outputClosed(),
      failed: (reason) =>
        this.#error(
          `Cannot write to standard output: ${reason}. What is printed there is lost; all else goes on`,
        ),
      sleep: (ms) => systemClock.sleep(ms, new AbortController().signal),
      now: systemClock.monotonic,
    });
    this.system = realSystem(this.signals, {
      stdout: (text) => this.output.stdout(this.#painted(withoutCommands(text), Deno.stdout)),
      stderr: (text) => this.output.stderr(this.#painted(withoutCommands(text), Deno.stderr)),
      workflowCommand: (to, line) => this.output[to](`${line}\n`),
      printed: () => this.output.hasRoom(this.signals.stop),
      lastWords: (say) => void (this.#lastWords = say),
    });
  }

  /** Colours what comes, unless NO_COLOR is set or the terminal can show none (TERM=dumb). */
  async color(envFile: string | undefined): Promise<void> {
    const isTerminal = Deno.stdout.isTerminal() || Deno.stderr.isTerminal();
    if (!isTerminal || this.system.env("TERM") === "dumb") return;
    // The command itself says why a file cannot be read.
    const variables = await readVariables(envFile, this.system).catch(() => undefined);
    if (variables === undefined || variableOf("noColor", variables) !== undefined) return;
    this.#paint = (await import("./marks.ts")).colorMarks;
  }

  /** Says what was thrown; the exit status that follows from it. */
  fail(thrown: unknown): number {
    const { secrets } = this.system;
    const isUsage = thrown instanceof UsageError;
    this.#error(
      isUsage
        ? thrown.message
        : `Unexpected error, please report it: ${secrets.hide(messageOf(thrown))}`,
    );
    return isUsage ? 2 : 1;
  }

  #error(message: string): void {
    new Console(this.system, { format: this.#json ? "json" : "text" }).error(message);
  }

  /** Ends the process, whatever is under way. */
  async #force(why: string): Promise<void> {
    this.output.hurry();
    if (!this.#lastWords(why)) this.#error(why);
    const written = this.output.flushed();
    await Promise.race([written, new Promise((resolve) => setTimeout(resolve, LAST_WORDS_MS))]);
    Deno.exit(1);
  }

  #painted(text: string, to: { isTerminal(): boolean }): string {
    return this.#paint !== undefined && to.isTerminal() ? this.#paint(text) : text;
  }
}

function realSystem(
  { stop, kill }: Signals,
  output: Pick<System, "stdout" | "stderr" | "workflowCommand" | "printed" | "lastWords">,
): System {
  return {
    ...output,
    env: (name) => Deno.env.get(name),
    // `deno task` changes into the project's folder; INIT_CWD holds where it was called.
    cwd: (Deno.build.standalone ? undefined : Deno.env.get("INIT_CWD")) ?? Deno.cwd(),
    get columns() {
      return terminalColumns();
    },
    get rows() {
      return Deno.stdout.isTerminal() ? Deno.consoleSize().rows || 24 : undefined;
    },
    stop,
    kill,
    clock: systemClock,
    secrets: new Secrets(),
    random: Math.random,
    readTextFile: (path, signal) => readText(path, signal),
    openFile,
    stdin: () => Deno.stdin.readable,
    stderrIsTerminal: Deno.stderr.isTerminal(),
    stdinHasData,
  };
}

/** Asked anew each time: a window changes its size. One that does not know its own, says 0. */
function terminalColumns(): number | undefined {
  return Deno.stdout.isTerminal() ? Deno.consoleSize().columns || 80 : undefined;
}

async function openFile(path: string) {
  const file = await Deno.open(path);
  const { size, isDirectory } = await file.stat();
  if (!isDirectory) {
    const { readAhead } = await import("../base/read_ahead.ts");
    return { stream: readAhead(file), bytes: size };
  }
  file.close();
  throw new UsageError("it is a directory");
}

async function stdinHasData(): Promise<boolean> {
  if (Deno.stdin.isTerminal()) return false;
  try {
    const { isFifo, isFile } = await Deno.stat("/dev/stdin");
    return isFifo === true || isFile;
  } catch {
    return await stdinHasDataByNumber();
  }
}

/** Since Deno 2.9 only a program with all permissions may look at /dev/stdin; node:fs takes 25 ms to load. */
async function stdinHasDataByNumber(): Promise<boolean> {
  const { fstatSync } = await import("node:fs");
  try {
    const stdin = fstatSync(0);
    return stdin.isFIFO() || stdin.isFile();
  } catch {
    return false; // closed
  }
}
