import assert from "node:assert/strict";
import { create } from "@bufbuild/protobuf";
import { parseExpectation } from "../../../src/commands/receive/expectation.ts";
import type { RequestEvent } from "../../../src/commands/receive/event.ts";
import { Gate } from "../../../src/commands/receive/gate.ts";
import { type DataPoint, dataPointsOf, metricsIn } from "../../../src/otlp/data_points.ts";
import { InstrumentationScopeSchema } from "../../../src/otlp/gen/opentelemetry/proto/common/v1/common_pb.ts";
import { ExportMetricsServiceRequestSchema } from "../../../src/otlp/gen/opentelemetry/proto/collector/metrics/v1/metrics_service_pb.ts";
import { AggregationTemporality } from "../../../src/otlp/gen/opentelemetry/proto/metrics/v1/metrics_pb.ts";
import { text } from "./serving.ts";
import { eventOf } from "./serving.ts";

const { CUMULATIVE, DELTA } = AggregationTemporality;

interface Point {
  readonly count?: bigint;
  readonly start?: bigint;
  readonly time?: bigint;
  readonly flags?: number;
  readonly attributes?: Parameters<typeof attributesOf>[0];
}

function attributesOf(attributes: Readonly<Record<string, string | bigint | boolean | number>>) {
  return Object.entries(attributes).map(([key, value]) => {
    if (typeof value === "string") return text(key, value);
    if (typeof value === "bigint") {
      return { key, value: { value: { case: "intValue" as const, value } } };
    }
    if (typeof value === "number") {
      return { key, value: { value: { case: "doubleValue" as const, value } } };
    }
    return { key, value: { value: { case: "boolValue" as const, value } } };
  });
}

/** A request of service "shop" with a histogram. */
function histogram(
  name: string,
  points: readonly Point[],
  { unit = "s", temporality = DELTA, change = {} }: {
    unit?: string;
    temporality?: AggregationTemporality;
    change?: Partial<RequestEvent>;
  } = {},
): RequestEvent {
  return event({
    name,
    unit,
    data: {
      case: "histogram" as const,
      value: {
        aggregationTemporality: temporality,
        dataPoints: points.map((point) => {
          const { count = 1n, start = 1n, time = start + 1n, flags = 0, attributes = {} } = point;
          const times = { startTimeUnixNano: start, timeUnixNano: time };
          return { count, flags, ...times, attributes: attributesOf(attributes) };
        }),
      },
    },
  }, change);
}

function event(metric: object, change: Partial<RequestEvent> = {}): RequestEvent {
  return eventOf({
    measurements: 1,
    request: create(ExportMetricsServiceRequestSchema, {
      resourceMetrics: [{
        resource: { attributes: attributesOf({ "service.name": "shop", "process.pid": 42n }) },
        scopeMetrics: [{ metrics: [metric] }],
      }],
    }),
    ...change,
  });
}

/** The same event, with the data points at some places rejected by a rule. */
function rejecting(from: RequestEvent, places: readonly number[], rule: string): RequestEvent {
  const points: DataPoint[] = from.request === undefined
    ? []
    : [...metricsIn(from.request)].flatMap(dataPointsOf);
  const rejected = new Set(points.filter((_, i) => places.includes(i)));
  const problems = [{ rule, level: "error" as const, metric: "m", message: "wrong" }];
  return {
    ...from,
    outcome: rejected.size === points.length ? "rejected" : "partial",
    rejected,
    problems,
  };
}

const ROUTES = histogram("m", [
  { count: 3n, attributes: { route: "/a", code: 200n, ok: true, share: 0.5 } },
  { count: 2n, attributes: { route: "/b" } },
]);
const GAUGE = event({ name: "m", data: { case: "gauge", value: { dataPoints: [{}] } } });
const STALE = histogram("m", [{ flags: 1, count: 5n }]);
const REJECTED = rejecting(ROUTES, [0, 1], "bucket-sum");
const CUMULATIVES = [
  histogram("m", [{ count: 3n }, { count: 10n, attributes: { a: "b" } }], {
    temporality: CUMULATIVE,
  }),
  histogram("m", [{ count: 5n }], { temporality: CUMULATIVE }),
];

