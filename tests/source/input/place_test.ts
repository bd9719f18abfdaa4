import assert from "node:assert/strict";
import { UsageError } from "../../../src/platform/errors.ts";
import { keptPlace } from "../../../src/source/input/follow/kept_place.ts";
import { NOTHING, readPlace } from "../../../src/source/input/place.ts";
import { each } from "../../support/cases.ts";

const FILE = { device: 1, inode: 2, offset: 10, head: { length: 3, sha256: "00" } };
/** A place as version 2.0 kept it. */
const PLACE = { at: 10_000, files: [FILE] };

Deno.test("readPlace() upgrades a place of version 2.0", () => {
  assert.deepEqual(readPlace(PLACE), {
    version: 3,
    files: [{ ...FILE, last: NOTHING, size: 10 }],
    known: [],
    knownUntil: 8_000,
    others: [],
  });
});

each<unknown>(
  [
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
    { version: 4, files: [], known: [], knownUntil: 0, others: [] },
    { version: 3, files: [], known: [], knownUntil: 0, others: [{}] },
  ],
  (value) => `keptPlace() refuses the checkpoint ${JSON.stringify(value)}, and names its file`,
  async (value) => {
    const kept = { id: "/log", value, sequence: 1, file: "spool/checkpoint" };
    await assert.rejects(keptPlace("/log", kept), (thrown) => {
      assert.ok(thrown instanceof UsageError);
      assert.ok(thrown.message.startsWith('Cannot read "spool/checkpoint", '), thrown.message);
      return true;
    });
  },
);
