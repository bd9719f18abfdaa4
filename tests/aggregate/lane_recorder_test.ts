import assert from "node:assert/strict";
import { LaneRecorder } from "../../src/aggregate/lane_recorder.ts";
import { attributeEncoder } from "../../src/otlp/encoder.ts";
import { PROFILES } from "../../src/receivers/profiles.ts";
import { decode, type Decoded } from "../support/decode.ts";
import { EncodedRecorder } from "../support/recording.ts";
import { StillClock } from "../support/still_clock.ts";
import { atLeastOne } from "../support/cases.ts";

const INSTRUMENT = { unit: "ms", description: "", attributes: {}, bounds: [10] } as const;

function open(lanes: number, maxSeries = 1000, names: readonly string[] = ["m"]) {
  const clock = new StillClock();
  const instruments = names.map((name) => ({ ...INSTRUMENT, name }));
  const recorder = new EncodedRecorder(
    new LaneRecorder({ instruments, maxSeries, attributeEncoder }, lanes, clock),
  );
  return {
    clock,
    recorder,
    record(...series: readonly number[]) {
      recorder.add(series.map((n) => ({ value: 1, attributes: { series: n } })));
    },
    collect: () => recorder.collect(PROFILES.otlp.limits, "none"),
  };
}

function seriesIn({ metrics }: Decoded): readonly string[] {
  return metrics.flatMap(({ points }) =>
    points.map(({ attributes }) => String(attributes["series"]))
  );
}

Deno.test("LaneRecorder deals new series to the lanes in turn, where they stay", async () => {
  const { record, collect } = open(3);
  record(1, 2, 3, 4, 5);
  const first = await collect();
  assert.deepEqual(
    first.requests.map(({ lane, body }) => [lane, seriesIn(decode(body))]),
    [[0, ["1", "4"]], [1, ["2", "5"]], [2, ["3"]]],
  );
  record(5, 6, 3);
  const second = await collect();
  assert.deepEqual(
    second.requests.map(({ lane, body }) => [lane, seriesIn(decode(body))]),
    [[1, ["5"]], [2, ["6", "3"]]],
  );
});

Deno.test("LaneRecorder has room for series that replace others, and keeps the lanes of those that stay", async () => {
  const { record, collect } = open(3, 600);
  const lanes = new Map<string, number | undefined>();
  for (let send = 0; send < 60; send++) {
    // 250 series at a time, of which 25 are new and one stays forever.
    record(-1, ...Array.from({ length: 249 }, (_, i) => send * 25 + i));
    const { requests } = await collect();
    const series = requests.flatMap(({ lane, body }) =>
      seriesIn(decode(body)).map((series) => [series, lane] as const)
    );
    assert.equal(series.length, 250, `none is merged in send ${send}`);
    for (const [name, lane] of series) {
      assert.equal(lanes.get(name) ?? lane, lane, `lane of ${name} in send ${send}`);
      lanes.set(name, lane);
    }
  }
  assert.ok(lanes.size > 2 * 600, "more series than the limit");
});

Deno.test("LaneRecorder joins the intervals of every series", async () => {
  const { clock, record, collect } = open(2);
  const ends = new Map<string, bigint>();
  for (let send = 0; send < 5; send++) {
    clock.now += 1000;
    record(1, 2, 3, 4);
    for (const { body } of (await collect()).requests) {
      for (const { attributes, start, end } of atLeastOne(decode(body).metrics[0]?.points ?? [])) {
        const series = String(attributes["series"]);
        if (send > 0) assert.equal(start, ends.get(series));
        ends.set(series, end);
      }
    }
  }
  assert.equal(ends.size, 4);
});

for (const [lanes, most] of [[3, 4], [4, 2], [8, 100]] as const) {
  Deno.test(`LaneRecorder keeps to ${most} data points in ${lanes} lanes`, async () => {
    const { record, collect } = open(lanes, most);
    record(...Array.from({ length: 20 }, (_, i) => i));
    const { requests, overflow } = await collect();
    const points = requests.reduce((sum, request) => sum + request.points, 0);
    const measurements = requests.reduce((sum, request) => sum + request.measurements, 0);
    assert.equal(points, Math.min(most, 20));
    assert.equal(measurements, 20);
    assert.equal(overflow.measurements, most < 20 ? 20 - (most - 1) : 0);
  });
}

Deno.test("LaneRecorder tells of an end bucket when the values of all lanes are in it", async () => {
  const { recorder, collect } = open(2);
  const record = (value: number, series: number) =>
    recorder.add([{ value, attributes: { series } }]);
  record(1, 1);
  record(2, 2);
  assert.deepEqual((await collect()).endBuckets, [
    { metric: "m", bucket: "first", nearest: 2, bound: 10 },
  ]);
  record(50, 2);
  assert.deepEqual((await collect()).endBuckets, []);
});
