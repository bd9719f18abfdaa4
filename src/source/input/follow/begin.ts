import { LINE_FEED, MOST_LINE_BYTES } from "../lines.ts";
import type { FoundFile, PlainBytes } from "./file_bytes.ts";
import { HEAD_BYTES, LAST_BYTES } from "./fingerprint.ts";

/** Beginning of a file that no position is kept of: the values of --from. */
export type Begin = "start" | "end";

const SEARCH_BYTES = 64 * 1024;

/** Finds the position in a file where reading begins: the start of a line. */
export async function beginAt(
  bytes: PlainBytes,
  begin: Begin,
): Promise<FoundFile & { readonly offset: number }> {
  const offset = begin === "start" ? 0 : await lastLineEnd(bytes);
  const from = Math.max(0, offset - LAST_BYTES);
  return {
    bytes,
    offset,
    head: await bytes.at(0, HEAD_BYTES),
    last: await bytes.at(from, offset - from),
    firstLine: await bytes.firstLine(offset),
  };
}

/** A line that is being written when reading begins ends later, and counts as a whole. */
async function lastLineEnd(bytes: PlainBytes): Promise<number> {
  const size = await bytes.size();
  const least = Math.max(0, size - MOST_LINE_BYTES);
  for (let to = size; to > least;) {
    const from = Math.max(least, to - SEARCH_BYTES);
    const feed = (await bytes.at(from, to - from)).lastIndexOf(LINE_FEED);
    if (feed >= 0) return from + feed + 1;
    to = from;
  }
  return least === 0 ? 0 : size;
}
