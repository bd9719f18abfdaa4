import assert from "node:assert/strict";
import type { Instrument } from "../../../src/aggregate/instrument.ts";
import type { MeasuredHistogram } from "../../../src/aggregate/measurement.ts";
import { Capture } from "../../../src/source/replay/capture.ts";
import { Replay } from "../../../src/source/replay/replay.ts";
import type { Records } from "../../../src/source/source.ts";
import { systemClock } from "../../../src/platform/clock.ts";

interface Point {
  readonly start?: number;
  readonly time?: number;
  readonly counts: readonly number[];
  readonly bounds?: readonly number[];
  readonly sum?: number;
  readonly min?: number;
  readonly max?: number;
  readonly count?: number;
}

function pointJson(point: Point): unknown {
  const { start = 1, time = 2, counts, bounds = [10, 20], count, ...figures } = point;
  return {
    startTimeUnixNano: String(start),
    timeUnixNano: String(time),
    count: String(count ?? counts.reduce((sum, each) => sum + each, 0)),
    explicitBounds: bounds,
    bucketCounts: counts.map(String),
    ...figures,
  };
}

/** A line with one metric; temporality 1 is delta, 2 cumulative. */
function line(
  aggregationTemporality: 1 | 2,
  points: readonly Point[],
  { name = "job.duration", unit = "ms", service = "shop" } = {},
): string {
  const histogram = { aggregationTemporality, dataPoints: points.map(pointJson) };
  return requestLine({ name, unit, histogram }, service);
}

function requestLine(metric: unknown, service = "shop"): string {
  const resource = { attributes: [{ key: "service.name", value: { stringValue: service } }] };
  return JSON.stringify({ resourceMetrics: [{ resource, scopeMetrics: [{ metrics: [metric] }] }] });
}

async function* numbered(lines: readonly string[]) {
  for (const [i, text] of lines.entries()) yield await Promise.resolve({ number: i + 1, text });
}

/** Reads lines; resolves to what was recorded, per instrument, and said. */
async function record(lines: readonly string[]) {
  const instruments: Instrument[] = [];
  const histograms: MeasuredHistogram[][] = [];
  const said: string[] = [];
  const records: Records = {
    isFull: false,
    add: () => assert.fail("no values are known"),
    addInstrument(instrument) {
      histograms.push([]);
      return instruments.push(instrument) - 1;
    },
    addHistograms: (batch, instrument = 0) => histograms[instrument]?.push(...batch),
  };
  const replay = new Replay(numbered(lines), {
    retime: false,
    speed: undefined,
    clock: systemClock,
    onInvalid: (number, reason) => said.push(`${number}: ${reason}`),
  });
  const capture = new Capture(replay, {
    warn: (message) => said.push(`warning: ${message}`),
    note: (message) => said.push(`note: ${message}`),
  });
  const filled = await capture.fill(records, undefined, new AbortController().signal);
  assert.equal(filled.ended, true);
  return { instruments, histograms, said, invalid: capture.status.invalid };
}

Deno.test("Capture.fill() adds deltas up per series, with the least min and the greatest max", async () => {
  const { instruments, histograms, said } = await record([
    line(1, [{ counts: [1, 0, 2], sum: 70, min: 5, max: 40 }]),
    line(1, [{ counts: [0, 3, 1], sum: 80, min: 12, max: 31 }]),
  ]);
  assert.deepEqual(instruments.map(({ name, unit, bounds }) => ({ name, unit, bounds })), [
    { name: "job.duration", unit: "ms", bounds: [10, 20] },
  ]);
  assert.deepEqual(histograms, [[{
    ...{ bounds: [10, 20], counts: [1, 3, 3], count: 7, sum: 150, min: 5, max: 40 },
    attributes: {},
  }]]);
  assert.deepEqual(said, []);
});

Deno.test("Capture.fill() counts what cumulative points gained, in any order and across a reset", async () => {
  const { histograms } = await record([
    line(2, [{ time: 3, counts: [2, 1, 0], sum: 30, min: 4, max: 15 }]),
    line(2, [{ time: 2, counts: [1, 0, 0], sum: 5, min: 5, max: 5 }]),
    // Restarted with a start time of its own.
    line(2, [{ start: 4, time: 5, counts: [0, 0, 2], sum: 60, min: 25, max: 35 }]),
  ]);
  assert.deepEqual(histograms, [[{
    ...{ bounds: [10, 20], counts: [2, 1, 2], count: 5, sum: 90, min: 4, max: 35 },
    attributes: {},
  }]]);
});

