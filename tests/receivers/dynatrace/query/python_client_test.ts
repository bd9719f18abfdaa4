import assert from "node:assert/strict";
import { verifyCanary } from "../../../../src/commands/verify/canary.ts";
import { systemClock } from "../../../../src/platform/clock.ts";
import {
  CANARY_METRIC,
  type DynatraceModes,
  startDynatrace,
} from "../../../support/fake_dynatrace.ts";
import { missing, namedUnless, tool } from "../../../support/tools.ts";

// The Python client of Dynatrace's APIs (dt) is the oracle of the fake Metrics API v2 and Settings API: it reads the
// fake's answers without an error, and finds in them what its types say is there.

/** Beginning of a program with the client as `dt`; what it puts into `found` is printed as JSON. */
const PYTHON = `
import json, sys
from dynatrace import Dynatrace
dt = Dynatrace(sys.argv[1], sys.argv[2])
found = {}
def error_of(ask):
    try:
        ask()
    except Exception as error:
        return str(error)
`;

/** Sends one histogram to a fake environment as `m.histogram`, and asks for it in Python. */
async function inPython(
  modes: DynatraceModes,
  code: string,
  token = "dt0c01.PUBLIC.SECRET",
): Promise<Readonly<Record<string, unknown>>> {
  await using environment = startDynatrace({ storeAs: (name) => `${name}.histogram`, ...modes });
  const base = `${environment.url}/e/abc12345`;
  const { request } = await verifyCanary(CANARY_METRIC, "run1", "none", systemClock);
  const answer = await fetch(`${base}/api/v2/otlp/v1/metrics`, {
    method: "POST",
    body: request.body,
  });
  await answer.body?.cancel();
  const { code: status, stdout, stderr } = await new Deno.Command(tool("DYNATRACE_PYTHON"), {
    args: ["-c", `${PYTHON}${code}\nprint(json.dumps(found, default=str))`, base, token],
    env: { NO_PROXY: "127.0.0.1" },
  }).output();
  assert.equal(status, 0, new TextDecoder().decode(stderr));
  return JSON.parse(new TextDecoder().decode(stdout));
}

const SELECT = `
def select(selector):
    (collection,) = list(dt.metrics.query(selector, resolution="1m", time_from="now-1h", time_to="now"))
    assert collection.metric_id == selector and collection.warnings is None
    return collection.data
FILTER = 'm.histogram:filter(eq("otlp_histogram.run","run1"))'
`;

/** Results of the client, by the code that queries. */
const READINGS: readonly (readonly [string, DynatraceModes, string, unknown])[] = [
  [
    "the figures of a run",
    {},
    `${SELECT}
def value(aggregation):
    (series,) = select(FILTER + ":splitBy():" + aggregation)
    assert series.dimensions == [] and series.dimension_map == {}
    assert len(series.timestamps) == len(series.values) == 3
    assert all(time.year >= 2026 for time in series.timestamps)
    return [number for number in series.values if number is not None]
found["figures"] = [value(name) for name in ["count", "sum", "min", "max", "percentile(50)"]]`,
    { figures: [[20], [1270], [2.5], [150], [75]] },
  ],
  [
    "the buckets of a run",
    { v2: { histogram: "each" } },
    `${SELECT}
found["buckets"] = [
    [series.dimensions, series.dimension_map["le"], series.values]
    for series in select(FILTER + ':histogram:splitBy("le"):sum')
][:2]`,
    { buckets: [[["5"], "5", [null, 1, null]], [["10"], "10", [null, 2, null]]] },
  ],
  [
    "a run that is not there",
    {},
    `${SELECT}
found["series"] = select('m.histogram:filter(eq("otlp_histogram.run","run2")):splitBy():count')`,
    { series: [] },
  ],
  [
    "the description of a metric",
    {},
    `
metric = dt.metrics.get("m.histogram")
found["missing"] = sorted(name for name, value in vars(metric).items() if value is None and name[0] != "_")
found["metric"] = [metric.metric_id, metric.unit, metric.last_written.year >= 2026]
found["dimensions"] = [[each.key, each.name, each.index, each.type] for each in metric.dimension_definitions]
found["aggregations"] = [each.value for each in metric.aggregation_types]
found["default"] = metric.default_aggregation.type`,
    {
      // Documented as optional: they are those of metrics with a known range, and of odd ones.
      missing: ["maximum_value", "minimum_value", "warnings"],
      metric: ["m.histogram", "MilliSecond", true],
      dimensions: [["otlp_histogram.run", "otlp_histogram.run", 0, "STRING"]],
      aggregations: ["auto", "count", "max", "min", "percentile", "sum"],
      default: "auto",
    },
  ],
  [
    "a list of metrics",
    {},
    `found["keys"] = [metric.metric_id for metric in dt.metrics.list("m*", written_since="now-5m")]`,
    { keys: ["m.histogram"] },
  ],
  [
    "the setting for buckets",
    { v2: { buckets: true } },
    `
(setting,) = list(dt.settings.list_objects("builtin:histogram-metrics", "environment"))
found["value"] = setting.value
found["named"] = len(setting.object_id) > 0`,
    { value: { enableHistogramBucketIngest: true }, named: true },
  ],
  [
    "no setting for buckets where none was set",
    { v2: { buckets: "unset" } },
    `found["settings"] = list(dt.settings.list_objects("builtin:histogram-metrics", "environment"))`,
    { settings: [] },
  ],
];

for (const [what, modes, code, expected] of READINGS) {
  Deno.test({
    ...namedUnless(missing("DYNATRACE_PYTHON"), `Dynatrace's Python client reads ${what}`),
    async fn() {
      assert.deepEqual(await inPython(modes, code), expected);
    },
  });
}

/** Errors, by the code that asks. */
const ERRORS: readonly (readonly [string, DynatraceModes, string, RegExp])[] = [
  [
    "an unknown metric",
    {},
    `dt.metrics.get("other")`,
    /404.*"code":404,"message":"A metric has not been found\."/,
  ],
  [
    "a query of an unknown metric",
    {},
    `list(dt.metrics.query('other:filter(eq("a","b")):splitBy():count'))`,
    /404.*"A metric has not been found\."/,
  ],
  [
    "a selector that makes no sense",
    {},
    `list(dt.metrics.query("m.histogram:nonsense"))`,
    /400.*"message"/,
  ],
  [
    "a selector that the metric does not support",
    {},
    `list(dt.metrics.query('m.histogram:filter(eq("otlp_histogram.run","run1")):histogram:splitBy("le"):sum'))`,
    /400.*not supported/,
  ],
  [
    "a token that is not accepted",
    { v2: { authorization: "Api-Token other" } },
    `list(dt.metrics.list())`,
    /401.*"Token Authentication failed"/,
  ],
  [
    "a missing scope",
    { v2: { buckets: "forbidden" } },
    `list(dt.settings.list_objects("builtin:histogram-metrics", "environment"))`,
    /403.*missing required scope\. Use one of: settings\.read/,
  ],
];

for (const [what, modes, code, says] of ERRORS) {
  Deno.test({
    ...namedUnless(missing("DYNATRACE_PYTHON"), `Dynatrace's Python client knows ${what}`),
    async fn() {
      const { error } = await inPython(modes, `found["error"] = error_of(lambda: ${code})`);
      assert.match(String(error), says);
    },
  });
}
