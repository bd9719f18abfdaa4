import assert from "node:assert/strict";
import { create, toBinary } from "@bufbuild/protobuf";
import { ExportMetricsServiceRequestSchema } from "../../src/otlp/gen/opentelemetry/proto/collector/metrics/v1/metrics_service_pb.ts";
import fc from "fast-check";
import type { Measurement } from "../../src/aggregate/measurement.ts";
import { decodeRequest } from "../../src/otlp/decode.ts";
import { plainBody } from "../../src/otlp/gzip.ts";
import { otlpJsonTexts } from "../../src/otlp/json.ts";
import { toJsonRequest } from "../../src/otlp/json_request.ts";
import { type EncodedRequest, ONE_REQUEST } from "../../src/otlp/request.ts";
import { type RecordingConfig, recordingOf } from "../support/recording.ts";
import { batches, BOUNDS, SEED } from "../support/arbitrary.ts";
import { StillClock } from "../support/still_clock.ts";
import { missing, namedUnless, tool } from "../support/tools.ts";

async function otlpJson(request: EncodedRequest | undefined): Promise<string> {
  return [...await otlpJsonTexts(request)].join("");
}

const ABOUT = { unit: "ms", description: "", attributes: {} };
const CONFIG: RecordingConfig = {
  resource: { "service.name": "my-service" },
  instruments: [
    { ...ABOUT, name: "a", bounds: BOUNDS },
    { ...ABOUT, name: "b", bounds: "exponential" },
  ],
  maxSeries: 10_000,
};

/** The request of these measurements, recorded by all instruments at a fixed time. */
async function requestOf(
  batch: readonly Measurement[],
  compression: "gzip" | "none" = "none",
  config = CONFIG,
): Promise<EncodedRequest | undefined> {
  const clock = new StillClock(1_769_860_800_000);
  const recording = recordingOf(config, clock);
  for (const [index] of config.instruments.entries()) recording.add(batch, index);
  clock.now += 250;
  const { requests } = await recording.collect(ONE_REQUEST, compression);
  assert.ok(requests.length <= 1);
  return requests[0];
}

Deno.test("otlpJsonTexts() follows the specification's mapping: enums as integers, 64-bit integers as strings", async () => {
  const config: RecordingConfig = {
    ...CONFIG,
    instruments: [
      { name: "a", unit: "ms", description: "d", attributes: {}, bounds: [5, 10] },
      { name: "b", unit: "", description: "", attributes: {}, bounds: "exponential" },
    ],
  };
  const attributes = { text: 'é "', whole: 200, part: 0.5, yes: true, no: false };
  const batch = [0.5, 0, 4].map((value) => ({ value, attributes }));
  const times = { startTimeUnixNano: "1769860800000000000", timeUnixNano: "1769860800250000000" };
  const encoded = [
    { key: "text", value: { stringValue: 'é "' } },
    { key: "whole", value: { intValue: "200" } },
    { key: "part", value: { doubleValue: 0.5 } },
    { key: "yes", value: { boolValue: true } },
    { key: "no", value: { boolValue: false } },
  ];
  const text = await otlpJson(await requestOf(batch, "none", config));
  assert.deepEqual(JSON.parse(text), {
    resourceMetrics: [{
      resource: { attributes: [{ key: "service.name", value: { stringValue: "my-service" } }] },
      scopeMetrics: [{
        scope: { name: "example-meter", version: "1.0.0" },
        metrics: [
          {
            name: "a",
            description: "d",
            unit: "ms",
            histogram: {
              dataPoints: [{
                ...times,
                count: "3",
                sum: 4.5,
                bucketCounts: ["3", "0", "0"],
                explicitBounds: [5, 10],
                attributes: encoded,
                min: 0,
                max: 4,
              }],
              aggregationTemporality: 1,
            },
          },
          {
            name: "b",
            exponentialHistogram: {
              dataPoints: [{
                ...times,
                attributes: encoded,
                count: "3",
                sum: 4.5,
                scale: 5,
                zeroCount: "1",
                positive: {
                  offset: -33,
                  bucketCounts: ["1", ...Array.from({ length: 95 }, () => "0"), "1"],
                },
                negative: {},
                min: 0,
                max: 4,
              }],
              aggregationTemporality: 1,
            },
          },
        ],
      }],
    }],
  });
});

Deno.test("otlpJsonTexts() writes a sum beyond the largest double as a string", async () => {
  const batch = [Number.MAX_VALUE, Number.MAX_VALUE].map((value) => ({ value, attributes: {} }));
  const text = await otlpJson(await requestOf(batch));
  assert.equal(text.match(/"sum": "Infinity"/g)?.length, 2);
});

Deno.test("otlpJsonTexts() makes an empty document of nothing", async () => {
  assert.deepEqual(JSON.parse(await otlpJson(undefined)), { resourceMetrics: [] });
});

