// AssemblyScript, not TypeScript for Deno: `deno task wasm` compiles it (scripts/wasm.ts).
//
// The scanner of src/source/input/json_scanner.ts for many lines at a time, sixteen bytes at a time. It takes and
// refuses the same lines. An address of 0 stands for "no such thing" among what is returned.
//
// The memory is laid out by src/source/input/wasm_scanner.ts. Every line ends in a line feed, which nothing here
// reads on behind, except that sixteen bytes are loaded where fewer count: so many have to exist behind the last line.

const LINE_FEED: u8 = 10;
const QUOTE: u8 = 34;
const COMMA: u8 = 44;
const MINUS: u8 = 45;
const POINT: u8 = 46;
const ZERO: u8 = 48;
const COLON: u8 = 58;
const OPEN_BRACKET: u8 = 91;
const BACKSLASH: u8 = 92;
const CLOSE_BRACKET: u8 = 93;
const OPEN_BRACE: u8 = 123;
const CLOSE_BRACE: u8 = 125;

/** Deeper ones are left to JSON.parse. */
const DEEPEST: i32 = 16;

/** What a member's name stands for, other than a place among the fields. */
const NO_FIELD: i32 = -1;
const VALUE_FIELD: i32 = -2;

/** Every integer below this is a double. */
const EXACT: f64 = 9007199254740992;

/** Of so many digits, those behind the point among them, a 64-bit integer holds every number. */
const MOST_DIGITS: i32 = 19;
/** As many as there can be decimals then. Doubles hold them exactly. */
const POWERS = memory.data<f64>([
  1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9,
  1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18,
]);

// What stood in front of the value at each ordinal place of the line before: bytes such as `,"status":`, blanks included.
// A line of a log mostly has the same there, and then its name needs no looking for.
const HEAD_BYTES: i32 = 64;
const HEAD_LENGTH: usize = 0;
const HEAD_FIELD: usize = 4;
/** A bit for each of its first sixteen bytes. */
const HEAD_MASK: usize = 8;
const HEAD_TEXT: usize = 16;
const HEAD_SIZE: usize = 80;
const heads = memory.data(2560, 16); // 32 of 80 bytes

let fields: i32 = 0;
/** For each field: its name's address and length, the next field of that name, whether a line must have it. */
let names: usize = 0;
const NAME_SIZE: usize = 16;
let valueName: usize = 0;
let valueNameLength: i32 = 0;
let needed: bool = false;

let most: i32 = 0;
let feeds: usize = 0;
let values: usize = 0;
let restFrom: usize = 0;
let restTo: usize = 0;
let from: usize = 0;
let to: usize = 0;
let long: usize = 0;

/** What an address has more than the index that it stands for. */
let shift: i32 = 0;
/** Where the number is of the line that was scanned last, if JavaScript has to read it, or 0. */
let longAt: usize = 0;

/** How many lines the last scan found whose number JavaScript has to read. */
export let longs: i32 = 0;

/** The end of the static data. */
export function start(): usize {
  return __heap_base;
}

export function setNames(count: i32, table: usize, value: usize, length: i32, isNeeded: bool): void {
  fields = count;
  names = table;
  valueName = value;
  valueNameLength = length;
  needed = isNeeded;
}

export function setColumns(
  lines: i32,
  feedColumn: usize,
  valueColumn: usize,
  restFromColumn: usize,
  restToColumn: usize,
  fromColumn: usize,
  toColumn: usize,
  longColumn: usize,
): void {
  most = lines;
  feeds = feedColumn;
  values = valueColumn;
  restFrom = restFromColumn;
  restTo = restToColumn;
  from = fromColumn;
  to = toColumn;
  long = longColumn;
}

/** Scans lines of [at, end) into the columns, where `index` stands for the address `at`; returns how many. */
export function scan(at: usize, end: usize, index: i32): i32 {
  shift = <i32>at - index;
  longs = 0;
  let line: i32 = 0;
  while (at < end && line < most) {
    let feed = lineFeed(at, line);
    if (feed !== 0) {
      store<i32>(feeds + (<usize>line << 2), <i32>feed - shift);
      if (longAt !== 0) {
        store<i32>(long + (<usize>longs << 3), line);
        store<i32>(long + (<usize>longs << 3), <i32>longAt - shift, 4);
        longs++;
      }
    } else {
      feed = at;
      while (true) {
        const found = i8x16.bitmask(i8x16.eq(v128.load(feed), i8x16.splat(LINE_FEED)));
        if (found !== 0) {
          feed += ctz(found);
          break;
        }
        feed += 16;
      }
      store<i32>(feeds + (<usize>line << 2), ~(<i32>feed - shift));
    }
    at = feed + 1;
    line++;
  }
  return line;
}

