import assert from "node:assert/strict";
import type { Metric } from "../../src/otlp/gen/opentelemetry/proto/metrics/v1/metrics_pb.ts";
import { usageError } from "../support/fixture.ts";
import { measure, runFixture, testFixtures } from "../support/run_fixture.ts";

const lines = (...all: readonly string[]) => all.map((line) => `${line}\n`).join("");

/** Name, unit, and count and sum of each data point. */
function metricsOf(metrics: readonly Metric[]) {
  return metrics.map(({ name, unit, data }) => {
    assert.ok(data.case === "histogram");
    const points = data.value.dataPoints.map(({ count, sum }) => [Number(count), sum]);
    return [name, unit, ...points];
  });
}

const NGINX =
  "$remote_addr [$time_local] $status $request_time $upstream_response_time $bytes_sent";
const ACCESS = lines(
  "10.0.0.1 [31/Jan/2026:12:00:01 +0000] 200 0.250 0.1, 0.1 900",
  "10.0.0.1 [31/Jan/2026:12:00:02 +0000] 200 0.500 - 100",
  "10.0.0.1 [31/Jan/2026:12:01:03 +0000] 404 0.001 - 0",
  "not a line of that format",
);
const METRICS = [
  ...["--value-field", "request_time=nginx.request.duration:s"],
  ...["--value-field", "upstream_response_time=nginx.upstream.duration"],
  ...["--value-field", "bytes_sent=nginx.response.size:By"],
];

Deno.test("several --value-field make several metrics of an access log, in one request", async () => {
  const sent = await measure({
    args: ["--input", "access.log", "--log-format", NGINX, ...METRICS],
    files: { "access.log": ACCESS },
    said: [/^the lines have a time in "time_local"/],
  });
  assert.equal(sent.requests.length, 1);
  assert.deepEqual(metricsOf(sent.metrics), [
    ["nginx.request.duration", "s", [3, 0.751]],
    ["nginx.upstream.duration", "ms", [1, 200]],
    ["nginx.response.size", "By", [3, 1000]],
  ]);
  const { recorded, delivered, skipped, invalid, points } = sent.summary;
  assert.deepEqual([recorded, delivered, skipped, invalid, points], [7, 7, 1, 0, 3]);
});

Deno.test("several --value-field are put into intervals together", async () => {
  const sent = await measure({
    args: [
      ...["--input", "access.log", "--log-format", NGINX, "--time-field", "time_local"],
      ...["--attr-field", "status", "--where", "status<500", "--lateness", "0", ...METRICS],
    ],
    files: { "access.log": ACCESS },
  });
  assert.deepEqual(metricsOf(sent.metrics), [
    ["nginx.request.duration", "s", [2, 0.75]],
    ["nginx.upstream.duration", "ms", [1, 200]],
    ["nginx.response.size", "By", [2, 1000]],
    ["nginx.request.duration", "s", [1, 0.001]],
    ["nginx.response.size", "By", [1, 0]],
  ]);
  assert.equal(sent.summary.recorded, 7);
});

Deno.test("a --value-field without a metric is that of --metric, beside others", async () => {
  const sent = await measure({
    args: [
      ...["--input", "-", "--value-field", "took", "--value-field", "size=job.size:By"],
      ...["--metric", "job.duration", "--description", "Time of a job", "--exponential"],
    ],
    stdin: lines('{"took":"2ms","size":3}', '{"size":4}', '{"took":"fast","size":5}', "{}"),
    status: 1,
    said: [
      'line 3 not used: "took" is not a number: "fast"',
      'line 4 not used: no value in any of "took", "size"',
    ],
  });
  assert.deepEqual(
    sent.metrics.map(({ name, unit, description, data }) => [name, unit, description, data.case]),
    [
      ["job.duration", "ms", "Time of a job", "exponentialHistogram"],
      ["job.size", "By", "", "exponentialHistogram"],
    ],
  );
  const { recorded, invalid } = sent.summary;
  assert.deepEqual([recorded, invalid], [3, 2]);
});

Deno.test("--max-series limits the series of all metrics together", async () => {
  const sent = await measure({
    args: [
      ...["--input", "-", "--input-format", "csv", "--attr-field", "id", "--max-series", "4"],
      ...["--value-field", "a=first", "--value-field", "b=second"],
    ],
    stdin: lines("id,a,b", ...[1, 2, 3, 4].map((id) => `${id},1,2`)),
    said: [/merged into one data point/],
  });
  assert.ok(sent.points.length <= 4, String(sent.points.length));
  assert.equal(sent.points.reduce((count, point) => count + point.count, 0), 8);
});

Deno.test("plot draws each metric of --value-field", async () => {
  await runFixture({
    args: ["plot", "--output", "json", "--input", "-", ...METRICS.slice(0, 2), ...METRICS.slice(4)],
    stdin: lines("request_time=0.5 bytes_sent=10", "request_time=- bytes_sent=20"),
    requests: 0,
    stdout: "any",
    check({ stdout }) {
      const found = stdout.trim().split("\n").map((line) => JSON.parse(line));
      assert.deepEqual(found.map(({ metric, unit, count, sum }) => [metric, unit, count, sum]), [
        ["nginx.request.duration", "s", 1, 0.5],
        ["nginx.response.size", "By", 2, 30],
      ]);
    },
  });
});

testFixtures([
  usageError(
    "two metrics of one name",
    { args: ["--input", "-", "--value-field", "a=m", "--value-field", "b=m"] },
    'ERROR: --value-field sets two fields for the metric "m": name a different metric for each field',
  ),
]);
