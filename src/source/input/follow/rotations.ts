import { type FilePlace, type KnownFile, NOTHING, type PathPlace } from "../place.ts";
import type { Clock } from "../../../platform/clock.ts";
import { type FoundFile, headOf, openAt, openBytes } from "./file_bytes.ts";
import { LAST_BYTES } from "./fingerprint.ts";
import type { Search } from "./find.ts";
import {
  changeOf,
  filesIn,
  foldersIn,
  RotatedNames,
  type Sibling,
  splitPath,
  unlessClosed,
  unlessGone,
} from "./folder.ts";
import { KnownFiles } from "./known_files.ts";
import type { Tail } from "./tail.ts";

/** A file system's times may be as coarse as that, in ms. */
const RECENT_MS = 2000;

/** Directory in which the followed file is rotated, and what its files are. */
export class Rotations {
  readonly #path: string;
  readonly #clock: Clock;
  readonly #known: KnownFiles;
  #names: RotatedNames;
  /** The directory that the path leads to. */
  #folder: string;
  #real: string | undefined;
  /** Another directory, to which rotation was seen to move files. */
  #oldFolder: string | undefined;
  /** When the directory was last changed, as it was at the last look; undefined: look again. */
  #changed: number | undefined;
  /** Copies of files that are read. They hold nothing unread, unless the file is truncated. */
  readonly #copies = new Map<string, { readonly sibling: Sibling; readonly original: Tail }>();
  #isUnsettled = false;

  constructor(path: string, from: PathPlace | undefined, clock: Clock) {
    const { folder, name } = splitPath(path);
    this.#path = path;
    this.#clock = clock;
    this.#folder = folder;
    this.#names = new RotatedNames(name, name);
    this.#known = new KnownFiles(from);
  }

  get place(): Pick<PathPlace, "known" | "knownUntil"> {
    return this.#known.place;
  }

  /** The path of the followed file without symbolic links; undefined while there is none. */
  get real(): string | undefined {
    return this.#real;
  }

