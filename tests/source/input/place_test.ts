import assert from "node:assert/strict";
import { UsageError } from "../../../src/platform/errors.ts";
import { keptPlace } from "../../../src/source/input/place.ts";

const FILE = { device: 1, inode: 2, offset: 10, head: { length: 3, sha256: "00" } };
const PLACE = { at: 1, files: [FILE] };

function kept(value: unknown) {
  return { id: "/log", value, sequence: 1, file: "spool/checkpoint" };
}

Deno.test("keptPlace() gives the place that was kept for a path, and none for another", () => {
  assert.deepEqual(keptPlace(kept(PLACE), "/log"), PLACE);
  assert.equal(keptPlace(kept(PLACE), "/other"), undefined);
  assert.equal(keptPlace(kept("no place"), "/other"), undefined);
  assert.equal(keptPlace(undefined, "/log"), undefined);
});

Deno.test("keptPlace() refuses what is no place, and names its file", () => {
  const damaged: readonly unknown[] = [
    null,
    "place",
    {},
    { ...PLACE, at: "1" },
    { ...PLACE, files: {} },
    { ...PLACE, files: [null] },
    { ...PLACE, files: [{ ...FILE, head: null }] },
    { ...PLACE, files: [{ ...FILE, head: { length: 3 } }] },
    { ...PLACE, files: [FILE, { ...FILE, offset: -1 }] },
    { ...PLACE, files: [{ ...FILE, inode: 1.5 }] },
  ];
  for (const value of damaged) {
    assert.throws(() => keptPlace(kept(value), "/log"), (thrown) => {
      assert.ok(thrown instanceof UsageError, JSON.stringify(value));
      assert.ok(thrown.message.startsWith('Cannot read "spool/checkpoint", '), thrown.message);
      return true;
    });
  }
});