Deno.test("otlpJsonTexts() makes the document of the whole request, compressed or not", async () => {
  await fc.assert(
    fc.asyncProperty(batches, async ([batch = []]) => {
      const plain = await otlpJson(await requestOf(batch));
      const packed = await requestOf(batch, "gzip");
      assert.equal(await otlpJson(packed), plain);
      if (packed === undefined) return;
      const whole = toJsonRequest(decodeRequest(await plainBody(packed)));
      assert.deepEqual(JSON.parse(plain), whole);
    }),
    { ...SEED, numRuns: 30 },
  );
});

Deno.test("otlpJsonTexts() makes the document of any metrics, exemplars and unknown fields", async () => {
  const exemplar = {
    traceId: Uint8Array.fromHex("0af7651916cd43dd8448eb211c80319c"),
    spanId: Uint8Array.fromHex("b7ad6b7169203331"),
    value: { case: "asDouble", value: 3 },
  } as const;
  const points = [{ startTimeUnixNano: 1n, timeUnixNano: 2n ** 60n, exemplars: [exemplar] }, {}];
  const request = create(ExportMetricsServiceRequestSchema, {
    resourceMetrics: [
      {
        resource: {
          attributes: [{ key: "a", value: { value: { case: "boolValue", value: true } } }],
        },
        schemaUrl: "https://example.com/1",
        scopeMetrics: [
          {
            scope: { name: "s" },
            schemaUrl: "u",
            metrics: [
              {
                name: "h",
                data: {
                  case: "histogram",
                  value: { aggregationTemporality: 1, dataPoints: points },
                },
              },
              { name: "e", data: { case: "exponentialHistogram", value: { dataPoints: points } } },
              { name: "g", unit: "1", data: { case: "gauge", value: { dataPoints: points } } },
              {
                name: "n",
                data: { case: "sum", value: { isMonotonic: true, dataPoints: points } },
              },
              { name: "q", data: { case: "summary", value: { dataPoints: [{ count: 2n }] } } },
              { name: "empty", data: { case: "histogram", value: {} } },
              { name: "none" },
            ],
          },
          {},
        ],
      },
      {},
    ],
  });
  const unknown = Uint8Array.of(15 << 3, 5);
  const body = new Uint8Array([
    ...toBinary(ExportMetricsServiceRequestSchema, request),
    ...unknown,
  ]);
  const encoded = { body, encoding: "identity", points: 9, measurements: 2 } as const;
  const text = await otlpJson(encoded);
  assert.deepEqual(JSON.parse(text), toJsonRequest(request));
  assert.match(text, /"traceId": "0af7651916cd43dd8448eb211c80319c"/);
});

/** Reads [base64 of a request, its JSON] pairs; fails unless each JSON is what the official classes say. */
const JUDGE = `
import base64, json, sys
from google.protobuf import json_format
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest as Request
def differing(ours, official, path="$"):
    if type(ours) is dict and type(official) is dict:
        nested = [(ours.get(key), official.get(key), path + "." + key) for key in ours.keys() | official.keys()]
    elif type(ours) is list and type(official) is list and len(ours) == len(official):
        nested = [(a, b, "%s[%d]" % (path, i)) for i, (a, b) in enumerate(zip(ours, official))]
    else:
        return None if ours == official else "%s: %r is not %r" % (path, ours, official)
    return next((wrong for wrong in (differing(*each) for each in nested) if wrong), None)
pairs = json.load(sys.stdin)
for encoded, text in pairs:
    request = Request.FromString(base64.b64decode(encoded))
    assert json_format.Parse(text, Request()) == request, "parsed, it is another request: " + text[:4000]
    official = json_format.MessageToDict(request, use_integers_for_enums=True)
    assert (wrong := differing(json.loads(text, parse_int=float), official)) is None, wrong
print(len(pairs))
`;

Deno.test({
  ...namedUnless(
    missing("PREDECESSOR_PYTHON"),
    "otlpJsonTexts() agrees with the official Python classes",
  ),
  async fn() {
    const samples = fc.sample(batches, { ...SEED, numRuns: 60 });
    const pairs: (readonly [string, string])[] = [];
    for (const [batch = []] of samples) {
      const request = await requestOf(batch);
      if (request !== undefined) pairs.push([request.body.toBase64(), await otlpJson(request)]);
    }
    const judge = new Deno.Command(tool("PREDECESSOR_PYTHON"), {
      args: ["-c", JUDGE],
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const writing = new Blob([JSON.stringify(pairs)]).stream().pipeTo(judge.stdin);
    const { stdout, stderr } = await judge.output();
    await writing;
    assert.equal(new TextDecoder().decode(stderr), "");
    assert.equal(Number(new TextDecoder().decode(stdout)), pairs.length);
    assert.ok(pairs.length >= 40);
  },
});
