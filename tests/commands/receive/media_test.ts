import assert from "node:assert/strict";
import { create, equals, toBinary } from "@bufbuild/protobuf";
import { deflateSync, zstdCompressSync } from "node:zlib";
import { decodeStatus } from "../../../src/otlp/decode.ts";
import { ExportMetricsServiceRequestSchema } from "../../../src/otlp/gen/opentelemetry/proto/collector/metrics/v1/metrics_service_pb.ts";
import { AggregationTemporality } from "../../../src/otlp/gen/opentelemetry/proto/metrics/v1/metrics_pb.ts";
import { fromJsonRequest, toJsonRequest } from "../../../src/otlp/json_request.ts";
import { limitsFor } from "../../../src/commands/receive/body.ts";
import { PROFILES } from "../../../src/receivers/profiles.ts";
import { atLeastOne } from "../../support/cases.ts";
import { OTLP, PROTOBUF, start } from "./serving.ts";

async function post(
  url: string,
  body: BodyInit,
  headers: Record<string, string>,
): Promise<{ readonly status: number; readonly headers: Headers; readonly text: string }> {
  const response = await fetch(url, { method: "POST", body, headers });
  return { status: response.status, headers: response.headers, text: await response.text() };
}

const JSON_TYPE = { "Content-Type": "application/json" };

/** As the SDKs write it: 64-bit integers as strings or whole numbers, null for what is not there. */
function histogram(change: Readonly<Record<string, unknown>> = {}): string {
  return JSON.stringify({
    resourceMetrics: [{
      resource: { attributes: [{ key: "service.name", value: { stringValue: "shop" } }] },
      schemaUrl: null,
      scopeMetrics: [{
        scope: null,
        metrics: [{
          name: "m",
          unit: "ms",
          unknownField: [1, { a: null }],
          histogram: {
            aggregationTemporality: 1,
            dataPoints: [{
              attributes: [{ key: "n", value: { intValue: 7 } }],
              startTimeUnixNano: "1700000000000000001",
              timeUnixNano: "1700000001000000001",
              count: 3,
              sum: 12.5,
              min: null,
              bucketCounts: ["1", 2, "0"],
              explicitBounds: [5, 10],
              ...change,
            }],
          },
        }],
      }],
    }],
  });
}

Deno.test("startReceiver() takes OTLP/JSON and answers in JSON", async () => {
  await using running = start();
  const fine = await post(running.url, histogram(), JSON_TYPE);
  assert.deepEqual([fine.status, fine.text], [200, "{}"]);
  assert.equal(fine.headers.get("Content-Type"), "application/json");
  const partial = await post(running.url, histogram({ count: "4" }), JSON_TYPE);
  assert.equal(partial.status, 200);
  const { partialSuccess } = JSON.parse(partial.text);
  assert.equal(partialSuccess.rejectedDataPoints, "1");
  assert.match(partialSuccess.errorMessage, /bucket-sum/);
  const broken = await post(running.url, "{", JSON_TYPE);
  assert.equal(broken.status, 400);
  assert.equal(JSON.parse(broken.text).code, 3);
  assert.deepEqual(running.events.map((it) => it.outcome), ["accepted", "rejected", "rejected"]);
  assert.equal(running.events[0]?.measurements, 3);
});

for (
  const [what, sent] of [
    ["a list", "[]"],
    ["a fraction for an integer", histogram({ count: 0.5 })],
    ["true for an integer", histogram({ count: true })],
    ["a word for a list", histogram({ bucketCounts: "x" })],
    ["too deep a nest", `{"resourceMetrics":${"[".repeat(100_000)}${"]".repeat(100_000)}}`],
  ] as const
) {
  Deno.test(`startReceiver() answers 400 to JSON with ${what}`, async () => {
    await using running = start();
    const { status, text } = await post(running.url, sent, JSON_TYPE);
    assert.equal(status, 400);
    assert.match(JSON.parse(text).message, /not an OTLP metrics request in JSON: /);
  });
}

Deno.test("fromJsonRequest() keeps every digit of a number that no double holds", () => {
  const text = histogram().replace('"1700000001000000001"', "1700000001000000001");
  const { data } = fromJsonRequest(text).resourceMetrics[0]?.scopeMetrics[0]?.metrics[0] ?? {};
  assert.equal(data?.case, "histogram");
  assert.equal(data?.value?.dataPoints[0]?.timeUnixNano, 1_700_000_001_000_000_001n);
});

