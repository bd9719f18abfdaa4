import { clip } from "./clip.ts";
import { HIDDEN, publicPart, redactTokens } from "./redact.ts";
import { percentDecode } from "./percent.ts";
import { type Reading, readings } from "./reading.ts";

/** Length of the shortest secret that is hidden; a shorter one would hide half of every message. */
const SHORTEST_SECRET = 4;
/** Length of the shortest part of a secret that is hidden where it stands alone or a text breaks off in it. */
const SHORTEST_PART = 6;
/** Length of a part of a secret that is hidden wherever it stands. */
const LONG = 12;

/** Length of the text that is searched and returned, in UTF-16 units; nothing displays more of a foreign text. */
const LONGEST_TEXT = 65_536;

/** Removes secrets from a foreign text. */
export type Hide = (text: string) => string;

/** One reading of a secret, to be searched for. */
interface Pattern {
  readonly units: Uint16Array;
  /** Number of its first units that may be shown. */
  readonly shown: number;
}

/**
 * All secrets that the program has met: tokens, header values, parts of URLs. None is forgotten, because a receiver
 * may still repeat a token after it was rotated.
 */
export class Secrets {
  readonly #known = new Set<string>();
  readonly #patterns: Pattern[] = [];
  readonly #fragments = new Fragments();

  /** Adds the value of a header: its credentials, its words, a cookie's values. */
  addHeader(name: string, value: string): void {
    const [, scheme = "", credentials = value] = SCHEME.exec(value) ?? [];
    if (scheme.toLowerCase() === "basic") this.#addBasic(credentials);
    // The names of cookies are not secrets.
    const whole = name.toLowerCase() === "cookie"
      ? credentials.split(";").map((pair) => pair.slice(pair.indexOf("=") + 1))
      : [credentials];
    for (const secret of whole) this.#addWhole(secret);
  }

  /** Adds the user name, password and query values of a URL. */
  addUrl(url: URL): void {
    if (!/[@?]/.test(url.href)) return;
    const { username, password, searchParams, search } = url;
    const raw = search.slice(1).split("&").map((pair) => pair.slice(pair.indexOf("=") + 1));
    for (const value of [username, password, ...raw]) {
      this.#addWhole(value);
      this.#addWhole(percentDecode(value));
    }
    for (const value of searchParams.values()) this.#addWhole(value);
  }

  /**
   * Hides secrets in a foreign text: whole, in part or broken off, in any case, and escaped as in a URL, a page or
   * JSON. Pass the whole text, before it is cut or escaped.
   */
  hide(text: string): string {
    if (this.#patterns.length === 0) return text;
    const seen = clip(text, LONGEST_TEXT);
    const found: Range[] = [];
    const [plain, ...others] = readings(seen);
    for (const reading of [plain, ...others]) this.#find(reading, plain, found);
    return maskRanges(seen, found);
  }

  /** Hides secrets in measured data, and what looks like a token of Dynatrace's; it may be passed on as a function. */
  readonly hideInData: Hide = (text) => redactTokens(this.hide(text));

  /** Hides secrets in the quoted values of a message of our own; nothing else in it can hold one. */
  hideQuoted(message: string): string {
    return message.replace(/"[^"\n]*"/g, (quoted) => `"${this.hide(quoted.slice(1, -1))}"`);
  }

  /** Adds a secret and its parts. */
  #addWhole(text: string): void {
    const secret = text.trim().replace(/^"(.*)"$/, "$1");
    this.#add(secret, SHORTEST_SECRET);
    for (const word of secret.split(/[\s,;]+/)) {
      this.#addParts(word);
      // NAME=VALUE; base64 ends in = signs.
      const [, value = ""] = /^[^=]*=+([^=].*)$/.exec(word) ?? [];
      this.#addParts(value);
    }
  }

