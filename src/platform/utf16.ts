import { UsageError } from "./errors.ts";

/** Throws a UsageError if the text of a file shows that it is UTF-16, which was read as UTF-8; `file` names it. */
export function demandUtf8(text: string, file: string): void {
  // A byte order mark is not UTF-8; without one every other byte of ASCII is 0.
  const [found, mark, zero] = /^(\ufffd\ufffd)?(?:(\0)[^\0]|[^\0]\0)/.exec(text) ?? [];
  if (found === undefined) return;
  const encoding = mark !== undefined ? "UTF-16" : zero !== undefined ? "UTF-16BE" : "UTF-16LE";
  throw new UsageError(
    `Cannot read ${file}: it is UTF-16. Save it as UTF-8, for example with iconv -f ${encoding} -t UTF-8`,
  );
}
