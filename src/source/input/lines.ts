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
}

/** Cuts chunks of any size into whole lines; what is held is at most one line. */
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
      this.#reader.lines(this.#held.bytes, 0, this.#held.length);
    }
    this.#reader.end();
  }

  #piece(piece: Uint8Array): void {
    const from = this.#skipping || this.#held.length > 0 ? this.#finishLine(piece) : 0;
    const to = piece.lastIndexOf(LINE_FEED) + 1;
    if (to > from) this.#reader.lines(piece, from, to);
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
      this.#reader.lines(this.#held.bytes, 0, this.#held.length);
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
