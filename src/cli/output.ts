import { messageOf } from "../platform/errors.ts";

/** As much of Deno.stdout and Deno.stderr as is needed. */
interface Stream {
  write(bytes: Uint8Array): Promise<number>;
  isTerminal(): boolean;
}

interface OutputOptions {
  readonly stdout: Stream;
  readonly stderr: Stream;
  /** Nobody reads standard output any more. */
  readonly closed: () => void;
  /** Standard output cannot be written, and why; said once. What is to be said about it goes to standard error. */
  readonly failed: (reason: string) => void;
  readonly sleep: (ms: number) => Promise<void>;
  /** Milliseconds since an arbitrary start. */
  readonly now: () => number;
}

interface Piece {
  readonly to: Stream;
  text: string;
}

/** Whoever can wait does so while more than this waits to be written, in UTF-16 units. */
const MOST_WAITING = 2 ** 20;
/** A pipe that says "try again" (EAGAIN) has a reader that is slow; one that takes nothing for so long, in ms, has none. */
const NO_PROGRESS_MS = 60_000;

/**
 * Standard output and standard error, in the order of what is written to them. Nothing that is done here waits for their
 * readers: a pipe that is full keeps neither the sending nor a signal waiting, and one that fails ends neither.
 */
export class Output {
  readonly #options: OutputOptions;
  #waiting: Piece[] = [];
  /** What is written to standard error past all else. */
  #aside: Promise<void> | undefined;
  #length = 0;
  #pump: Promise<void> | undefined;
  #progress = Promise.withResolvers<void>();
  #isClosed = false;
  #failed = false;
  /** A line was written in part, and its rest is lost. */
  #torn = false;

  constructor(options: OutputOptions) {
    this.#options = options;
  }

  /** Something that was printed on standard output is missing there. */
  get failed(): boolean {
    return this.#failed;
  }

  stdout(text: string): void {
    if (!this.#isClosed) this.#add({ to: this.#options.stdout, text });
  }

  stderr(text: string): void {
    if (this.#aside === undefined) this.#add({ to: this.#options.stderr, text });
    else this.#sayAside(text);
  }

  /** Resolves when everything is written, or cannot be. */
  async flushed(): Promise<void> {
    while (this.#pump !== undefined) await this.#pump;
    await this.#aside;
  }

  /** From now on standard error does not wait for standard output: its reader may be what hangs. */
  hurry(): void {
    this.#aside = Promise.resolve();
    for (const { to, text } of this.#waiting) if (to === this.#options.stderr) this.#sayAside(text);
    this.#waiting = this.#waiting.filter(({ to }) => to !== this.#options.stderr);
  }

  #sayAside(text: string): void {
    const { stderr: to } = this.#options;
    this.#aside = this.#aside?.then(async () => void await this.#writeAll({ to, text }));
  }

  /** Resolves when little enough waits for a slow reader that more may come, or when `signal` is aborted. */
  async hasRoom(signal: AbortSignal): Promise<void> {
    if (this.#length <= MOST_WAITING) return;
    const aborted = Promise.withResolvers<void>();
    const abort = () => aborted.resolve();
    signal.addEventListener("abort", abort, { once: true });
    while (this.#length > MOST_WAITING && !signal.aborted) {
      await Promise.race([this.#progress.promise, aborted.promise]);
    }
    signal.removeEventListener("abort", abort);
  }

  #add(piece: Piece): void {
    this.#length += piece.text.length;
    const last = this.#waiting.at(-1);
    if (last?.to === piece.to) last.text += piece.text;
    else this.#waiting.push(piece);
    this.#pump ??= this.#write();
  }

  async #write(): Promise<void> {
    // What is printed at once is written at once.
    await Promise.resolve();
    for (let piece = this.#waiting.shift(); piece !== undefined; piece = this.#waiting.shift()) {
      const { stdout } = this.#options;
      if (piece.to !== stdout) await this.#writeAll(piece);
      else if (!this.#isClosed) await this.#writeStdout(piece);
      this.#length -= piece.text.length;
      this.#progress.resolve();
      this.#progress = Promise.withResolvers();
    }
    this.#pump = undefined;
  }

  async #writeStdout({ to, text }: Piece): Promise<void> {
    const { written, thrown } = await this.#writeAll({ to, text: this.#torn ? `\n${text}` : text });
    if (thrown === undefined) {
      this.#torn = false;
    } else if (thrown instanceof Deno.errors.BrokenPipe) {
      this.#isClosed = true;
      this.#options.closed();
    } else {
      this.#torn ||= written > 0;
      if (!this.#failed) this.#options.failed(messageOf(thrown));
      this.#failed = true;
    }
  }

  /** How many bytes were written, and what was thrown when it was not all. */
  async #writeAll(
    { to, text }: Piece,
  ): Promise<{ readonly written: number; readonly thrown?: unknown }> {
    const { now, sleep } = this.#options;
    const bytes = new TextEncoder().encode(text);
    let written = 0;
    let progressAt = now();
    let pauseMs = 1;
    while (written < bytes.length) {
      try {
        written += await to.write(nextChunk(bytes, written));
        progressAt = now();
        pauseMs = 1;
      } catch (thrown) {
        const isSlow = thrown instanceof Deno.errors.WouldBlock;
        if (!isSlow || now() - progressAt > NO_PROGRESS_MS) return { written, thrown };
        await sleep(pauseMs);
        pauseMs = Math.min(pauseMs * 2, 100);
      }
    }
    return { written };
  }
}

/** What a pipe takes as a whole or not at all (PIPE_BUF of Linux). */
const ATOMIC = 4096;

/**
 * What is written at once. Deno's standard output is buffered by line: of what a full pipe takes in part the rest is kept
 * there, and yet it throws "try again", so that a second try would repeat it. Whole lines that fit into a pipe at once,
 * and pieces of longer ones, never are in between.
 */
function nextChunk(bytes: Uint8Array, from: number): Uint8Array {
  const chunk = bytes.subarray(from, from + ATOMIC);
  const end = chunk.lastIndexOf(LINE_FEED) + 1;
  return end > 0 ? chunk.subarray(0, end) : chunk;
}

const LINE_FEED = 0x0a;
