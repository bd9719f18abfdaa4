import { LINE_FEED } from "./lines.ts";

/** The double quote. */
export const QUOTE = 34;
/** The quote of a format that has none: it equals no byte. */
export const NO_QUOTE = -1;
const CARRIAGE_RETURN = 13;

/** States of the splitter, here at the beginning of a field. */
const AT_START = 0;
const UNQUOTED = 1;
const IN_QUOTES = 2;
/** After a quote within quotes: it ends the field, or is the first of two that stand for one. */
const AFTER_QUOTE = 3;

/**
 * Splits a record of CSV (RFC 4180) into the bytes of its fields, quotes included. A record that does not end in the
 * bytes at hand is gone on with when there are more. A quote within a field that does not begin with one is an ordinary
 * character.
 */
export class CsvRecord {
  /** Where each field is, counted from the record's first byte; so many as there is room for. */
  from: Int32Array;
  to: Int32Array;
  /** How many there are. */
  fields = 0;
  /** Line feeds within quotes. */
  innerLines = 0;
  /** Something other than a delimiter followed a closing quote. */
  malformed = false;
  readonly #delimiter: number;
  readonly #quote: number;
  #state = AT_START;
  /** Number of the record's bytes that have been looked at. */
  #seen = 0;

  /** `delimiter` is a byte, other than a quote or a line's end; `quote` is QUOTE or NO_QUOTE. */
  constructor(delimiter: number, quote: number) {
    this.#delimiter = delimiter;
    this.#quote = quote;
    this.from = new Int32Array(16);
    this.to = new Int32Array(16);
  }

  /** Forgets a record that was begun. */
  reset(): void {
    this.fields = 0;
    this.innerLines = 0;
    this.malformed = false;
    this.#state = AT_START;
    this.#seen = 0;
  }

  /**
   * Where the line feed is that ends the record which begins at `start`; -1 when it does not end before `to`, which is
   * after a line feed.
   */
  split(bytes: Uint8Array, start: number, to: number): number {
    if (this.#seen === 0) {
      this.reset();
      this.#open(0);
    }
    const delimiter = this.#delimiter;
    const quote = this.#quote;
    let state = this.#state;
    for (let i = start + this.#seen; i < to; i++) {
      const c = bytes[i];
      if (state === IN_QUOTES) {
        if (c === quote) state = AFTER_QUOTE;
        else if (c === LINE_FEED) this.innerLines++;
      } else if (c === delimiter) {
        this.#close(i - start);
        this.#open(i - start + 1);
        state = AT_START;
      } else if (c === LINE_FEED) {
        this.#close(i - start - (i > start && bytes[i - 1] === CARRIAGE_RETURN ? 1 : 0));
        this.#seen = 0;
        return i;
      } else if (state === AFTER_QUOTE) {
        state = c === quote ? IN_QUOTES : this.#afterQuote(c, bytes[i + 1]);
      } else if (state === AT_START) {
        state = c === quote ? IN_QUOTES : UNQUOTED;
      }
    }
    this.#state = state;
    this.#seen = to - start;
    return -1;
  }

  /** Only the end of the line may follow a closing quote. */
  #afterQuote(c: number | undefined, next: number | undefined): number {
    if (c !== CARRIAGE_RETURN || next !== LINE_FEED) this.malformed = true;
    return UNQUOTED;
  }

  #open(at: number): void {
    this.#makeRoom();
    this.from[this.fields] = at;
  }

  #close(at: number): void {
    this.to[this.fields] = at;
    this.fields++;
  }

  /** A header may have any number of columns, and so may a record that is wrong. */
  #makeRoom(): void {
    if (this.fields < this.from.length) return;
    const [from, to] = [new Int32Array(2 * this.fields), new Int32Array(2 * this.fields)];
    from.set(this.from);
    to.set(this.to);
    this.from = from;
    this.to = to;
  }
}

/** Removes the quotes of a field of quoted CSV; two quotes within them become one. */
export function csvField(text: string): string {
  return text.startsWith('"') ? text.slice(1, -1).replaceAll('""', '"') : text;
}