  /** Finds out where the path leads to at the moment. */
  async resolve(): Promise<string | undefined> {
    this.#real = await Deno.realPath(this.#path).catch(unlessGone);
    if (this.#real === undefined) return undefined;
    const { folder, name } = splitPath(this.#real);
    if (folder !== this.#folder) this.#changed = undefined;
    this.#folder = folder;
    if (name !== this.#names.name) {
      this.#names = new RotatedNames(name, splitPath(this.#path).name);
    }
    return this.#real;
  }

  /** The files beside the followed one, if any may have come since the last look. */
  async listChanged(): Promise<readonly Sibling[] | undefined> {
    const changed = await changeOf(this.#folder);
    if (changed !== undefined && changed === this.#changed) return undefined;
    const siblings = await this.list();
    // Within the same moment another file may come, which the time does not show.
    const isRecent = changed === undefined || this.#clock.wall() - changed < RECENT_MS;
    this.#changed = isRecent ? undefined : changed;
    return siblings;
  }

  /** These files are not unread parts of the followed one, which was not rotated before they were listed. */
  async know(siblings: readonly Sibling[], tails: readonly Tail[]): Promise<void> {
    for (const sibling of await this.#unknown(siblings, tails)) await this.#known.add(sibling);
    this.#known.prune(siblings);
  }

  /** Whether a file that came with a rotation could not be looked into yet. */
  get isUnsettled(): boolean {
    return this.#isUnsettled;
  }

  /**
   * Opens a file that had the followed name between two looks, after a rotation: a rotated one that nothing is known of.
   * Undefined when there is none but those that are read already.
   */
  async openBetween(tails: readonly Tail[]): Promise<FoundFile | undefined> {
    this.#isUnsettled = false;
    await this.#findOldFolder(tails);
    const siblings = await this.list();
    for (const sibling of siblings) if (isOpen(sibling, tails)) this.#names.learn(sibling.name);
    for (const sibling of await this.#unknown(siblings, tails)) {
      if (!this.#names.has(sibling.name)) {
        await this.#known.add(sibling);
        continue;
      }
      const opened = await openAt(sibling.path, WHOLE).catch(unlessClosed);
      if (opened !== undefined) return opened;
      this.#isUnsettled = true;
    }
    return undefined;
  }

  /** The file need not be read again. */
  remember(file: KnownFile): void {
    this.#known.remember(file);
  }

  /** The file has been read, and so are its copies. */
  async retire(tail: Tail): Promise<void> {
    const { place } = tail;
    this.#known.remember(place);
    this.#copies.delete(keyOf(place));
    for (const [key, { sibling, original }] of this.#copies) {
      if (original !== tail) continue;
      await this.#known.add(sibling);
      this.#copies.delete(key);
    }
  }

  /** Where the file of a place may be, which is none of those that are read. */
  searchFor({ path }: FilePlace, read: readonly Tail[]): Search {
    const folders = [this.#folder, ...path === undefined ? [] : [splitPath(path).folder]];
    return {
      folders: [...new Set(folders)],
      isLike: (name) => this.#names.isLike(name),
      isTaken: (sibling) => isOpen(sibling, read),
      isKnown: (sibling) => this.#known.has(sibling),
    };
  }

  /** The followed file was rotated into this directory. Earlier lines are known there. */
  async learnFolder(folder: string, { mtime }: Pick<Sibling, "mtime">): Promise<void> {
    if (folder === this.#folder || folder === this.#oldFolder) return;
    this.#oldFolder = folder;
    for (const sibling of await filesIn(folder, (name) => this.#names.isLike(name))) {
      if (sibling.mtime < mtime) await this.#known.add(sibling);
    }
  }

  /** Looks into the directories below for a file that had no bytes yet: its inode and its name are all there is of it. */
  async learnFolderOf({ device, inode }: KnownFile): Promise<void> {
    for (const folder of await foldersIn(this.#folder)) {
      const files = await filesIn(folder, (name) => this.#names.has(name));
      const moved = files.find((file) => file.device === device && file.inode === inode);
      if (moved !== undefined) await this.learnFolder(folder, moved);
    }
  }

  /** Looks into the directories below when a file was rotated out of its own. */
  async #findOldFolder(tails: readonly Tail[]): Promise<void> {
    const left = tails.filter(({ path }) => path === this.#real).slice(0, -1);
    if (left.length === 0 || (await this.list()).some((file) => isOpen(file, left))) return;
    for (const folder of await foldersIn(this.#folder)) {
      const files = await filesIn(folder, (name) => this.#names.isLike(name));
      const moved = files.find((file) => isOpen(file, left)) ??
        await this.#packedCopy(files, left);
      if (moved !== undefined) await this.learnFolder(folder, moved);
    }
  }

  /** The compressed copy of a file that was rotated away, where only that is left; its first bytes prove it. */
  async #packedCopy(
    files: readonly Sibling[],
    left: readonly Tail[],
  ): Promise<Sibling | undefined> {
    for (const file of files) {
      if (!file.name.endsWith(".gz") || !this.#names.has(file.name)) continue;
      const head = await headOf(file.path).catch(unlessClosed);
      const originals = left.filter(({ isBlank, place }) =>
        !isBlank && head !== undefined && head.length >= place.head.length
      );
      if (await originalOf(file, originals) !== undefined) return file;
    }
    return undefined;
  }

  /** The regular files whose names are like that of the followed one; compressed ones last. */
  async list(): Promise<readonly Sibling[]> {
    const folders = [this.#folder, ...this.#oldFolder === undefined ? [] : [this.#oldFolder]];
    const lists = folders.map((folder) => filesIn(folder, (name) => this.#names.isLike(name)));
    const siblings = (await Promise.all(lists)).flat();
    const isPacked = ({ name }: Sibling) => Number(name.endsWith(".gz"));
    return siblings.toSorted((a, b) => isPacked(a) - isPacked(b));
  }

  /** Files that are not read, not known, and not copies of files that are read. */
  async #unknown(
    siblings: readonly Sibling[],
    tails: readonly Tail[],
  ): Promise<readonly Sibling[]> {
    const unknown: Sibling[] = [];
    for (const sibling of siblings) {
      if (sibling.path === this.#real || isOpen(sibling, tails)) continue;
      if (await this.#known.has(sibling)) continue;
      const original = await originalOf(sibling, tails);
      if (original === undefined) unknown.push(sibling);
      else this.#copies.set(keyOf(sibling), { sibling, original });
    }
    return unknown;
  }
}

function keyOf({ device, inode }: Pick<Sibling, "device" | "inode">): string {
  return `${device}:${inode}`;
}

function isOpen({ device, inode }: Sibling, tails: readonly Tail[]): boolean {
  return tails.some((tail) => tail.isFile({ dev: device, ino: inode }));
}

/** The place of a file of which nothing was read. */
const WHOLE = { device: 0, inode: 0, offset: 0, size: 0, head: NOTHING, last: NOTHING };

/** The file that another one is a copy of, as far as it was copied until now. */
async function originalOf(sibling: Sibling, tails: readonly Tail[]): Promise<Tail | undefined> {
  const copy = await openBytes(sibling.path).catch(unlessClosed);
  if (copy === undefined) return undefined;
  try {
    const isPacked = await copy.isGzip();
    const head = await headOf(sibling.path).catch(unlessClosed) ?? new Uint8Array();
    const size = isPacked ? head.length : await copy.size();
    const last = isPacked ? head.subarray(-LAST_BYTES) : await copy.at(
      Math.max(0, size - LAST_BYTES),
      Math.min(size, LAST_BYTES),
    );
    for (const tail of tails) if (await tail.hasCopy(size, head, last)) return tail;
    return undefined;
  } finally {
    copy.close();
  }
}
