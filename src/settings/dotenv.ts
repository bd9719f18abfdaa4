// The rules are those of npm's dotenv (https://github.com/motdotla/dotenv, lib/main.js): its one
// regular expression for a line, taken apart here into steps that look at a character only a few
// times, so that no file makes it slow; and without the node: modules that the package pulls in.

/** White space may hold line breaks here, as in dotenv: a key and its value can be lines apart. */
const SPACE = /\s*/y;
/** `export` only counts as a prefix when a key follows; `export = 1` sets a variable of that name. */
const EXPORT = /export\s+(?=[\w.-])/y;
const KEY = /[\w.-]+/y;
const SEPARATOR = /\s*=|:\s/y;
const UNQUOTED = /[^#\n]*/y;
const REST_OF_LINE = /.*/y;
/** Rest of a line after a closing quote: nothing, or a comment. */
const NOTHING_MORE = /[^\S\n\u2028\u2029]*(?:#|$)/my;

/**
 * Parses a `.env` file. The last of several lines with one key counts. Never throws. Adds to `unreadable` the numbers
 * of the lines that hold something but no variable.
 */
export function parseDotenv(text: string, unreadable: number[] = []): Map<string, string> {
  const source = text.replace(/\r\n?/g, "\n");
  const variables = new Map<string, string>();
  let at = 0;
  const lines = lineCounter(source);
  const take = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at;
    const taken = pattern.exec(source)?.[0];
    if (taken !== undefined) at += taken.length;
    return taken;
  };

  while (at < source.length) {
    take(SPACE);
    const start = at;
    take(EXPORT);
    const key = take(KEY);
    if (key === undefined || take(SEPARATOR) === undefined) {
      at = start; // what looked like a prefix or a separator may have been on a later line
      if (at < source.length && source[at] !== "#") unreadable.push(lines(at));
    } else {
      const end = closingQuote(source, at);
      const raw = end === undefined ? take(UNQUOTED) ?? "" : source.slice(at, end);
      if (end !== undefined) at = end;
      variables.set(key, valueOf(raw.trim()));
    }
    take(REST_OF_LINE);
  }
  return variables;
}

/** The function that tells the number of the line at a place, asked in the order of the places. */
function lineCounter(source: string): (at: number) => number {
  let line = 1;
  let counted = 0;
  return (at) => {
    for (; counted < at; counted++) if (source[counted] === "\n") line++;
    return line;
  };
}

/** Finds the end of the quoted value that begins after `from` and its white space, if there is one. */
function closingQuote(source: string, from: number): number | undefined {
  SPACE.lastIndex = from;
  SPACE.test(source);
  const open = SPACE.lastIndex;
  const quote = source[open];
  if (quote !== "'" && quote !== '"' && quote !== "`") return undefined;
  let end: number | undefined;
  // A quote after a backslash may close the value too, if none that follows can.
  for (let at = source.indexOf(quote, open + 1); at !== -1; at = source.indexOf(quote, at + 1)) {
    NOTHING_MORE.lastIndex = at + 1;
    if (NOTHING_MORE.test(source)) end = at + 1;
    if (source[at - 1] !== "\\") break;
  }
  return end;
}

/** Only double quotes, even one that is never closed, make `\n` and `\r` line breaks. */
function valueOf(raw: string): string {
  const value = unquote(raw);
  return raw.startsWith('"') ? value.replaceAll("\\n", "\n").replaceAll("\\r", "\r") : value;
}

/**
 * Does what `replace(/^(['"`])([\s\S]*)\1$/gm, "$2")` does, in linear time. That expression also sees lines inside a
 * value, which then are separated by U+2028 or U+2029.
 */
function unquote(value: string): string {
  const closing = new Map<string, number>();
  for (const { 0: quote, index } of value.matchAll(/['"`]$/gm)) closing.set(quote, index);
  let result = "";
  let kept = 0;
  for (const { 0: quote, index } of value.matchAll(/^['"`]/gm)) {
    const close = closing.get(quote) ?? -1;
    if (index < kept || close <= index) continue;
    result += value.slice(kept, index) + value.slice(index + 1, close);
    kept = close + 1;
  }
  return result + value.slice(kept);
}
