import assert from "node:assert/strict";
import { create } from "@bufbuild/protobuf";
import { ExportMetricsServiceRequestSchema } from "../../../src/otlp/gen/opentelemetry/proto/collector/metrics/v1/metrics_service_pb.ts";
import { dataPointsOf, metricsIn } from "../../../src/otlp/data_points.ts";
import type { Problem } from "../../../src/receivers/problem.ts";
import { annotation, Annotations } from "../../../src/commands/receive/annotations.ts";
import type { RequestEvent } from "../../../src/commands/receive/event.ts";
import { Gate } from "../../../src/commands/receive/gate.ts";
import { parseExpectation } from "../../../src/commands/receive/expectation.ts";
import { listMetrics } from "../../../src/commands/receive/metric_list.ts";
import { eventOf } from "./serving.ts";

function problem(level: Problem["level"], change: Partial<Problem> = {}): Problem {
  return { rule: "bucket-sum", level, metric: "m", message: "wrong", ...change };
}

/** A request of gauges with those names. */
function event(names: readonly string[], change: Partial<RequestEvent> = {}): RequestEvent {
  return eventOf({
    points: names.length,
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
  });
}

const OPEN_GATE = { failOn: undefined, expect: [], ignore: new Set<string>() } as const;

function expecting(...texts: readonly string[]) {
  return texts.map((value) =>
    parseExpectation({ name: "--expect", source: "command line", value })
  );
}

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
  const gate = new Gate({ ...OPEN_GATE, expect: expecting("a", "b", "c") });
  gate.add(event(["a"], { outcome: "partial" }));
  gate.add(event(["b"], { outcome: "rejected", status: 503 }));
  assert.deepEqual(gate.result().missing, ["b", "c"]);
  assert.equal(gate.result().failures.length, 2);
  gate.add(event(["b", "c"]));
  assert.deepEqual(gate.result().missing, []);
  assert.deepEqual(gate.result().failures, []);
});

Deno.test("Gate.result() takes a metric whose data points were all rejected for missing", () => {
  const gate = new Gate({ ...OPEN_GATE, expect: expecting("a", "b") });
  const { request } = event(["a", "b"]);
  assert.ok(request !== undefined);
  const [first] = metricsIn(request);
  assert.ok(first !== undefined);
  const rejected = new Set(dataPointsOf(first));
  gate.add(event([], { request, outcome: "partial", rejectedPoints: 1, rejected }));
  assert.deepEqual(gate.result().missing, ["a"]);
});

Deno.test("Gate.result() says how many requests were lacking when the wait was over", () => {
  assert.deepEqual(new Gate(OPEN_GATE).result({ lacking: 2, unsaved: 0 }).failures, [
    "--wait was over before --requests came: 2 requests short",
  ]);
});

Deno.test("Gate.result() says how many accepted requests were not saved", () => {
  assert.deepEqual(new Gate(OPEN_GATE).result({ lacking: 0, unsaved: 1 }).failures, [
    "--save: 1 accepted request not saved",
  ]);
});

for (const failOn of ["error", "warning"] as const) {
  Deno.test(`Gate.result() fails with --fail-on ${failOn} when no metrics arrived`, () => {
    const gate = new Gate({ ...OPEN_GATE, failOn });
    const failures = [
      `--fail-on ${failOn}: no metrics arrived. Check that the program exports them over OTLP/HTTP ` +
      "to this receiver before it ends",
    ];
    assert.deepEqual(gate.result().failures, failures);
    gate.add(event([]));
    assert.deepEqual(gate.result().failures, failures);
    gate.add(event(["m"]));
    assert.deepEqual(gate.result().failures, []);
  });
}

Deno.test("Gate.result() does not count the rules that --ignore names", () => {
  const gate = new Gate({ ...OPEN_GATE, failOn: "warning", ignore: new Set(["bucket-sum"]) });
  const came = event(["m"], {
    problems: [problem("error"), problem("error"), problem("warning", { rule: "token" })],
  });
  const marked = gate.mark(came);
  assert.deepEqual(marked.problems.map(({ ignored }) => ignored), [true, true, undefined]);
  gate.add(marked);
  const { errors, warnings, ignored, failures, checks } = gate.result();
  assert.deepEqual({ errors, warnings, ignored }, { errors: 0, warnings: 1, ignored: 2 });
  assert.deepEqual(failures, ["--fail-on warning: 1 warning"]);
  assert.deepEqual(checks, [
    { kind: "rule", name: "bucket-sum", ok: null, detail: "ignored error, 2 times: m: wrong" },
    { kind: "rule", name: "token", ok: false, detail: "warning, 1 time: m: wrong" },
  ]);
});

Deno.test("Gate.result() has a check that decides nothing for a warning under --fail-on error", () => {
  const gate = new Gate({ ...OPEN_GATE, failOn: "error" });
  const names = Array.from({ length: 7 }, (_, i) => `m${i}`);
  gate.add(event(["m"], { problems: names.map((metric) => problem("warning", { metric })) }));
  assert.deepEqual(gate.result().checks, [
    {
      kind: "rule",
      name: "bucket-sum",
      ok: null,
      detail: "warning, 7 times: m0, m1, m2, m3, m4, …: wrong",
    },
    { kind: "run", name: "--fail-on error", ok: true, detail: "no errors in 1 request" },
  ]);
});

Deno.test("Annotations.of() leaves out ignored problems", () => {
  const ignored = { ...problem("error"), ignored: true as const };
  assert.deepEqual(new Annotations().of([ignored]), []);
});

Deno.test("Annotations.of() says each rule of a metric once, and ten of a level at most", () => {
  const annotations = new Annotations();
  assert.deepEqual(annotations.of([problem("error"), problem("error")]), [
    "::error title=bucket-sum::m: wrong",
  ]);
  const many = Array.from({ length: 20 }, (_, i) => problem("warning", { metric: `m${i}` }));
  assert.equal(annotations.of(many).length, 10);
});

Deno.test("Annotations.of() says an error of a rule that gave a warning before", () => {
  const annotations = new Annotations();
  annotations.of([problem("warning")]);
  assert.deepEqual(annotations.of([problem("error")]), ["::error title=bucket-sum::m: wrong"]);
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
