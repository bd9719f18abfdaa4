import type { Clock } from "../../platform/clock.ts";
import type { Growing, LineConsumer } from "./input.ts";
import { InputError, isSystemError } from "./input_error.ts";
import type { FilePlace, Place } from "./place.ts";

export interface FollowOptions {
  readonly path: string;
  /** As the user gave it. */
  readonly shown: string;
  /** Where an earlier process left off; undefined begins at the first byte. */
  readonly from: Place | undefined;
  readonly clock: Clock;
  readonly stop: AbortSignal;
  readonly warn: (message: string) => void;
  /** `head`: the file's first line, when reading begins somewhere behind it. */
  readonly consumer: (head: Uint8Array | undefined) => LineConsumer;
}

/** How often the file is looked at, in ms. */
const POLL_MS = 200;
/** A writer may go on with the old file for a while after a rotation: nginx until it gets its signal. */
const OLD_FILE_MS = 60_000;
/** More are not kept open: the oldest ends. */
const MOST_TAILS = 32;
/** So often is a file looked for that is not found at the beginning. */
const RESUME_AGAIN = 5;
/** A file system's times may be as coarse as that, in ms. */
const RECENT_MS = 2000;
const CHUNK = 256 * 1024;
const HEAD = 1024;

/**
 * Reads a file as it grows, across rename-and-create and copy-and-truncate. Every step of the iteration comes right
 * after bytes went to a consumer; `place` then says how far.
 */
export class FollowedFile implements Growing {
  readonly #options: FollowOptions;
  #tails: Tail[] = [];
  #missingSaid = false;
  /** What the path names, of the tails the last one. */
  #current: Tail | undefined;
  #listedAt = 0;
  #started: Promise<void> | undefined;
  /** Rotated files that were there before. */
  #known = new Set<string>();
  /** When the folder was last changed, as it was at the last look; undefined: look again. */
  #changed: number | undefined;
  /** Bytes that were read. */
  bytes = 0;

  constructor(options: FollowOptions) {
    this.#options = options;
  }

  get place(): Place {
    return { at: this.#listedAt, files: this.#tails.map((tail) => tail.place) };
  }

  /** Opens the file, or finds again what was being read: from then on there is a place. Throws when it may not be read. */
  start(): Promise<void> {
    return this.#started ??= this.#resume().then(async () => void await this.#rotate());
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
        // Files are added while they are read.
        for (let i = 0; i < this.#tails.length; i++) {
          const tail = this.#tails[i];
          if (tail === undefined) break;
          if (await tail.wasRewritten()) {
            await this.#rewind(tail);
            // The copy comes first.
            i--;
            continue;
          }
          for (let piece = await tail.next(); piece !== undefined; piece = await tail.next()) {
            // Bytes that were written after a rotation count only when what was rotated away is among the places.
            await this.#readRotated();
            this.#take(tail, piece);
            yield;
            if (stop.aborted) return;
          }
        }
        // What was written before the signal has been read.
        if (stop.aborted) return;
        if (await this.#rotate() || await this.#readRotated()) continue;
        if (this.#retire(clock.monotonic())) yield;
        await clock.sleep(POLL_MS, stop);
      }
    } finally {
      for (const tail of this.#tails) tail.close();
    }
  }

  #take(tail: Tail, piece: Uint8Array): void {
    tail.take(piece);
    this.bytes += piece.length;
  }

  /** A file that was truncated begins anew; what was not read of it yet is in the copy that was made before. */
  async #rewind(tail: Tail): Promise<void> {
    const { path, consumer } = this.#options;
    const { place } = tail;
    const copies = (await siblingsOf(path)).filter(({ inode }) => inode !== place.inode);
    const copy = place.offset === 0 ? undefined : await find(place, copies);
    if (copy !== undefined) this.#add(await Tail.resumed(copy.path, place.offset, consumer));
    tail.rewind(consumer(undefined));
  }

