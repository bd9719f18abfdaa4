import type { FilePlace } from "../place.ts";
import { type FoundFile, openAt } from "./file_bytes.ts";
import { filesIn, foldersIn, type Sibling, unlessClosed } from "./folder.ts";

/** Directories and names that the file of a place may have. */
export interface Search {
  readonly folders: readonly string[];
  /** Whether a copy may have that name. */
  readonly isLike: (name: string) => boolean;
  /** Whether a file is read already, or is the one that no longer holds the place's bytes. */
  readonly isTaken: (sibling: Sibling) => boolean;
  /** Whether a file with another inode is known to be something else than a copy. */
  readonly isKnown: (sibling: Sibling) => Promise<boolean>;
}

/**
 * Finds the file of a place: the one with its inode, or a copy of it, compressed or not; its bytes prove it. It is looked
 * for in the directories, and if it is in none of them, in those below.
 */
export async function findFile(place: FilePlace, search: Search): Promise<FoundFile | undefined> {
  for (const folder of search.folders) {
    const found = await findIn(folder, place, search);
    if (found !== undefined) return found;
  }
  for (const folder of search.folders) {
    for (const below of await foldersIn(folder)) {
      const found = await findIn(below, place, search);
      if (found !== undefined) return found;
    }
  }
  return undefined;
}

async function findIn(
  folder: string,
  place: FilePlace,
  { isLike, isTaken, isKnown }: Search,
): Promise<FoundFile | undefined> {
  const isInode = ({ device, inode }: Sibling) => device === place.device && inode === place.inode;
  const siblings = (await filesIn(folder, () => true)).filter((sibling) =>
    !isTaken(sibling) && (isInode(sibling) || isLike(sibling.name))
  );
  const rank = (sibling: Sibling) => isInode(sibling) ? 0 : sibling.name.endsWith(".gz") ? 2 : 1;
  for (const sibling of siblings.toSorted((a, b) => rank(a) - rank(b))) {
    // Without a byte of it, no copy can be told from another file.
    const isUnproven = place.head.length === 0 || await isKnown(sibling);
    if (!isInode(sibling) && isUnproven) continue;
    const found = await openAt(sibling.path, place).catch(unlessClosed);
    if (found !== undefined) return found;
  }
  return undefined;
}
