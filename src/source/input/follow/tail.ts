import { type FilePlace, type Fingerprint, NOTHING } from "../place.ts";
import { joinBytes } from "../../../platform/byte_buffer.ts";
import type { LineConsumer } from "../input.ts";
import type { FileBytes, FoundFile } from "./file_bytes.ts";
import { fingerprint, HEAD_BYTES, LAST_BYTES } from "./fingerprint.ts";

/** How long a file is kept open after its rotation, in ms: nginx writes to the old one until it gets its signal. */
const OLD_FILE_MS = 60_000;

/** File that is read to its end, again and again, and the place up to which its lines were handed on. */
export class Tail {
  readonly #bytes: FileBytes;
  #consumer: LineConsumer;
  /** The bytes that were read. */
  #offset: number;
  #size: number;
  #head: Uint8Array = new Uint8Array();
  #headPrint: Fingerprint = NOTHING;
  /** The bytes that end at #offset: those that the consumer holds, and 256 before them. */
  #recent: Uint8Array = new Uint8Array();
  #lastPrint: Fingerprint = NOTHING;
  /** Since when nothing has come, on the monotonic clock; undefined: not known. */
  #quietSince: number | undefined;
  /** A compressed file was read to its end. */
  #isDone = false;

  private constructor(bytes: FileBytes, consumer: LineConsumer, offset: number, size: number) {
    this.#bytes = bytes;
    this.#consumer = consumer;
    this.#offset = offset;
    this.#size = size;
  }

  /** Begins at a place, with the bytes before it. */
  static async at(
    { bytes, head, last }: Pick<FoundFile, "bytes" | "head" | "last">,
    offset: number,
    consumer: LineConsumer,
  ): Promise<Tail> {
    const tail = new Tail(bytes, consumer, offset, await bytes.size() ?? offset);
    tail.#head = head;
    tail.#headPrint = await fingerprint(head);
    tail.#recent = last;
    tail.#lastPrint = await fingerprint(last);
    return tail;
  }

  get path(): string {
    return this.#bytes.path;
  }

  get place(): FilePlace {
    const { dev, ino } = this.#bytes.info;
    return {
      path: this.path,
      device: dev,
      inode: ino ?? 0,
      offset: this.#offset - this.#consumer.held,
      head: this.#headPrint,
      last: this.#lastPrint,
      size: this.#size,
    };
  }

  /** Whether no byte was seen: that the file is still the same proves nothing, it may have been truncated meanwhile. */
  get isBlank(): boolean {
    return this.#head.length === 0;
  }

  /** Bytes that were seen and not handed on as whole lines. */
  get unread(): number {
    return Math.max(0, this.#size - this.place.offset);
  }

  isFile({ dev, ino }: Pick<Deno.FileInfo, "dev" | "ino">): boolean {
    return dev === this.#bytes.info.dev && ino === this.#bytes.info.ino;
  }

  /** Whether there seem to be bytes that were not read. */
  async hasMore(): Promise<boolean> {
    return await this.#bytes.hasMore(this.#offset);
  }

  /** Hands the next bytes to the consumer; how many, 0 if there are none or the file was rewritten. */
  async read(): Promise<number> {
    const piece = await this.#bytes.read(this.#offset);
    if (piece === undefined) {
      this.#isDone = this.#bytes.isFixed;
      return 0;
    }
    // Truncated and written to again, it has other bytes there. The next look finds the right ones.
    if (await this.wasRewritten(this.#offset + piece.length)) return 0;
    await this.#take(piece);
    return piece.length;
  }

  /** Whether the file is shorter than it was, or than `end`, or no longer has the bytes that were seen. */
  async wasRewritten(end = this.#offset): Promise<boolean> {
    const size = await this.#bytes.size() ?? end;
    if (size < Math.max(end, this.#size)) return true;
    const last = this.#recent.subarray(-LAST_BYTES);
    const head = await this.#bytes.unchangedHead(this.#offset, this.#head, last);
    if (head === undefined) return true;
    this.#size = size;
    if (this.#head.length < Math.min(HEAD_BYTES, head.length)) {
      this.#head = head;
      this.#headPrint = await fingerprint(head);
    }
    return false;
  }

  /** Whether the file begins with so many bytes of which these are the first and the last ones: it was copied. */
  async hasCopy(length: number, head: Uint8Array, last: Uint8Array): Promise<boolean> {
    const size = await this.#bytes.size();
    if (size !== undefined && size < length) return false;
    return await this.#bytes.unchangedHead(length, head, last) !== undefined;
  }

  /** Begins again at the first byte, after the file was truncated. */
  rewind(consumer: LineConsumer): void {
    this.#consumer = consumer;
    this.#offset = 0;
    this.#size = 0;
    this.#head = new Uint8Array();
    this.#headPrint = NOTHING;
    this.#recent = new Uint8Array();
    this.#lastPrint = NOTHING;
  }

  /** Whether nothing more is expected of a file that was rotated away. */
  isQuiet(now: number): boolean {
    this.#quietSince ??= now;
    if (this.#isDone) return true;
    return this.#size <= this.#offset && now - this.#quietSince >= OLD_FILE_MS;
  }

  end(): void {
    this.#consumer.end();
    this.close();
  }

  close(): void {
    this.#bytes.close();
  }

  /** Hands bytes on. Its fingerprints are made first: a place that is taken afterwards fits its offset. */
  async #take(piece: Uint8Array): Promise<void> {
    this.#quietSince = undefined;
    this.#offset += piece.length;
    this.#size = Math.max(this.#size, this.#offset);
    this.#consumer.push(piece);
    const recent = joinBytes([this.#recent, piece]);
    const lineEnd = recent.length - this.#consumer.held;
    const from = Math.max(0, lineEnd - LAST_BYTES);
    this.#recent = recent.slice(from);
    // The place's fingerprints cover whole lines only, as far as its offset.
    this.#lastPrint = await fingerprint(recent.subarray(from, Math.max(from, lineEnd)));
  }
}
