import assert from "node:assert/strict";
import { fromJson } from "@bufbuild/protobuf";
import {
  ExportMetricsServiceRequestSchema,
} from "../../src/otlp/gen/opentelemetry/proto/collector/metrics/v1/metrics_service_pb.ts";
import type { Metric } from "../../src/otlp/gen/opentelemetry/proto/metrics/v1/metrics_pb.ts";
import { parseScenario } from "../../src/source/generate/scenario_file.ts";
import type { Fixture } from "../support/fixture.ts";
import { assertHistogram } from "../support/histogram.ts";
import { countOf } from "../support/outcome.ts";
import { repeated } from "../support/lines.ts";
import { measure, runFixture, testFixtures } from "../support/run_fixture.ts";
import { beforeSendOfOwn } from "../support/wording.ts";
import { atLeastOne } from "../support/cases.ts";

const example = (name: string) =>
  Deno.readTextFile(new URL(`../../examples/${name}.json`, import.meta.url));
const namesAndCounts = (metrics: readonly Metric[]) =>
  metrics.map((metric) => [metric.name, metric.data.case, countOf(metric)] as const);

const SMALL = {
  resource: { "service.name": "small", "team": "a" },
  metrics: [
    {
      name: "shop.time",
      unit: "s",
      description: "How long",
      buckets: [1, 2],
      weight: 3,
      mix: [
        { weight: 1, distribution: "constant(2)", attributes: { route: "/", ok: true } },
        { weight: 0, distribution: "constant(5)", attributes: { route: "/never" } },
      ],
    },
    {
      name: "shop.size",
      unit: "By",
      weight: 1,
      mix: [{ distribution: "constant(7)", attributes: { code: 200, part: 0.5 } }],
    },
  ],
};
const small = (change: object = {}) => ({ "s.json": JSON.stringify({ ...SMALL, ...change }) });

for (const name of ["web-shop", "latency-incident"]) {
  Deno.test(`examples/${name}.json is sent as --dry-run prints it`, async () => {
    const files = { "s.json": await example(name) };
    const args = ["--scenario", "s.json", "--seed", "7", "--count", "2000"];
    const [sent, printed] = await Promise.all([
      measure({ args, files }),
      runFixture({ args: ["--dry-run", ...args], files, stdout: "any", requests: 0 }),
    ]);
    assert.equal(sent.summary["recorded"], 2000);
    const document = fromJson(ExportMetricsServiceRequestSchema, JSON.parse(printed.stdout));
    const metrics = document.resourceMetrics.flatMap(({ scopeMetrics }) =>
      scopeMetrics.flatMap(({ metrics }) => metrics)
    );
    assert.deepEqual(namesAndCounts(sent.metrics), namesAndCounts(metrics));
    const parsed = parseScenario(files["s.json"]);
    assert.ok("scenario" in parsed);
    assert.deepEqual(
      sent.metrics.map(({ name, unit, description }) => ({ name, unit, description })),
      parsed.scenario.metrics.map(({ name, unit, description }) => ({ name, unit, description })),
    );
    for (const metric of atLeastOne(sent.metrics)) assert.ok(countOf(metric) > 0);
  });
}

/** The values of each metric of SMALL are equal, which one bucket cannot tell. */
const ONE_BUCKET = [/^rule one-bucket: shop\.time: /, /^rule one-bucket: shop\.size: /];

