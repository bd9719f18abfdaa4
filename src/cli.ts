import {
  type ApplicationText,
  ArgumentScannerError,
  buildApplication,
  buildCommand,
  buildRouteMap,
  type CommandContext,
  formatMessageForArgumentScannerError,
  run,
  text_en,
} from "@stricli/core";
import type { CheckFlags } from "./check.ts";
import { systemClock } from "./clock.ts";
import type { SendFlags } from "./send_flags.ts";
import { messageOf, UsageError } from "./errors.ts";
import type { Io } from "./io.ts";
import type { ReceiveFlags } from "./receive/options.ts";
import { errorLines } from "./report.ts";
import { checkFlags, receiveFlags, sendFlags } from "./command_flags.ts";
import { runSend } from "./send.ts";
import { VERSION } from "./version.ts";

interface Context extends CommandContext {
  /** Runs a command; what it throws is said in one line and becomes an exit status. */
  readonly execute: (command: (io: Io) => Promise<number>) => Promise<void>;
}

const SEND_EXTRA =
  `Sends histogram measurements (OTLP, protobuf over HTTP, DELTA) and says what became of them.

Every flag beats its environment variable, which beats the same name in .env. Required: an endpoint, and for
Dynatrace a token in DT_API_TOKEN or in a file. SECONDS may be fractions.

Exit status: 0 everything was accepted; 1 something was not delivered; 2 usage or configuration;
3 the receiver took the request but rejected some data points.

Other commands:
  otlp-histogram check --help     finds out what is wrong: configuration, DNS, TCP, TLS, token, ingest
  otlp-histogram receive --help   a local receiver that decodes, counts and draws what it gets
  otlp-histogram demo             starts a receiver, sends to it, draws what arrived`;

const send = buildCommand<SendFlags, [], Context>({
  loader: () =>
    Promise.resolve(function (this: Context, flags: SendFlags) {
      return this.execute((io) => runSend(flags, io));
    }),
  parameters: {
    flags: sendFlags,
    aliases: {},
  },
  docs: { brief: "Send measurements (the default command)", fullDescription: SEND_EXTRA },
});

const receive = buildCommand<ReceiveFlags, [], Context>({
  loader: () =>
    Promise.resolve(function (this: Context, flags: ReceiveFlags) {
      return this.execute(async (io) => {
        const { runReceive } = await import("./receive/command.ts");
        return runReceive(flags, io);
      });
    }),
  parameters: {
    flags: receiveFlags,
  },
  docs: {
    brief: "A local OTLP/HTTP receiver that decodes, counts and draws what it gets",
    fullDescription:
      "A local OTLP/HTTP receiver that decodes, counts and draws what it gets. It takes POST to any path that ends\nin /v1/metrics (protobuf, gzip or not) and ends on Ctrl+C with a summary.",
  },
});

const check = buildCommand<CheckFlags, [], Context>({
  loader: () =>
    Promise.resolve(function (this: Context, flags: CheckFlags) {
      return this.execute(async (io) => {
        const { runCheck } = await import("./check.ts");
        return runCheck(flags, io);
      });
    }),
  parameters: {
    flags: checkFlags,
  },
  docs: {
    brief: "Find out what is wrong: configuration, DNS, TCP, TLS, token, ingest",
    fullDescription:
      "Takes one step after the other, until one fails: config, dns, tcp, tls (https), http, token, ingest. It posts an\nempty export request, which leaves nothing behind.\n\nExit status: 0 all is well; 1 a step failed; 2 usage or configuration.",
  },
});

const demo = buildCommand<Record<never, never>, [], Context>({
  loader: () =>
    Promise.resolve(function (this: Context) {
      return this.execute(async (io) => {
        const { runDemo } = await import("./demo.ts");
        // A proxy for the rest of the world has no business between two ends of this process.
        Deno.env.set("NO_PROXY", "127.0.0.1");
        return runDemo(io);
      });
    }),
  parameters: {},
  docs: {
    brief: "Start a receiver, send to it three times, draw what arrived",
    fullDescription:
      "Starts a receiver on a free port of this machine, sends to it three times, a second apart, and draws what\narrived. It needs no configuration and leaves nothing behind.",
  },
});

/** Runs the command that `args` name; resolves to the exit status. */
export async function main(args: readonly string[]): Promise<number> {
  const json = args.some((arg, i) =>
    arg === "--output=json" || (arg === "--output" && args[i + 1] === "json")
  );
  const format = json ? "json" : "text";
  const signals = new Signals();
  const io = systemIo(signals);
  let exitCode: number | undefined;
  const fail = (thrown: unknown): number => {
    const message = thrown instanceof UsageError
      ? thrown.message
      : `Unexpected error, please report it: ${messageOf(thrown)}`;
    for (const line of errorLines(format, message)) io.stderr(`${line}\n`);
    return thrown instanceof UsageError ? 2 : 1;
  };
  const text: ApplicationText = {
    ...text_en,
    exceptionWhileParsingArguments: (thrown) =>
      errorLines(format, usage(argumentError(thrown))).join("\n"),
  };
  const routes = buildRouteMap<"send" | "check" | "receive" | "demo", Context>({
    routes: { send, check, receive, demo },
    defaultCommand: "send",
    docs: { brief: "Histogram metrics over OTLP, delivered and accounted for" },
  });
  const commands = ["send", "receive", "demo", "check"];
  const [first = "-"] = args;
  if (!first.startsWith("-") && !commands.includes(first)) {
    return fail(new UsageError(usage(`No command "${first}": there are ${commands.join(", ")}`)));
  }
  const app = buildApplication<Context>(routes, {
    name: "otlp-histogram",
    versionInfo: { currentVersion: VERSION },
    scanner: { caseStyle: "allow-kebab-for-camel" },
    documentation: { caseStyle: "convert-camel-to-kebab", disableAnsiColor: true },
    localization: { text },
  });
  const process: { stdout: Writable; stderr: Writable; exitCode?: number | string | null } = {
    stdout: { write: io.stdout },
    stderr: { write: io.stderr },
  };
  try {
    await run(app, withDefaultCommand(args), {
      process,
      async execute(command) {
        signals.listen();
        exitCode = await command(io).catch(fail);
      },
    });
  } catch (thrown) {
    return fail(thrown);
  } finally {
    signals.close();
  }
  // Stricli's own exit codes are negative for what is wrong with the arguments.
  return exitCode ?? (Number(process.exitCode ?? 0) === 0 ? 0 : 2);
}

interface Writable {
  readonly write: (text: string) => void;
}

/** What stands in the wrong place may be a secret, such as a token after a blank: it is not quoted. */
function argumentError(thrown: unknown): string {
  if (!(thrown instanceof ArgumentScannerError)) return messageOf(thrown);
  return formatMessageForArgumentScannerError(thrown, {
    ArgumentParseError: ({ externalFlagNameOrPlaceholder: name }) => `--${name} takes no value`,
    UnexpectedFlagError: ({ externalFlagName: name }) => `--${name} is given twice: give it once`,
    UnexpectedPositionalError: () =>
      "An argument (not shown) belongs to no flag: a value with blanks needs quotes",
  });
}

function usage(message: string): string {
  return `${message} (otlp-histogram --help lists what there is)`;
}

/** Stricli's help of the root lists commands only; the default command's flags are what people look for. */
function withDefaultCommand(args: readonly string[]): readonly string[] {
  const [first] = args;
  return first === "--help" || first === "-h" ? ["send", ...args] : args;
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

function systemIo(signals: Signals): Io {
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
