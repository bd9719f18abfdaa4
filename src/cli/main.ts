import { systemClock } from "../base/clock.ts";
import { messageOf, UsageError } from "../base/errors.ts";
import type { System } from "../base/system.ts";
import { errorLines } from "../send/report/report.ts";
import { runSend } from "../send/command.ts";

let stdinOpened = false;

/** Runs the command that `args` name; resolves to the exit status. */
export async function main(args: readonly string[]): Promise<number> {
  const json = args.some((arg, i) =>
    arg === "--output=json" || (arg === "--output" && args[i + 1] === "json")
  );
  const format = json ? "json" : "text";
  const signals = new Signals();
  const system = realSystem(signals);
  let exitCode: number | undefined;
  const fail = (thrown: unknown): number => {
    const message = thrown instanceof UsageError
      ? thrown.message
      : `Unexpected error, please report it: ${messageOf(thrown)}`;
    for (const line of errorLines(format, message)) system.stderr(`${line}\n`);
    return thrown instanceof UsageError ? 2 : 1;
  };
  const execute = async (command: (system: System) => Promise<number>) => {
    signals.listen();
    exitCode = await command(system).catch(fail);
    // Deno 2.6 does not end by itself while a read of standard input waits for what may never come.
    if (stdinOpened) Deno.exit(exitCode);
  };
  try {
    // Without arguments there is nothing to parse, and no parser to load.
    if (args.length === 0) {
      await execute((system) => runSend({}, system));
      return exitCode ?? 0;
    }
    const { runArguments } = await import("./commands.ts");
    const parsed = await runArguments(args, {
      stdout: { write: system.stdout },
      stderr: { write: system.stderr },
      error: (message) => errorLines(format, message).join("\n"),
    }, execute);
    return exitCode ?? parsed;
  } catch (thrown) {
    return fail(thrown);
  } finally {
    signals.close();
  }
}

/** SIGINT and SIGTERM: the first asks to finish, the second to end at once. */
class Signals {
  readonly #stop = new AbortController();
  readonly #kill = new AbortController();
  readonly stop = this.#stop.signal;
  readonly kill = this.#kill.signal;
  readonly #listened: Deno.Signal[] = Deno.build.os === "windows"
    ? ["SIGINT", "SIGBREAK"]
    : ["SIGINT", "SIGTERM"];

  readonly #received = () => {
    if (this.#stop.signal.aborted) this.#kill.abort();
    else this.#stop.abort();
  };

  listen(): void {
    for (const signal of this.#listened) Deno.addSignalListener(signal, this.#received);
  }

  close(): void {
    for (const signal of this.#listened) Deno.removeSignalListener(signal, this.#received);
  }

  /** Nobody reads standard output any more: finish, as after a signal. */
  outputClosed(): void {
    this.#stop.abort();
  }
}

function realSystem(signals: Signals): System {
  let outputClosed = false;
  return {
    env: (name) => Deno.env.get(name),
    // `deno task` changes into the project's folder; INIT_CWD holds where it was called.
    cwd: (Deno.build.standalone ? undefined : Deno.env.get("INIT_CWD")) ?? Deno.cwd(),
    stdout(text) {
      if (outputClosed) return;
      outputClosed = !writeAll(Deno.stdout, text);
      if (outputClosed) signals.outputClosed();
    },
    stderr: (text) => void writeAll(Deno.stderr, text),
    get columns() {
      return terminalColumns();
    },
    stop: signals.stop,
    kill: signals.kill,
    clock: systemClock,
    random: Math.random,
    readTextFile: (path) => Deno.readTextFile(path),
    openFile,
    stdin() {
      stdinOpened = true;
      return Deno.stdin.readable;
    },
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
  if (!isDirectory) return { stream: file.readable, bytes: size };
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

/** False when nobody reads any more (a closed pipe). */
function writeAll(to: { writeSync(bytes: Uint8Array): number }, text: string): boolean {
  const bytes = new TextEncoder().encode(text);
  try {
    for (let written = 0; written < bytes.length;) written += to.writeSync(bytes.subarray(written));
    return true;
  } catch (thrown) {
    if (thrown instanceof Deno.errors.BrokenPipe) return false;
    throw thrown;
  }
}
