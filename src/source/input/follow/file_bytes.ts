import type { FilePlace } from "../place.ts";
import { joinBytes } from "../../../platform/byte_buffer.ts";
import { unpackInput } from "../unpack_input.ts";
import { InputError } from "../input_error.ts";
import { LINE_FEED } from "../lines.ts";
import { beginsWith, fingerprint, HEAD_BYTES, isSameDigest, LAST_BYTES } from "./fingerprint.ts";

/** How many bytes are read at once. */
const CHUNK_BYTES = 256 * 1024;

/** Bytes of an open file, plain or unpacked. */
export interface FileBytes {
  readonly path: string;
  readonly info: Deno.FileInfo;
  /** Whether the file cannot grow. */
  readonly isFixed: boolean;
  /** The size in bytes as it is now; undefined while that of a gzip file is not known. */
  size(): Promise<number | undefined>;
  /** Whether there seem to be bytes after `offset`. */
  hasMore(offset: number): Promise<boolean>;
  /** The bytes from `offset` on, as many as there are at once; undefined if there are none now. */
  read(offset: number): Promise<Uint8Array | undefined>;
  /**
   * The first bytes, at most 1,024, if the file begins with `head` and `last` stands right before `offset`; undefined if
   * it was rewritten.
   */
  unchangedHead(
    offset: number,
    head: Uint8Array,
    last: Uint8Array,
  ): Promise<Uint8Array | undefined>;
  close(): void;
}

/** File that was found at a place, with the bytes that a tail has to remember. */
export interface FoundFile {
  readonly bytes: FileBytes;
  /** The first bytes, at most 1,024. */
  readonly head: Uint8Array;
  /** The bytes right before the place, at most 256. */
  readonly last: Uint8Array;
  /** The first line, when the place is behind it. */
  readonly firstLine: Uint8Array | undefined;
}

/** Opens a regular file. Throws what the system reports, and an InputError for anything else than a file. */
export async function openBytes(path: string): Promise<PlainBytes> {
  // Opening a pipe would wait for somebody who writes to it.
  const { isFile, isDirectory } = await Deno.stat(path);
  if (isDirectory) throw new Deno.errors.IsADirectory("it is a directory");
  if (!isFile) throw new InputError("it is not a regular file");
  const file = await Deno.open(path);
  return new PlainBytes(path, file, await file.stat());
}

/** Opens a file if it is the one of a place, or a copy of it, packed or not, that reaches up to the place. */
export async function openAt(path: string, place: FilePlace): Promise<FoundFile | undefined> {
  const plain = await openBytes(path);
  try {
    const found = await plain.isGzip() ? await gzipAt(plain, place) : await plainAt(plain, place);
    if (found === undefined) plain.close();
    return found;
  } catch (thrown) {
    plain.close();
    // Nobody's copy, or one that is still being written.
    if (thrown instanceof InputError) return undefined;
    throw thrown;
  }
}

/** Reads the first bytes of a file, at most 1,024, unpacked; none of a gzip file that is damaged there. */
export async function headOf(path: string): Promise<Uint8Array> {
  const plain = await openBytes(path);
  try {
    if (!await plain.isGzip()) return await plain.at(0, HEAD_BYTES);
    let head: Uint8Array = new Uint8Array();
    for await (const piece of unpackInput(plain.all())) {
      head = joinBytes([head, piece.subarray(0, HEAD_BYTES - head.length)]);
      if (head.length === HEAD_BYTES) break;
    }
    return head;
  } catch (thrown) {
    if (thrown instanceof InputError) return new Uint8Array();
    throw thrown;
  } finally {
    plain.close();
  }
}

async function plainAt(bytes: PlainBytes, place: FilePlace): Promise<FoundFile | undefined> {
  if (await bytes.size() < place.offset) return undefined;
  const head = await bytes.at(0, HEAD_BYTES);
  const from = Math.max(0, place.offset - LAST_BYTES);
  const last = await bytes.at(from, place.offset - from);
  if (!await isProven(place, head, last)) return undefined;
  return { bytes, head, last, firstLine: await bytes.firstLine(place.offset) };
}

async function gzipAt(plain: PlainBytes, place: FilePlace): Promise<FoundFile | undefined> {
  const unpacked = unpackInput(plain.all());
  let head: Uint8Array = new Uint8Array();
  let last: Uint8Array = new Uint8Array();
  let rest: Uint8Array = new Uint8Array();
  let at = 0;
  const needed = Math.max(place.offset, place.head.length);
  while (at < needed) {
    const { done, value } = await unpacked.next();
    if (done) return undefined;
    const before = value.subarray(0, Math.max(0, place.offset - at));
    const hadHead = head.length >= place.head.length;
    head = joinBytes([head, value.subarray(0, HEAD_BYTES - head.length)]);
    last = joinBytes([last, before.subarray(-LAST_BYTES)]).subarray(-LAST_BYTES);
    rest = joinBytes([rest, value.subarray(before.length)]);
    at += value.length;
    // Most files are not the one, which their first bytes show.
    if (!hadHead && head.length >= place.head.length && !await beginsWith(head, place.head)) break;
  }
  if (at >= needed && await isProven(place, head, last)) {
    const bytes = new GzipBytes(plain, unpacked, head, rest);
    return { bytes, head, last, firstLine: firstLineOf(head.subarray(0, place.offset)) };
  }
  await unpacked.return(undefined);
  return undefined;
}

