import { ByteBuffer } from "../platform/byte_buffer.ts";
import { systemClock } from "../platform/clock.ts";
import { deadline } from "../platform/deadline.ts";
import { UsageError } from "../platform/errors.ts";
import { Secrets } from "../redact/secrets.ts";
import type { System } from "../platform/system.ts";
import type { Signals } from "./signals.ts";

/** Creates the System that a command sees of this machine. */
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

/** Returns the width of the terminal, which may change. Some terminals report 0. */
function terminalColumns(): number | undefined {
  return Deno.stdout.isTerminal() ? Deno.consoleSize().columns || 80 : undefined;
}

async function openStream(path: string) {
  if (await isPipe(path)) return { stream: await openPipe(path), bytes: 0 };
  const file = await Deno.open(path);
  const { size, isDirectory } = await file.stat();
  if (!isDirectory) {
    const { readAhead, WholeFile } = await import("../platform/read_ahead.ts");
    return { stream: readAhead(new WholeFile(file, size)), bytes: size };
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

/**
 * Checks standard input without /dev/stdin, which since Deno 2.9 needs all permissions. Loading node:fs takes 25 ms.
 */
async function stdinHasDataByNumber(): Promise<boolean> {
  const { fstatSync } = await import("node:fs");
  try {
    const stdin = fstatSync(0);
    return stdin.isFIFO() || stdin.isFile();
  } catch {
    return false; // closed
  }
}

/** Variables of which only one word counts, or that they are set; any other value is not an error. */
const ANY_VALUE: readonly string[] = ["GITHUB_ACTIONS", "NO_COLOR", "TERM"];

/** Variables that Deno's Node modules read, each of which throws when its value is not UTF-8. */
const READ_BY_NODE = [
  "NODE_EXTRA_CA_CERTS",
  "NODE_OPTIONS",
  "NODE_TLS_REJECT_UNAUTHORIZED",
  "NODE_USE_SYSTEM_CA",
] as const;

/**
 * Returns an environment variable. If its bytes are not UTF-8, throws a UsageError that does not quote them as Deno
 * does; fetch would ignore such a proxy.
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

/** Removes variables that would keep a Node module from loading and that this program cannot use. */
export function forgetUnreadable(): void {
  for (const name of READ_BY_NODE) {
    try {
      Deno.env.get(name);
    } catch (thrown) {
      if (thrown instanceof Deno.errors.InvalidData) Deno.env.delete(name);
    }
  }
}

/** Throws a UsageError for an argument that was not UTF-8: Deno replaces each such byte with U+FFFD. */
export function requireReadable(args: readonly string[]): void {
  initialDirectory();
  const at = args.findIndex((arg) => arg.includes("\ufffd"));
  if (at < 0) return;
  throw new UsageError(
    `Invalid argument ${at + 1} (value not shown) (command line): expected UTF-8 without the ` +
      "character U+FFFD, which stands for bytes that cannot be read",
  );
}

/** Returns the directory where `deno task` was called, which changes into the project's directory. */
function initialDirectory(): string | undefined {
  return Deno.build.standalone ? undefined : readEnvironment("INIT_CWD");
}

/** Returns the directory where the command was given. Relative paths begin there even if its own path is not UTF-8. */
function workingDirectory(): string {
  try {
    return initialDirectory() ?? Deno.cwd();
  } catch (thrown) {
    if (thrown instanceof Deno.errors.InvalidData || thrown instanceof UsageError) return ".";
    throw thrown;
  }
}

/** Maximum time for reading a file of settings, in ms. */
const LONGEST_READ_MS = 5000;
/** Maximum size of a file of settings, in bytes. */
const LARGEST_TEXT = 16 * 2 ** 20;

/**
 * Reads a file of settings or a token. It may be a pipe, but not one without a writer or an end. Reading may continue
 * in the background after an error.
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
  const late = () => end(`it did not end within ${LONGEST_READ_MS / 1000} s`);
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

async function isPipe(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isFifo === true;
  } catch (thrown) {
    // The usual `.env`: opening it would only say the same.
    if (thrown instanceof Deno.errors.NotFound) throw thrown;
    return false;
  }
}

async function readAll(path: string, giveUp: AbortSignal): Promise<Uint8Array> {
  const kept = new ByteBuffer();
  const isFifo = await isPipe(path);
  const chunks = isFifo ? pipeChunks(await openUnblocked(path), giveUp) : fileChunks(path);
  for await (const chunk of chunks) {
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

/** Interval between looks at a pipe, in ms: the shortest, while bytes come, and the longest. */
const [LOOK_MS, LONGEST_LOOK_MS] = [1, 16];

/** Opens a pipe as a stream; cancelling the stream ends the wait for a writer. */
async function openPipe(path: string): Promise<ReadableStream<Uint8Array>> {
  const giveUp = new AbortController();
  const chunks = pipeChunks(await openUnblocked(path), giveUp.signal);
  return new ReadableStream({
    async pull(controller) {
      const { done, value } = await chunks.next();
      if (done === true) controller.close();
      else controller.enqueue(value);
    },
    cancel: () => giveUp.abort(),
  }, { highWaterMark: 0 });
}

/** Opens a pipe. A plain open waits for a writer, in Deno 2.6 with the whole process; with O_NONBLOCK it does not. */
async function openUnblocked(path: string) {
  const [{ open }, { constants }] = await Promise.all([
    import("node:fs/promises"),
    import("node:fs"),
  ]);
  return await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
}

type OpenPipe = Awaited<ReturnType<typeof openUnblocked>>;

/** Reads a pipe that was opened without blocking: reading has to poll. */
async function* pipeChunks(file: OpenPipe, giveUp: AbortSignal): AsyncGenerator<Uint8Array> {
  try {
    const chunk = new Uint8Array(CHUNK);
    // Before somebody has opened it for writing, there is no end.
    let isOpen = false;
    let pauseMs = LOOK_MS;
    while (!giveUp.aborted) {
      const read = await readSome(file, chunk);
      if (read === 0 && isOpen) return;
      isOpen ||= read !== 0;
      if (read) {
        pauseMs = LOOK_MS;
        yield chunk.subarray(0, read);
      } else {
        await systemClock.sleep(pauseMs, giveUp);
        pauseMs = Math.min(2 * pauseMs, LONGEST_LOOK_MS);
      }
    }
  } finally {
    await file.close();
  }
}

/** Reads some bytes and returns how many; undefined if there are none yet. */
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
