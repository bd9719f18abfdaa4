import { systemClock } from "../base/clock.ts";
import { messageOf, UsageError } from "../base/errors.ts";
import { endDespiteRead } from "../base/older_deno.ts";
import { Secrets } from "../base/secrets.ts";
import type { System } from "../base/system.ts";
import { readVariables } from "../config/dotenv_file.ts";
import { variableOf } from "../config/settings.ts";
import { runSend } from "../send/command.ts";
import { errorLines } from "../send/report/lines.ts";
import type { Asked } from "./commands.ts";

let stdinOpened = false;

/** Runs the command that `args` name; resolves to the exit status. */
export async function main(args: readonly string[]): Promise<number> {
  const json = args.some((arg, i) =>
    arg === "--output=json" || (arg === "--output" && args[i + 1] === "json")
  );
  const signals = new Signals();
  const output = new Output(signals.outputClosed);
  const system = realSystem(signals, output);
  try {
    const asked = await ask(args, system);
    if (asked.kind === "text") {
      system.stdout(asked.text);
      return 0;
    }
    signals.listen();
    await output.color(asked.envFile, system);
    const exitCode = await asked.run(system).catch((thrown) => fail(thrown, json, system));
    if (stdinOpened) endDespiteRead(exitCode);
    return exitCode;
  } catch (thrown) {
    await output.color(undefined, system);
    return fail(thrown, json, system);
  } finally {
    signals.close();
  }
}

async function ask(args: readonly string[], system: System): Promise<Asked> {
  // Without flags there is nothing to parse, and no parser to load.
  const isPlain = args.length === 0 || (args.length === 1 && args[0] === "send");
  if (isPlain) return { kind: "command", run: (system) => runSend({}, system) };
  const { readArguments } = await import("./commands.ts");
  return await readArguments(args, system.columns ?? 80);
}

function fail(thrown: unknown, json: boolean, system: System): number {
  const { secrets } = system;
  const message = thrown instanceof UsageError
    ? secrets.hideQuoted(thrown.message)
    : `Unexpected error, please report it: ${secrets.hide(messageOf(thrown))}`;
  for (const line of errorLines(json ? "json" : "text", message)) system.stderr(`${line}\n`);
  return thrown instanceof UsageError ? 2 : 1;
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
  readonly outputClosed = () => this.#stop.abort();
}

/** Standard output and standard error, each with colour when a terminal shows it. */
class Output {
  readonly #closed: () => void;
  #isClosed = false;
  #paint: ((text: string) => string) | undefined;

  /** `closed`: called when nobody reads standard output any more. */
  constructor(closed: () => void) {
    this.#closed = closed;
  }

  /** Colours what comes, unless NO_COLOR is set or the terminal can show none (TERM=dumb). */
  async color(envFile: string | undefined, system: System): Promise<void> {
    const isTerminal = Deno.stdout.isTerminal() || Deno.stderr.isTerminal();
    if (!isTerminal || system.env("TERM") === "dumb") return;
    // The command itself says why a file cannot be read.
    const variables = await readVariables(envFile, system).catch(() => undefined);
    if (variables === undefined || variableOf("noColor", variables) !== undefined) return;
    this.#paint = (await import("./marks.ts")).colorMarks;
  }

  readonly stdout = (text: string) => {
    if (this.#isClosed) return;
    this.#isClosed = !writeAll(Deno.stdout, this.#painted(text, Deno.stdout));
    if (this.#isClosed) this.#closed();
  };

  readonly stderr = (text: string) => void writeAll(Deno.stderr, this.#painted(text, Deno.stderr));

  #painted(text: string, to: { isTerminal(): boolean }): string {
    return this.#paint !== undefined && to.isTerminal() ? this.#paint(text) : text;
  }
}

function realSystem(signals: Signals, { stdout, stderr }: Output): System {
  return {
    env: (name) => Deno.env.get(name),
    // `deno task` changes into the project's folder; INIT_CWD holds where it was called.
    cwd: (Deno.build.standalone ? undefined : Deno.env.get("INIT_CWD")) ?? Deno.cwd(),
    stdout,
    stderr,
    get columns() {
      return terminalColumns();
    },
    get rows() {
      return Deno.stdout.isTerminal() ? Deno.consoleSize().rows || 24 : undefined;
    },
    stop: signals.stop,
    kill: signals.kill,
    clock: systemClock,
    secrets: new Secrets(),
    random: Math.random,
    readTextFile: (path, signal) => Deno.readTextFile(path, signal && { signal }),
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
