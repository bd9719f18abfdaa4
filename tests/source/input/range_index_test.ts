import assert from "node:assert/strict";
import { RangeIndex } from "../../../src/source/input/range_index.ts";

/** A range for each text, laid end to end with something in between; undefined is a range that is missing. */
function ranges(...texts: readonly (string | undefined)[]) {
  const bytes = new TextEncoder().encode(`#${texts.join("#")}#`);
  const [from, to] = [new Int32Array(texts.length).fill(-1), new Int32Array(texts.length).fill(-1)];
  let at = 1;
  texts.forEach((text, k) => {
    if (text !== undefined) [from[k], to[k]] = [at, at + text.length];
    at += (text ?? "").length + 1;
  });
  return [new DataView(bytes.buffer), from, to] as const;
}

Deno.test("RangeIndex finds what was added for the same ranges, and for no others", () => {
  const index = new RangeIndex<string>(2);
  const lists = [
    ["ab", "c"],
    ["a", "bc"],
    ["", "abc"],
    ["abc", ""],
    [undefined, "abc"],
    ["abc", undefined],
    [undefined, undefined],
    ["", ""],
    ["abcdefgh", "12345"],
    ["abcdefgh", "12346"],
    ["abcdefgi", "12345"],
  ];
  for (const list of lists) {
    assert.equal(index.find(...ranges(...list)), undefined);
    index.add(...ranges(...list), JSON.stringify(list));
  }
  for (const list of lists) assert.equal(index.find(...ranges(...list)), JSON.stringify(list));
});

Deno.test("RangeIndex compares bytes, and trusts no hash", () => {
  // 60,000 entries and 400,000 others: of these pairs about six have the same hash of 32 bits.
  for (const length of [3, 7, 8]) {
    const index = new RangeIndex<number>(1);
    const bytes = new Uint8Array(8);
    const view = new DataView(bytes.buffer);
    const from = Int32Array.of(0);
    const to = Int32Array.of(length);
    const write = (n: number) => {
      view.setUint32(4, Math.imul(n, 0x85ebca6b));
      view.setUint32(0, n << 8);
    };
    for (let n = 0; n < 60_000; n++) {
      write(n);
      index.add(view, from, to, n);
      // Found often enough for remembering to pay.
      for (let times = 0; times < 2; times++) assert.equal(index.find(view, from, to), n);
    }
    for (let n = 0; n < 460_000; n++) {
      write(n);
      assert.equal(index.find(view, from, to), n < 60_000 ? n : undefined);
    }
  }
});

Deno.test("RangeIndex begins anew when it is full, of entries or of bytes", () => {
  for (const length of [6, 4000]) {
    const index = new RangeIndex<number>(1);
    const list = (n: number) => ranges(String(n).padStart(length, "-"));
    const count = length === 6 ? 150_000 : 10_000;
    for (let n = 0; n < count; n++) {
      index.add(...list(n), n);
      for (let times = 0; times < 2; times++) assert.equal(index.find(...list(n)), n);
    }
    assert.equal(index.find(...list(0)), undefined);
    const known = Array.from({ length: count }, (_, n) => index.find(...list(n)));
    assert.ok(known.every((found, n) => found === undefined || found === n));
    assert.ok(known.filter((found) => found !== undefined).length > 1000);
  }
});

Deno.test("RangeIndex does not keep what is very long", () => {
  const index = new RangeIndex<number>(1);
  index.add(...ranges("x".repeat(5000)), 1);
  assert.equal(index.find(...ranges("x".repeat(5000))), undefined);
});

Deno.test("RangeIndex adds no more of what is always new, and tries again later", () => {
  const index = new RangeIndex<number>(1);
  const list = (n: number) => ranges(String(n));
  let learned = 0;
  const pauses: number[] = [];
  for (let n = 0; n < 600_000; n++) {
    assert.equal(index.find(...list(n)), undefined);
    if (index.learns) learned++;
    else if (pauses.at(-1) !== learned) pauses.push(learned);
    index.add(...list(n), n);
  }
  assert.equal(pauses.length, 2);
  assert.ok(learned < 20_000, `${learned} were remembered`);
  // A range that pays in the end is remembered again.
  for (let n = 0; n < 2_000_000 && index.find(...list(n % 5000)) === undefined; n++) {
    index.add(...list(n % 5000), n % 5000);
  }
  for (let n = 0; n < 5000; n++) {
    if (index.find(...list(n)) === undefined) index.add(...list(n), n);
    assert.equal(index.find(...list(n)), n);
  }
});
