/**
 * A text as characters that can be compared regardless of case, with their places in the text. Readings of one text
 * differ in how many layers of escapes are undone.
 */
export interface Reading {
  /** UTF-16 units in lower case; a plus, a tab and a no-break space become blanks. */
  readonly units: Uint16Array;
  /** Offset of each unit in the text, and of the end of the last one. */
  readonly starts: Uint32Array;
}

/** Maximum number of layers: text within JSON within a page within JSON. */
const DEEPEST = 3;

/** Returns the text as it stands, then with one more layer of escapes undone each time. */
export function readings(text: string): readonly [Reading, ...Reading[]] {
  let reading = plain(text);
  const all: [Reading, ...Reading[]] = [reading];
  // Most texts hold no escapes: looking for them is much faster than decoding.
  if (!/[%&\\]/.test(text)) return all;
  while (all.length <= DEEPEST) {
    const next = unescapeOnce(reading);
    if (next === undefined) break;
    reading = next;
    all.push(reading);
  }
  return all;
}

function plain(text: string): Reading {
  const units = new Uint16Array(text.length);
  const starts = new Uint32Array(text.length + 1);
  for (let i = 0; i < text.length; i++) {
    units[i] = foldCase(text.charCodeAt(i));
    starts[i] = i;
  }
  starts[text.length] = text.length;
  return { units, starts };
}

/** Cache of the lower case of units beyond ASCII; 0 is not cached. */
const lowerCase = new Uint16Array(0x10000);

function foldCase(unit: number): number {
  if (unit < 0x80) {
    if (unit === 0x2b || unit === 0x09) return 0x20;
    return unit >= 0x41 && unit <= 0x5a ? unit + 0x20 : unit;
  }
  if (unit === 0xa0) return 0x20;
  const known = lowerCase[unit] ?? 0;
  if (known !== 0) return known;
  const lower = String.fromCharCode(unit).toLowerCase();
  return lowerCase[unit] = lower.length === 1 ? lower.charCodeAt(0) : unit;
}

const PERCENT = 0x25;
const AMPERSAND = 0x26;
const BACKSLASH = 0x5c;

/** Undoes the outermost layer of escapes; undefined if there is none. */
function unescapeOnce({ units, starts }: Reading): Reading | undefined {
  // No escape stands for more units than it has.
  const to = new Uint16Array(units.length);
  const from = new Uint32Array(units.length + 1);
  let length = 0;
  for (let i = 0; i < units.length;) {
    const unit = units[i] ?? 0;
    const start = starts[i] ?? 0;
    const escape = unit === PERCENT
      ? percentEscape(units, i)
      : unit === AMPERSAND
      ? entity(units, i)
      : unit === BACKSLASH
      ? backslashEscape(units, i)
      : undefined;
    if (escape === undefined) {
      to[length] = unit;
      from[length++] = start;
      i++;
      continue;
    }
    const character = String.fromCodePoint(escape.codePoint);
    for (let k = 0; k < character.length; k++) {
      to[length] = foldCase(character.charCodeAt(k));
      from[length++] = start;
    }
    i += escape.length;
  }
  if (length === units.length) return undefined;
  from[length] = starts[units.length] ?? 0;
  return { units: to.subarray(0, length), starts: from.subarray(0, length + 1) };
}

interface Escape {
  readonly codePoint: number;
  /** Length in units. */
  readonly length: number;
}

/** Reads `%41`: UTF-8 (RFC 3986), or Latin-1 if that is not valid; or `%u0041`, as some servers write it. */
function percentEscape(units: Uint16Array, at: number): Escape | undefined {
  if (units[at + 1] === LETTER_U) {
    const codePoint = hexNumber(units, at + 2, 4);
    return codePoint === undefined ? undefined : { codePoint, length: 6 };
  }
  const byte = hexNumber(units, at + 1, 2);
  if (byte === undefined) return undefined;
  const more = byte >= 0xf0 ? 3 : byte >= 0xe0 ? 2 : byte >= 0xc0 ? 1 : 0;
  let codePoint = byte & (0x3f >> more);
  for (let k = 1; k <= more; k++) {
    const here = at + 3 * k;
    const isNext = units[here] === PERCENT;
    if (isCutOff(units, here) || (isNext && isCutOff(units, here + 1, 2))) return undefined;
    const next = isNext ? hexNumber(units, here + 1, 2) ?? 0 : 0;
    if (next >> 6 !== 2) return { codePoint: byte, length: 3 };
    codePoint = codePoint << 6 | next & 0x3f;
  }
  return more === 0 || codePoint > 0x10ffff
    ? { codePoint: byte, length: 3 }
    : { codePoint, length: 3 + 3 * more };
}