  /** Among the files that are not written to any more, before the one that is. */
  #add(tail: Tail): void {
    tail.leave(this.#options.clock.monotonic());
    this.#known.add(identity(tail.place));
    this.#tails = this.#current === undefined
      ? [...this.#tails, tail]
      : [...this.#tails.filter((it) => it !== this.#current), tail, this.#current];
  }

  /** Opens what the path names now, when that is another file or the same one written anew. */
  async #rotate(): Promise<boolean> {
    const { path, shown, warn, consumer, clock } = this.#options;
    const found = await openFile(path).catch((thrown) => {
      if (thrown instanceof Deno.errors.NotFound) return undefined;
      throw thrown;
    });
    if (found === undefined) {
      // Between the rename and the new file there is none for a moment.
      if (this.#tails.length === 0 && !this.#missingSaid) {
        this.#missingSaid = true;
        warn(`"${shown}" does not exist yet: waiting for it`);
      }
      return false;
    }
    if (this.#tails.some((tail) => tail.isFile(found.info))) {
      found.file.close();
      return false;
    }
    for (const tail of this.#tails) tail.leave(clock.monotonic());
    this.#current = undefined;
    // At the very beginning what lies beside the file was rotated away before.
    if (this.#tails.length > 0) await this.#readRotated();
    else {
      this.#listedAt = clock.wall();
      for (const it of await siblingsOf(path)) this.#known.add(identity(it));
    }
    const tail = new Tail(found.file, found.info, consumer(undefined));
    this.#known.add(identity(tail.place));
    this.#tails = [...this.#tails, tail];
    this.#current = tail;
    return true;
  }

  /** Ends what was rotated away and has been quiet for long enough; whether there was any. */
  #retire(now: number): boolean {
    const ended = this.#tails.filter((tail, i) =>
      tail !== this.#current && (tail.isQuiet(now) || i < this.#tails.length - MOST_TAILS)
    );
    for (const tail of ended) tail.end();
    this.#tails = this.#tails.filter((tail) => !ended.includes(tail));
    return ended.length > 0;
  }

  /** Takes up where the place says, also when the files have other names by now. */
  async #resume(): Promise<void> {
    const { from, path, shown, warn, consumer, clock, stop } = this.#options;
    if (from === undefined) return;
    let siblings = await siblingsOf(path);
    for (const place of from.files) {
      let found = await find(place, siblings);
      // A rotation that is under way at this moment is over soon.
      for (let again = 0; found === undefined && again < RESUME_AGAIN && !stop.aborted; again++) {
        await clock.sleep(POLL_MS, stop);
        siblings = await siblingsOf(path);
        found = await find(place, siblings);
      }
      if (found === undefined) {
        warn(
          `the file that was followed as "${shown}" (inode ${place.inode}, read up to byte ${place.offset}) is gone: ` +
            "lines that were written to it in the meantime cannot be read",
        );
        continue;
      }
      this.#add(await Tail.resumed(found.path, place.offset, consumer));
    }
    // What was last written before the last look had been read, or was not to be.
    for (const it of siblings) if (it.mtime < from.at - RECENT_MS) this.#known.add(identity(it));
    await this.#readRotated();
  }

  /**
   * Reads files that came and were rotated away since the last look. The copy of a file that is being read is no such
   * file: what is not read of it yet is read when the file is truncated.
   */
  async #readRotated(): Promise<boolean> {
    const { path, consumer, clock } = this.#options;
    const listedAt = clock.wall();
    const changed = await changeOf(path);
    if (changed !== undefined && changed === this.#changed) {
      this.#listedAt = listedAt;
      return false;
    }
    let undecided = false;
    let found = false;
    for (const it of (await siblingsOf(path)).sort((a, b) => a.mtime - b.mtime)) {
      if (it.path === path || this.#known.has(identity(it)) || this.#isOpen(it)) continue;
      const copied = await this.#isCopy(it);
      undecided ||= copied === undefined;
      if (copied === undefined) continue;
      this.#known.add(identity(it));
      if (copied) continue;
      this.#add(await Tail.resumed(it.path, 0, consumer));
      found = true;
    }
    // Within the same moment another file may come, which the time does not show.
    const recent = changed === undefined || clock.wall() - changed < RECENT_MS;
    this.#changed = undecided || recent ? undefined : changed;
    if (!undecided) this.#listedAt = listedAt;
    return found;
  }

