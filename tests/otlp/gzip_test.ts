import assert from "node:assert/strict";
import { gzip, plainBody, plainSize } from "../../src/otlp/gzip.ts";

for (const length of [0, 376, 262_143, 262_144, 1_000_000]) {
  Deno.test(`gzip() packs ${length} bytes so that they come out again`, async () => {
    const bytes = Uint8Array.from({ length }, (_, i) => (i % 50) ^ (i >> 9));
    const body = await gzip(bytes);
    assert.deepEqual([...body.subarray(0, 2)], [0x1f, 0x8b]);
    assert.ok(length < 376 || body.length < length / 2, `${body.length} bytes`);
    assert.deepEqual(await plainBody({ body, encoding: "gzip" }), bytes);
    assert.equal(plainSize({ body, encoding: "gzip" }), length);
    assert.equal(plainSize({ body: bytes, encoding: "identity" }), length);
  });
}
