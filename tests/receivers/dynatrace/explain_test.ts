import assert from "node:assert/strict";
import { EXPLAINER } from "../../../src/receivers/dynatrace/explain.ts";
import { answerLine, judgeDynatrace } from "../../../src/receivers/dynatrace/judge.ts";
import { CASES, ruleOf } from "./cases.ts";
import { NOW } from "./requests.ts";

const { reasons, whereToLook } = EXPLAINER;
const judge = judgeDynatrace(() => NOW);

for (const [i, [id, fine, past]] of CASES.entries()) {
  const rule = ruleOf(id);

  Deno.test(`reasons() knows what a receiver says of ${id}, if anything (${i})`, () => {
    const { message } = judge(past);
    const line = answerLine(rule, past.resourceMetrics[0]?.scopeMetrics[0]?.metrics[0]?.name ?? "");
    const explained = reasons(message).filter((it) => it.includes(rule.effect));
    if (rule.answer === undefined) {
      assert.equal(line, "");
    } else {
      assert.ok(message.replaceAll("…", "").includes(line.slice(0, 300)), `${message}\n${line}`);
      assert.ok(explained.some((it) => it.endsWith(`Remedy: ${rule.remedy}`)), reasons(message)[0]);
    }
    assert.ok(
      !reasons(judge(fine).message).some((it) => it.includes(`Remedy: ${rule.remedy}`)) ||
        rule.answer === undefined,
    );
  });
}

Deno.test("reasons() picks the meaning by the details where a reason has several", () => {
  const reason = "HISTOGRAM_BUCKET_INVALID";
  const documented =
    `Histogram metric dropped. key: 'h' details: 'Histogram boundaries are not sorted' - Reason: ${reason}`;
  assert.equal(reasons(documented).length, 1);
  assert.match(reasons(documented)[0] ?? "", /bounds of a histogram rise strictly/);
  assert.equal(reasons(`Metric dropped - Reason: ${reason}`).length, 3);
});

Deno.test("reasons() explains each reason once, in the order of the message", () => {
  const message = "All metric data points were rejected. Errors: " +
    "Unsupported metric: 'b' - Reason: UNSUPPORTED_METRIC_TYPE_SUMMARY\n" +
    "Unsupported metric: 'a' - Reason: UNSUPPORTED_METRIC_TYPE_CUMULATIVE_HISTOGRAM\n" +
    "Unsupported metric: 'c' - Reason: UNSUPPORTED_METRIC_TYPE_SUMMARY";
  assert.deepEqual(reasons(message).map((line) => line.split(":", 1)[0]), [
    "UNSUPPORTED_METRIC_TYPE_SUMMARY",
    "UNSUPPORTED_METRIC_TYPE_CUMULATIVE_HISTOGRAM",
    "Dynatrace's list may be cut",
  ]);
});

/** Answers that somebody has seen, and what is explained of each. */
const ANSWERS: readonly (readonly [message: string, explained: readonly RegExp[]])[] = [
  [
    "rejected 45 of 90 data points: The following issues were encountered while ingesting OTLP metrics: Errors: " +
    "Metric value dropped. key: 'traffic_duration_p99' details: 'Value was NaN' - Reason: VALUE_INVALID",
    [/^VALUE_INVALID: .* No value is NaN|^VALUE_INVALID: .*no value is NaN/, /list may be cut/],
  ],
  [
    "Unsupported metric: 'system.disk.io' - Reason: UNSUPPORTED_METRIC_TYPE_MONOTONIC_CUMULATIVE_SUM",
    [/^UNSUPPORTED_METRIC_TYPE_MONOTONIC_CUMULATIVE_SUM: .*use DELTA/],
  ],
  [
    "401 Unauthorized: Token Authentication failed",
    [/^Token Authentication failed: .*metrics\.ingest.*openpipeline:metrics:ingest/],
  ],
  [
    "401 Unauthorized: Authorization header contains unsupported authorization scheme 'Bearer'",
    [/unsupported authorization scheme: .*Api-Token … for an access token/],
  ],
  [
    "403 Forbidden: Token is missing required scope. Use one of: metrics.ingest (Ingest metrics)",
    [/^Token is missing required scope: .*add the scope metrics\.ingest/],
  ],
  [
    "403 Forbidden: OAuth token is missing required scope. Use one of: [openpipeline:metrics:ingest]",
    [/^OAuth token is missing required scope: .*add the scope openpipeline:metrics:ingest/],
  ],
  ["415 Unsupported Media Type", []],
  ["Unit dropped - Reason: METRIC_UNIT_INVALID_CHARACTERS", [/^METRIC_UNIT_INVALID_CHARACTERS: /]],
  ["x - Reason: OTLP_MESSAGE_MAX_SIZE_EXCEEDED", [/^OTLP_MESSAGE_MAX_SIZE_EXCEEDED: .*4 MB/]],
  ["x - Reason: DIMENSION_COUNT_EXCEEDED", [/^DIMENSION_COUNT_EXCEEDED: .*50/]],
];