  /** Whether a file begins as one does that is being read; undefined while it is too short to tell. */
  async #isCopy({ path }: Sibling): Promise<boolean | undefined> {
    const { file } = await openFile(path);
    try {
      for (const { head } of this.#tails) {
        if (head.length === 0) continue;
        const bytes = await readAt(file, 0, head.length);
        if (bytes.some((byte, i) => byte !== head[i])) continue;
        return bytes.length === head.length ? true : undefined;
      }
      return false;
    } finally {
      file.close();
    }
  }

  #isOpen({ device, inode }: Sibling): boolean {
    return this.#tails.some(({ place }) => place.device === device && place.inode === inode);
  }
}

function identity({ device, inode }: Pick<Sibling, "device" | "inode">): string {
  return `${device}:${inode}`;
}

interface Sibling {
  readonly path: string;
  readonly inode: number;
  readonly device: number;
  readonly size: number;
  readonly mtime: number;
}

/** When a file was last added to the folder, renamed or removed, ms since 1970. */
async function changeOf(path: string): Promise<number | undefined> {
  const folder = /^(.*)[\\/][^\\/]*$/.exec(path)?.[1];
  return (await Deno.stat(folder ?? ".")).mtime?.getTime();
}

/** What a rotation adds to a name: `.1`, `-20261124`, `.2026-11-24T10`. */
const ROTATED = String.raw`[.-]\d[\d.T:_-]*`;

/** The file itself and those beside it whose names rotation makes of its own: `log.1`, `log-20261124`, `app.1.log`. */
async function siblingsOf(path: string): Promise<Sibling[]> {
  const [, folder = "", name = path] = /^(.*[\\/])?([^\\/]*)$/.exec(path) ?? [];
  const [, stem = name, ending = ""] = /^(.*?)(\.[^.]*)?$/.exec(name) ?? [];
  const rotated = new RegExp(
    `^(?:${escape(name)}(?:${ROTATED})?|${escape(stem)}${ROTATED}${escape(ending)})$`,
  );
  const siblings: Sibling[] = [];
  for await (const entry of Deno.readDir(folder === "" ? "." : folder)) {
    if (!entry.isFile || !rotated.test(entry.name)) continue;
    const info = await Deno.stat(folder + entry.name).catch(() => undefined);
    if (info === undefined) continue;
    siblings.push({
      path: folder + entry.name,
      inode: info.ino ?? 0,
      device: info.dev,
      size: info.size,
      mtime: info.mtime?.getTime() ?? 0,
    });
  }
  return siblings;
}