/** Where the line feed is of the line that begins at `at`; 0 when JSON.parse has to decide. */
function lineFeed(at: usize, line: i32): usize {
  const row = <usize>(line * fields) << 2;
  const rowFrom = from + row;
  const rowTo = to + row;
  for (let k: usize = 0, bytes = <usize>fields << 2; k < bytes; k += 4) {
    store<i32>(rowFrom + k, -1);
    store<i32>(rowTo + k, -1);
  }
  let p = at;
  let open = OPEN_BRACE;
  let found = false;
  let head = heads;
  const lastHead = heads + 31 * HEAD_SIZE;
  while (true) {
    const length = load<i32>(head, HEAD_LENGTH);
    let field: i32;
    if (length !== 0 && beginsWith(p, head, length)) {
      field = load<i32>(head, HEAD_FIELD);
      p += length;
    } else {
      p = pastBlanks(p);
      if (load<u8>(p) !== open) break;
      let q = pastBlanks(p + 1);
      if (load<u8>(q) !== QUOTE) return 0;
      const name = q + 1;
      const nameEnd = plainEnd(name);
      if (nameEnd === 0) return 0;
      q = pastBlanks(nameEnd + 1);
      if (load<u8>(q) !== COLON) return 0;
      q = pastBlanks(q + 1);
      field = fieldOf(name, <i32>(nameEnd - name));
      learn(head, p, <i32>(q - p), field);
      p = q;
    }
    if (head !== lastHead) head += HEAD_SIZE;
    open = COMMA;
    p = pastBlanks(p);
    if (field === VALUE_FIELD) {
      p = numberField(p, line);
      found = true;
      if (p === 0) return 0;
    } else {
      const first = p;
      p = memberEnd(p, 0);
      if (p === 0) return 0;
      while (field >= 0) {
        store<i32>(rowFrom + (<usize>field << 2), <i32>first - shift);
        store<i32>(rowTo + (<usize>field << 2), <i32>p - shift);
        field = load<i32>(names + <usize>field * NAME_SIZE, 8);
      }
    }
  }
  if (load<u8>(p) !== CLOSE_BRACE || !found) return 0;
  p = pastBlanks(p + 1);
  if (load<u8>(p) !== LINE_FEED) return 0;
  if (needed) {
    for (let k: usize = 0; k < <usize>fields; k++) {
      if (load<i32>(names + k * NAME_SIZE, 12) !== 0 && load<i32>(rowFrom + (k << 2)) === -1) {
        return 0;
      }
    }
  }
  return p;
}

/** Whether what begins at `p` is what stood in this place in the line before. */
// @ts-ignore: decorator
@inline
function beginsWith(p: usize, head: usize, length: i32): bool {
  const same = i8x16.bitmask(i8x16.eq(v128.load(p), v128.load(head, HEAD_TEXT)));
  if ((~same & load<i32>(head, HEAD_MASK)) !== 0) return false;
  return length <= 16 || begins(p + 16, head + HEAD_TEXT + 16, length - 16);
}

/** Whether the bytes at `p` begin with the `length` ones, at least one, at `text`. */
// @ts-ignore: decorator
@inline
function begins(p: usize, text: usize, length: i32): bool {
  while (true) {
    const same = i8x16.bitmask(i8x16.eq(v128.load(p), v128.load(text)));
    if (length <= 16) return (~same & ((1 << length) - 1)) === 0;
    if (same !== 0xffff) return false;
    p += 16;
    text += 16;
    length -= 16;
  }
}

function learn(head: usize, p: usize, length: i32, field: i32): void {
  // What stood there earlier holds as well.
  if (length > HEAD_BYTES) return;
  store<i32>(head, length, HEAD_LENGTH);
  store<i32>(head, field, HEAD_FIELD);
  store<i32>(head, length < 16 ? (1 << length) - 1 : 0xffff, HEAD_MASK);
  for (let i: usize = 0; i < <usize>length; i += 16) {
    v128.store(head + HEAD_TEXT + i, v128.load(p + i));
  }
}

/** The first field of that name. */
function fieldOf(name: usize, length: i32): i32 {
  if (length === valueNameLength && (length === 0 || begins(name, valueName, length))) {
    return VALUE_FIELD;
  }
  for (let k: i32 = 0; k < fields; k++) {
    const entry = names + <usize>k * NAME_SIZE;
    if (load<i32>(entry, 4) !== length) continue;
    if (length === 0 || begins(name, load<usize>(entry), length)) return k;
  }
  return NO_FIELD;
}

