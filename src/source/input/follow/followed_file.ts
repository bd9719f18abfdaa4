import { counted } from "../../../console/plural.ts";
import type { FilePlace, PathPlace } from "../place.ts";
import type { Clock } from "../../../platform/clock.ts";
import { messageOf } from "../../../platform/errors.ts";
import type { Growing, LineConsumer } from "../input.ts";
import { InputError, isSystemError } from "../input_error.ts";
import { type Begin, beginAt } from "./begin.ts";
import { type FoundFile, openAt, openBytes } from "./file_bytes.ts";
import { findFile } from "./find.ts";
import { splitPath, unlessGone } from "./folder.ts";
import { Rotations } from "./rotations.ts";
import { Tail } from "./tail.ts";

/** Options of following a file: where reading begins, and who gets its bytes and the messages. */
export interface FollowOptions {
  /** Absolute. */
  readonly path: string;
  /** The path as the user gave it. */
  readonly shown: string;
  /** Where an earlier process left off; undefined: there was none. */
  readonly from: PathPlace | undefined;
  /** Where a file begins that is there already and has no place. One that comes later begins at its start. */
  readonly begin: Begin;
  readonly clock: Clock;
  readonly stop: AbortSignal;
  readonly warn: (message: string) => void;
  /** Receives what else is read, and where reading begins. */
  readonly note: (message: string) => void;
  /** Makes the consumer of a file; `head` is its first line when reading begins somewhere behind it. */
  readonly consumer: (head: Uint8Array | undefined) => LineConsumer;
}

/** How often the file is looked at, in ms. */
const POLL_MS = 200;
/** How many files are kept open at most. Beyond it the oldest ends. */
const MOST_TAILS = 32;
/** How often a file is looked for that is not found at the beginning. */
const RESUME_AGAIN = 5;

/**
 * Reads a file as it grows, across rename-and-create and copy-and-truncate, through symbolic links. Every step of the
 * iteration comes right after bytes went to a consumer; `place` then says how far. While whoever iterates does not ask for
 * more, rotations are still seen, and the files that they put aside are kept open.
 */
export class FollowedFile implements Growing {
  readonly #options: FollowOptions;
  readonly #rotations: Rotations;
  /** Oldest first. */
  #tails: Tail[] = [];
  /** The tail of the file that the path names, or last named. */
  #current: Tail | undefined;
  #started: Promise<void> | undefined;
  /** The last warning of something that may pass. */
  #trouble: string | undefined;
  #isMissingTold = false;
  /** Bytes that were read. */
  bytes = 0;

  constructor(options: FollowOptions) {
    this.#options = options;
    this.#rotations = new Rotations(options.path, options.from, options.clock);
  }

  get place(): PathPlace {
    return { files: this.#tails.map((tail) => tail.place), ...this.#rotations.place };
  }

  /** Opens the file, or finds again what was being read: from then on there is a place. Throws when it may not be read. */
  start(): Promise<void> {
    return this.#started ??= this.#begin();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<void> {
    try {
      yield* this.#read();
    } catch (thrown) {
      if (!isSystemError(thrown)) throw thrown;
      throw new InputError(`cannot read "${this.#options.shown}": ${thrown.message}`);
    }
  }

  async *#read(): AsyncGenerator<void> {
    const { clock, stop } = this.#options;
    try {
      await this.start();
      for (;;) {
        for (const tail of this.#tails) {
          // A look while others have their turn may end it.
          while (this.#tails.includes(tail)) {
            const read = await this.#readTail(tail);
            if (read === 0) break;
            this.bytes += read;
            yield* this.#pause();
            if (stop.aborted) return;
          }
        }
        // Everything that was written before the signal has been read.
        if (stop.aborted) return;
        if (await this.#retire(clock.monotonic())) yield;
        await clock.sleep(POLL_MS, stop);
        await this.#look();
      }
    } finally {
      for (const tail of this.#tails) tail.close();
    }
  }

  async #readTail(tail: Tail): Promise<number> {
    try {
      return await tail.read();
    } catch (thrown) {
      // A damaged gzip file, which was rotated away: the followed one is not unpacked.
      if (!(thrown instanceof InputError)) throw thrown;
      const { name } = splitPath(tail.path);
      this.#options.warn(
        `${thrown.message}: bytes of "${name}" after the first ${tail.place.offset} uncompressed ones are lost`,
      );
      this.#rotations.remember(tail.place);
      this.#drop(tail, `"${name}" is damaged`);
      return 0;
    }
  }