  #addParts(word: string): void {
    this.#add(word, SHORTEST_PART);
    const secret = word.slice(publicPart(word).length);
    if (secret !== word) this.#add(secret, SHORTEST_SECRET);
    for (const part of secret.split(".")) {
      if (!/^dt\d[a-z]\d{2}$/i.test(part)) this.#add(part, SHORTEST_PART);
    }
  }

  #addBasic(credentials: string): void {
    const pair = base64Decoded(credentials);
    const colon = pair.indexOf(":");
    this.#addWhole(pair);
    if (colon < 0) return;
    this.#addWhole(pair.slice(0, colon));
    this.#addWhole(pair.slice(colon + 1));
  }

  #add(secret: string, shortest: number): void {
    if (secret.length < shortest || this.#known.has(secret)) return;
    this.#known.add(secret);
    this.#addPattern(secret);
    const base64 = base64Of(secret);
    this.#addPattern(base64);
    // The form in URLs and cookies (RFC 4648, 5).
    this.#addPattern(base64.replace(/=+$/, "").replaceAll("+", "-").replaceAll("/", "_"));
  }

  #addPattern(text: string): void {
    const all = readings(text);
    // A secret that holds escapes itself: as it stands, and as it reads when a text is read to its end.
    for (const reading of new Set([all[0], all.at(-1) ?? all[0]])) {
      if (reading.units.length < SHORTEST_SECRET) continue;
      const shown = reading === all[0] ? publicPart(text).length : 0;
      const pattern = { units: reading.units, shown };
      this.#patterns.push(pattern);
      this.#fragments.add(pattern);
    }
  }

  #find(reading: Reading, plain: Reading, found: Range[]): void {
    const { units } = reading;
    /** End of the last match per pattern; a match within it would be found twice. */
    const done = new Map<Pattern, number>();
    for (let end = 1, hash = 0; end <= units.length; end++) {
      hash = hash << 8 ^ (units[end - 1] ?? 0);
      if (end < SHORTEST_SECRET) continue;
      for (const { pattern, at } of this.#fragments.get(hash)) {
        const begin = end - SHORTEST_SECRET;
        if (begin < (done.get(pattern) ?? 0)) continue;
        const match = matchAround(units, begin, pattern, at);
        if (match === undefined) continue;
        const range = hiddenRange(match, reading, plain);
        if (range === undefined) continue;
        found.push(range);
        done.set(pattern, match.end);
      }
    }
  }
}

/** Scheme and credentials of an Authorization header that begins with a scheme (RFC 9110, 11.4). */
const SCHEME = /^\s*(api-?token|api-?key|basic|bearer|digest|key|negotiate|token)\s+(\S.*)$/is;

interface Fragment {
  readonly pattern: Pattern;
  /** Offset in the pattern. */
  readonly at: number;
}

const NONE: readonly Fragment[] = [];

/** Index of the patterns by the hash of each four units in a row. */
class Fragments {
  readonly #byHash = new Map<number, Fragment[]>();
  /** Bit per hash: most of a text has nothing in common with any secret. */
  readonly #sieve = new Uint8Array(0x10000);

  add(pattern: Pattern): void {
    const { units } = pattern;
    for (let end = 1, hash = 0; end <= units.length; end++) {
      hash = hash << 8 ^ (units[end - 1] ?? 0);
      if (end < SHORTEST_SECRET) continue;
      const same = this.#byHash.get(hash);
      // Its first place is enough, and keeps a secret like "aaaaaaaa" from taking forever.
      if (same?.some((fragment) => fragment.pattern === pattern)) continue;
      const fragment = { pattern, at: end - SHORTEST_SECRET };
      if (same === undefined) this.#byHash.set(hash, [fragment]);
      else same.push(fragment);
      this.#sieve[slot(hash)] = 1;
    }
  }

  get(hash: number): readonly Fragment[] {
    return this.#sieve[slot(hash)] === 0 ? NONE : this.#byHash.get(hash) ?? NONE;
  }
}

function slot(hash: number): number {
  return Math.imul(hash, 0x9e3779b1) >>> 16;
}

/** Units that a reading and a pattern have in common around one place. */
interface Match {
  readonly pattern: Pattern;
  /** Range in the pattern. */
  readonly from: number;
  readonly to: number;
  /** Range in the reading. */
  readonly begin: number;
  readonly end: number;
}

