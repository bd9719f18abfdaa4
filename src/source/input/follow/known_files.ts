import type { KnownFile, PathPlace } from "../place.ts";
import { headOf } from "./file_bytes.ts";
import { beginsWith, fingerprint, HEAD_BYTES } from "./fingerprint.ts";
import { type Sibling, unlessClosed, unlessGone } from "./folder.ts";

/** More are forgotten unless they are still there. */
const MOST_REMEMBERED = 64;

/** Files beside the followed one that need not be read: they were there before it, or have been read. */
export class KnownFiles {
  #files: KnownFile[];
  readonly #until: number;
  /** States of the files that were looked into and are known. */
  readonly #seen = new Set<string>();

  constructor(place?: PathPlace) {
    this.#files = [...place?.known ?? []];
    this.#until = place?.knownUntil ?? 0;
  }

  get place(): Pick<PathPlace, "known" | "knownUntil"> {
    return { known: this.#files, knownUntil: this.#until };
  }

  /** Whether this very file, or what it was before it was compressed, is known. */
  async has(sibling: Sibling): Promise<boolean> {
    if (sibling.mtime < this.#until || this.#seen.has(stateOf(sibling))) return true;
    const head = await headOf(sibling.path).catch(unlessClosed);
    // A file that this user may not read is nothing to read.
    if (head === undefined) {
      return await Deno.lstat(sibling.path).then(() => true, unlessGone) ?? false;
    }
    for (const file of this.#files) {
      if (!await isKnownAs(file, sibling, head)) continue;
      if (file.inode !== sibling.inode) await this.add(sibling);
      this.#seen.add(stateOf(sibling));
      return true;
    }
    return false;
  }

  /** Remembers a file as it is now. */
  async add(sibling: Sibling): Promise<void> {
    const head = await headOf(sibling.path).catch(unlessClosed);
    if (head === undefined) return;
    const { device, inode } = sibling;
    this.remember({ device, inode, head: await fingerprint(head) });
    this.#seen.add(stateOf(sibling));
  }

  remember({ device, inode, head }: KnownFile): void {
    const others = this.#files.filter((it) => it.device !== device || it.inode !== inode);
    this.#files = [...others, { device, inode, head }];
  }

  /** Forgets files that are gone, where there are many. */
  prune(siblings: readonly Sibling[]): void {
    if (this.#seen.size > MOST_REMEMBERED * 4) this.#seen.clear();
    if (this.#files.length <= MOST_REMEMBERED) return;
    const present = new Set(siblings.map(({ device, inode }) => `${device}:${inode}`));
    this.#files = this.#files.filter(({ device, inode }) => present.has(`${device}:${inode}`));
  }
}

function stateOf({ device, inode, size, mtime }: Sibling): string {
  return `${device}:${inode}:${size}:${mtime}`;
}

async function isKnownAs(file: KnownFile, sibling: Sibling, head: Uint8Array): Promise<boolean> {
  const { length } = file.head;
  const isInode = file.device === sibling.device && file.inode === sibling.inode;
  // An inode is used again. Nothing of an empty file tells it from the next one, but that it is empty.
  if (length === 0) return isInode && sibling.size === 0;
  // A packed file has another inode. Then a few bytes prove something only if they are all, and NULs never do.
  const isWhole = (length === HEAD_BYTES || length === head.length) &&
    head.some((byte) => byte > 0);
  return (isInode || isWhole) && await beginsWith(head, file.head);
}
