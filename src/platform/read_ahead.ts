/** What one read may bring. */
const CHUNK_BYTES = 2 ** 18;

/** What of a file is needed. */
export interface Readable {
  read(into: Uint8Array): Promise<number | null>;
  close(): void;
}

/**
 * Once somebody reads, fetches the next chunk while the last one is worked at, into two buffers by turns: a chunk is its
 * reader's only until it asks for the next. The runtime's own stream makes a buffer for each, and fills it when asked.
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