  /** Lets whoever iterates take what was read, and looks at the file meanwhile, however long that takes. */
  async *#pause(): AsyncGenerator<void> {
    const { clock, stop } = this.#options;
    const resumed = new AbortController();
    const resume = () => resumed.abort();
    stop.addEventListener("abort", resume);
    const looking = (async () => {
      while (!resumed.signal.aborted) {
        await clock.sleep(POLL_MS, resumed.signal);
        if (!resumed.signal.aborted) await this.#look();
      }
    })();
    try {
      yield;
    } finally {
      stop.removeEventListener("abort", resume);
      resume();
      await looking;
    }
  }

  async #begin(): Promise<void> {
    const { from, path, begin, consumer } = this.#options;
    // A directory may come that is not there yet, but not one in the place of a file.
    const info = await Deno.stat(path).catch((thrown) => {
      if (thrown instanceof Deno.errors.NotFound) return undefined;
      throw thrown;
    });
    const real = await this.#rotations.resolve();
    if (info !== undefined && real === undefined) {
      // A pipe of another process has no path, and only opening it says whether this one may.
      (await Deno.open(path)).close();
      throw new InputError("it is not a regular file");
    }
    if (from !== undefined) {
      await this.#resume(from);
      // A file that had no bytes yet is what the path names now, or one of those that it named in between.
      const isCertain = from.files.length > 0 && !from.files.some(isEmptyPlace);
      if (!isCertain || !await this.#isCurrent(real)) return void await this.#take(real);
    }
    await this.#rotations.know(await this.#rotations.list(), this.#tails);
    if (from !== undefined) return;
    if (real === undefined) return this.#tellMissing();
    const bytes = await openBytes(real);
    if (await bytes.isGzip()) {
      bytes.close();
      throw new InputError("it is compressed, and does not grow: read it without --follow");
    }
    const found = await beginAt(bytes, begin);
    this.#follow(await Tail.at(found, found.offset, consumer(found.firstLine)));
    this.#tellBegin(found.offset);
  }

  #tellBegin(offset: number): void {
    const { shown, begin, note } = this.#options;
    note(
      begin === "start"
        ? `Following "${shown}" from its start`
        : `Following "${shown}" from its end, byte ${offset}. To include existing lines, add --from start`,
    );
  }

  /** Looks which files there are now. A system call that fails at the moment may succeed later. */
  async #look(): Promise<void> {
    const { shown, warn } = this.#options;
    try {
      await this.#lookOnce();
      this.#trouble = undefined;
    } catch (thrown) {
      if (!isSystemError(thrown) && !(thrown instanceof InputError)) throw thrown;
      const trouble = `cannot read the state of "${shown}" (${messageOf(thrown)}): retrying`;
      if (trouble !== this.#trouble) warn(trouble);
      this.#trouble = trouble;
    }
  }

  async #lookOnce(): Promise<void> {
    const real = await this.#rotations.resolve();
    // Listed before the path is looked at: a file that is there already and was not the followed one never was.
    const siblings = await this.#rotations.listChanged();
    const isUnsettled = this.#rotations.isUnsettled || this.#current?.isBlank === true;
    const wasTruncated = await this.#leaveRewritten();
    if (wasTruncated || isUnsettled || !await this.#isCurrent(real)) await this.#take(real);
    else if (siblings !== undefined) await this.#rotations.know(siblings, this.#tails);
  }

  async #isCurrent(real: string | undefined): Promise<boolean> {
    const info = real === undefined ? undefined : await Deno.stat(real).catch(unlessGone);
    return info !== undefined && this.#current?.isFile(info) === true;
  }

  /** Opens what the path names now, and what it may have named since the last look. */
  async #take(real: string | undefined): Promise<void> {
    const { consumer } = this.#options;
    const info = real === undefined ? undefined : await Deno.stat(real).catch(unlessGone);
    if (real === undefined || info === undefined) this.#tellMissing();
    else {
      const again = this.#tails.find((tail) => tail.isFile(info));
      const bytes = again === undefined ? await openBytes(real).catch(unlessGone) : undefined;
      if (again !== undefined) this.#follow(again);
      if (bytes !== undefined) {
        await this.#tellTwice(real);
        this.#follow(await Tail.at(await beginAt(bytes, "start"), 0, consumer(undefined)));
      }
    }
    for (;;) {
      const found = await this.#rotations.openBetween(this.#tails);
      if (found === undefined) return;
      this.#tellAlso(found, 0, "from between two looks");
      this.#add(await Tail.at(found, 0, consumer(undefined)));
    }
  }

  /** Warns when the followed file is gone, and the new one begins with all that was read of it: rsync writes so. */
  async #tellTwice(real: string): Promise<void> {
    const place = this.#current?.place;
    if (place === undefined || place.offset === 0) return;
    const isThere = (await this.#rotations.list()).some(({ device, inode }) =>
      device === place.device && inode === place.inode
    );
    const same = isThere ? undefined : await openAt(real, place).catch(unlessGone);
    if (same === undefined) return;
    same.bytes.close();
    this.#options.warn(
      `"${this.#options.shown}" was replaced by a file that starts with the same ${
        counted(place.offset, "byte")
      }: it is read from its start, and lines that both have count twice. Append to the file in ` +
        "instead of replacing it, for example with rsync --append",
    );
  }

  #tellMissing(): void {
    // Between the rename and the new file there is none for a moment.
    if (this.#current !== undefined || this.#isMissingTold) return;
    this.#isMissingTold = true;
    this.#options.warn(`"${this.#options.shown}" does not exist yet: waiting until it does`);
  }

  /** Names a file that is read as well. */
  #tellAlso({ bytes }: FoundFile, offset: number, what: string): void {
    const { name } = splitPath(bytes.path);
    const where = offset === 0 ? "from its start" : `from byte ${offset} on`;
    this.#options.note(`Also reading "${name}" ${where}: it is "${this.#options.shown}" ${what}`);
  }

  /** From now on the path names this file. */
  #follow(tail: Tail): void {
    this.#isMissingTold = false;
    this.#current = tail;
    this.#tails = [...this.#tails.filter((other) => other !== tail), tail];
  }

  /** Takes leave of files that hold something else now; whether the followed one was truncated. */
  async #leaveRewritten(): Promise<boolean> {
    const { warn, shown, consumer } = this.#options;
    const current = this.#current;
    for (const tail of this.#tails) {
      // A rotated file may be overwritten by the copy of the next one.
      if (tail === current || !await tail.wasRewritten()) continue;
      this.#drop(tail, `"${splitPath(tail.path).name}" was overwritten before it was read`);
    }
    if (current === undefined || !await current.wasRewritten()) return false;
    const { place, unread } = current;
    const copy = await this.#find(place, current);
    if (copy === undefined) {
      warn(
        `"${shown}" was truncated, and its copy was not found: ${lost(unread, "right before")}`,
      );
    } else await this.#readOn(copy, place, "before it was truncated");
    current.rewind(consumer(undefined));
    return true;
  }

  #drop(tail: Tail, why: string): void {
    const { unread } = tail;
    if (unread > 0) this.#options.warn(`${why}: ${counted(unread, "byte is", "bytes are")} lost`);
    tail.close();
    this.#tails = this.#tails.filter((other) => other !== tail);
  }

  async #readOn(found: FoundFile, place: FilePlace, what: string): Promise<Tail> {
    const tail = await Tail.at(found, place.offset, this.#options.consumer(found.firstLine));
    const isOther = found.bytes.path !== this.#rotations.real;
    if (isOther && await tail.hasMore()) this.#tellAlso(found, place.offset, what);
    const { path, info } = found.bytes;
    await this.#rotations.learnFolder(splitPath(path).folder, {
      mtime: info.mtime?.getTime() ?? 0,
    });
    this.#add(tail);
    return tail;
  }

  /** Reads a file that is not written to any more, before the one that is. */
  #add(tail: Tail): void {
    const current = this.#current === undefined ? [] : [this.#current];
    this.#tails = [...this.#tails.filter((other) => other !== this.#current), tail, ...current];
    const [oldest] = this.#tails;
    if (oldest === undefined || this.#tails.length <= MOST_TAILS) return;
    this.#rotations.remember(oldest.place);
    this.#drop(
      oldest,
      `more than ${MOST_TAILS} files of "${this.#options.shown}" are waiting to be read`,
    );
  }

  /** Ends files that were rotated away and have been quiet for long enough; whether there were any. */
  async #retire(now: number): Promise<boolean> {
    const ended = this.#tails.filter((tail) => tail !== this.#current && tail.isQuiet(now));
    for (const tail of ended) {
      await this.#rotations.retire(tail);
      tail.end();
    }
    this.#tails = this.#tails.filter((tail) => !ended.includes(tail));
    return ended.length > 0;
  }

  /** Takes up where the place says, also when the files have other names by now. */
  async #resume({ files }: PathPlace): Promise<void> {
    const { clock, stop } = this.#options;
    for (const place of files) {
      // An inode alone proves nothing: it is used again.
      if (isEmptyPlace(place)) {
        await this.#rotations.learnFolderOf(place);
        continue;
      }
      const isLast = place === files.at(-1);
      const unread = place.size - place.offset;
      let found = await this.#find(place);
      // A rotation that is under way at this moment is over soon.
      const most = isLast || unread > 0 ? RESUME_AGAIN : 0;
      for (let again = 0; found === undefined && again < most && !stop.aborted; again++) {
        await clock.sleep(POLL_MS, stop);
        found = await this.#find(place);
      }
      if (found !== undefined) {
        const tail = await this.#readOn(found, place, "from before its rotation");
        if (isLast) this.#current = tail;
      } else if (isLast || unread > 0) this.#tellGone(place);
    }
  }

  #tellGone({ inode, offset, size }: FilePlace): void {
    const { shown, warn } = this.#options;
    warn(
      `the file that was followed as "${shown}" (inode ${inode}, read up to byte ${offset}) is gone: ` +
        lost(size - offset, "to it since then"),
    );
  }

  /** The file of a place, unless it is read already; not the one that was `rewritten`. */
  async #find(place: FilePlace, rewritten?: Tail): Promise<FoundFile | undefined> {
    const read = rewritten === undefined ? this.#tails : [...this.#tails, rewritten];
    return await findFile(place, this.#rotations.searchFor(place, read));
  }
}

/** Whether a file had no bytes yet, so that nothing identifies it. */
function isEmptyPlace({ head }: FilePlace): boolean {
  return head.length === 0;
}

function lost(unread: number, when: string): string {
  return unread === 0
    ? `any bytes written ${when} are lost`
    : `${counted(unread, "byte is", "bytes are")} lost, and any bytes written ${when}`;
}
