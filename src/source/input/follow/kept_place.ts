import { type PathPlace, type Place, readPlace } from "../place.ts";
import { type KeptCheckpoint, unreadableCheckpoint } from "../../../delivery/checkpoint.ts";
import { openAt } from "./file_bytes.ts";
import { splitPath, unlessGone } from "./folder.ts";

/** How many other paths a place remembers. */
const MOST_OTHERS = 32;

/** Position that a spool keeps of a path, and those of other paths. */
export interface KeptPlace {
  /** The path by which the spool knows the file: absolute, its directory without symbolic links. */
  readonly path: string;
  /** Undefined: it was never followed with this spool. */
  readonly place: PathPlace | undefined;
  readonly others: Place["others"];
}

/**
 * Finds the position of the file at an absolute path, however the path was spelled when it was kept. Throws a UsageError
 * for a checkpoint that does not hold a position.
 */
export async function keptPlace(
  path: string,
  kept: KeptCheckpoint | undefined,
): Promise<KeptPlace> {
  const { folder, name } = splitPath(path);
  const realFolder = await Deno.realPath(folder).catch(unlessGone) ?? folder;
  const key = `${realFolder === "/" ? "" : realFolder}/${name}`;
  if (kept === undefined) return { path: key, place: undefined, others: [] };
  const place = readPlace(kept.value);
  if (place === undefined) throw unreadableCheckpoint(kept.file, "it is damaged");
  const { others, version: _, ...newest } = place;
  const all = [{ ...newest, path: kept.id }, ...others];
  const own = all.find((other) => other.path === key || other.path === path) ??
    await sameFile(path, all);
  return {
    path: key,
    place: own,
    others: all.filter((other) => other !== own).slice(0, MOST_OTHERS),
  };
}

/** The position whose file this is, under another name: its bytes prove it. */
async function sameFile<Kept extends PathPlace>(
  path: string,
  kept: readonly Kept[],
): Promise<Kept | undefined> {
  const info = await Deno.stat(path).catch(unlessGone);
  if (info === undefined || !info.isFile) return undefined;
  for (const place of kept) {
    const file = place.files.at(-1);
    if (file === undefined || file.device !== info.dev || file.inode !== info.ino) continue;
    const found = await openAt(path, file).catch(unlessGone);
    found?.bytes.close();
    if (found !== undefined) return place;
  }
  return undefined;
}
