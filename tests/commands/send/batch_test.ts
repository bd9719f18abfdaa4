import assert from "node:assert/strict";
import { SendBatch } from "../../../src/commands/send/batch.ts";
import { NO_PULSE } from "../../../src/commands/send/pulse.ts";
import type { RequestProducer } from "../../../src/otlp/producer.ts";
import { type LiveSource, NO_INPUT, type Records } from "../../../src/source/source.ts";

const FORMAT = { limits: { points: Infinity, bytes: Infinity }, compression: "none" } as const;

/** A batch whose source brings the numbers of measurements of `fills`, and is read up to the line of as many fills. */
function begin(fills: readonly number[], stop = new AbortController()) {
  const calls: string[] = [];
  let filled = 0;
  let recorded = 0;
  const records: Records = {
    add() {},
    addHistograms() {},
    addInstrument: () => 0,
    isFull: false,
  };
  const source: LiveSource = {
    kind: "live",
    get status() {
      return { ...NO_INPUT, checkpoint: { id: "file", value: filled } };
    },
    hold() {},
    close: () => void calls.push("close"),
    fill(_records, until) {
      const measurements = fills[filled++] ?? 0;
      recorded += measurements;
      calls.push(`fill until ${until}`);
      const interval = { start: filled, end: filled + 1 };
      return Promise.resolve({ measurements, ended: filled >= fills.length, interval });
    },
  };
  const requests: RequestProducer = {
    get isDue() {
      return recorded > 0;
    },
    get isFull() {
      return recorded >= 10;
    },
    finish: () => void calls.push("finish"),
    produce(_format, interval) {
      calls.push(`produce ${interval?.start} to ${interval?.end}`);
      recorded = 0;
      return Promise.resolve({ requests: [], findings: [], measured: [] });
    },
  };
  const batch = new SendBatch({ source, records, requests, stop: stop.signal, pulse: NO_PULSE });
  return { batch, calls, stop };
}

Deno.test("SendBatch comes in parts while the producer is full, and closes its source after the last one", async () => {
  const { batch, calls } = begin([10, 12, 3]);
  await batch.fill(500);
  batch.endAfterThis();
  await batch.produce(FORMAT);
  assert.equal(await batch.fillNextPart(), true);
  await batch.produce(FORMAT);
  assert.deepEqual(calls.filter((call) => call === "close"), [], "there is more to come");
  assert.equal(await batch.fillNextPart(), true);
  await batch.produce(FORMAT);
  assert.equal(await batch.fillNextPart(), false);
  assert.deepEqual(calls, [
    "fill until 500",
    "produce 1 to 2",
    "fill until 500",
    "produce 2 to 3",
    "fill until 500",
    "close",
    "finish",
    "produce 3 to 4",
  ]);
});

Deno.test("SendBatch has no further part once a signal has come", async () => {
  const { batch, stop } = begin([10, 10]);
  stop.abort();
  await batch.fill(500);
  assert.equal(await batch.fillNextPart(), false);
});

Deno.test("SendBatch joins the intervals of several fills, and gives the checkpoint of exactly what is in it", async () => {
  const { batch, calls } = begin([1, 2, 3]);
  await batch.fill(500);
  await batch.fill(1000);
  const producing = batch.produce(FORMAT);
  await batch.fill(1500);
  assert.deepEqual((await producing).checkpoint, { id: "file", value: 2 });
  assert.equal(calls[2], "produce 1 to 3");
});

Deno.test("SendBatch counts measurements until the delivery has them", async () => {
  const { batch } = begin([1, 2, 3]);
  await batch.fill(500);
  await batch.fill(1000);
  assert.equal(batch.unstored, 3);
  await batch.produce(FORMAT);
  assert.equal(batch.unstored, 3, "a forced end would lose them");
  batch.markStored();
  assert.equal(batch.unstored, 0);
});

Deno.test("drain() closes the source before it takes the rest, which is one part", async () => {
  const { batch, calls } = begin([5, 20, 1]);
  await batch.fill(500);
  await batch.drain(800);
  assert.deepEqual(calls, ["fill until 500", "close", "fill until 800", "finish"]);
  assert.equal(await batch.fillNextPart(), false);
});
