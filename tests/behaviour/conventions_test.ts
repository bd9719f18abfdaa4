import assert from "node:assert/strict";
import type { Fixture } from "../support/fixture.ts";
import { onePoint } from "../support/histogram.ts";
import { warning } from "../support/lines.ts";
import { measure, testFixtures } from "../support/run_fixture.ts";
import { each } from "../support/cases.ts";

const NAME = "http.server.request.duration";
const ADVISED = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];
const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const MILLISECONDS = [5, 10, 25, 50, 75, 100, 250, 500, 1000, 2500, 5000];
const EXPONENTIAL = "base2_exponential_bucket_histogram";

each(
  [
    { args: ["--metric", NAME], unit: "s", bounds: ADVISED },
    { args: ["--metric", NAME, "--unit", "s"], unit: "s", bounds: ADVISED },
    { args: ["--metric", NAME, "--unit", "ms"], unit: "ms", bounds: MILLISECONDS },
    { args: ["--metric", NAME, "--buckets", "1,2"], unit: "s", bounds: [1, 2] },
    { args: ["--metric", "db.client.connection.use_time"], unit: "s", bounds: SECONDS },
    { args: ["--metric", "jvm.gc.duration"], unit: "s", bounds: [0.01, 0.1, 1, 10] },
    { args: ["--metric", "otel.sdk.exporter.operation.duration"], unit: "s", bounds: [] },
    { args: ["--metric", "shop.duration"], unit: "ms", bounds: MILLISECONDS },
  ],
  ({ args }) => `${args.join(" ")} sends the unit and bounds of the semantic conventions`,
  async ({ args, unit, bounds }) => {
    const said = args.includes(NAME) && unit !== "s" ? [/^rule convention-unit: /] : [];
    const sent = await measure({ args: [...args, "--value", "0.2"], said });
    assert.deepEqual(onePoint(sent).bounds, bounds);
    assert.deepEqual(sent.metrics.map((metric) => metric.unit), [unit]);
  },
);

each(
  [
    { args: ["--exponential"], env: {} },
    { args: [], env: { OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION: EXPONENTIAL } },
  ],
  ({ args }) => `${args[0] ?? "a variable for"} exponential buckets overrides advised bounds`,
  async ({ args, env }) => {
    const sent = await measure({ args: ["--metric", NAME, "--value", "0.2", ...args], env });
    assert.deepEqual(sent.metrics.map(({ unit }) => unit), ["s"]);
    assert.deepEqual(sent.metrics.map(({ data }) => data.case), ["exponentialHistogram"]);
  },
);

Deno.test("a value with a unit of time is converted to the unit of the semantic conventions", async () => {
  const stdin = '{"value":"250ms"}\n{"value":"1.5s"}\n';
  const sent = await measure({ args: ["--metric", NAME, "--input", "-"], stdin });
  assert.equal(onePoint(sent).sum, 1.75);
});

const OLD =
  "http.server.duration is an old name: the semantic conventions 1.44.0 call this metric " +
  "http.server.request.duration, in s. Send it with --metric http.server.request.duration, or choose your own name";

const rows: readonly Fixture[] = [
  {
    name: "an old name of the semantic conventions gets one hint in a loop",
    args: [
      ...["--endpoint", "{url}", "--output", "json", "--metric", "http.server.duration"],
      ...["--value", "20", "--loop", "--interval", "0", "--iterations", "3"],
    ],
    posts: 3,
    stdout: "any",
    stderr: [warning(OLD)],
  },
  {
    name: "samples under an old name get no hint",
    args: ["--endpoint", "{url}", "--output", "json", "--metric", "http.server.duration"],
    stdout: "any",
  },
  {
    name: "the unit of the semantic conventions is named where --since cannot use it",
    args: ["--endpoint", "{url}", "--metric", "http.server.request.body.size", "--since", "5"],
    requests: 0,
    status: 2,
    stderr: [
      'ERROR: --since measures time, and --unit "By" (semantic conventions for ' +
      "http.server.request.body.size) is not a unit of time: set --unit s, ms, us, ns, min or h",
    ],
  },
  {
    name: "plot names what the semantic conventions bring",
    args: ["plot", "--metric", NAME, "--value", "0.2"],
    requests: 0,
    stdout: [
      `${NAME} has the unit s and the bounds of OpenTelemetry's semantic conventions. ` +
      "--unit and --buckets override them.",
      `  ${NAME} (s)`,
      /count 1/,
      ...Array(10).fill(/./),
    ],
  },
  {
    name: "plot names no conventions where flags override them",
    args: ["plot", "--metric", NAME, "--value", "20", "--unit", "ms"],
    requests: 0,
    stdout: [`  ${NAME} (ms)`, ...Array(11).fill(/./)],
    stderr: [/^WARNING: rule convention-unit: /],
  },
];
testFixtures(rows);
