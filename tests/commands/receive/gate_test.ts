import assert from "node:assert/strict";
import { create } from "@bufbuild/protobuf";
import { ExportMetricsServiceRequestSchema } from "../../../src/otlp/gen/opentelemetry/proto/collector/metrics/v1/metrics_service_pb.ts";
import type { Problem } from "../../../src/receivers/problem.ts";
import { annotation, Annotations } from "../../../src/commands/receive/annotations.ts";
import type { RequestEvent } from "../../../src/commands/receive/event.ts";
import { Gate } from "../../../src/commands/receive/gate.ts";
import { listMetrics } from "../../../src/commands/receive/metric_list.ts";

function problem(level: Problem["level"], change: Partial<Problem> = {}): Problem {
  return { rule: "bucket-sum", level, metric: "m", message: "wrong", ...change };
}

/** A request of gauges with those names. */
function event(names: readonly string[], change: Partial<RequestEvent> = {}): RequestEvent {
  return {
    time: 0,
    method: "POST",
    path: "/v1/metrics",
    status: 200,
    outcome: "accepted",
    points: names.length,
    measurements: 0,
    rejectedPoints: 0,
    bytes: 10,
    problems: [],
    request: create(ExportMetricsServiceRequestSchema, {
      resourceMetrics: [{
        scopeMetrics: [{
          metrics: names.map((name) => ({
            name,
            data: {
              case: "gauge" as const,
              value: { dataPoints: [{ attributes: [{ key: "k" }] }] },
            },
          })),
        }],
      }],
    }),
    ...change,
  };
}

const OPEN_GATE = { failOn: undefined, expect: [] } as const;

const CASES = [
  { failOn: undefined, levels: ["error", "warning"], failures: [] },
  { failOn: "error", levels: ["warning"], failures: [] },
  { failOn: "error", levels: ["error", "warning"], failures: ["--fail-on error: 1 error"] },
  { failOn: "warning", levels: ["warning"], failures: ["--fail-on warning: 1 warning"] },
  {
    failOn: "warning",
    levels: ["error", "warning", "warning"],
    failures: ["--fail-on warning: 1 error and 2 warnings"],
  },
] as const;

for (const { failOn, levels, failures } of CASES) {
  Deno.test(`Gate.result() with --fail-on ${failOn} and ${levels.join(", ")}`, () => {
    const gate = new Gate({ ...OPEN_GATE, failOn });
    gate.add(event(["m"], { problems: levels.map((level) => problem(level)) }));
    assert.deepEqual(gate.result().failures, failures);
    assert.equal(gate.result().errors, levels.filter((it) => it === "error").length);
  });
}

Deno.test("Gate.result() names expected metrics that no accepted request held", () => {
  const gate = new Gate({ ...OPEN_GATE, expect: ["a", "b", "c"] });
  gate.add(event(["a"], { outcome: "partial" }));
  gate.add(event(["b"], { outcome: "rejected", status: 503 }));
  assert.deepEqual(gate.result().missing, ["b", "c"]);
  assert.equal(gate.result().failures.length, 2);
  gate.add(event(["b", "c"]));
  assert.deepEqual(gate.result(), { errors: 0, warnings: 0, missing: [], failures: [] });
});

Deno.test("Gate.result() says how many requests were lacking when the wait was over", () => {
  assert.deepEqual(new Gate(OPEN_GATE).result(2).failures, [
    "--wait was over before --requests came: 2 requests short",
  ]);
});

Deno.test("Annotations.of() says each rule of a metric once, and ten of a level at most", () => {
  const annotations = new Annotations();
  assert.deepEqual(annotations.of([problem("error"), problem("error")]), [
    "::error title=bucket-sum::m: wrong",
  ]);
  const many = Array.from({ length: 20 }, (_, i) => problem("warning", { metric: `m${i}` }));
  assert.equal(annotations.of(many).length, 10);
});

Deno.test("annotation() escapes what would end a command", () => {
  assert.equal(
    annotation("warning", "a:b,c", "50 %\r\n::error::x"),
    "::warning title=a%3Ab%2Cc::50 %25%0D%0A::error::x",
  );
});

Deno.test("listMetrics() names each metric once, with what it has", () => {
  const { request } = event(["a", "b", "a"]);
  assert.deepEqual(listMetrics(request), {
    metrics: [
      { name: "a", type: "gauge", unit: "", temporality: null, points: 2, attributes: ["k"] },
      { name: "b", type: "gauge", unit: "", temporality: null, points: 1, attributes: ["k"] },
    ],
    more: 0,
  });
  assert.deepEqual(listMetrics(undefined), { metrics: [], more: 0 });
  const names = Array.from({ length: 1002 }, (_, i) => `m${i}`);
  assert.equal(listMetrics(event(names).request).more, 2);
});