function matchAround(
  units: Uint16Array,
  place: number,
  pattern: Pattern,
  at: number,
): Match | undefined {
  const secret = pattern.units;
  let from = at;
  let begin = place;
  while (from > 0 && begin > 0 && secret[from - 1] === units[begin - 1]) from--, begin--;
  let to = at;
  let end = place;
  while (to < secret.length && end < units.length && secret[to] === units[end]) to++, end++;
  return to - at < SHORTEST_SECRET ? undefined : { pattern, from, to, begin, end };
}

/** Part of a text from `begin` up to `end`, exclusive. */
interface Range {
  readonly begin: number;
  readonly end: number;
}

/** Returns the part of the text that a match requires to be hidden, if any. */
function hiddenRange(match: Match, reading: Reading, plain: Reading): Range | undefined {
  const { pattern: { units, shown }, from, to, begin, end } = match;
  if (to <= shown) return undefined;
  const range = {
    begin: sourceOf(reading, begin + Math.max(0, shown - from)),
    end: endOf(reading, end),
  };
  const length = to - from;
  if (length === units.length || length >= LONG) return range;
  if (length >= SHORTEST_PART) {
    if (from === 0 && breaksOff(reading, end)) return range;
    if (to === units.length && isResumed(reading, begin)) return range;
  }
  // Text around a secret can look like an escape together with some of it: "100%" and "abcdef".
  const first = sourceOf(reading, begin) - from;
  return standsAt(plain, first, units.subarray(0, from)) &&
      standsAt(plain, range.end, units.subarray(to))
    ? {
      begin: from <= shown ? range.begin : first + shown,
      end: range.end + units.length - to,
    }
    : undefined;
}

/** Number of units around a match that are examined. */
const NEAR = 12;

function sourceOf({ starts }: Reading, at: number): number {
  return starts[at] ?? 0;
}

/** End in the text of the unit before `at`. An escape for two units (an emoji) begins at both. */
function endOf({ starts, units }: Reading, at: number): number {
  let next = at;
  while (next < units.length && starts[next] === starts[next - 1]) next++;
  return starts[next] ?? 0;
}

function standsAt({ units }: Reading, at: number, expected: Uint16Array): boolean {
  return at >= 0 && expected.every((unit, i) => units[at + i] === unit);
}

/**
 * Whether the text ends here, apart from closing punctuation, or continues with an ellipsis. It may break off within
 * an escape.
 */
function breaksOff({ units }: Reading, at: number): boolean {
  const next = String.fromCharCode(...units.subarray(at, at + NEAR))
    .replace(/^[%&\\\x80-\xff][%&\\#{0-9a-z\x80-\xff]*/, "");
  return /^\s*(…|\.\.|\[)/.test(next) ||
    (units.length - at < NEAR && /^[\s"'`)\]}>.,;\\]*$/.test(next));
}

/** Whether the text begins here, or after an ellipsis. */
function isResumed({ units }: Reading, at: number): boolean {
  return /^["'`(]?$|(…|\.\.|\*\*|\])\s*$/.test(
    String.fromCharCode(...units.subarray(Math.max(0, at - 3), at)),
  );
}

function maskRanges(text: string, found: Range[]): string {
  found.sort((a, b) => a.begin - b.begin);
  const parts: string[] = [];
  let end = 0;
  let isMasked = false;
  for (const range of found) {
    if (range.end <= end) continue;
    if (range.begin > end || !isMasked) parts.push(text.slice(end, range.begin), HIDDEN);
    isMasked = true;
    end = range.end;
  }
  parts.push(text.slice(end));
  return parts.join("");
}

function base64Of(text: string): string {
  const bytes = new TextEncoder().encode(text);
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
}

/** Decodes base64; empty if the text is not base64. */
function base64Decoded(text: string): string {
  try {
    const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
    return new TextDecoder().decode(bytes);
  } catch {
    return "";
  }
}
