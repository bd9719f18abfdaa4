import { messageOf, UsageError } from "../../platform/errors.ts";
import type { RequestEvent } from "./event.ts";

/** File to save requests in, and its limit. */
export interface SaveOptions {
  /** Absolute path of FILE. */
  readonly path: string;
  /** Maximum size of FILE and FILE.1 together, in bytes. */
  readonly mostBytes: number;
}

const NEWLINE = "\n".charCodeAt(0);

/**
 * Keeps accepted requests as lines of OTLP/JSON, as the Collector's file exporter writes them. A line is in the file
 * before its request is answered. When FILE holds half of the limit it becomes FILE.1 and replaces the one before.
 */
export class SaveFile {
  readonly #path: string;
  readonly #mostBytes: number;
  readonly #complain: (message: string) => void;
  #file: Deno.FsFile;
  #length: number;
  #unsaved = 0;

  private constructor(
    { path, mostBytes }: SaveOptions,
    file: Deno.FsFile,
    complain: (message: string) => void,
  ) {
    this.#path = path;
    this.#mostBytes = Math.floor(mostBytes / 2);
    this.#complain = complain;
    this.#file = file;
    this.#length = file.statSync().size;
  }

  /** Opens the file for appending. `complain` is called once if something cannot be saved. */
  static openForAppend(options: SaveOptions, complain: (message: string) => void): SaveFile {
    try {
      const file = open(options.path);
      const save = new SaveFile(options, file, complain);
      save.#endLine();
      return save;
    } catch (thrown) {
      const instead = thrown instanceof Deno.errors.NotCapable ? ". Name a regular file" : "";
      throw new UsageError(
        `--save "${options.path}" cannot be written: ${messageOf(thrown)}${instead}`,
      );
    }
  }

  /** Number of accepted requests that could not be saved. */
  get unsaved(): number {
    return this.#unsaved;
  }

  /** Saves an accepted request; `toJson` converts it. */
  add({ outcome, request }: RequestEvent, toJson: (request: SavedRequest) => unknown): void {
    if (request === undefined || request.resourceMetrics.length === 0) return;
    if (outcome !== "accepted" && outcome !== "partial") return;
    const line = new TextEncoder().encode(`${JSON.stringify(toJson(request))}\n`);
    if (line.length > this.#mostBytes) {
      this.#fail(`a request is longer (${line.length} bytes) than half of --save-mb`);
      return;
    }
    try {
      if (this.#length + line.length > this.#mostBytes) this.#turn();
      this.#write(line);
    } catch (thrown) {
      this.#fail(messageOf(thrown));
    }
  }

  /** Flushes the file to disk and closes it. */
  close(): void {
    try {
      this.#file.syncDataSync();
    } catch (thrown) {
      // A device or a pipe knows no sync.
      if (this.#file.statSync().isFile) this.#fail(messageOf(thrown));
    } finally {
      this.#file.close();
    }
  }

  #turn(): void {
    const full = `${this.#path}.1`;
    Deno.renameSync(this.#path, full);
    let next;
    try {
      next = open(this.#path);
    } catch (thrown) {
      // The next request tries again.
      Deno.renameSync(full, this.#path);
      throw thrown;
    }
    this.#file.close();
    this.#file = next;
    this.#length = next.statSync().size;
  }

  #write(line: Uint8Array): void {
    try {
      for (let at = 0; at < line.length;) at += this.#file.writeSync(line.subarray(at));
      this.#length += line.length;
    } catch (thrown) {
      // Half a line would spoil the next one.
      this.#file.truncateSync(this.#length);
      throw thrown;
    }
  }

  /** Ends the last line of the file, whose writer may have been killed in the middle of it. */
  #endLine(): void {
    if (this.#length === 0) return;
    const last = new Uint8Array(1);
    this.#file.seekSync(-1, Deno.SeekMode.End);
    if (this.#file.readSync(last) === 1 && last[0] !== NEWLINE) {
      this.#write(new Uint8Array([NEWLINE]));
    }
  }

  #fail(why: string): void {
    if (this.#unsaved++ > 0) return;
    this.#complain(`--save "${this.#path}": a request was not saved: ${why}`);
  }
}

type SavedRequest = NonNullable<RequestEvent["request"]>;

function open(path: string): Deno.FsFile {
  return Deno.openSync(path, { create: true, append: true, read: true });
}