Deno.test("Capture.fill() knows no figures that a point lacks, or that several layouts share", async () => {
  const { histograms } = await record([
    line(1, [{ counts: [1, 0, 0], sum: 5 }], { name: "a" }),
    line(1, [{ counts: [1, 0], bounds: [50], sum: 5, min: 5, max: 5 }], { name: "b" }),
    line(1, [{ counts: [1, 0, 0], sum: 5, min: 5, max: 5 }], { name: "b" }),
  ]);
  const unknown = { min: undefined, max: undefined, attributes: {} };
  assert.deepEqual(histograms, [
    [{ bounds: [10, 20], counts: [1, 0, 0], count: 1, sum: 5, ...unknown }],
    [
      { bounds: [50], counts: [1, 0], count: 1, sum: undefined, ...unknown },
      { bounds: [10, 20], counts: [1, 0, 0], count: 1, sum: undefined, ...unknown },
    ],
  ]);
});

Deno.test("Capture.fill() draws exponential histograms in their own buckets", async () => {
  const dataPoints = [{
    startTimeUnixNano: "1",
    timeUnixNano: "2",
    count: "4",
    sum: 14,
    scale: 0,
    zeroCount: "1",
    positive: { offset: 1, bucketCounts: ["1", "2"] },
    attributes: [
      { key: "route", value: { stringValue: "/" } },
      { key: "codes", value: { arrayValue: { values: [{ intValue: "7" }] } } },
    ],
  }];
  const exponentialHistogram = { aggregationTemporality: 1, dataPoints };
  const { instruments, histograms } = await record([
    requestLine({ name: "job.duration", unit: "s", exponentialHistogram }),
  ]);
  assert.deepEqual(instruments.map(({ bounds }) => bounds), ["exponential"]);
  assert.deepEqual(histograms, [[{
    ...{ bounds: [2, 4, 8], counts: [1, 1, 2, 0], count: 4, sum: 14 },
    ...{ min: undefined, max: undefined, attributes: { route: "/", codes: "[7]" } },
  }]]);
});

Deno.test("Capture.fill() keeps resources apart, and says so", async () => {
  const { instruments, histograms, said } = await record([
    line(1, [{ counts: [1, 0, 0], sum: 5 }]),
    line(1, [{ counts: [0, 1, 0], sum: 15 }], { service: "till" }),
  ]);
  assert.equal(instruments.length, 2);
  assert.deepEqual(histograms.map(([histogram]) => histogram?.counts), [[1, 0, 0], [0, 1, 0]]);
  assert.deepEqual(said, [
    "note: 2 resources or scopes arrived: their series are drawn separately",
  ]);
});

Deno.test("Capture.fill() quotes a unit that is empty", async () => {
  const { said } = await record([
    line(1, [{ counts: [1, 0, 0], sum: 5 }], { unit: "" }),
    line(1, [{ counts: [1, 0, 0], sum: 5 }], { unit: "s" }),
  ]);
  assert.deepEqual(said, ['warning: job.duration has several units ("", s): all are drawn as ""']);
});

Deno.test("Capture.fill() names everything that it leaves out", async () => {
  const gauge = { dataPoints: [{ timeUnixNano: "1", asDouble: 1 }] };
  const { instruments, said, invalid } = await record([
    "no JSON",
    requestLine({ name: "queue.length", gauge }),
    line(1, [{ counts: [1, 0, 0], count: 2, sum: 5 }], { name: "disagrees" }),
    line(1, [{ counts: [1, 0], sum: 5 }], { name: "too short" }),
    line(1, [{ counts: [1, 0, 0], sum: 5 }], { unit: "ms" }),
    line(1, [{ counts: [1, 0, 0], sum: 5 }], { unit: "s" }),
  ]);
  assert.equal(invalid, 1);
  assert.deepEqual(instruments.map(({ name, unit }) => ({ name, unit })), [
    { name: "job.duration", unit: "ms" },
  ]);
  assert.match(said[0] ?? "", /^1: it is not an OTLP\/JSON metrics request: /);
  assert.deepEqual(said.slice(1), [
    "warning: job.duration has several units (ms, s): all are drawn as ms",
    "warning: 2 series are not drawn: a bound is infinite, or bounds, bucket counts and count do not agree",
    "note: Not drawn: 1 metric of type gauge (queue.length)",
  ]);
});
