import assert from "node:assert/strict";
import { decodeStatus } from "../../src/otlp/decode.ts";
import { assertMemory, GZIP, MB, post, request, startJudge, summaryOf } from "../support/judge.ts";

/** Gzip of so many zeros, made in pieces: the bomb is not to go off here. */
async function bomb(bytes: number): Promise<Uint8Array<ArrayBuffer>> {
  const piece = new Uint8Array(2 ** 20);
  let left = bytes;
  const zeros = new ReadableStream<BufferSource>({
    pull(controller) {
      if (left <= 0) return controller.close();
      controller.enqueue(piece);
      left -= piece.length;
    },
  });
  const packed = zeros.pipeThrough(new CompressionStream("gzip"));
  return new Uint8Array(await new Response(packed).arrayBuffer());
}

Deno.test("receive --rules dynatrace withstands a gzip bomb, and fifty at once", async () => {
  await using judge = await startJudge();
  const packed = await bomb(1024 * 2 ** 20);
  assert.ok(packed.length < 2 * MB);
  const one = await post(judge, packed, GZIP);
  assert.equal(one.status, 413);
  assert.match(decodeStatus(one.body).message, /^OTLP_MESSAGE_MAX_SIZE_EXCEEDED/);
  const fifty = await Promise.all(Array.from({ length: 50 }, () => post(judge, packed, GZIP)));
  assert.deepEqual(fifty.map(({ status }) => status), fifty.map(() => 413));
  assert.equal((await post(judge, request(3))).status, 200);
  await assertMemory(judge);
  const { requests, points } = await summaryOf(judge);
  assert.deepEqual([requests, points], [52, 3]);
});

Deno.test("receive --rules dynatrace keeps its memory with the largest and the densest requests", async () => {
  await using judge = await startJudge();
  const large = request(14_900, 20);
  assert.ok(large.length < 4 * MB && large.length > 3.5 * MB, String(large.length));
  const answers = await Promise.all(Array.from({ length: 8 }, () => post(judge, large)));
  assert.deepEqual(answers.map(({ status }) => status), answers.map(() => 200));
  // Two bytes a message, and an object each.
  const dense = new Uint8Array(4 * MB);
  for (let i = 0; i < dense.length; i += 2) dense[i] = 0x0a;
  assert.equal((await post(judge, dense)).status, 413);
  assert.equal((await post(judge, request(15_001))).status, 413);
  await assertMemory(judge);
});
