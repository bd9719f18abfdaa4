import assert from "node:assert/strict";
import { create, toBinary } from "@bufbuild/protobuf";
import { decodeResponse, decodeStatus } from "../../src/otlp/decode.ts";
import { ExportMetricsServiceRequestSchema } from "../../src/otlp/gen/opentelemetry/proto/collector/metrics/v1/metrics_service_pb.ts";
import { AggregationTemporality } from "../../src/otlp/gen/opentelemetry/proto/metrics/v1/metrics_pb.ts";
import { decode, partialSuccess, rpcStatus } from "./decode.ts";

Deno.test("decode() gives plain objects when the request holds a histogram", () => {
  const bytes = toBinary(
    ExportMetricsServiceRequestSchema,
    create(ExportMetricsServiceRequestSchema, {
      resourceMetrics: [{
        resource: {
          attributes: [{
            key: "service.name",
            value: { value: { case: "stringValue", value: "s" } },
          }],
        },
        scopeMetrics: [{
          scope: { name: "example-meter", version: "1.0.0" },
          metrics: [{
            name: "m",
            unit: "ms",
            description: "d",
            data: {
              case: "histogram",
              value: {
                aggregationTemporality: AggregationTemporality.DELTA,
                dataPoints: [{
                  attributes: [
                    { key: "code", value: { value: { case: "intValue", value: 200n } } },
                    { key: "ratio", value: { value: { case: "doubleValue", value: 2 } } },
                  ],
                  count: 3n,
                  sum: 12,
                  explicitBounds: [5, 10],
                  bucketCounts: [1n, 2n, 0n],
                  startTimeUnixNano: 1n,
                  timeUnixNano: 2n,
                }],
              },
            },
          }],
        }],
      }],
    }),
  );
  assert.deepEqual(decode(bytes), {
    resource: { "service.name": "s" },
    scope: { name: "example-meter", version: "1.0.0" },
    metrics: [{
      name: "m",
      unit: "ms",
      description: "d",
      temporality: "delta",
      points: [{
        attributes: { code: 200n, ratio: 2 },
        count: 3,
        sum: 12,
        min: undefined,
        max: undefined,
        bounds: [5, 10],
        counts: [1, 2, 0],
        start: 1n,
        end: 2n,
      }],
    }],
  });
  assert.throws(() => decode(new Uint8Array(0)), /Expected one resource, got 0/);
});

Deno.test("partialSuccess() and rpcStatus() give what the schema's own decoder reads", () => {
  const message = "über ".repeat(40);
  const { partialSuccess: partial } = decodeResponse(partialSuccess(300, message));
  assert.equal(partial?.rejectedDataPoints, 300n);
  assert.equal(partial?.errorMessage, message);
  const status = decodeStatus(rpcStatus(16, message));
  assert.equal(status.code, 16);
  assert.equal(status.message, message);
});
