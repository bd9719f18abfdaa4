import assert from "node:assert/strict";
import { decode, partialSuccess, rpcStatus } from "../support/decode.ts";
import { TOKEN, usageError } from "../support/fixture.ts";
import { repeated } from "../support/lines.ts";
import { startReceiver } from "../support/receiver.ts";
import { testFixtures } from "../support/run_fixture.ts";
import { type Answers, check, dynatrace, failed, PATH, PROTOBUF } from "../support/check.ts";

/** Answers to an empty request that do not tell whether metrics are accepted. */
const open: readonly (readonly [what: string, answer: Answers[number], http: boolean | null])[] = [
  // VictoriaMetrics answers so to everything when its base path was forgotten.
  ["a 400 in plain text", {
    status: 400,
    headers: { "content-type": "text/plain" },
    body: 'unsupported path requested: "/api/v2/otlp/v1/metrics"',
  }, null],
  ["a 400 with a Status", { status: 400, headers: PROTOBUF, body: rpcStatus(3, "no") }, true],
  ["a 422", 422, null],
];

for (const [what, answer, http] of open) {
  Deno.test(`check cannot tell after ${what}: it says so, and ends with 1`, async () => {
    await using receiver = await startReceiver({ answers: [answer] });
    const checked = await check({ env: dynatrace(receiver) });
    assert.equal(checked.status, 1);
    assert.deepEqual([checked.step("http").ok, checked.step("token").ok], [http, null]);
    const { ok, hint, line } = checked.step("ingest");
    assert.equal(ok, null);
    assert.match(hint ?? "", /check --canary/);
    assert.equal(line["status"], typeof answer === "object" ? 400 : answer);
  });
}

Deno.test("check names --canary when the response to an empty request is not OTLP", async () => {
  await using receiver = await startReceiver({ answers: [{ status: 200, body: "OK" }] });
  const checked = await check({ env: dynatrace(receiver) });
  const { ok, hint } = checked.step("ingest");
  assert.deepEqual([checked.status, ok], [1, null]);
  assert.match(hint ?? "", /is an OTLP receiver.*\nRun check --canary/);
});

Deno.test("check does not demand a token where none is asked for", async () => {
  await using receiver = await startReceiver();
  const checked = await check({ args: ["--endpoint", receiver.url, "--compression", "none"] });
  assert.equal(checked.status, 0);
  assert.match(checked.step("token").detail, /none is sent, none was required/);
  assert.equal(receiver.requests[0]?.headers.get("content-encoding"), null);
  assert.equal(receiver.requests[0]?.body.length, 0);
});

for (const first of [200, 400]) {
  Deno.test(`check --canary sends one measurement after a ${first}, and says where to look`, async () => {
    await using receiver = await startReceiver({ answers: [first] });
    const checked = await check({
      env: dynatrace(receiver),
      args: ["--canary", "--metric", "my.canary", "--resource", "team=a"],
    });
    assert.equal(checked.status, 0);
    const { detail, hint } = checked.step("ingest");
    assert.match(detail, /one sample measurement of my\.canary was accepted/);
    assert.match(
      hint ?? "",
      /\ntimeseries p50 = percentile\(my\.canary, 50\).*by: \{http\.method, http\.status_code\}/,
    );
    assert.match(
      hint ?? "",
      /does not prove that it is visible\. Run verify .*\notlp-histogram verify$/s,
    );
    assert.equal(receiver.requests.length, 2);
    const { metrics, resource } = decode(receiver.requests[1]?.content ?? new Uint8Array());
    assert.equal(resource["team"], "a");
    const [point, ...more] = metrics[0]?.points ?? [];
    assert.deepEqual([metrics.length, metrics[0]?.name, metrics[0]?.temporality, more], [
      1,
      "my.canary",
      "delta",
      [],
    ]);
    const sum = point?.sum ?? NaN;
    assert.deepEqual([point?.count, point?.min, point?.max], [1, sum, sum]);
    assert.equal(point?.counts.length, 12);
    const filled = point?.counts.indexOf(1) ?? -1;
    assert.ok(sum <= (point?.bounds[filled] ?? Infinity) && sum > (point?.bounds[filled - 1] ?? 0));
  });
}