/** An expectation, what came, and the detail of its result: met if it begins with "met". */
const CASES: readonly (readonly [string, readonly RequestEvent[], string])[] = [
  ["m", [ROUTES], "met by request 1"],
  ["m", [histogram("other", [{}]), ROUTES], "met by request 2"],
  ["m{route=/a,code=200,ok=true,share=0.5}", [ROUTES], "met by request 1"],
  ["m{code>=200}", [ROUTES], "met by request 1"],
  ["m{share=0.50}", [ROUTES], "met by request 1"],
  ["m{share=5e-1}", [ROUTES], "met by request 1"],
  [
    "m{code=200.0}",
    [histogram("m", [{ attributes: { code: 200n } }])],
    "code is 200, expected 200.0, on 1 of 1 data point",
  ],
  ["m service.name=shop process.pid=42", [ROUTES], "met by request 1"],
  ["m unit=s type=histogram temporality=delta", [ROUTES], "met by request 1"],
  ["m{route=/a} count>=6", [ROUTES, ROUTES, ROUTES], "met by request 2, count 9"],
  ["m count=10", [ROUTES, ROUTES], "met by request 2, count 10"],

  ["m", [], "no metrics arrived"],
  ["m", [histogram("n", [{}])], "no metric has this name; nearest: n"],
  [
    "queue.length",
    [histogram("job.duration", [{}])],
    "no metric has this name; these arrived: job.duration",
  ],
  [
    "m",
    [{ ...ROUTES, request: undefined, outcome: "rejected" }],
    "no metrics arrived; 1 request not decoded",
  ],
  ["m", [histogram("m", [])], "the metric arrived without data points"],
  ["m{code}", [histogram("m", [{}, {}, {}])], "code is missing on 3 of 3 data points"],
  ["m{a}", [histogram("m", [{}])], "a is missing on 1 of 1 data point"],
  ["m unit=ms", [ROUTES], "unit is s, expected ms"],
  ["m unit=ms", [ROUTES, histogram("m", [{}], { unit: "" })], 'unit is s or "", expected ms'],
  ['m{route="a b"}', [ROUTES], 'route is /a or /b, expected "a b", on 2 of 2 data points'],
  [
    "m{code>=500}",
    [histogram("m", [{ attributes: { code: 200n } }])],
    "code is 200, expected at least 500, on 1 of 1 data point",
  ],
  [
    "m{code>=1}",
    [histogram("m", [{ attributes: { code: "none" } }])],
    "code is none, expected at least 1, on 1 of 1 data point",
  ],
  ["m{a} unit=ms", [ROUTES], "a is missing on 2 of 2 data points; unit is s, expected ms"],
  [
    "m{route=/b,code=200}",
    [ROUTES],
    "no data point meets all conditions; nearest: route is /a, expected /b, on 1 of 2 data points",
  ],
  [
    "m{code=500}",
    [ROUTES],
    "code is 200 or missing, expected 500, on 2 of 2 data points",
  ],
  [
    "m{n=9}",
    [histogram("m", [1n, 2n, 3n, 4n, 3n].map((n) => ({ attributes: { n } })))],
    "n is 1 or 2 or 3 or another value, expected 9, on 5 of 5 data points",
  ],
  [
    "m{service.name=shop}",
    [ROUTES],
    "service.name is missing on 2 of 2 data points (the resource has it: write service.name=VALUE after the braces)",
  ],
  [
    "m route=/a",
    [ROUTES],
    "resource attribute route is missing on 2 of 2 data points (data points have it: write it in the braces)",
  ],
  [
    "m service.name=cart",
    [ROUTES],
    "resource attribute service.name is shop, expected cart, on 2 of 2 data points",
  ],
  ["m temporality=cumulative", [GAUGE], "temporality is missing on 1 of 1 data point"],
  ["m{route=/a} count>=4", [ROUTES], "count is 3, expected at least 4"],
  ["m count=4", [ROUTES], "count is 5, expected 4"],
  ["m count>=1", [GAUGE], "the metric is a number, without a count"],

  ["m", [REJECTED], "the metric arrived, but all its data points were rejected: bucket-sum"],
  ["m", [REJECTED, ROUTES], "met by request 2"],
  [
    "m{route=/a}",
    [rejecting(ROUTES, [0], "bucket-sum")],
    "the matching data points were rejected: bucket-sum",
  ],
  [
    "m{a}",
    [REJECTED],
    "the metric arrived, but all its data points were rejected: bucket-sum; a is missing on 2 of 2 data points",
  ],
  ["m{route=/b}", [rejecting(ROUTES, [0], "bucket-sum")], "met by request 1"],
  ["m count>=4", [rejecting(ROUTES, [0], "bucket-sum")], "count is 2, expected at least 4"],
  [
    "m",
    [{ ...ROUTES, outcome: "rejected", status: 503 }],
    "the metric arrived, but all its data points were rejected: the response was 503",
  ],
  [
    "m",
    [{ ...ROUTES, outcome: "unanswered", status: null }],
    "the metric arrived, but all its data points were rejected: the request was not answered",
  ],

  ["m", [STALE], "the metric arrived with stale markers only, which record nothing"],
  ["m count>=6", [STALE, ROUTES], "count is 5, expected at least 6"],

  ["m count=15", CUMULATIVES, "met by request 2, count 15 (cumulative: the last of each series)"],
  [
    "m count>=16",
    CUMULATIVES,
    "count is 15 (cumulative: the last of each series), expected at least 16",
  ],
  [
    "m count=9",
    [
      histogram("m", [{ count: 5n, start: 0n, time: 10n }], { temporality: CUMULATIVE }),
      histogram("m", [{ count: 3n, start: 0n, time: 20n }], { temporality: CUMULATIVE }),
      histogram("m", [{ count: 2n, start: 0n, time: 15n }], { temporality: CUMULATIVE }),
      histogram("m", [{ count: 4n, start: 0n, time: 30n }], { temporality: CUMULATIVE }),
    ],
    "met by request 4, count 9 (cumulative: the last of each series)",
  ],
  [
    "m count=8",
    [
      histogram("m", [{ count: 5n, start: 1n }], { temporality: CUMULATIVE }),
      // The process has started again.
      histogram("m", [{ count: 3n, start: 9n }], { temporality: CUMULATIVE }),
    ],
    "met by request 2, count 8 (cumulative: the last of each series)",
  ],
];

