import assert from "node:assert/strict";
import { findNearest } from "../../src/platform/nearest.ts";

const WORDS = ["send", "check", "receive", "--interval", "--iterations", "--token-file"];

for (
  const [given, meant] of [
    ["sned", "send"],
    ["chekc", "check"],
    ["recieve", "receive"],
    ["--intervl", "--interval"],
    ["--iteration", "--iterations"],
    ["--token", "--token-file"],
    ["xyzzy", undefined],
    ["dt0c01.PUBLIC.SECRET", undefined],
    ["", undefined],
  ] as const
) {
  Deno.test(`findNearest() takes "${given}" for ${meant ?? "none"}`, () => {
    assert.equal(findNearest(given, WORDS), meant);
  });
}
