import assert from "node:assert/strict";
import { PROFILES } from "../../../src/receivers/profiles.ts";
import { fromBinary } from "@bufbuild/protobuf";
import {
  type ExportMetricsServiceRequest,
  ExportMetricsServiceRequestSchema,
} from "../../../src/otlp/gen/opentelemetry/proto/collector/metrics/v1/metrics_service_pb.ts";
import { plainBody } from "../../../src/otlp/gzip.ts";
import { fromJsonRequest } from "../../../src/otlp/json_request.ts";
import { type EncodedRequest, type RequestLimits } from "../../../src/otlp/request.ts";
import { InputError } from "../../../src/source/input/input_error.ts";
import { Replay, type ReplayLine } from "../../../src/source/replay/replay.ts";
import { SimulatedClock } from "../../support/simulation.ts";

const SECOND = 1_000_000_000n;
const T0 = 1_700_000_000n * SECOND;

/** A request with a data point of every metric type, and each field that any of them has. */
function everyType(time = T0): string {
  const times = { startTimeUnixNano: `${time - SECOND}`, timeUnixNano: `${time}` };
  const attributes = [
    { key: "a", value: { arrayValue: { values: [{ intValue: "5" }, { boolValue: true }] } } },
    { key: "b", value: { bytesValue: "AAE=" } },
  ];
  const exemplars = [{
    timeUnixNano: `${time - 5n}`,
    asDouble: 0.25,
    traceId: "0102030405060708090a0b0c0d0e0f10",
    spanId: "0102030405060708",
    filteredAttributes: [{ key: "e", value: { stringValue: "x" } }],
  }];
  const of = { ...times, attributes, exemplars, flags: 1 };
  const histogram = { ...of, count: "3", sum: 7.5, min: 0.5, max: 4, bucketCounts: ["1", "2"] };
  return JSON.stringify({
    resourceMetrics: [{
      resource: { attributes, droppedAttributesCount: 2 },
      schemaUrl: "https://opentelemetry.io/schemas/1.30.0",
      scopeMetrics: [{
        scope: { name: "s", version: "1", attributes },
        schemaUrl: "https://opentelemetry.io/schemas/1.29.0",
        metrics: [
          {
            name: "g",
            unit: "1",
            metadata: attributes,
            gauge: { dataPoints: [{ ...of, asInt: "-4" }] },
          },
          {
            name: "c",
            sum: {
              dataPoints: [{ ...of, asDouble: 1.5 }],
              aggregationTemporality: 2,
              isMonotonic: true,
            },
          },
          {
            name: "h",
            description: "d",
            histogram: {
              dataPoints: [{ ...histogram, explicitBounds: [1] }],
              aggregationTemporality: 1,
            },
          },
          {
            name: "e",
            exponentialHistogram: {
              dataPoints: [{
                ...of,
                count: "3",
                sum: 3,
                scale: 2,
                zeroCount: "1",
                zeroThreshold: 0.001,
                positive: { offset: -1, bucketCounts: ["1", "1"] },
                negative: { offset: 3, bucketCounts: [] },
              }],
              aggregationTemporality: 1,
            },
          },
          {
            name: "q",
            summary: {
              dataPoints: [{
                ...times,
                attributes,
                count: "2",
                sum: 3,
                quantileValues: [{ quantile: 0.5, value: 1.5 }],
              }],
            },
          },
        ],
      }],
    }],
  });
}

/** A gauge of so many data points. */
function gauge(time: bigint, points = 1): string {
  const dataPoints = Array(points).fill(0).map((_, i) => ({
    timeUnixNano: `${time}`,
    asInt: `${i}`,
  }));
  return JSON.stringify({
    resourceMetrics: [{ scopeMetrics: [{ metrics: [{ name: "g", gauge: { dataPoints } }] }] }],
  });
}

async function* linesOf(texts: readonly (string | undefined)[]): AsyncGenerator<ReplayLine> {
  await Promise.resolve();
  for (const [i, text] of texts.entries()) yield { number: i + 1, text };
}