Deno.test("toJsonRequest() and fromJsonRequest() write identifiers in hexadecimal", () => {
  const request = create(ExportMetricsServiceRequestSchema, {
    resourceMetrics: [{
      scopeMetrics: [{
        metrics: [{
          name: "m",
          data: {
            case: "sum",
            value: {
              isMonotonic: true,
              aggregationTemporality: AggregationTemporality.CUMULATIVE,
              dataPoints: [{
                value: { case: "asDouble", value: 1.5 },
                exemplars: [{
                  spanId: Uint8Array.fromHex("00f067aa0ba902b7"),
                  traceId: Uint8Array.fromHex("4bf92f3577b34da6a3ce929d0e0e4736"),
                  value: { case: "asInt", value: 2n },
                }],
              }],
            },
          },
        }],
      }],
    }],
  });
  const text = JSON.stringify(toJsonRequest(request));
  assert.match(text, /"traceId":"4bf92f3577b34da6a3ce929d0e0e4736"/);
  assert.match(text, /"spanId":"00f067aa0ba902b7"/);
  assert.match(text, /"aggregationTemporality":2/);
  assert.ok(equals(ExportMetricsServiceRequestSchema, fromJsonRequest(text), request));
});

const BODY = toBinary(ExportMetricsServiceRequestSchema, fromJsonRequest(histogram()));

for (const [encoding, pack] of [["deflate", deflateSync], ["zstd", zstdCompressSync]] as const) {
  Deno.test(`startReceiver() unpacks ${encoding}, within its limit`, async () => {
    await using running = start({ limit: { body: { ...OTLP.body, bytes: 10_000 } } });
    const send = (body: Uint8Array<ArrayBuffer>) =>
      post(running.url, body, { ...PROTOBUF, "Content-Encoding": encoding });
    const packed = new Uint8Array(pack(BODY));
    assert.equal((await send(packed)).status, 200);
    assert.equal(running.events[0]?.measurements, 3);
    assert.equal((await send(packed.slice(0, packed.length / 2))).status, 400);
    assert.equal((await send(BODY)).status, 400);
    assert.equal((await send(new Uint8Array(pack(new Uint8Array(1e6))))).status, 413);
  });
}

Deno.test("startReceiver() with Dynatrace's limits takes neither JSON nor zstd, and lists what it takes", async () => {
  await using running = start({ limit: limitsFor(PROFILES.dynatrace.body) });
  const json = await post(running.url, histogram(), JSON_TYPE);
  assert.equal(json.status, 415);
  assert.equal(json.headers.get("Accept"), "application/x-protobuf");
  assert.match(json.text, /"application\/json\\" is not supported: send application\/x-protobuf"/);
  const zstd = await post(running.url, BODY, { ...PROTOBUF, "Content-Encoding": "zstd" });
  assert.equal(zstd.status, 415);
  assert.equal(zstd.headers.get("Accept-Encoding"), "gzip");
});

const EXPORT = "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export";
const WANTED = /gRPC client.*OTEL_EXPORTER_OTLP_PROTOCOL=http\/protobuf.*http:\/\/127\.0\.0\.1:\d+/;

Deno.test("startReceiver() tells a gRPC client what to set instead", async () => {
  await using running = start();
  const url = new URL(EXPORT, running.url).href;
  const grpc = { "Content-Type": "application/grpc" };
  const refused = await fetch(url, { method: "POST", body: BODY, headers: grpc });
  assert.equal(refused.status, 415);
  assert.match(decodeStatus(new Uint8Array(await refused.arrayBuffer())).message, WANTED);
  const answer = await post(url, BODY, { ...grpc, TE: "trailers" });
  assert.deepEqual([answer.status, answer.headers.get("grpc-status")], [200, "12"]);
  assert.match(decodeURI(answer.headers.get("grpc-message") ?? ""), WANTED);
  for (const { outcome, points, problems } of atLeastOne(running.events)) {
    assert.deepEqual([outcome, points, problems[0]?.rule], ["rejected", 0, "grpc"]);
    assert.match(problems[0]?.message ?? "", WANTED);
  }
});
