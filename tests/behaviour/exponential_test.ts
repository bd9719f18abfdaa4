import assert from "node:assert/strict";
import type {
  ExponentialHistogramDataPoint,
  Metric,
} from "../../src/otlp/gen/opentelemetry/proto/metrics/v1/metrics_pb.ts";
import type { Fixture } from "../support/fixture.ts";
import type { Outcome } from "../support/outcome.ts";
import { measure, testFixtures } from "../support/run_fixture.ts";
import { atLeastOne } from "../support/cases.ts";

const VARIABLE = "OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION";
const BASE2 = { [VARIABLE]: "base2_exponential_bucket_histogram" };
const EXPLICIT = { [VARIABLE]: "explicit_bucket_histogram" };
/** The default of the specification of the metrics SDK. */
const MOST_BUCKETS = 160;

function pointsOf(
  { metrics }: Pick<Outcome, "metrics">,
): readonly ExponentialHistogramDataPoint[] {
  return metrics.flatMap(({ name, data }: Metric) => {
    assert.ok(data.case === "exponentialHistogram", `${name}: ${data.case}`);
    return data.value.dataPoints;
  });
}

/** Each value in the bucket (base^index, base^(index + 1)] of OTLP's data model, at the finest scale that has room. */
function assertExponential(
  point: ExponentialHistogramDataPoint | undefined,
  values: readonly number[],
): void {
  assert.ok(point !== undefined);
  const { scale, positive, negative, zeroCount, count, sum, min, max } = point;
  assert.equal(Number(count), values.length);
  assert.ok(Math.abs((sum ?? NaN) - values.reduce((a, b) => a + b, 0)) <= 1e-9 * (sum ?? 0));
  assert.deepEqual([min, max], [Math.min(...values), Math.max(...values)]);
  assert.equal(Number(zeroCount), values.filter((value) => value === 0).length);
  assert.equal(negative?.bucketCounts.length ?? 0, 0);
  const index = (value: number, at = scale) => Math.ceil(Math.log2(value) * 2 ** at) - 1;
  const expected = new Map<number, number>();
  for (const value of atLeastOne(values.filter((value) => value > 0))) {
    expected.set(index(value), (expected.get(index(value)) ?? 0) + 1);
  }
  const found = new Map<number, number>();
  positive?.bucketCounts.forEach((n, i) => n > 0n && found.set(positive.offset + i, Number(n)));
  assert.deepEqual(found, new Map([...expected].sort(([a], [b]) => a - b)));
  const indexes = [...expected.keys()];
  assert.ok(Math.max(...indexes) - Math.min(...indexes) < MOST_BUCKETS);
  const finer = values.filter((value) => value > 0).map((value) => index(value, scale + 1));
  assert.ok(scale === 20 || Math.max(...finer) - Math.min(...finer) >= MOST_BUCKETS, `${scale}`);
}

const values = [0, 0.3, 1, 2, 12.5, 12.6, 700, 4096, 4999.5, 0];
const given = values.flatMap((value) => ["--value", String(value)]);

Deno.test("--exponential sends base-2 exponential deltas", async () => {
  const sent = await measure({ args: ["--exponential", ...given] });
  const points = pointsOf(sent);
  assert.equal(points.length, 1);
  assertExponential(points[0], values);
});

Deno.test("--exponential keeps one value at the finest scale", async () => {
  const sent = await measure({ args: ["--exponential", "--value", "17.3"] });
  const [point] = pointsOf(sent);
  assert.equal(point?.scale, 20);
  assertExponential(point, [17.3]);
});

Deno.test("--exponential goes with an input: each attribute set has its own scale", async () => {
  const near = Array.from({ length: 500 }, (_, i) => 100 + i / 7);
  const far = Array.from({ length: 500 }, (_, i) => 1.7 ** (i % 80) + 0.01);
  const sent = await measure({
    args: ["--exponential", "--input", "-"],
    stdin: near.flatMap((value, i) => [
      JSON.stringify({ value, attributes: { of: "near" } }),
      JSON.stringify({ value: far[i], attributes: { of: "far" } }),
    ]).map((line) => `${line}\n`).join(""),
  });
  const points = pointsOf(sent);
  assert.deepEqual(points.map(({ attributes }) => attributes[0]?.value?.value.value), [
    "near",
    "far",
  ]);
  assertExponential(points[0], near);
  assertExponential(points[1], far);
  assert.ok((points[0]?.scale ?? 0) > (points[1]?.scale ?? 0));
});

Deno.test("--exponential begins anew in every send of a loop", async () => {
  const sent = await measure({
    args: ["--exponential", ...given, "--loop", "--interval", "0", "--iterations", "3"],
  });
  const points = pointsOf(sent);
  assert.equal(points.length, 3);
  for (const point of atLeastOne(points)) assertExponential(point, values);
  assert.equal(points[1]?.startTimeUnixNano, points[0]?.timeUnixNano);
});

Deno.test("the OpenTelemetry variable chooses exponential histograms", async () => {
  assertExponential(pointsOf(await measure({ args: given, env: BASE2 }))[0], values);
});

Deno.test("--exponential beats the variable, and so does --buckets", async () => {
  const exponential = await measure({ args: ["--exponential", ...given], env: EXPLICIT });
  assertExponential(pointsOf(exponential)[0], values);
  const explicit = await measure({ args: ["--buckets", "1,10", ...given], env: BASE2 });
  assert.deepEqual(explicit.points.map(({ bounds, counts }) => [bounds, counts]), [
    [[1, 10], [4, 1, 5]],
  ]);
  const variable = await measure({ args: given, env: EXPLICIT });
  assert.equal(variable.points.length, 1);
});

const rows: readonly Fixture[] = [
  {
    name: "--exponential with --buckets is refused",
    args: ["--endpoint", "{url}", "--exponential", "--buckets", "1,2"],
    status: 2,
    stderr: ["ERROR: --buckets and --exponential cannot be used together: remove one of them"],
    requests: 0,
  },
  {
    name: `${VARIABLE} of another kind is refused`,
    args: ["--endpoint", "{url}"],
    env: { [VARIABLE]: "cubic" },
    status: 2,
    stderr: [
      `ERROR: Invalid ${VARIABLE} "cubic" (environment): expected "explicit_bucket_histogram" or "base2_exponential_bucket_histogram"`,
    ],
    requests: 0,
  },
];
testFixtures(rows);
