import assert from "node:assert/strict";
import { create } from "@bufbuild/protobuf";
import { canvasOf } from "../../../src/console/canvas.ts";
import { ExportMetricsServiceRequestSchema } from "../../../src/otlp/gen/opentelemetry/proto/collector/metrics/v1/metrics_service_pb.ts";
import {
  receiveSummaryJson,
  receiveSummaryText,
  requestJson,
  requestText,
} from "../../../src/commands/receive/report.ts";
import { eventOf, GOOD, init, text } from "./serving.ts";

const paper = (width: number) => ({
  ...canvasOf({ columns: undefined, env: () => undefined }),
  width,
});

Deno.test("requestText() and requestJson() let nothing from the wire act on the terminal", () => {
  const evil = "a\x1b[2J\r\n\x07\u009b31m\u202e\u2028z";
  const unsafe = /[\p{Cc}\p{Cf}\p{Zl}]/u;
  const metrics = [{
    name: evil,
    unit: evil,
    data: {
      case: "histogram" as const,
      value: { dataPoints: [{ ...GOOD, attributes: [text(evil, evil)] }] },
    },
  }];
  const told = eventOf({
    path: `/${evil}/v1/metrics`,
    method: evil,
    problems: [{ rule: "r", level: "error", metric: evil, message: evil }],
    request: create(ExportMetricsServiceRequestSchema, {
      resourceMetrics: [{
        resource: { attributes: [text(evil, evil)] },
        scopeMetrics: [{ metrics }],
      }],
    }),
  });
  for (const line of requestText(told, paper(80)).split("\n")) assert.doesNotMatch(line, unsafe);
  const json = requestJson(told);
  assert.doesNotMatch(json, unsafe);
  assert.equal(JSON.parse(json).problems[0].metric, evil);
});

Deno.test("requestText() shows gauges, exponential histograms and every kind of attribute", () => {
  const request = create(ExportMetricsServiceRequestSchema, {
    resourceMetrics: [{
      scopeMetrics: [{
        metrics: [
          {
            name: "g",
            data: {
              case: "gauge",
              value: {
                dataPoints: [{
                  value: { case: "asInt", value: 7n },
                  attributes: [
                    { key: "i", value: { value: { case: "intValue", value: 200n } } },
                    { key: "b", value: { value: { case: "boolValue", value: true } } },
                    { key: "d", value: { value: { case: "doubleValue", value: 0.5 } } },
                    text("s", "two words"),
                    {
                      key: "a",
                      value: {
                        value: {
                          case: "arrayValue",
                          value: { values: [{ value: { case: "stringValue", value: "x" } }] },
                        },
                      },
                    },
                    { key: "n" },
                  ],
                }],
              },
            },
          },
          {
            name: "e",
            data: {
              case: "exponentialHistogram",
              value: {
                dataPoints: [{
                  count: 3n,
                  sum: 4.123456789,
                  positive: { offset: 0, bucketCounts: [1n, 2n] },
                }],
              },
            },
          },
        ],
      }],
    }],
  });
  assert.deepEqual(requestText(eventOf({ request }), paper(40)).split("\n").slice(1), [
    "  e",
    "    count 3, sum 4.12346",
    "    estimated p50 2.5, p90 3.7, p99 3.97",
    "    (-∞, 1] 0",
    `     (1, 2] ${"█".repeat(13)} 1`,
    `     (2, 4] ${"█".repeat(26)} 2`,
    "    (4, +∞) 0",
    '  g i=200 b=true d=0.5 s="two words" a=[x] n=(none)',
    "    value 7",
  ]);
});

Deno.test("requestText() draws the largest ten data points and counts the rest", () => {
  const request = create(
    ExportMetricsServiceRequestSchema,
    init(Array.from({ length: 13 }, () => GOOD)),
  );
  const lines = requestText(eventOf({ request }), paper(80)).split("\n");
  assert.equal(lines.filter((line) => line.startsWith("    count")).length, 10);
  assert.equal(lines.at(-1), "  … and 3 more data points");
});

Deno.test("requestText() puts problems under the request", () => {
  const problems = [{ rule: "token", level: "error" as const, metric: "", message: "no token" }];
  const refused = eventOf({ status: 401, outcome: "rejected", points: 0, bytes: 0, problems });
  const lines = requestText(refused, paper(80)).split("\n");
  assert.match(lines[0] ?? "", /401 rejected: 0 bytes, 0 data points, 0 measurements$/);
  assert.equal(lines[1], "  error token: no token");
  const ignored = problems.map((problem) => ({ ...problem, ignored: true as const }));
  assert.match(
    requestText(eventOf({ problems: ignored }), paper(80)),
    /^ {2}error token \(ignored\): no token$/m,
  );
  assert.equal(JSON.parse(requestJson(eventOf({ problems: ignored }))).problems[0].ignored, true);
});

Deno.test("receiveSummaryText() and receiveSummaryJson() say the same", () => {
  const summary = { requests: 2, points: 1, measurements: 5, rejectedPoints: 1, otherSignals: 0 };
  assert.equal(
    receiveSummaryText(summary),
    "Received 2 requests: 1 data point, 5 measurements, 1 data point rejected",
  );
  const check = { kind: "expectation", name: "b", ok: true, detail: "met by request 1" } as const;
  const gate = {
    errors: 0,
    warnings: 2,
    ignored: 1,
    missing: ["a"],
    checks: [check],
    failures: [`--expect "a": missing`],
  };
  assert.equal(
    receiveSummaryText(summary, gate),
    "Received 2 requests: 1 data point, 5 measurements, 1 data point rejected; 0 errors, 2 warnings, " +
      `1 problem ignored\n✓ --expect "b": met by request 1\n` +
      `✗ --expect "a": missing`,
  );
  assert.equal(
    receiveSummaryJson(summary, gate, 1),
    '{"type":"summary","requests":2,"points":1,"measurements":5,"rejectedPoints":1,' +
      '"errors":0,"warnings":2,"ignored":1,"missing":["a"],"otherSignals":0,"checks":[{"kind":' +
      '"expectation","name":"b","ok":true,"detail":"met by request 1"}],"exitCode":1}',
  );
});
