import assert from "node:assert/strict";
import { readAhead, WholeFile } from "../../src/platform/read_ahead.ts";

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

Deno.test("WholeFile fails at the end of a file that was truncated meanwhile, and of no other", async () => {
  const path = await Deno.makeTempFile({ prefix: "otlp-histogram-" });
  const into = new Uint8Array(100);
  const open = async () => {
    await Deno.writeFile(path, new Uint8Array(150));
    const file = await Deno.open(path);
    const whole = new WholeFile(file, (await file.stat()).size);
    assert.equal(await whole.read(into), 100);
    return whole;
  };
  const grown = await open();
  await Deno.writeFile(path, new Uint8Array(30), { append: true });
  assert.deepEqual([await grown.read(into), await grown.read(into)], [80, null]);
  grown.close();
  const atEnd = await open();
  await Deno.truncate(path, 120);
  assert.equal(await atEnd.read(into), 20);
  await assert.rejects(atEnd.read(into), /the file was truncated while it was read/);
  atEnd.close();
  const before = await open();
  await Deno.truncate(path, 10);
  await assert.rejects(before.read(into), /the file was truncated while it was read/);
  before.close();
  await Deno.remove(path);
});