interface Sent {
  readonly requests: readonly EncodedRequest[];
  readonly measurements: number;
  /** Since the first one, ms. */
  readonly at: number;
}

/** Replays the lines to their end, as the loop does. */
async function replayed(
  lines: readonly (string | undefined)[],
  { retime = false, speed, limits = PROFILES.otlp.limits, compression = "none", stopAtMs }: {
    readonly retime?: boolean;
    readonly speed?: number;
    readonly limits?: RequestLimits;
    readonly compression?: "gzip" | "none";
    readonly stopAtMs?: number | undefined;
  } = {},
) {
  const clock = new SimulatedClock();
  const invalid: string[] = [];
  const onInvalid = (line: number, reason: string) => void invalid.push(`${line}: ${reason}`);
  const replay = new Replay(linesOf(lines), { retime, speed, clock, onInvalid });
  const stop = new AbortController();
  if (stopAtMs !== undefined) clock.after(stopAtMs, () => stop.abort());
  const sent: Sent[] = [];
  const began = clock.monotonic();
  await clock.run((async () => {
    for (;;) {
      const { measurements, ended } = await replay.fill(undefined, undefined, stop.signal);
      if (ended) return;
      assert.ok(replay.isDue);
      const { requests } = await replay.produce({ limits, compression });
      sent.push({ requests, measurements, at: clock.monotonic() - began });
    }
  })());
  return { sent, invalid, replay, wall: clock.wall() };
}

async function decoded(request: EncodedRequest | undefined): Promise<ExportMetricsServiceRequest> {
  assert.ok(request !== undefined);
  return fromBinary(ExportMetricsServiceRequestSchema, await plainBody(request));
}

for (const compression of ["none", "gzip"] as const) {
  Deno.test(`Replay gives every metric type away unchanged, compression ${compression}`, async () => {
    const { sent: [first] } = await replayed([everyType()], { compression });
    assert.deepEqual(await decoded(first?.requests[0]), fromJsonRequest(everyType()));
    assert.equal(first?.requests[0]?.points, 5);
    // Counts of 3, 3 and 2, and two data points without one.
    assert.equal(first?.requests[0]?.measurements, 2);
    assert.equal(first?.measurements, 2);
  });
}

Deno.test("Replay sends line by line, one right after the other", async () => {
  const { sent, replay } = await replayed([gauge(T0), "", gauge(T0 + 9n * SECOND), everyType()]);
  assert.deepEqual(sent.map(({ at }) => at), [0, 0, 0]);
  assert.equal(replay.status.invalid, 0);
});

Deno.test("Replay names lines that are no requests for metrics, and goes on", async () => {
  const { sent, invalid, replay } = await replayed([
    "hello",
    undefined,
    '{"resourceSpans":[]}',
    "[1]",
    gauge(T0),
    '{"resourceMetrics":[]}',
    '{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"name":"g","gauge":{"dataPoints":[{"asInt":"x"}]}}]}]}]}',
  ]);
  assert.equal(sent.length, 1);
  assert.equal(replay.status.invalid, 5);
  assert.deepEqual(invalid.map((it) => it.slice(0, 2)), ["1:", "2:", "3:", "4:", "7:"]);
  assert.equal(invalid[1], "2: it is too long");
});

Deno.test("Replay names a line of more objects than memory has room for, and goes on", async () => {
  const objects = `{"resourceMetrics":[${"{},".repeat(2_000_000)}{}]}`;
  const { sent, invalid } = await replayed([objects, gauge(T0)]);
  assert.deepEqual(invalid, ["1: it has more than 2000000 objects and lists"]);
  assert.equal(sent.length, 1);
});

