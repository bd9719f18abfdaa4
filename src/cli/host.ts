import { ByteBuffer } from "../platform/byte_buffer.ts";
import { systemClock } from "../platform/clock.ts";
import { deadline } from "../platform/deadline.ts";
import { UsageError } from "../platform/errors.ts";
import { Secrets } from "../redact/secrets.ts";
import type { System } from "../platform/system.ts";
import type { Signals } from "./signals.ts";

/** What the program touches of the machine that it runs on. */
export function hostSystem(
  { stop, kill }: Signals,
  output: Pick<System, "stdout" | "stderr" | "workflowCommand" | "printed" | "lastWords">,
): System {
  return {
    ...output,
    env: readEnvironment,
    cwd: workingDirectory(),
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
    openFile: openStream,
    stdin: () => Deno.stdin.readable,
    stderrIsTerminal: Deno.stderr.isTerminal(),
    stdinHasData,
  };
}

/** Asked anew each time: a window changes its size. One that does not know its own, says 0. */
function terminalColumns(): number | undefined {
  return Deno.stdout.isTerminal() ? Deno.consoleSize().columns || 80 : undefined;
}

async function openStream(path: string) {
  const file = await Deno.open(path);
  const { size, isDirectory } = await file.stat();
  if (!isDirectory) {
    const { readAhead } = await import("../platform/read_ahead.ts");
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

/** Variables of which only one word counts, or that they are set at all: whatever else they hold is no error. */
const ANY_VALUE: readonly string[] = ["GITHUB_ACTIONS", "NO_COLOR", "TERM"];

/** Variables that Deno's Node modules read, each of which throws when its value is not UTF-8. */
const READ_BY_NODE = [
  "NODE_EXTRA_CA_CERTS",
  "NODE_OPTIONS",
  "NODE_TLS_REJECT_UNAUTHORIZED",
  "NODE_USE_SYSTEM_CA",
] as const;

/**
 * The value of an environment variable. Throws a UsageError that names it, and does not quote it as Deno does, when its
 * bytes are not UTF-8; fetch would take such a proxy for none.
 */
function readEnvironment(name: string): string | undefined {
  try {
    return Deno.env.get(name);
  } catch (thrown) {
    if (!(thrown instanceof Deno.errors.InvalidData)) throw thrown;
    if (ANY_VALUE.includes(name)) return "\ufffd";
    const isUrl = /proxy|endpoint/i.test(name);
    throw new UsageError(
      `Invalid ${name} (value not shown) (environment): expected UTF-8${
        isUrl ? ", and other bytes percent-encoded, for example %E9" : ""
      }`,
    );
  }
}

/** Takes away what would keep a Node module from being loaded, and is nothing that this program can use. */
export function forgetUnreadable(): void {
  for (const name of READ_BY_NODE) {
    try {
      Deno.env.get(name);
    } catch (thrown) {
      if (thrown instanceof Deno.errors.InvalidData) Deno.env.delete(name);
    }
  }
}

/** Throws a UsageError for an argument that was not UTF-8: Deno puts U+FFFD in the place of each such byte. */
export function requireReadable(args: readonly string[]): void {
  initialDirectory();
  const at = args.findIndex((arg) => arg.includes("\ufffd"));
  if (at < 0) return;
  throw new UsageError(
    `Invalid argument ${at + 1} (value not shown) (command line): expected UTF-8 without the ` +
      "character U+FFFD, which stands for bytes that cannot be read",
  );
}

/** Where `deno task` was called, which changes into the project's directory. */
function initialDirectory(): string | undefined {
  return Deno.build.standalone ? undefined : readEnvironment("INIT_CWD");
}

/** Where the command was given. A directory whose path is not UTF-8 is still the one that relative paths begin at. */
function workingDirectory(): string {
  try {
    return initialDirectory() ?? Deno.cwd();
  } catch (thrown) {
    if (thrown instanceof Deno.errors.InvalidData || thrown instanceof UsageError) return ".";
    throw thrown;
  }
}

/** How long reading a file of settings may take, in ms. */
const LONGEST_READ_MS = 5000;
/** And how large one may be, in bytes. */
const LARGEST_TEXT = 16 * 2 ** 20;

/**
 * The text of a file of settings or a token. A pipe may be one, but neither one that nobody writes to nor one that never
 * ends; reading may go on nevertheless.
 */
async function readText(path: string, signal?: AbortSignal): Promise<string> {
  const giveUp = new AbortController();
  const { promise: ended, reject } = Promise.withResolvers<never>();
  const end = (why: string) => {
    giveUp.abort();
    reject(new Error(why));
  };
  const interrupted = () => end("interrupted");
  const timeout = deadline(LONGEST_READ_MS);
  const late = () => end(`it came to no end within ${LONGEST_READ_MS / 1000} s`);
  timeout.signal.addEventListener("abort", late);
  signal?.addEventListener("abort", interrupted);
  try {
    const bytes = await Promise.race([readAll(path, giveUp.signal), ended]);
    return new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
  } finally {
    timeout.signal.removeEventListener("abort", late);
    timeout.clear();
    signal?.removeEventListener("abort", interrupted);
  }
}

async function readAll(path: string, giveUp: AbortSignal): Promise<Uint8Array> {
  const isPipe = await Deno.stat(path).then(({ isFifo }) => isFifo === true, (thrown) => {
    // The usual `.env`: opening it would only say the same.
    if (thrown instanceof Deno.errors.NotFound) throw thrown;
    return false;
  });
  const kept = new ByteBuffer();
  for await (const chunk of isPipe ? pipeChunks(path, giveUp) : fileChunks(path)) {
    if (kept.length + chunk.length > LARGEST_TEXT) {
      throw new Error(`it is larger than ${LARGEST_TEXT / 2 ** 20} MiB`);
    }
    kept.append(chunk);
  }
  return kept.bytes;
}

const CHUNK = 65_536;

async function* fileChunks(path: string): AsyncGenerator<Uint8Array> {
  using file = await Deno.open(path);
  const chunk = new Uint8Array(CHUNK);
  for (let read = await file.read(chunk); read !== null; read = await file.read(chunk)) {
    yield chunk.subarray(0, read);
  }
}

/** How often a pipe is looked at, in ms. */
const LOOK_MS = 10;

/**
 * Opening a pipe waits for somebody who writes, in Deno 2.6 with all that the process does; not so with O_NONBLOCK, and
 * then reading has to ask again and again.
 */
async function* pipeChunks(path: string, giveUp: AbortSignal): AsyncGenerator<Uint8Array> {
  const [{ open }, { constants }] = await Promise.all([
    import("node:fs/promises"),
    import("node:fs"),
  ]);
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const chunk = new Uint8Array(CHUNK);
    // Before somebody has written, there is no end: nobody may have opened it yet.
    for (let begun = false; !giveUp.aborted;) {
      const read = await readSome(file, chunk);
      if (read === 0 && begun) return;
      begun ||= (read ?? 0) > 0;
      if (read) yield chunk.subarray(0, read);
      else await systemClock.sleep(LOOK_MS, giveUp);
    }
  } finally {
    await file.close();
  }
}

/** How many bytes; undefined when there is nothing for now. */
async function readSome(
  file: {
    read(buffer: Uint8Array, offset: number, length: number): Promise<{ bytesRead: number }>;
  },
  into: Uint8Array,
): Promise<number | undefined> {
  try {
    return (await file.read(into, 0, into.length)).bytesRead;
  } catch (thrown) {
    const isEmpty = thrown instanceof Error && "code" in thrown && thrown.code === "EAGAIN";
    if (isEmpty) return undefined;
    throw thrown;
  }
}
