import assert from "node:assert/strict";
import { readAhead } from "../../src/platform/read_ahead.ts";

/** Gives the chunks one after the other, and tells what was asked of it. */
function source(chunks: readonly (Uint8Array | Error)[]) {
  let reads = 0;
  let closed = 0;
  return {
    asked: () => reads,
    closed: () => closed,
    read(into: Uint8Array) {
      const chunk = chunks[reads++];
      if (chunk instanceof Error) return Promise.reject(chunk);
      if (chunk === undefined) return Promise.resolve(null);
      into.set(chunk);
      return Promise.resolve(chunk.length);
    },
    close() {
      closed++;
    },
  };
}

const byte = (n: number) => Uint8Array.of(n, n);

Deno.test("readAhead() gives every chunk, each unchanged until the next is asked for", async () => {
  const file = source([1, 2, 3, 4, 5].map(byte));
  const seen: number[][] = [];
  for await (const chunk of readAhead(file)) {
    const before = [...chunk];
    await new Promise((resolve) => setTimeout(resolve));
    assert.deepEqual([...chunk], before);
    seen.push(before);
  }
  assert.deepEqual(seen, [[1, 1], [2, 2], [3, 3], [4, 4], [5, 5]]);
  assert.equal(file.closed(), 1);
});

Deno.test("readAhead() reads nothing before it is asked, and then one chunk more", async () => {
  const file = source([1, 2, 3, 4].map(byte));
  const reader = readAhead(file).getReader();
  assert.equal(file.asked(), 0);
  await reader.read();
  assert.equal(file.asked(), 2);
  await reader.cancel();
  assert.equal(file.closed(), 1);
});

Deno.test("readAhead() fails where the source does, after what came before", async () => {
  const file = source([byte(1), new Error("cut")]);
  const reader = readAhead(file).getReader();
  assert.deepEqual([...(await reader.read()).value ?? []], [1, 1]);
  await assert.rejects(reader.read(), /cut/);
  assert.equal(file.closed(), 1);
});