async function isProven(place: FilePlace, head: Uint8Array, last: Uint8Array): Promise<boolean> {
  if (!await beginsWith(head, place.head)) return false;
  // A place may remember fewer of the last bytes than there are.
  const { length, sha256 } = place.last;
  if (length > last.length) return false;
  return length === 0 || (await fingerprint(last.subarray(last.length - length))).sha256 === sha256;
}

function firstLineOf(bytes: Uint8Array): Uint8Array | undefined {
  const feed = bytes.indexOf(LINE_FEED);
  return feed < 0 ? undefined : bytes.slice(0, feed + 1);
}

/** File that is read as it is. */
export class PlainBytes implements FileBytes {
  readonly #file: Deno.FsFile;
  readonly #buffer = new Uint8Array(CHUNK_BYTES);
  readonly isFixed = false;

  constructor(readonly path: string, file: Deno.FsFile, readonly info: Deno.FileInfo) {
    this.#file = file;
  }

  async size(): Promise<number> {
    return (await this.#file.stat()).size;
  }

  async hasMore(offset: number): Promise<boolean> {
    return await this.size() > offset;
  }

  async read(offset: number): Promise<Uint8Array | undefined> {
    await this.#file.seek(offset, Deno.SeekMode.Start);
    const read = await this.#file.read(this.#buffer) ?? 0;
    return read === 0 ? undefined : this.#buffer.slice(0, read);
  }

  async unchangedHead(
    offset: number,
    head: Uint8Array,
    last: Uint8Array,
  ): Promise<Uint8Array | undefined> {
    const first = await this.at(0, HEAD_BYTES);
    return isSameDigest(first.subarray(0, head.length), head) &&
        isSameDigest(await this.at(offset - last.length, last.length), last)
      ? first
      : undefined;
  }

  /** The bytes from `offset` on, at most `length`. */
  async at(offset: number, length: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(length);
    await this.#file.seek(offset, Deno.SeekMode.Start);
    let at = 0;
    while (at < length) {
      const read = await this.#file.read(bytes.subarray(at));
      if (read === null) break;
      at += read;
    }
    return bytes.subarray(0, at);
  }

  /** The first line, if all of it lies before `offset`. */
  async firstLine(offset: number): Promise<Uint8Array | undefined> {
    return offset === 0 ? undefined : firstLineOf(await this.at(0, Math.min(offset, CHUNK_BYTES)));
  }

  async isGzip(): Promise<boolean> {
    const [first, second] = await this.at(0, 2);
    return first === 0x1f && second === 0x8b;
  }

  /** All bytes from the first on. */
  async *all(): AsyncGenerator<Uint8Array> {
    let at = 0;
    for (let piece = await this.read(0); piece !== undefined; piece = await this.read(at)) {
      at += piece.length;
      yield piece;
    }
  }

  close(): void {
    this.#file.close();
  }
}

/** Compressed file, whose bytes come in their order and only once. It does not change. */
class GzipBytes implements FileBytes {
  readonly #packed: PlainBytes;
  readonly #unpacked: AsyncGenerator<Uint8Array>;
  readonly isFixed = true;
  #head: Uint8Array;
  #rest: Uint8Array;
  #size: number | undefined;

  constructor(
    packed: PlainBytes,
    unpacked: AsyncGenerator<Uint8Array>,
    head: Uint8Array,
    rest: Uint8Array,
  ) {
    this.#packed = packed;
    this.#unpacked = unpacked;
    this.#head = head;
    this.#rest = rest;
  }

  get path(): string {
    return this.#packed.path;
  }

  get info(): Deno.FileInfo {
    return this.#packed.info;
  }

  size(): Promise<number | undefined> {
    return Promise.resolve(this.#size);
  }

  /** RFC 1952, 2.3.1: a member ends with its size before compression, modulo 2^32, little endian. */
  async hasMore(offset: number): Promise<boolean> {
    const trailer = await this.#packed.at(await this.#packed.size() - 4, 4);
    return new DataView(trailer.buffer).getUint32(0, true) !== offset % 2 ** 32;
  }

  async read(offset: number): Promise<Uint8Array | undefined> {
    if (this.#size !== undefined) return undefined;
    const rest = this.#rest;
    this.#rest = new Uint8Array();
    if (rest.length > 0) return rest;
    const { done, value } = await this.#unpacked.next();
    if (done) {
      this.#size = offset;
      return undefined;
    }
    if (this.#head.length === offset) {
      this.#head = joinBytes([this.#head, value.subarray(0, HEAD_BYTES - offset)]);
    }
    return value;
  }

  unchangedHead(_offset: number, head: Uint8Array): Promise<Uint8Array | undefined> {
    const isHead = isSameDigest(this.#head.subarray(0, head.length), head);
    return Promise.resolve(isHead ? this.#head : undefined);
  }

  close(): void {
    this.#unpacked.return(undefined).catch(() => {}); // damage behind what was read
    this.#packed.close();
  }
}