const refusedCanaries: readonly (readonly [
  what: string,
  answers: Answers,
  detail: RegExp,
  hint: RegExp | null,
])[] = [
  [
    "it is refused for a known reason",
    [200, {
      status: 400,
      headers: PROTOBUF,
      body: rpcStatus(
        3,
        "All metric data points were rejected. Errors: Metric dropped: 'x' - Reason: DIMENSION_COUNT_EXCEEDED",
      ),
    }],
    /not accepted: Bad Request: All metric data points/,
    /^DIMENSION_COUNT_EXCEEDED: Dynatrace drops the data point.*Remedy: send fewer attributes/,
  ],
  [
    "it is rejected in a partial success",
    [200, {
      headers: PROTOBUF,
      body: partialSuccess(
        1,
        "Metric value dropped. details: 'Value was NaN' - Reason: VALUE_INVALID",
      ),
    }],
    /not accepted: Metric value dropped/,
    /^VALUE_INVALID: /,
  ],
  [
    "the empty request was inconclusive and it is bad as well",
    [400, 400],
    /not accepted: Bad Request/,
    null,
  ],
];

for (const [what, script, detail, hint] of refusedCanaries) {
  Deno.test(`check --canary fails at ingest when ${what}`, async () => {
    await using receiver = await startReceiver({ answers: script });
    const checked = await check({ env: dynatrace(receiver), args: ["--canary"] });
    const step = failed(checked, "ingest");
    assert.match(step.detail, detail);
    if (hint !== null) assert.match(step.hint ?? "", hint);
    assert.equal(receiver.requests.length, 2);
  });
}

Deno.test("check --canary is not sent when the empty request fails", async () => {
  await using receiver = await startReceiver({ answers: [415] });
  failed(await check({ env: dynatrace(receiver), args: ["--canary"] }), "ingest");
  assert.equal(receiver.requests.length, 1);
});

testFixtures([
  {
    name: "check prints a line a step with its time, and hints below, as text",
    args: ["check"],
    bare: true,
    env: { DT_ENDPOINT: `{url}${PATH}`, DT_API_TOKEN: TOKEN },
    answers: [401],
    posts: 1,
    status: 1,
    check({ stdout }) {
      // No ✓ beside a refusal.
      assert.doesNotMatch(stdout, /✓.*401/);
    },
    stdout: [
      ...["config", "dns", "tcp", "http"].map((name) => new RegExp(`^✓ ${name} +[\\d.]+ ms  \\S`)),
      /^✗ token +[\d.]+ ms {2}401 Unauthorized/,
      /^ {4}Hint: the token is missing/,
      repeated(/^ {4}/),
      repeated(/^$/),
      /The check failed/,
    ],
  },
  {
    name: "check marks what it cannot tell with a ?, and no word says that all is well",
    args: ["check"],
    bare: true,
    env: { DT_ENDPOINT: `{url}${PATH}`, DT_API_TOKEN: TOKEN },
    answers: [{ status: 400, body: "unsupported path requested" }],
    posts: 1,
    status: 1,
    stdout: [
      repeated(/^✓ (config|dns|tcp) /, 3),
      /^\? http /,
      /^\? token /,
      /^\? ingest .*400 Bad Request: unsupported path requested$/,
      /^ {4}Hint: .*check --canary/,
      /^ {10}.*VictoriaMetrics' base URL is http:\/\/HOST:8428\/opentelemetry$/,
      /^Inconclusive: /,
    ],
    check({ stdout }) {
      assert.doesNotMatch(stdout, /fine|all is well/i);
    },
  },
  {
    name: "check --help lists its flags, and no flag of send that does nothing here",
    args: ["check", "--help"],
    stdout: "any",
    requests: 0,
    check({ stdout }) {
      for (const flag of ["--canary", "--token-file", "--ca", "--timeout", "--output"]) {
        assert.ok(stdout.includes(flag), flag);
      }
      assert.ok(!stdout.includes("--loop"));
    },
  },
  usageError(
    "check refuses a flag of send that does nothing here",
    { args: ["check", "--loop"] },
    /^ERROR: .*--loop/,
  ),
]);