Deno.test("--scenario sends its metrics with units, bounds, attributes, weights and resource", async () => {
  const sent = await measure({
    args: ["--scenario", "s.json", "--count", "4000", "--seed", "3"],
    files: small(),
    said: ONE_BUCKET,
  });
  const [{ resource, metrics: [time, size, ...others] } = assert.fail()] = sent.decoded;
  assert.deepEqual(resource, {
    "service.name": "small",
    "deployment.environment": "prod",
    team: "a",
  });
  assert.ok(time !== undefined && size !== undefined && others.length === 0);
  assert.deepEqual([time.name, time.unit, time.description], ["shop.time", "s", "How long"]);
  assert.deepEqual([size.name, size.unit, size.description], ["shop.size", "By", ""]);
  const [[timed, ...noMoreTimed], [sized, ...noMoreSized]] = [time.points, size.points];
  assert.ok(timed !== undefined && sized !== undefined);
  assert.ok(noMoreTimed.length === 0 && noMoreSized.length === 0, "what has no weight never comes");
  assert.deepEqual(timed.attributes, { route: "/", ok: true });
  assert.deepEqual(sized.attributes, { code: 200n, part: 0.5 });
  assert.deepEqual(timed.bounds, [1, 2]);
  assert.equal(sized.bounds.length, 11);
  // Three quarters of 4000, within four standard deviations.
  assert.ok(Math.abs(timed.count - 3000) < 4 * Math.sqrt(4000 * 3 / 16), `${timed.count}`);
  assertHistogram(timed, new Array<number>(timed.count).fill(2), [1, 2]);
  assertHistogram(sized, new Array<number>(4000 - timed.count).fill(7));
});

Deno.test("--resource, --service and --attr beat what the scenario says", async () => {
  const { decoded, points } = await measure({
    args: [
      ...["--scenario", "s.json", "--seed", "3", "--service", "mine", "--resource", "team=b"],
      ...["--attr", "route=fixed"],
    ],
    files: small(),
    said: ONE_BUCKET,
  });
  assert.deepEqual(decoded[0]?.resource, {
    "service.name": "mine",
    "deployment.environment": "prod",
    team: "b",
  });
  for (const { attributes } of atLeastOne(points)) assert.equal(attributes["route"], "fixed");
});

Deno.test("--scenario makes 100 measurements a send when nothing is said", async () => {
  const sent = await measure({
    args: ["--scenario", "s.json", "--loop", "--interval", "0", "--iterations", "2"],
    files: small(),
    said: ONE_BUCKET,
  });
  assert.deepEqual(sent.sends.map(({ measurements }) => measurements), [100, 100]);
});

Deno.test("--scenario goes with --rate", async () => {
  const sent = await measure({
    args: ["--scenario", "s.json", "--rate", "1000", "--count", "300"],
    files: small(),
    said: ONE_BUCKET,
  });
  assert.equal(sent.summary["recorded"], 300);
  assert.ok(sent.durationMs >= 299, `${sent.durationMs} ms`);
});

Deno.test("--scenario sends exponential histograms where it says so, or where the variable does", async () => {
  const files = small({
    metrics: SMALL.metrics.map((metric) =>
      metric.name === "shop.size" ? { ...metric, exponential: true } : metric
    ),
  });
  const kinds = async (env: Readonly<Record<string, string>>, from = files) =>
    (await measure({
      args: ["--scenario", "s.json"],
      files: from,
      env,
      said: ONE_BUCKET.slice(0, 1),
    }))
      .metrics.map(({ data }) => data.case);
  assert.deepEqual(await kinds({}), ["histogram", "exponentialHistogram"]);
  const variable = {
    OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION: "base2_exponential_bucket_histogram",
  };
  assert.deepEqual(await kinds(variable, small()), ["histogram", "exponentialHistogram"]);
});

Deno.test("--scenario changes with its phases", async () => {
  const entry = {
    distribution: "constant(1)",
    attributes: { state: "up" },
    during: { down: { distribution: "constant(9)", attributes: { state: "down" } } },
  };
  const sent = await measure({
    args: ["--scenario", "s.json", "--loop", "--interval", "0.5", "--iterations", "2"],
    files: small({
      phases: [{ name: "up", seconds: 0.4 }, { name: "down", seconds: 60 }],
      metrics: [{ name: "m", unit: "ms", mix: [entry] }],
    }),
    said: [/^rule one-bucket: m: all 100 values/],
  });
  const states = sent.points.map(({ attributes, sum, count }) => {
    assert.equal(sum, attributes["state"] === "up" ? count : 9 * count);
    return attributes["state"];
  });
  assert.deepEqual([...new Set(states)], ["up", "down"]);
  assert.deepEqual([...states].sort(), [...states].reverse(), "it changes once");
});