Deno.test("Gate.result() counts cumulative series of scopes that differ only in attributes", () => {
  const gate = new Gate({
    failOn: undefined,
    expect: [parseExpectation({ name: "--expect", source: "command line", value: "m count=8" })],
    ignore: new Set(),
  });
  for (const [id, count] of [["a", 5n], ["b", 3n]] as const) {
    const arrived = histogram("m", [{ count }], { temporality: CUMULATIVE });
    const [scopeMetrics] = arrived.request?.resourceMetrics[0]?.scopeMetrics ?? [];
    assert.ok(scopeMetrics !== undefined);
    scopeMetrics.scope = create(InstrumentationScopeSchema, { attributes: [text("id", id)] });
    gate.add(arrived);
  }
  assert.deepEqual(gate.result().missing, []);
});

for (const [value, events, detail] of CASES) {
  Deno.test(`Gate.result() reports ${value}: ${detail}`, () => {
    const setting = { name: "--expect", source: "command line", value };
    const expect = [parseExpectation(setting)];
    const gate = new Gate({ failOn: undefined, expect, ignore: new Set() });
    for (const each of events) gate.add(each);
    const { checks, missing, failures } = gate.result();
    const ok = detail.startsWith("met");
    assert.deepEqual(checks.filter(({ kind }) => kind === "expectation"), [
      { kind: "expectation", name: value, ok, detail },
    ]);
    assert.deepEqual(missing, ok ? [] : [value]);
    assert.deepEqual(failures, ok ? [] : [`--expect "${value}": ${detail}`]);
  });
}

Deno.test("Gate.result() hides secrets in what came", () => {
  const setting = { name: "--expect", source: "command line", value: "m{a=b}" };
  const expect = [parseExpectation(setting), parseExpectation({ ...setting, value: "other" })];
  const hide = (shown: string) => shown.replaceAll("SECRET", "***");
  const gate = new Gate({ failOn: undefined, expect, ignore: new Set() }, hide);
  gate.add(histogram("m", [{ attributes: { a: "SECRET" } }]));
  gate.add(histogram("otherSECRET", [{}]));
  assert.deepEqual(gate.result().checks.map(({ detail }) => detail), [
    "a is ***, expected b, on 1 of 1 data point",
    "no metric has this name; nearest: other***",
  ]);
});
