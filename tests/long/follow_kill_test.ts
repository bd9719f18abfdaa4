import assert from "node:assert/strict";
import { assertWhole, type Lane, runLane } from "../support/followed_lane.ts";

const KILLS = 200;
const LANES = 4;
/** Number of kills with lines that carry a time. */
const TIMED_KILLS = 40;
Deno.test({
  name:
    `send --follow --spool reads every line once when it is killed ${KILLS} times, with rotations in between`,
  async fn() {
    const lanes = await Promise.all(
      Array.from({ length: LANES }, (_, i) => runLane({ kills: KILLS / LANES, seed: 1200 + i })),
    );
    assertWhole(lanes, KILLS / LANES);
    // A process that dies in the midst of a repetition cannot say so any more: the others do.
    const total = (key: "repeatedRequests" | "marked") =>
      lanes.reduce((sum, lane: Lane) => sum + lane[key], 0);
    assert.ok(total("marked") >= total("repeatedRequests") / 4, "repeated without a word");
  },
});

Deno.test({
  name:
    `send --follow --spool --time-field reads every line once when it is killed ${TIMED_KILLS} times, with rotations in between`,
  async fn() {
    assertWhole([await runLane({ kills: TIMED_KILLS, seed: 1300, isTimed: true })], TIMED_KILLS);
  },
});
