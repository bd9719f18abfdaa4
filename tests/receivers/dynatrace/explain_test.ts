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
  assert.match(reasons(documented)[0] ?? "", /bounds of a histogram increase strictly/);
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
    "Dynatrace's list may be incomplete",
  ]);
});

/** Answers that somebody has seen, and what is explained of each. */
const ANSWERS: readonly (readonly [message: string, explained: readonly RegExp[]])[] = [
  [
    "rejected 45 of 90 data points: The following issues were encountered while ingesting OTLP metrics: Errors: " +
    "Metric value dropped. key: 'traffic_duration_p99' details: 'Value was NaN' - Reason: VALUE_INVALID",
    [
      /^VALUE_INVALID: .* No value is NaN|^VALUE_INVALID: .*no value is NaN/,
      /list may be incomplete/,
    ],
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

const SAAS = { url: new URL("https://abc12345.live.dynatrace.com/api/v2/otlp/v1/metrics") };
const MANAGED = { url: new URL("https://h/e/abc12345/api/v2/otlp/v1/metrics") };

Deno.test("whereToLook() gives a query for each metric, and the command that looks itself", () => {
  const dimensions = ["http.method", "http.statusCode"];
  const stored = { metric: "http.server.duration", dimensions, exponential: false };
  const other = { metric: "size", dimensions: [], exponential: false };
  assert.deepEqual(whereToLook([stored, other], SAAS), [
    "timeseries p50 = percentile(http.server.duration, 50), p99 = percentile(http.server.duration, 99), " +
    "by: {http.method, http.statuscode}, from: -30m",
    "timeseries p50 = percentile(size, 50), p99 = percentile(size, 99), from: -30m",
    "otlp-histogram verify",
  ]);
  assert.deepEqual(whereToLook([stored], MANAGED), [
    "http.server.duration.histogram:percentile(50)",
    "otlp-histogram verify",
  ]);
});

for (
  const [minutes, from] of [[0, "-30m"], [9.5, "-40m"], [90, "-120m"], [90.5, "-3h"], [
    2880,
    "-49h",
  ]]
) {
  Deno.test(`whereToLook() covers data that is ${minutes} minutes old with ${from}`, () => {
    const ageMs = Number(minutes) * 60_000;
    const stored = { metric: "m", dimensions: [], exponential: true, ageMs };
    const [query = ""] = whereToLook([stored], SAAS);
    assert.ok(query.startsWith("timeseries ") && query.endsWith(`, from: ${from}`), query);
  });
}

Deno.test("whereToLook() asks for no percentile of an exponential histogram", () => {
  const stored = { metric: "my-app/latency", dimensions: [], exponential: true };
  const lines = whereToLook([stored], SAAS);
  assert.equal(
    lines[0],
    "timeseries min(`my-app_latency`), avg(`my-app_latency`), max(`my-app_latency`), from: -30m",
  );
  assert.equal(whereToLook([stored], MANAGED)[0], "my-app_latency:avg");
});

Deno.test("whereToLook() puts reserved words and other characters in backticks", () => {
  for (
    const word of ["true", "false", "null", "mod", "and", "or", "xor", "not", "a.or", "my-key"]
  ) {
    const stored = { metric: word, dimensions: [word], exponential: true };
    const [query] = whereToLook([stored], SAAS);
    assert.equal(
      query,
      `timeseries min(\`${word}\`), avg(\`${word}\`), max(\`${word}\`), by: {\`${word}\`}, from: -30m`,
    );
  }
  const stored = { metric: "order", dimensions: ["notes"], exponential: true };
  const [plain] = whereToLook([stored], SAAS);
  assert.doesNotMatch(plain ?? "", /`/);
});