for (const [message, explained] of ANSWERS) {
  Deno.test(`reasons() knows "${message.slice(0, 70)}"`, () => {
    const lines = reasons(message);
    assert.equal(lines.length, explained.length, lines.join("\n"));
    for (const [i, line] of lines.entries()) assert.match(line, explained[i] ?? /^$/);
  });
}

Deno.test("reasons() says that a reason is not documented, and nothing of other messages", () => {
  assert.match(reasons("Metric dropped: 'x' - Reason: SOMETHING_NEW")[0] ?? "", /^SOMETHING_NEW: /);
  assert.deepEqual(reasons("The variable HTTPS_PROXY is not set"), []);
  assert.deepEqual(reasons(""), []);
});

Deno.test("whereToLook() gives a query or a selector for each Dynatrace, on lines to paste", () => {
  const lines = whereToLook({
    metric: "http.server.duration",
    dimensions: ["http.method", "http.statusCode"],
    exponential: false,
  });
  const by = "by: {http.method, http.statuscode}, from: -30m";
  const rejected = "active_gate.metrics.ingest.otlp.datapoints.rejected";
  const toPaste = [
    `timeseries p50 = percentile(http.server.duration, 50), p99 = percentile(http.server.duration, 99), ${by}`,
    `timeseries avg(http.server.duration), max(http.server.duration), sum(http.server.duration), ${by}`,
    "http.server.duration.histogram:percentile(50)",
    'http.server.duration_bucket:splitBy("le")',
    `timeseries sum(dt.sfm.${rejected}), by: {reason}, from: -30m`,
  ];
  for (const line of toPaste) assert.ok(lines.includes(line), lines.join("\n"));
  assert.ok(lines.some((line) => line.includes("dsfm:active_gate.metrics.ingest.otlp.datapoints")));
  assert.ok(lines.some((line) => line.includes('"Ingest complete explicit bucket histograms"')));
  assert.equal(lines.filter((line) => line.includes("allow list")).length, 1);
  assert.ok(lines.every((line) => line.length <= 160), lines.join("\n"));
});

for (
  const [minutes, from] of [[0, "-30m"], [9.5, "-40m"], [90, "-120m"], [90.5, "-3h"], [
    2880,
    "-49h",
  ]]
) {
  Deno.test(`whereToLook() covers data that is ${minutes} minutes old with ${from}`, () => {
    const ageMs = Number(minutes) * 60_000;
    const lines = whereToLook({ metric: "m", dimensions: [], exponential: true, ageMs });
    const queries = lines.filter((line) => line.startsWith("timeseries "));
    assert.equal(queries.length, 3);
    for (const query of queries) assert.ok(query.endsWith(`, from: ${from}`), query);
  });
}

Deno.test("whereToLook() asks for no percentile of an exponential histogram", () => {
  const lines = whereToLook({ metric: "my-app/latency", dimensions: [], exponential: true });
  assert.equal(
    lines[1],
    "timeseries min(`my-app_latency`), avg(`my-app_latency`), max(`my-app_latency`), from: -30m",
  );
  assert.ok(!lines.some((line) => line.includes("percentile") || line.includes("_bucket")));
});

Deno.test("whereToLook() puts reserved words and other characters in backticks", () => {
  for (
    const word of ["true", "false", "null", "mod", "and", "or", "xor", "not", "a.or", "my-key"]
  ) {
    const [, query] = whereToLook({ metric: word, dimensions: [word], exponential: true });
    assert.equal(
      query,
      `timeseries min(\`${word}\`), avg(\`${word}\`), max(\`${word}\`), by: {\`${word}\`}, from: -30m`,
    );
  }
  const [, plain] = whereToLook({ metric: "order", dimensions: ["notes"], exponential: true });
  assert.doesNotMatch(plain ?? "", /`/);
});