/** Past blanks, line feeds not among them. */
// @ts-ignore: decorator
@inline
function pastBlanks(p: usize): usize {
  let c = load<u8>(p);
  if (c > 32) return p;
  while (c === 32 || c === 9 || c === 13) c = load<u8>(++p);
  return p;
}

/** A bit for each byte that a string has to be looked at for: its end, an escape, a control character (RFC 8259, 7). */
// @ts-ignore: decorator
@inline
function special(p: usize): i32 {
  const bytes = v128.load(p);
  // A quote (34) becomes 32, and what is below 32 stays there.
  const mixed = v128.xor(bytes, i8x16.splat(2));
  return i8x16.bitmask(
    v128.or(
      i8x16.eq(i8x16.min_u(mixed, i8x16.splat(32)), mixed),
      i8x16.eq(bytes, i8x16.splat(BACKSLASH)),
    ),
  );
}

// @ts-ignore: decorator
@inline
function nextSpecial(p: usize): usize {
  let found = special(p);
  while (found === 0) {
    p += 16;
    found = special(p);
  }
  return p + ctz(found);
}

/** Where the string ends that begins at `p`, after its quote; 0 if it has an escape or no end. */
function plainEnd(p: usize): usize {
  p = nextSpecial(p);
  return load<u8>(p) === QUOTE ? p : 0;
}

/** Past the string whose opening quote is at `p`; 0 if it is none. */
// @ts-ignore: decorator
@inline
function stringEnd(p: usize): usize {
  p = nextSpecial(p + 1);
  if (load<u8>(p) === QUOTE) return p + 1;
  return escapedEnd(p);
}

/** The same from the first byte on that is no plain one. */
function escapedEnd(p: usize): usize {
  while (true) {
    const c = load<u8>(p);
    if (c === QUOTE) return p + 1;
    if (c !== BACKSLASH) return 0;
    switch (load<u8>(p, 1)) {
      case QUOTE:
      case BACKSLASH:
      case 47: // /
      case 98: // b
      case 102: // f
      case 110: // n
      case 114: // r
      case 116: // t
        p += 2;
        break;
      case 117: // u
        for (let i = 0; i < 4; i++) if (!isHex(load<u8>(p + i, 2))) return 0;
        p += 6;
        break;
      default:
        return 0;
    }
    p = nextSpecial(p);
  }
}

function isHex(c: u8): bool {
  return (c >= 48 && c <= 57) || (c >= 97 && c <= 102) || (c >= 65 && c <= 70);
}

/** Past any value that begins at `p`; 0 if there is none. */
function valueEnd(p: usize, depth: i32): usize {
  switch (load<u8>(p)) {
    case QUOTE:
      return stringEnd(p);
    case OPEN_BRACE:
      return depth < DEEPEST ? objectEnd(p, depth + 1) : 0;
    case OPEN_BRACKET:
      return depth < DEEPEST ? arrayEnd(p, depth + 1) : 0;
    case 116:
      return load<u32>(p) === 0x65757274 ? p + 4 : 0; // true
    case 102:
      return load<u32>(p, 1) === 0x65736c61 ? p + 5 : 0; // alse
    case 110:
      return load<u32>(p) === 0x6c6c756e ? p + 4 : 0; // null
    default:
      return numberEnd(p);
  }
}

/** The same, with what comes most often tried first. */
// @ts-ignore: decorator
@inline
function memberEnd(p: usize, depth: i32): usize {
  const c = load<u8>(p);
  if (c === QUOTE) return stringEnd(p);
  return <u8>(c - ZERO) <= 9 ? numberEnd(p) : valueEnd(p, depth);
}

function objectEnd(p: usize, depth: i32): usize {
  p = pastBlanks(p + 1);
  if (load<u8>(p) === CLOSE_BRACE) return p + 1;
  while (true) {
    if (load<u8>(p) !== QUOTE) return 0;
    p = stringEnd(p);
    if (p === 0) return 0;
    p = pastBlanks(p);
    if (load<u8>(p) !== COLON) return 0;
    p = pastBlanks(p + 1);
    p = memberEnd(p, depth);
    if (p === 0) return 0;
    p = pastBlanks(p);
    const c = load<u8>(p);
    if (c === CLOSE_BRACE) return p + 1;
    if (c !== COMMA) return 0;
    p = pastBlanks(p + 1);
  }
}

function arrayEnd(p: usize, depth: i32): usize {
  p = pastBlanks(p + 1);
  if (load<u8>(p) === CLOSE_BRACKET) return p + 1;
  while (true) {
    p = valueEnd(p, depth);
    if (p === 0) return 0;
    p = pastBlanks(p);
    const c = load<u8>(p);
    if (c === CLOSE_BRACKET) return p + 1;
    if (c !== COMMA) return 0;
    p = pastBlanks(p + 1);
  }
}

