/** A piece of a log format: text that every line has, or a variable. */
export type Piece =
  | { readonly literal: string }
  | { readonly variable: Variable };

/** A variable of a log format, or an Apache directive. */
export interface Variable {
  /** Undefined: nobody needs it. */
  readonly name: string | undefined;
  /** Its unit of time, where it is defined to have one. */
  readonly unit?: string;
  readonly shape: Shape;
  /** Value that a `-` in its place means, if it is not a missing field. */
  readonly dash?: string;
}

/**
 * Texts that a variable can have. `word` has no blanks, `text` may have some, `custom` may have some where nothing
 * follows it, `list` has one word per upstream, `request` is a request line and gives the fields of one.
 */
type Shape =
  | "host"
  | "word"
  | "text"
  | "custom"
  | "number"
  | "list"
  | "clf"
  | "bracketed"
  | "path"
  | "query"
  | "request";

const QUOTED = String.raw`(?:[^"\\]|\\.)*`;
const CLF = String.raw`\d\d\/\w{3}\/\d{4}:\d\d:\d\d:\d\d(?:\.\d+)? [+-]\d{4}`;

/** Place of a variable in the expression. */
interface Slot {
  readonly source: string;
  /** Nothing but what follows tells where the text ends. */
  readonly isOpen?: true;
  /** The text may have the character that ends it: it is searched for what follows, as long as not too many are. */
  readonly rank: number;
}

const NO_RANK = 0;
/** Rank of words that may have the character which ends them. */
export const WORD_RANK = 1;
/** Rank of texts with blanks, which are searched for first. */
export const TEXT_RANK = 2;

/** Returns the place of the variable that is piece `i`. */
export function slotOf(
  pieces: readonly Piece[],
  i: number,
  { variable }: { variable: Variable },
): Slot {
  const [before, after] = [pieces[i - 1], pieces[i + 1]];
  const previous = before !== undefined && "literal" in before ? before.literal : "";
  const next = after === undefined ? undefined : "literal" in after ? after.literal : "";
  const inQuotes = previous.endsWith('"') && next?.startsWith('"') === true;
  const rank = inQuotes ? NO_RANK : rankOf(variable, next ?? "");
  return { ...shapeSource(variable.shape, inQuotes, next), rank };
}

function rankOf({ name = "", shape }: Variable, next: string): number {
  const isText = shape === "text";
  const end = (isText ? next.trimStart() : next)[0] ?? " ";
  if (NEVER_INSIDE.includes(end)) return NO_RANK;
  if (isText) return TEXT_RANK;
  if (shape === "custom" || (shape === "word" && WORDS_WITH[end]?.test(name))) return WORD_RANK;
  return NO_RANK;
}

/** Servers escape quotes and tabs, and a bracket encloses the time. */
const NEVER_INSIDE: readonly string[] = [" ", '"', "\t", "["];
/** Names of the words that may have a character. */
const WORDS_WITH: Readonly<Record<string, RegExp>> = {
  ":": /addr$|^time_iso8601$|^request_uri$/,
  ".": /addr$|^request_uri$/,
  "-": /^time_iso8601$|^request_uri$|^request_id$/,
  ",": /^request_uri$/,
  ";": /^request_uri$/,
  "|": /^request_uri$/,
};

/** The expression of a text; `isOpen` when nothing but what follows tells its end. */
function shapeSource(
  shape: Shape,
  inQuotes: boolean,
  next: string | undefined,
): { readonly source: string; readonly isOpen?: true } {
  switch (shape) {
    case "clf":
      return { source: CLF };
    case "bracketed":
      return { source: "[^\\]]*" };
  }
  if (inQuotes) return { source: QUOTED };
  switch (shape) {
    case "number":
      return { source: "\\d+(?:\\.\\d+)?|-" };
    case "list":
      return { source: "[^ ,\\t]*(?:(?:,| :) [^ ,\\t]+)*" };
    case "host":
      return { source: '[^ /"|]*' };
    case "path":
      return { source: '[^ "?]*' };
    case "query":
      return { source: '(?:\\?[^ "]*)?' };
  }
  const stop = next?.[0];
  if (next === undefined) return { source: shape === "word" ? "\\S*" : ".*?" };
  if (stop === undefined) return { source: '[^ "]*?', isOpen: true };
  if (stop !== " ") return { source: excluding(stop, "*") };
  if (shape === "word" || shape === "custom") return { source: "[^ ]*" };
  const firstOther = next.trimStart()[0];
  // A comma before the blank goes on with a list, such as the addresses of X-Forwarded-For.
  return firstOther === undefined
    ? { source: "(?:.*?[^ ,])?", isOpen: true }
    : { source: excluding(firstOther, "*?") };
}

/** A text without a character, or the `-` of a missing one. */
function excluding(character: string, repetition: string): string {
  const text = `[^${character.replace(/[\\\]^-]/, "\\$&")}]${repetition}`;
  return character === "-" ? `-|${text}` : text;
}
