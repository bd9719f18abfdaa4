/** Size of one read, in bytes. */
const CHUNK_BYTES = 2 ** 18;

/** The part of a file that reading ahead uses. */
export interface Readable {
  read(into: Uint8Array): Promise<number | null>;
  close(): void;
}

/**
 * Regular file that is read from its first byte to its end. Its end is an error when the file has become shorter: a last
 * line may be cut off, and those behind it are gone.
 */
export class WholeFile implements Readable {
  readonly #file: Deno.FsFile;
  readonly #size: number;
  #bytes = 0;

  /** `size` is that of the file when it was opened; 0 also where the system does not know it. */
  constructor(file: Deno.FsFile, size: number) {
    this.#file = file;
    this.#size = size;
  }

  async read(into: Uint8Array): Promise<number | null> {
    const length = await this.#file.read(into);
    this.#bytes += length ?? 0;
    if (length === null && this.#size > 0) {
      const { size } = await this.#file.stat();
      if (size < Math.max(this.#size, this.#bytes)) {
        throw new Error("the file was truncated while it was read");
      }
    }
    return length;
  }

  close(): void {
    this.#file.close();
  }
}

/**
 * Streams a file, and fetches the next chunk while its reader works on the last. It uses two buffers in turn, so a
 * chunk is valid until the reader asks for the next. The runtime's own stream makes a buffer per chunk and fills it
 * only when asked.
 */
export function readAhead(source: Readable): ReadableStream<Uint8Array> {
  const buffers: Uint8Array<ArrayBuffer>[] = [];
  let reads = 0;
  const read = async () => {
    const buffer = buffers[reads++ % 2] ??= new Uint8Array(CHUNK_BYTES);
    const length = await source.read(buffer);
    return length === null ? undefined : buffer.subarray(0, length);
  };
  let next: ReturnType<typeof read> | undefined;
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const chunk = await (next ?? read());
        if (chunk === undefined) {
          controller.close();
          return source.close();
        }
        controller.enqueue(chunk);
        next = read();
        next.catch(() => {}); // whoever asks for it is told
      } catch (error) {
        source.close();
        throw error;
      }
    },
    cancel: () => source.close(),
  }, { highWaterMark: 0 });
}