/** Past the digits from `p` on, if any. */
// @ts-ignore: decorator
@inline
function digitsEnd(p: usize): usize {
  while (true) {
    const digits = i8x16.sub(v128.load(p), i8x16.splat(ZERO));
    const found = i8x16.bitmask(i8x16.eq(i8x16.min_u(digits, i8x16.splat(9)), digits));
    if (found !== 0xffff) return p + ctz(~found);
    p += 16;
  }
}

/** Past the number of JSON's grammar (RFC 8259, 6) that begins at `p`; 0 if there is none. */
function numberEnd(p: usize): usize {
  if (load<u8>(p) === MINUS) p++;
  const whole = wholeEnd(p);
  if (whole === 0) return 0;
  const end = decimalsEnd(whole);
  if (end === 0) return 0;
  return (load<u8>(end) | 32) === 101 ? exponentEnd(end + 1) : end;
}

/** Past the digits in front of the point; 0 if there are none. */
// @ts-ignore: decorator
@inline
function wholeEnd(p: usize): usize {
  const end = digitsEnd(p);
  if (end === p) return 0;
  return end !== p + 1 && load<u8>(p) === ZERO ? p + 1 : end;
}

/** Past a point and its digits, if it is one; 0 if there are no digits. */
// @ts-ignore: decorator
@inline
function decimalsEnd(p: usize): usize {
  if (load<u8>(p) !== POINT) return p;
  const end = digitsEnd(p + 1);
  return end === p + 1 ? 0 : end;
}

function exponentEnd(p: usize): usize {
  const sign = load<u8>(p);
  if (sign === 43 || sign === MINUS) p++;
  const end = digitsEnd(p);
  return end === p ? 0 : end;
}

/** Past the value field's number, in quotes or not, which goes into its columns; 0 if there is none. */
function numberField(p: usize, line: i32): usize {
  const isString = load<u8>(p) === QUOTE;
  if (isString) p++;
  const isNegative = load<u8>(p) === MINUS;
  const first = p + <usize>isNegative;
  const whole = wholeEnd(first);
  if (whole === 0) return 0;
  let end = decimalsEnd(whole);
  if (end === 0) return 0;
  longAt = 0;
  if ((load<u8>(end) | 32) === 101) {
    end = exponentEnd(end + 1);
    if (end === 0) return 0;
    longAt = p;
  } else {
    const wholeDigits = <i32>(whole - first);
    const decimals = end === whole ? 0 : <i32>(end - whole) - 1;
    let mantissa: f64 = EXACT;
    if (wholeDigits <= 8 && decimals <= 8) {
      mantissa = eightDigits(first, wholeDigits);
      if (decimals !== 0) {
        mantissa = mantissa * load<f64>(POWERS + (<usize>decimals << 3)) +
          eightDigits(whole + 1, decimals);
      }
    } else if (wholeDigits + decimals <= MOST_DIGITS) {
      mantissa = <f64>digits(whole + 1, end, digits(first, whole, 0));
    }
    // An integer and a power of ten that are both exact: one division rounds once (W. D. Clinger, 1990).
    if (mantissa < EXACT) {
      const value = mantissa / load<f64>(POWERS + (<usize>decimals << 3));
      store<f64>(values + (<usize>line << 3), isNegative ? -value : value);
    } else {
      longAt = p;
    }
  }
  const rest = restFrom + (<usize>line << 2);
  store<i32>(rest, -1);
  if (!isString) return end;
  if (load<u8>(end) === QUOTE) return end + 1;
  const restEnd = plainEnd(end);
  if (restEnd === 0) return 0;
  store<i32>(rest, <i32>end - shift);
  store<i32>(restTo + (<usize>line << 2), <i32>restEnd - shift);
  return restEnd + 1;
}

/** The number of one to eight digits, without a loop whose end the processor would have to guess. */
// @ts-ignore: decorator
@inline
function eightDigits(p: usize, count: i32): f64 {
  // What is no digit is pushed out, and zeros come in front; then neighbours are joined, two, four and eight.
  let n = (load<u64>(p) - 0x3030303030303030) << (<u64>(8 - count) << 3);
  n = (n * 10 + (n >> 8)) & 0x00ff00ff00ff00ff;
  n = (n * 100 + (n >> 16)) & 0x0000ffff0000ffff;
  return <f64><i32>(n * 10000 + (n >> 32));
}

/** `begun` with the digits of [p, end) behind it. */
function digits(p: usize, end: usize, begun: u64): u64 {
  for (; p < end; p++) begun = begun * 10 + <u64>(load<u8>(p) - ZERO);
  return begun;
}
