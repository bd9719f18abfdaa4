import assert from "node:assert/strict";
import { Ahead } from "../../../src/commands/send/ahead.ts";
import { batchSource, type PullSource } from "../../../src/source/source.ts";
import type { Reply } from "../../../src/http/reply.ts";
import { decode } from "../../support/decode.ts";
import { recordingOf } from "../../support/recording.ts";
import { StillClock } from "../../support/still_clock.ts";

const FORMAT = { limits: { points: Infinity, bytes: Infinity }, compression: "none" } as const;
const REPLY: Reply = {
  kind: "reply",
  status: 200,
  headers: new Headers(),
  body: new Uint8Array(),
};

/** A sender whose nth batch holds the value n, with posts that are answered when told to. */
function senderOf(isEmpty = (_: number) => false) {
  const clock = new StillClock();
  const instrument = { name: "m", unit: "", description: "", attributes: {}, bounds: [] };
  let made = 0;
  const batches = batchSource(() => [{ value: made, attributes: {} }]);
  const source: PullSource = {
    ...batches,
    fill: (...wanted) =>
      isEmpty(++made)
        ? Promise.resolve({ measurements: 0, ended: false })
        : batches.fill(...wanted),
  };
  const answers: (() => void)[] = [];
  const { recorder, requests } = recordingOf({
    resource: {},
    instruments: [instrument],
    maxSeries: 10,
  }, clock);
  const ahead = new Ahead(
    {
      source,
      records: recorder,
      requests,
      posts: [() => new Promise((resolve) => answers.push(() => resolve(REPLY)))],
    },
    () => FORMAT,
    clock,
  );
  const { posts } = ahead;
  const stop = new AbortController();
  return {
    stop,
    made: () => made,
    answer: () => answers.shift()?.(),
    post: () => posts[0]?.(new Uint8Array(), "identity", stop.signal),
    isDue: () => ahead.isDue,
    fill: () => ahead.fill(recorder, undefined, stop.signal),
    /** Sum, start and end of what is sent next. */
    async collect() {
      const { requests: [request] } = await ahead.produce(FORMAT);
      const [point] = decode(request?.body ?? new Uint8Array()).metrics[0]?.points ?? [];
      return point;
    },
  };
}

Deno.test("Ahead makes the next send's data while a post waits for its answer", async () => {
  const { fill, collect, post, answer, made } = senderOf();
  await fill();
  assert.equal((await collect())?.sum, 1);
  const reply = post();
  await new Promise((resolve) => setTimeout(resolve, 0));
  assert.equal(made(), 2, "made before the answer");
  answer();
  assert.equal(await reply, REPLY);
  assert.equal((await fill()).measurements, 1);
  assert.equal((await collect())?.sum, 2);
  assert.equal(made(), 2, "and only once");
});

Deno.test("Ahead makes it once, however many posts a send takes", async () => {
  const { fill, collect, post, made } = senderOf();
  await fill();
  const first = await collect();
  for (let i = 0; i < 3; i++) {
    post();
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
  assert.equal(made(), 2);
  await fill();
  const second = await collect();
  assert.equal(second?.sum, 2);
  assert.equal(second?.start, first?.end, "its interval joins");
});

Deno.test("Ahead leaves alone what was filled when it was its time", async () => {
  const { fill, collect, post, made } = senderOf();
  await fill();
  post();
  await new Promise((resolve) => setTimeout(resolve, 0));
  assert.equal(made(), 1, "a post of what was pending before");
  assert.equal((await collect())?.sum, 1);
  await fill();
  assert.equal((await collect())?.sum, 2);
});

Deno.test("Ahead makes nothing more when the post was aborted", async () => {
  const { fill, collect, post, stop, made } = senderOf();
  await fill();
  await collect();
  stop.abort();
  post();
  await new Promise((resolve) => setTimeout(resolve, 0));
  assert.equal(made(), 1);
});

Deno.test("Ahead goes on after a send that has nothing in it", async () => {
  const { fill, collect, post, isDue, made } = senderOf((send) => send === 2);
  await fill();
  const first = await collect();
  post();
  await new Promise((resolve) => setTimeout(resolve, 0));
  assert.equal(made(), 2);
  assert.equal((await fill()).measurements, 0);
  assert.ok(!isDue());
  assert.equal((await fill()).measurements, 1);
  assert.ok(isDue());
  const third = await collect();
  assert.equal(third?.sum, 3);
  assert.equal(third?.start, first?.end, "its interval joins");
});