/** Whether a text ends or was cut within `length` units from `at`: an escape before them may have been longer. */
function isCutOff(units: Uint16Array, at: number, length = 1): boolean {
  return at + length > units.length ||
    /[…."]/.test(String.fromCharCode(...units.subarray(at, at + length)));
}

/** HTML's names of the characters that a secret can hold, in lower case. */
const ENTITIES: ReadonlyMap<string, string> = new Map(Object.entries({
  amp: "&",
  apos: "'",
  ast: "*",
  bsol: "\\",
  colon: ":",
  comma: ",",
  commat: "@",
  dollar: "$",
  equals: "=",
  excl: "!",
  grave: "`",
  gt: ">",
  hat: "^",
  lbrace: "{",
  lbrack: "[",
  lcub: "{",
  lowbar: "_",
  lpar: "(",
  lsqb: "[",
  lt: "<",
  nbsp: " ",
  num: "#",
  percnt: "%",
  period: ".",
  plus: "+",
  quest: "?",
  quot: '"',
  rbrace: "}",
  rbrack: "]",
  rcub: "}",
  rpar: ")",
  rsqb: "]",
  semi: ";",
  sol: "/",
  tab: "\t",
  underbar: "_",
  verbar: "|",
  vert: "|",
}));

/** Reads `&amp;`, `&#65;` or `&#x41;`, also without the semicolon, as browsers do. */
function entity(units: Uint16Array, at: number): Escape | undefined {
  const text = String.fromCharCode(...units.subarray(at + 1, at + 12));
  const [whole = "", hex, decimal, name = "", end] =
    /^(?:#x([0-9a-f]{1,8})|#([0-9]{1,8})|([a-z]{2,8}))(;?)/.exec(text) ?? [];
  const length = 1 + whole.length;
  if (end === "" && isCutOff(units, at + length)) return undefined;
  if (hex !== undefined || decimal !== undefined) {
    const codePoint = hex === undefined ? Number(decimal) : parseInt(hex, 16);
    return codePoint > 0x10ffff ? undefined : { codePoint, length };
  }
  if (end === ";") {
    const codePoint = ENTITIES.get(name)?.codePointAt(0);
    return codePoint === undefined ? undefined : { codePoint, length };
  }
  const old = ["amp", "quot", "lt", "gt"].find((known) => name.startsWith(known));
  const codePoint = ENTITIES.get(old ?? "")?.codePointAt(0);
  return old === undefined || codePoint === undefined
    ? undefined
    : { codePoint, length: 1 + old.length };
}

const LETTER_U = 0x75;
const LETTER_X = 0x78;

/** Reads an escape of JSON or JavaScript, except those of control characters, which no secret holds. */
function backslashEscape(units: Uint16Array, at: number): Escape | undefined {
  const next = units[at + 1] ?? 0;
  if (next === LETTER_U) {
    const codePoint = hexNumber(units, at + 2, 4);
    if (codePoint !== undefined) return { codePoint, length: 6 };
    const text = String.fromCharCode(...units.subarray(at + 2, at + 12));
    const [braced = "", hex = ""] = /^\{([0-9a-f]{1,8})\}/.exec(text) ?? [];
    const long = parseInt(hex, 16);
    return long <= 0x10ffff ? { codePoint: long, length: 2 + braced.length } : undefined;
  }
  if (next === LETTER_X) {
    const codePoint = hexNumber(units, at + 2, 2);
    return codePoint === undefined ? undefined : { codePoint, length: 4 };
  }
  const isPunctuation = next > 0x20 && next < 0x7f && !/[0-9a-z]/.test(String.fromCharCode(next));
  return isPunctuation ? { codePoint: next, length: 2 } : undefined;
}

function hexNumber(units: Uint16Array, at: number, digits: number): number | undefined {
  let number = 0;
  for (let i = at; i < at + digits; i++) {
    const unit = units[i] ?? 0;
    if (unit >= 0x30 && unit <= 0x39) number = number * 16 + unit - 0x30;
    else if (unit >= 0x61 && unit <= 0x66) number = number * 16 + unit - 0x57;
    else return undefined;
  }
  return number;
}
