import type { Clock } from "../../platform/clock.ts";
import { messageOf, UsageError } from "../../platform/errors.ts";
import { tryLock } from "../../platform/older_deno.ts";
import type { RequestEvent } from "./event.ts";

/** File to save requests in, and its limit. */
export interface SaveOptions {
  /** Absolute path of FILE. */
  readonly path: string;
  /** Maximum size of FILE and FILE.1 together, in bytes. */
  readonly mostBytes: number;
}

const NEWLINE = "\n".charCodeAt(0);

/** Clock and messages that a save file uses. */
export interface SaveWorld {
  readonly clock: Clock;
  /** Prints a warning. */
  readonly warn: (message: string) => void;
  /** Prints a note. */
  readonly note: (message: string) => void;
}

/**
 * Keeps accepted requests as lines of OTLP/JSON, as the Collector's file exporter writes them. A line is in the file
 * before its request is answered. When FILE holds half of the limit it becomes FILE.1 and replaces the one before.
 * Others may rename, remove, replace or truncate FILE at any time (logrotate): the next line is in the file that the
 * path names then.
 */
export class SaveFile {
  readonly #path: string;
  readonly #mostBytes: number;
  readonly #world: SaveWorld;
  #file: Deno.FsFile;
  /** Size of the file after the last write, in bytes. */
  #length: number;
  /** Descriptor that holds the lock; it is used for nothing else. */
  #lock: Deno.FsFile | undefined;
  #isTruncated = false;
  #unsaved = 0;

  private constructor({ path, mostBytes }: SaveOptions, file: Deno.FsFile, world: SaveWorld) {
    this.#path = path;
    this.#mostBytes = Math.floor(mostBytes / 2);
    this.#world = world;
    this.#file = file;
    this.#length = file.statSync().size;
  }

  /** Opens the file for appending; throws a UsageError if it cannot be written or another process saves to it. */
  static async openForAppend(options: SaveOptions, world: SaveWorld): Promise<SaveFile> {
    let save: SaveFile;
    try {
      save = new SaveFile(options, open(options.path), world);
    } catch (thrown) {
      throw cannotWrite(options, thrown);
    }
    if (!await save.#lockFile()) {
      save.#file.close();
      throw new UsageError(
        `--save "${options.path}" is in use: another process saves to it. Choose another file, or end that process first`,
      );
    }
    try {
      save.#endLine();
    } catch (thrown) {
      throw cannotWrite(options, thrown);
    }
    return save;
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
      do {
        this.#follow();
        if (this.#length + line.length > this.#mostBytes) this.#turn();
        this.#write(line);
        // Between the look and the write, the file can be removed.
      } while (this.#file.statSync().nlink === 0 && !this.#isInPlace());
    } catch (thrown) {
      this.#fail(messageOf(thrown));
    }
  }

  /** Flushes the file to disk and closes it. */
  close(): void {
    try {
      this.#file.syncDataSync();
      if (!this.#isInPlace()) {
        this.#world.note(
          `--save "${this.#path}" was renamed or removed after the last request was saved`,
        );
      }
    } catch (thrown) {
      // A device knows no sync.
      if (this.#file.statSync().isFile) this.#fail(messageOf(thrown));
    } finally {
      this.#file.close();
      this.#lock?.close();
    }
  }

  /** Brings this to the state of the file system: opens the file again if the path no longer names it. */
  #follow(): void {
    if (!this.#isInPlace()) {
      this.#replace(open(this.#path));
      this.#world.note(
        `--save "${this.#path}" was renamed or removed: requests are saved in a new file of that name`,
      );
    }
    const { size, isFile } = this.#file.statSync();
    if (size === this.#length || !isFile) return;
    if (size < this.#length && !this.#isTruncated) {
      this.#isTruncated = true;
      this.#world.warn(
        `--save "${this.#path}" was truncated: requests saved while another program copied it can be lost. ` +
          "With logrotate, use create instead of copytruncate",
      );
    }
    this.#length = size;
    this.#endLine();
  }

  /** Whether the path names the file that is open. */
  #isInPlace(): boolean {
    const { dev, ino } = this.#file.statSync();
    try {
      const named = Deno.statSync(this.#path);
      return named.dev === dev && named.ino === ino;
    } catch (thrown) {
      if (thrown instanceof Deno.errors.NotFound) return false;
      throw thrown;
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
    this.#replace(next);
  }

  /** Continues in another file. */
  #replace(next: Deno.FsFile): void {
    this.#file.close();
    this.#file = next;
    this.#length = next.statSync().size;
    this.#lockFile().then((isLocked) => {
      if (isLocked) return;
      this.#world.warn(`--save "${this.#path}": another process also saves to this file`);
    });
  }

  /** Locks the file in place of the one before; resolves to whether no other process has it. */
  async #lockFile(): Promise<boolean> {
    this.#lock?.close();
    this.#lock = undefined;
    // On Windows a lock would also keep readers out.
    if (Deno.build.os === "windows" || !this.#file.statSync().isFile) return true;
    try {
      const lock = open(this.#path);
      this.#lock = lock;
      return await tryLock(lock, this.#world.clock);
    } catch {
      return true; // some file systems have no locks, and a lock is not worth failing
    }
  }

  #write(line: Uint8Array): void {
    let written = 0;
    try {
      while (written < line.length) written += this.#file.writeSync(line.subarray(written));
      this.#length += written;
    } catch (thrown) {
      // Half a line would spoil the next one. If somebody else wrote meanwhile, that stays.
      if (written > 0 && this.#file.statSync().size === this.#length + written) {
        this.#file.truncateSync(this.#length);
      }
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
    this.#world.warn(`--save "${this.#path}": a request was not saved: ${why}`);
  }
}

type SavedRequest = NonNullable<RequestEvent["request"]>;

function isNamedPipe(path: string): boolean {
  try {
    return Deno.statSync(path).isFifo === true;
  } catch {
    return false; // opening it tells what is wrong
  }
}

function open(path: string): Deno.FsFile {
  if (isNamedPipe(path)) {
    throw new UsageError(
      `--save "${path}" is a pipe, which would block when full. ` +
        "Use a regular file, and read it with tail -F",
    );
  }
  return Deno.openSync(path, { create: true, append: true, read: true });
}

function cannotWrite({ path }: SaveOptions, thrown: unknown): UsageError {
  if (thrown instanceof UsageError) return thrown;
  const instead = thrown instanceof Deno.errors.NotCapable ? ". Use a regular file" : "";
  return new UsageError(`--save "${path}" cannot be written: ${messageOf(thrown)}${instead}`);
}
