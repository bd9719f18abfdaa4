import { type KeptCheckpoint, unreadableCheckpoint } from "../../delivery/checkpoint.ts";

/** How far a file has been read, and how to know it again under another name. */
export interface FilePlace {
  readonly device: number;
  readonly inode: number;
  /** After the last whole line that was read. */
  readonly offset: number;
  /** Its first bytes, at most a kilobyte: a file that was truncated and written anew has others. */
  readonly head: { readonly length: number; readonly sha256: string };
}

/** How far a path has been read that names one file after the other. */
export interface Place {
  /** When it was last looked which files there are, ms since 1970. */
  readonly at: number;
  /** Those that are being read, oldest first. */
  readonly files: readonly FilePlace[];
}

/**
 * The place that a kept checkpoint holds for a path; undefined where there is none. Throws a UsageError for a checkpoint
 * of that path that holds something else.
 */
export function keptPlace(kept: KeptCheckpoint | undefined, path: string): Place | undefined {
  if (kept?.id !== path) return undefined;
  if (!isPlace(kept.value)) throw unreadableCheckpoint(kept.file, "it is damaged");
  return kept.value;
}

function isPlace(value: unknown): value is Place {
  if (typeof value !== "object" || value === null) return false;
  const { at, files }: { [K in keyof Place]?: unknown } = value;
  return typeof at === "number" && Array.isArray(files) && files.every(isFilePlace);
}

function isFilePlace(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  const { device, inode, offset, head }: { [K in keyof FilePlace]?: unknown } = value;
  if (typeof head !== "object" || head === null) return false;
  const { length, sha256 }: { [K in keyof FilePlace["head"]]?: unknown } = head;
  return [device, inode, offset, length].every((number) =>
    Number.isSafeInteger(number) && Number(number) >= 0
  ) &&
    typeof sha256 === "string";
}
