import { isCount, isObject } from "../../platform/json_object.ts";

/** Digest of some bytes of a file, which proves that another file holds the same ones there. */
export interface Fingerprint {
  readonly length: number;
  readonly sha256: string;
}

/** Identity of a file that rotation has put aside: its device, its inode, and its first bytes. */
export interface KnownFile {
  readonly device: number;
  readonly inode: number;
  /** The first 1,024 bytes, or the whole file if it is shorter; unpacked if it is gzip. */
  readonly head: Fingerprint;
}

/** Position in a file that is being read, and the proof by which it is found again under any name. */
export interface FilePlace extends KnownFile {
  /** Absolute, without symbolic links; undefined in a place of version 2.0. */
  readonly path?: string | undefined;
  /** The end of the last whole line that was read. `head` covers no byte behind it. */
  readonly offset: number;
  /** The bytes that end at `offset`, at most 256; none in a place of version 2.0. */
  readonly last: Fingerprint;
  /** The largest size seen, in bytes: more than `offset` means that something is unread. */
  readonly size: number;
}

/** Format and header of a followed file, which the files that take its name have as well. */
export interface Layout {
  readonly format: string;
  /** The lines that name the columns, the last ones of several such. */
  readonly header?: string | undefined;
}

/** Position in a path that names one file after the other. */
export interface PathPlace {
  /** The files that are being read, oldest first; the last one is what the path named. */
  readonly files: readonly FilePlace[];
  /** Rotated files that need not be read. Every other one that rotation made since then is unread. */
  readonly known: readonly KnownFile[];
  /** Rotated files that were last written before this time, in ms since 1970, are known as well. */
  readonly knownUntil: number;
  readonly layout?: Layout | undefined;
}

/** Positions in a followed path and in other paths that were followed with the same spool. */
export interface Place extends PathPlace {
  readonly version: 3;
  readonly others: readonly (PathPlace & { readonly path: string })[];
}

/** A file system's times may be as coarse as that, in ms. */
const COARSE_MS = 2000;

/**
 * Checks a place that was read from a disk; undefined if it is none. One of version 2.0 has neither fingerprints of its
 * last bytes nor a list of known files, only the time at which it was made.
 */
export function readPlace(value: unknown): Place | undefined {
  if (!isObject(value)) return undefined;
  const { version, at, files, others } = value;
  if (version === undefined && typeof at === "number" && Array.isArray(files)) {
    const upgraded = files.map((file) =>
      isObject(file) ? { ...file, last: NOTHING, size: file["offset"] } : file
    );
    if (!upgraded.every(isFilePlace)) return undefined;
    return { version: 3, files: upgraded, known: [], knownUntil: at - COARSE_MS, others: [] };
  }
  if (version !== 3 || !isPathPlace(value) || !Array.isArray(others)) return undefined;
  const isOther = (other: unknown): other is PathPlace & { readonly path: string } =>
    isPathPlace(other) && typeof Reflect.get(other, "path") === "string";
  return others.every(isOther) ? { ...value, version, others } : undefined;
}

/** Fingerprint of no bytes. */
export const NOTHING: Fingerprint = {
  length: 0,
  sha256: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
};

function isPathPlace(value: unknown): value is PathPlace {
  if (!isObject(value)) return false;
  const { files, known, knownUntil, layout } = value;
  return Array.isArray(files) && files.every(isFilePlace) && Array.isArray(known) &&
    known.every(isKnownFile) && typeof knownUntil === "number" &&
    (layout === undefined || isObject(layout) && typeof layout["format"] === "string");
}

function isFilePlace(value: unknown): value is FilePlace {
  if (!isKnownFile(value)) return false;
  const { offset, size, last }: { [K in keyof FilePlace]?: unknown } = value;
  return isCount(offset) && isCount(size) && isFingerprint(last);
}

function isKnownFile(value: unknown): value is KnownFile {
  if (!isObject(value)) return false;
  const { device, inode, head } = value;
  return isCount(device) && isCount(inode) && isFingerprint(head);
}

function isFingerprint(value: unknown): value is Fingerprint {
  return isObject(value) && isCount(value["length"]) && typeof value["sha256"] === "string";
}