Deno.test("Replay with --speed keeps the gaps between requests, divided by it", async () => {
  const lines = [0n, 10n, 5n, 40n].map((at) => gauge(T0 + at * SECOND));
  assert.deepEqual((await replayed(lines, { speed: 1 })).sent.map(({ at }) => at), [
    0,
    10_000,
    10_000,
    40_000,
  ]);
  assert.deepEqual((await replayed(lines, { speed: 4 })).sent.map(({ at }) => at), [
    0,
    2500,
    2500,
    10_000,
  ]);
});

Deno.test("Replay with --speed gives away the request it has read when it is stopped, and no other", async () => {
  const lines = [0n, 10n, 40n, 50n].map((at) => gauge(T0 + at * SECOND));
  const { sent, replay } = await replayed(lines, { speed: 1, stopAtMs: 15_000 });
  assert.deepEqual(sent.map(({ at }) => at), [0, 10_000, 15_000]);
  assert.equal(replay.status.unfinished, "3 requests were read");
});

Deno.test("Replay is finished when the last request was given away, stopped or not", async () => {
  const lines = [0n, 10n, 40n].map((at) => gauge(T0 + at * SECOND));
  for (const stopAtMs of [undefined, 15_000]) {
    const { sent, replay } = await replayed(lines, { speed: 1, stopAtMs });
    assert.equal(sent.length, 3);
    assert.equal(replay.status.unfinished, undefined);
  }
});

Deno.test("Replay with --retime moves all times by as much, the first request's to now", async () => {
  const { sent, wall } = await replayed([everyType(), everyType(T0 + 60n * SECOND)], {
    retime: true,
  });
  const now = BigInt(wall) * 1_000_000n;
  for (const [i, at] of [now, now + 60n * SECOND].entries()) {
    assert.deepEqual(
      await decoded(sent[i]?.requests[0]),
      fromJsonRequest(everyType(at)),
    );
  }
});

Deno.test("Replay with --retime leaves times that are not set", async () => {
  const { sent: [first] } = await replayed([gauge(0n)], { retime: true });
  assert.deepEqual(await decoded(first?.requests[0]), fromJsonRequest(gauge(0n)));
});

Deno.test("Replay splits a request that has more than the limits allow, and loses nothing", async () => {
  const { sent: [first] } = await replayed([gauge(T0, 25)], {
    limits: { points: 10, bytes: 1000 },
  });
  const requests = first?.requests ?? [];
  assert.ok(requests.every(({ points, body }) => points <= 10 && body.length <= 1000));
  assert.equal(requests.reduce((sum, { measurements }) => sum + measurements, 0), 25);
  const values = (await Promise.all(requests.map(decoded))).flatMap(({ resourceMetrics }) =>
    resourceMetrics.flatMap(({ scopeMetrics }) =>
      scopeMetrics.flatMap(({ metrics }) =>
        metrics.flatMap(({ data }) =>
          data.case === "gauge" ? data.value.dataPoints.map(({ value }) => Number(value.value)) : []
        )
      )
    )
  );
  assert.deepEqual(values, Array.from({ length: 25 }, (_, i) => i));
});

Deno.test("Replay says why its lines broke off, and throws a fault of this program", async () => {
  const clock = new SimulatedClock();
  const replayOf = (error: Error) =>
    new Replay(
      (async function* () {
        yield { number: 1, text: everyType() };
        throw error;
      })(),
      { retime: false, speed: undefined, clock, onInvalid: () => assert.fail() },
    );
  const go = new AbortController().signal;
  const cut = replayOf(new InputError("the disk is gone"));
  await cut.fill(undefined, undefined, go);
  await cut.produce({ limits: PROFILES.otlp.limits, compression: "none" });
  assert.deepEqual(await cut.fill(undefined, undefined, go), { measurements: 0, ended: true });
  assert.equal(cut.status.broken, "the disk is gone");

  const fault = new TypeError("undefined is not a function");
  const faulty = replayOf(fault);
  await faulty.fill(undefined, undefined, go);
  await faulty.produce({ limits: PROFILES.otlp.limits, compression: "none" });
  await assert.rejects(faulty.fill(undefined, undefined, go), fault);
  assert.equal(faulty.status.broken, undefined);
});
