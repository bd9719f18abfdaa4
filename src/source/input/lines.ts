import { ByteBuffer } from "../../platform/byte_buffer.ts";

/** Maximum length of a line in bytes; a longer one is invalid, and never held. */
export const MOST_LINE_BYTES = 2 ** 20;

/** Maximum length of the pieces in which a chunk is handed on, so that no line within a piece is too long. */
const PIECE = 2 ** 18;

/** The byte that ends a line. */
export const LINE_FEED = 10;

/** Reads lines of one format. */
export interface LineReader {
  /** Reads the whole lines in bytes[from, to), each with its line feed. The bytes are the reader's only during the call. */
  lines(bytes: Uint8Array, from: number, to: number): void;
  /** Hears that a line was longer than is allowed, 1 MiB by default, and has been left out. */
  tooLong(): void;
  /** Hears that there are no more lines. */
  end(): void;
  /** Bytes of whole lines that belong to a record which has not ended; none where a line is a record. */
  readonly held?: number;
  /** The lines that name the columns of the next lines; undefined before them, and where a format has none. */
  readonly header?: string | undefined;
}

const ESCAPE = 27;
const BRACKET = 91;
/** The bytes that end a colour (`m`) and the erasure that follows one at a line's end (`K`). */
const COLOUR_ENDS: readonly number[] = [0x6d, 0x4b];

/**
 * Copies bytes without the colours that programs write for a terminal, as ECMA-48 has them (SGR): a pattern does not see
 * them, and a number is one all the same.
 */
function withoutColours(bytes: Uint8Array): Uint8Array {
  const plain = new Uint8Array(bytes.length);
  let length = 0;
  for (let at = 0; at < bytes.length;) {
    const end = bytes[at] === ESCAPE && bytes[at + 1] === BRACKET
      ? parametersEnd(bytes, at + 2)
      : -1;
    if (COLOUR_ENDS.includes(bytes[end] ?? 0)) at = end + 1;
    else plain[length++] = bytes[at++] ?? 0;
  }
  return plain.subarray(0, length);
}

const COLOUR = new RegExp(String.fromCharCode(ESCAPE) + String.raw`\[[\d:;]*[mK]`, "g");

/** Removes the same from a text in which JSON had escaped them. */
export function plainText(text: string): string {
  return text.includes("\x1b") ? text.replace(COLOUR, "") : text;
}

/** Past the digits, `;` and `:` that begin at `at`. */
function parametersEnd(bytes: Uint8Array, at: number): number {
  let end = at;
  for (let byte = bytes[end] ?? 0; byte >= 0x30 && byte <= 0x3b; byte = bytes[++end] ?? 0);
  return end;
}

/** Cuts chunks of any size into whole lines, without colours; what is held is at most one line. */
export class LineSplitter {
  readonly #reader: LineReader;
  readonly #mostBytes: number;
  readonly #held = new ByteBuffer();
  /** In a line that is too long, up to its end. */
  #skipping = false;

  constructor(reader: LineReader, mostBytes = MOST_LINE_BYTES) {
    this.#reader = reader;
    this.#mostBytes = mostBytes;
  }

  /** Bytes at the end of what was pushed that wait for the end of their line or record. */
  get held(): number {
    return this.#held.length + (this.#reader.held ?? 0);
  }

  push(chunk: Uint8Array): void {
    for (let at = 0; at < chunk.length; at += PIECE) this.#piece(chunk.subarray(at, at + PIECE));
  }

  end(): void {
    if (this.#skipping) this.#reader.tooLong();
    if (this.#held.length > 0) {
      this.#held.append(Uint8Array.of(LINE_FEED));
      this.#handOn(this.#held.bytes, 0, this.#held.length);
    }
    this.#reader.end();
  }

  #handOn(bytes: Uint8Array, from: number, to: number): void {
    const lines = bytes.subarray(from, to);
    if (!lines.includes(ESCAPE)) return this.#reader.lines(bytes, from, to);
    const plain = withoutColours(lines);
    this.#reader.lines(plain, 0, plain.length);
  }

  #piece(piece: Uint8Array): void {
    const from = this.#skipping || this.#held.length > 0 ? this.#finishLine(piece) : 0;
    const to = piece.lastIndexOf(LINE_FEED) + 1;
    if (to > from) this.#handOn(piece, from, to);
    const rest = Math.max(from, to);
    if (rest < piece.length) this.#held.append(piece.subarray(rest));
  }

  /** Ends the line that began in an earlier piece, if it ends in this one; what of the piece is used up. */
  #finishLine(piece: Uint8Array): number {
    const feed = piece.indexOf(LINE_FEED);
    const length = feed < 0 ? piece.length : feed;
    if (this.#held.length + length > this.#mostBytes) {
      this.#held.clear();
      this.#skipping = true;
    }
    if (feed < 0) {
      if (!this.#skipping) this.#held.append(piece);
      return piece.length;
    }
    if (this.#skipping) {
      this.#skipping = false;
      this.#reader.tooLong();
    } else {
      this.#held.append(piece.subarray(0, feed + 1));
      this.#handOn(this.#held.bytes, 0, this.#held.length);
      this.#held.clear();
    }
    return feed + 1;
  }
}

/** Reader of lines, and whether the first line it reads names the columns. */
export interface OpenedLines {
  readonly reader: LineReader;
  readonly hasHeader: boolean;
}