Deno.test("the closing note names every metric of a scenario, to Dynatrace", async () => {
  await runFixture({
    args: ["--endpoint", "{url}/api/v2/otlp", "--scenario", "s.json", "--seed", "3"],
    files: small(),
    posts: 1,
    stdout: [
      ...beforeSendOfOwn("http://127.0.0.1:PORT/api/v2/otlp/v1/metrics"),
      "✓ Metrics exported successfully! Sent 100 measurements.",
      "",
      "Note: Check Dynatrace UI for the metrics 'shop.time', 'shop.size'",
      repeated(/./),
      repeated(/^( {2}.*|Where.*|)$/),
    ],
    stderr: [
      repeated(/^WARNING: Dynatrace rule/),
      /^WARNING: rule one-bucket: shop\.time: /,
      /^WARNING: rule one-bucket: shop\.size: /,
      repeated(/^WARNING: Dynatrace rule/),
    ],
  });
});

const BUILT_IN_HINT =
  "  Hint: Give the path of a file, for example ./scenario.json, or a built-in scenario: web-shop, latency-incident";
const refused = (name: string, file: string | object, lines: readonly string[]): Fixture => ({
  name: `a scenario is refused: ${name}`,
  args: ["--endpoint", "{url}", "--scenario", "s.json"],
  files: { "s.json": typeof file === "string" ? file : JSON.stringify(file) },
  status: 2,
  stderr: ['ERROR: Invalid --scenario "s.json" (command line):', ...lines.map((l) => `  ${l}`)],
  requests: 0,
});
const oneMetric = (change: object, mix: object = {}) => ({
  metrics: [{ name: "m", unit: "ms", mix: [{ distribution: "constant(1)", ...mix }], ...change }],
});
const without = (...args: readonly string[]): Fixture => ({
  name: `${args.join(" ")} with --scenario is refused`,
  args: ["--endpoint", "{url}", "--scenario", "s.json", ...args],
  files: { "s.json": JSON.stringify(SMALL) },
  status: 2,
  stderr: [
    `ERROR: ${args[0]} has no effect with --scenario, whose file describes its metrics: remove it`,
  ],
  requests: 0,
});

const rows: readonly Fixture[] = [
  {
    name: "a scenario that does not exist is refused",
    args: ["--endpoint", "{url}", "--scenario", "nowhere.json"],
    status: 2,
    stderr: [
      'ERROR: Invalid --scenario "nowhere.json" (command line): no file and no built-in scenario has this name',
      BUILT_IN_HINT,
    ],
    requests: 0,
  },
  {
    name: "a scenario whose name is nearly that of a built-in one is refused",
    args: ["--endpoint", "{url}", "--scenario", "webshop"],
    status: 2,
    stderr: [
      'ERROR: Invalid --scenario "webshop" (command line): no file and no built-in scenario has this name; did you mean web-shop?',
      BUILT_IN_HINT,
    ],
    requests: 0,
  },
  {
    ...refused("no JSON", "{", []),
    stderr: [/^ERROR: Invalid --scenario "s.json"/, /^ {2}this is not JSON: .*line 1/],
  },
  {
    ...refused("UTF-16, as PowerShell writes it", "{\0}\0", []),
    stderr: [
      'ERROR: Cannot read the file of --scenario, "s.json": it is UTF-16. Save it as UTF-8, for example with iconv -f UTF-16LE -t UTF-8',
    ],
  },
  refused("an unknown key", oneMetric({ bucket: [1] }), [
    "metrics[0].bucket: unknown key. Did you mean buckets? " +
    "Keys of a metric: name, unit, description, buckets, exponential, weight, mix",
  ]),
  refused("attributes of a metric", oneMetric({ attributes: {} }), [
    "metrics[0].attributes: unknown key. It is a key of an entry of mix, or of a change in during. " +
    "Keys of a metric: name, unit, description, buckets, exponential, weight, mix",
  ]),
  refused("every problem at once", { metrics: [{ name: "1", unit: 2, mix: [] }] }, [
    'metrics[0].name: expected an OpenTelemetry instrument name: a letter, then up to 254 letters, digits or any of _ . - /, but it is "1"',
    "metrics[0].unit: expected a string, but it is 2",
    "metrics[0].mix: expected a list that is not empty, but it is []",
  ]),
  without("--metric", "m"),
];
testFixtures(rows);
