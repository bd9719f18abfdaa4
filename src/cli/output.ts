import { messageOf } from "../platform/errors.ts";

/** The part of Deno.stdout and Deno.stderr that is used. */
interface Stream {
  write(bytes: Uint8Array): Promise<number>;
  isTerminal(): boolean;
}

interface OutputOptions {
  readonly stdout: Stream;
  readonly stderr: Stream;
  /** Called when nobody reads standard output any more. */
  readonly closed: () => void;
  /** Called once with the reason when standard output cannot be written. Report it on standard error. */
  readonly failed: (reason: string) => void;
  /** Called once when callers wait for room and standard output has accepted nothing for this long. */
  readonly stalled: (ms: number) => void;
  readonly sleep: (ms: number) => Promise<void>;
  /** Returns milliseconds since an arbitrary start. */
  readonly now: () => number;
}

interface Piece {
  readonly to: Stream;
  text: string;
}

/** Amount of waiting text, in UTF-16 units, above which callers that can wait do so. */
const MOST_WAITING = 2 ** 20;
/**
 * Time without progress, in ms, after which a pipe that says "try again" (EAGAIN) has no reader, rather than a slow
 * one.
 */
const NO_PROGRESS_MS = 60_000;
/** Time without progress, in ms, after which whoever waits for standard output says so. */
const STALLED_MS = 5000;

/**
 * Writes to standard output and standard error, in order. It never waits for their readers: a full pipe delays neither
 * sending nor a signal, and a broken one ends neither.
 */
export class Output {
  readonly #options: OutputOptions;
  #waiting: Piece[] = [];
  /** Pending writes to standard error that overtake all others. */
  #aside: Promise<void> | undefined;
  #length = 0;
  #pump: Promise<void> | undefined;
  #progress = Promise.withResolvers<void>();
  #isClosed = false;
  #failed = false;
  /** When standard output last accepted something, or was given something after a pause. */
  #progressAt = 0;
  #watch: Promise<void> | undefined;
  /** Whether a line was written only in part and its rest is lost. */
  #torn = false;

  constructor(options: OutputOptions) {
    this.#options = options;
  }

  /** Whether something printed on standard output is missing there. */
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

  /** Resolves when everything is written or cannot be. */
  async flushed(): Promise<void> {
    while (this.#pump !== undefined) await this.#pump;
    await this.#aside;
  }

  /** Lets standard error overtake standard output from now on, whose reader may be what hangs. */
  hurry(): void {
    this.#aside = Promise.resolve();
    this.#waiting = this.#waiting.filter(({ to, text }) => {
      if (to !== this.#options.stderr) return true;
      this.#length -= text.length;
      this.#sayAside(text);
      return false;
    });
  }

  #sayAside(text: string): void {
    const { stderr: to } = this.#options;
    this.#aside = this.#aside?.then(async () => void await this.#writeAll({ to, text }));
  }

  /** Resolves when a slow reader is ready for more, or when `signal` is aborted, to whether there is a reader. */
  async hasRoom(signal: AbortSignal): Promise<boolean> {
    if (this.#length <= MOST_WAITING) return !this.#isClosed;
    const aborted = Promise.withResolvers<void>();
    const abort = () => aborted.resolve();
    signal.addEventListener("abort", abort, { once: true });
    this.#watch ??= this.#watchReader(signal);
    while (this.#length > MOST_WAITING && !signal.aborted) {
      await Promise.race([this.#progress.promise, aborted.promise]);
    }
    signal.removeEventListener("abort", abort);
    return !this.#isClosed;
  }

  /** Says once that the reader of standard output reads nothing while somebody waits for it. */
  async #watchReader(signal: AbortSignal): Promise<void> {
    const { now, sleep, stalled } = this.#options;
    while (this.#length > MOST_WAITING && !signal.aborted) {
      const left = this.#progressAt + STALLED_MS - now();
      if (left <= 0) {
        // The warning must not wait behind what nobody reads.
        this.hurry();
        return stalled(STALLED_MS);
      }
      await sleep(left);
    }
    this.#watch = undefined;
  }

  #add(piece: Piece): void {
    this.#length += piece.text.length;
    const last = this.#waiting.at(-1);
    if (last?.to === piece.to) last.text += piece.text;
    else this.#waiting.push(piece);
    this.#pump ??= this.#write();
  }

  async #write(): Promise<void> {
    // Text that is printed together is written together.
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

  /** Writes a piece; returns how many bytes were written, and the error if that is not all. */
  async #writeAll(
    { to, text }: Piece,
  ): Promise<{ readonly written: number; readonly thrown?: unknown }> {
    const { now, sleep } = this.#options;
    const bytes = new TextEncoder().encode(text);
    let written = 0;
    let progressAt = now();
    const progressed = () => {
      progressAt = now();
      if (to === this.#options.stdout) this.#progressAt = progressAt;
    };
    progressed();
    let pauseMs = 1;
    while (written < bytes.length) {
      try {
        written += await to.write(nextChunk(bytes, written));
        progressed();
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

/** Number of bytes that a pipe accepts as a whole or not at all (PIPE_BUF of Linux). */
const ATOMIC = 4096;

/**
 * Returns the bytes for one write: whole lines that fit into a pipe at once, or a piece of a longer line. Deno buffers
 * standard output by line. When a full pipe accepts a part, Deno keeps the rest and still throws "try again", so that
 * a second try would repeat it. Pieces of this size are never accepted in part.
 */
function nextChunk(bytes: Uint8Array, from: number): Uint8Array {
  const chunk = bytes.subarray(from, from + ATOMIC);
  const end = chunk.lastIndexOf(LINE_FEED) + 1;
  return end > 0 ? chunk.subarray(0, end) : chunk;
}

const LINE_FEED = 0x0a;
