// Ends of the parts of an access log's line, by its bytes.

const SPACE = 32;
const QUOTE = 34;
const COMMA = 44;
const DASH = 45;
const COLON = 58;
const OPEN_BRACKET = 91;
const BACKSLASH = 92;

/** Where the list of tokens ends that begins at `at`: commas, and colons between blanks, go on. */
export function listEnd(bytes: Uint8Array, at: number, end: number): number {
  let to = tokenEnd(bytes, at, end);
  while (to + 1 < end) {
    if (bytes[to - 1] === COMMA || (bytes[to - 1] === COLON && bytes[to - 2] === SPACE)) {
      to = tokenEnd(bytes, to + 1, end);
    } else if (bytes[to + 1] === COLON && bytes[to + 2] === SPACE) {
      to += 2;
    } else break;
  }
  return to;
}

/** Where the token that begins at `at` ends: at a space, or at the end. */
export function tokenEnd(bytes: Uint8Array, at: number, end: number): number {
  let i = at;
  while (i < end && bytes[i] !== SPACE) i++;
  return i;
}

/** Where the bracket is that begins the time: after a space, and followed by a digit. */
export function timeBegin(bytes: Uint8Array, at: number, end: number): number {
  for (let i = at + 1; i < end; i++) {
    if (bytes[i] === OPEN_BRACKET && bytes[i - 1] === SPACE && isDigit(bytes[i + 1])) return i;
  }
  return -1;
}

/** The quote that ends the request: a space and the status follow it. Some servers escape no quotes. */
export function requestEnd(bytes: Uint8Array, at: number, end: number): number {
  for (let i = at; i + 2 < end; i++) {
    if (bytes[i] === BACKSLASH) i++;
    else if (bytes[i] === QUOTE && bytes[i + 1] === SPACE) {
      if (isDigit(bytes[i + 2]) || bytes[i + 2] === DASH) return i;
    }
  }
  return -1;
}

/** The quote that ends a string: a space or the line's end follows it. */
export function quotedEnd(bytes: Uint8Array, at: number, end: number): number {
  for (let i = at; i < end; i++) {
    if (bytes[i] === BACKSLASH) i++;
    else if (bytes[i] === QUOTE && (i + 1 === end || bytes[i + 1] === SPACE)) return i;
  }
  return -1;
}

/** Where a method ends, letters and what may stand between them, with a space behind it; -1 when there is none. */
export function methodEnd(bytes: Uint8Array, from: number, to: number): number {
  let i = from;
  for (let c = bytes[i] ?? 0; i < to; c = bytes[++i] ?? 0) {
    const isLetter = (c | 32) >= 97 && (c | 32) <= 122;
    if (!isLetter && (i === from || (c !== DASH && c !== 95))) break;
  }
  return i > from && i + 1 < to && bytes[i] === SPACE ? i : -1;
}

/** Whether a protocol begins there: `HTTP/`. */
export function startsWithHttp(bytes: Uint8Array, at: number): boolean {
  return bytes[at] === 72 && bytes[at + 1] === 84 && bytes[at + 2] === 84 &&
    bytes[at + 3] === 80 && bytes[at + 4] === 47;
}

/** Digits with a point in between or not. */
export function isNumber(bytes: Uint8Array, from: number, to: number): boolean {
  let points = 0;
  for (let i = from; i < to; i++) {
    if (bytes[i] === 46) points++;
    else if (!isDigit(bytes[i])) return false;
  }
  return to > from && points <= 1 && isDigit(bytes[from]);
}

/** Whether a byte is a digit. */
export function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= 48 && byte <= 57;
}

/** Whether there are only spaces and tabs. */
export function isBlank(bytes: Uint8Array, from: number, to: number): boolean {
  for (let i = from; i < to; i++) if (bytes[i] !== SPACE && bytes[i] !== 9) return false;
  return true;
}
