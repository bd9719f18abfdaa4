/** Size of one read, in bytes. */
const CHUNK_BYTES = 2 ** 18;

/** The part of a file that reading ahead uses. */
export interface Readable {
  read(into: Uint8Array): Promise<number | null>;
  close(): void;
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