function escape(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

/** The file of a place: the same inode with the same beginning, or a copy of it (copy-and-truncate). */
async function find(place: FilePlace, siblings: readonly Sibling[]): Promise<Sibling | undefined> {
  const same = siblings.filter(({ inode, device }) =>
    inode === place.inode && device === place.device
  );
  const others = siblings.filter((it) => !same.includes(it));
  for (const sibling of [...same, ...others]) {
    if (sibling.size < place.offset) continue;
    if (place.head.length === 0 && !same.includes(sibling)) continue;
    const { file } = await openFile(sibling.path);
    try {
      if (await sha256(await readAt(file, 0, place.head.length)) === place.head.sha256) {
        return sibling;
      }
    } finally {
      file.close();
    }
  }
  return undefined;
}

/** One file that is read to its end, again and again. */
class Tail {
  readonly #file: Deno.FsFile;
  readonly #info: Deno.FileInfo;
  #consumer: LineConsumer;
  #offset: number;
  #head = new Uint8Array();
  #sha256 = EMPTY_SHA256;
  /** When it was rotated away, on the monotonic clock. */
  #leftAt: number | undefined;
  readonly #buffer = new Uint8Array(CHUNK);

  constructor(file: Deno.FsFile, info: Deno.FileInfo, consumer: LineConsumer, offset = 0) {
    this.#file = file;
    this.#info = info;
    this.#consumer = consumer;
    this.#offset = offset;
  }

  static async resumed(
    path: string,
    offset: number,
    consumer: FollowOptions["consumer"],
  ): Promise<Tail> {
    const { file, info } = await openFile(path);
    const first = offset === 0 ? undefined : firstLine(await readAt(file, 0, CHUNK));
    const tail = new Tail(file, info, consumer(first), offset);
    await tail.#remember(await readAt(file, 0, Math.min(HEAD, offset)));
    return tail;
  }

  get head(): Uint8Array {
    return this.#head;
  }

  get place(): FilePlace {
    return {
      device: this.#info.dev,
      inode: this.#info.ino ?? 0,
      offset: this.#offset - this.#consumer.held,
      head: { length: this.#head.length, sha256: this.#sha256 },
    };
  }

  isFile({ dev, ino }: Deno.FileInfo): boolean {
    return dev === this.#info.dev && ino === this.#info.ino;
  }

  /** What comes next, if there is something: for `take`, unless the file was truncated meanwhile. */
  async next(): Promise<Uint8Array | undefined> {
    await this.#file.seek(this.#offset, Deno.SeekMode.Start);
    const read = await this.#file.read(this.#buffer) ?? 0;
    if (read === 0) return undefined;
    const piece = this.#buffer.slice(0, read);
    if (this.#head.length < HEAD && this.#offset === this.#head.length) {
      await this.#remember(concat(this.#head, piece.subarray(0, HEAD - this.#head.length)));
    }
    return piece;
  }

  /** Hands it to the consumer. */
  take(piece: Uint8Array): void {
    this.#offset += piece.length;
    this.#consumer.push(piece);
    this.#leftAt = undefined;
  }

  /** Whether it is shorter than what was read of it, or begins with something else. */
  async wasRewritten(): Promise<boolean> {
    const { size } = await this.#file.stat();
    if (size < this.#offset) return true;
    const head = await readAt(this.#file, 0, this.#head.length);
    return head.some((byte, i) => byte !== this.#head[i]);
  }

  /** Begins anew at its first byte: it was truncated after a copy of it was made. */
  rewind(consumer: LineConsumer): void {
    this.#consumer = consumer;
    this.#offset = 0;
    this.#head = new Uint8Array();
    this.#sha256 = EMPTY_SHA256;
  }

  leave(now: number): void {
    this.#leftAt ??= now;
  }

  isQuiet(now: number): boolean {
    this.#leftAt ??= now;
    return now - this.#leftAt >= OLD_FILE_MS;
  }

  end(): void {
    this.#consumer.end();
    this.close();
  }

  close(): void {
    this.#file.close();
  }

  async #remember(head: Uint8Array<ArrayBuffer>): Promise<void> {
    this.#head = head;
    this.#sha256 = await sha256(head);
  }
}

async function openFile(path: string): Promise<{ file: Deno.FsFile; info: Deno.FileInfo }> {
  const file = await Deno.open(path);
  const info = await file.stat();
  if (!info.isDirectory) return { file, info };
  file.close();
  throw new Deno.errors.IsADirectory("it is a directory");
}

async function readAt(
  file: Deno.FsFile,
  offset: number,
  length: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(length);
  await file.seek(offset, Deno.SeekMode.Start);
  let at = 0;
  while (at < length) {
    const read = await file.read(bytes.subarray(at));
    if (read === null) break;
    at += read;
  }
  return bytes.slice(0, at);
}

function firstLine(bytes: Uint8Array): Uint8Array | undefined {
  const feed = bytes.indexOf(10);
  return feed < 0 ? undefined : bytes.slice(0, feed + 1);
}

function concat(a: Uint8Array, b: Uint8Array): Uint8Array<ArrayBuffer> {
  const joined = new Uint8Array(a.length + b.length);
  joined.set(a);
  joined.set(b, a.length);
  return joined;
}

/** Of no bytes at all. */
const EMPTY_SHA256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}
