import { SAMPLE_IDENTITY } from "../../../src/aggregate/identity.ts";
import assert from "node:assert/strict";
import { Secrets } from "../../../src/redact/secrets.ts";
import { type CheckSystem, runCheck } from "../../../src/commands/check/command.ts";
import {
  isUndecidedAnswer,
  judgeHttp,
  judgeIngest,
  judgeToken,
  readPostResult,
} from "../../../src/commands/check/answer_steps.ts";
import { canary } from "../../../src/commands/check/canary.ts";
import { isAddress, targetOf } from "../../../src/http/target.ts";
import {
  checkSummaryJson,
  checkSummaryText,
  stepJson,
  stepText,
} from "../../../src/commands/check/report.ts";
import {
  failedStep,
  milliseconds,
  passedStep,
  undecidedStep,
  withFacts,
  withinTime,
} from "../../../src/commands/check/step.ts";
import { systemClock } from "../../../src/platform/clock.ts";
import { judgeDynatrace } from "../../../src/receivers/dynatrace/judge.ts";
import { RECEIVERS } from "../../../src/receivers/profiles.ts";
import { baseEndpoint } from "../../../src/http/endpoint.ts";
import { decodeRequest } from "../../../src/otlp/decode.ts";
import { plainBody } from "../../../src/otlp/gzip.ts";
import type { Reply } from "../../../src/http/reply.ts";
import { startReceiver } from "../../support/receiver.ts";
import { seeded } from "../../support/seeded.ts";
import { StillClock } from "../../support/still_clock.ts";

/** Nothing is secret here. */
const SAME = (text: string) => text;
const NEVER = new AbortController().signal;
const DAY = Date.UTC(2026, 0, 31, 12);

/** A world in which nothing is set; what is printed is kept. */
function world(
  change: Partial<CheckSystem> = {},
): { readonly system: CheckSystem; readonly printed: string[] } {
  const printed: string[] = [];
  const system: CheckSystem = {
    env: () => undefined,
    cwd: "/nowhere",
    stdout: (text) => printed.push(text),
    stderr: (text) => printed.push(text),
    stop: NEVER,
    clock: systemClock,
    random: seeded(1),
    secrets: new Secrets(),
    readTextFile: (path) => Promise.reject(new Deno.errors.NotFound(path)),
    ...change,
  };
  return { system, printed };
}

Deno.test("runCheck() ends with 0 when every step is taken", async () => {
  await using receiver = await startReceiver();
  const { system, printed } = world();
  assert.equal(await runCheck({ endpoint: receiver.url, output: "json" }, system), 0);
  const lines = printed.map((line) => JSON.parse(line));
  assert.deepEqual(lines.map(({ type, name, ok }) => [type, name, ok]), [
    ["step", "config", true],
    ["step", "dns", true],
    ["step", "tcp", true],
    ["step", "http", true],
    ["step", "token", true],
    ["step", "ingest", true],
    ["summary", undefined, true],
  ]);
  assert.equal(receiver.requests.length, 1);
});

Deno.test("runCheck() opens no connection when a signal has come", async () => {
  await using receiver = await startReceiver();
  const { system, printed } = world({ stop: AbortSignal.abort() });
  assert.equal(await runCheck({ endpoint: receiver.url, output: "json" }, system), 1);
  assert.deepEqual(
    printed.map((line) => JSON.parse(line)).slice(2).map(({ name, ok }) => [name, ok]),
    [
      ["tcp", false],
      [undefined, false],
    ],
  );
  assert.match(printed[2] ?? "", /interrupted/);
  assert.deepEqual([receiver.connections, receiver.requests.length], [0, 0]);
});

Deno.test("runCheck() reads the environment that it is given and no other", async () => {
  const { system, printed } = world({
    env: (name) =>
      name === "DT_ENDPOINT" ? "https://abc.live.dynatrace.com/api/v2/otlp" : undefined,
  });
  assert.equal(await runCheck({}, system), 2);
  assert.match(printed[0] ?? "", /^✗ config +[\d.]+ ms {2}.*DT_API_TOKEN is missing/);
});

Deno.test("stepText() puts every line of the hint below the first", () => {
  assert.equal(
    stepText("tcp", failedStep("refused", "one", "two\nthree"), 3.14),
    "✗ tcp      3.1 ms  refused\n    Hint: one\n          two\n          three",
  );
  assert.equal(stepText("config", passedStep("fine"), 12.6), "✓ config    13 ms  fine");
});

Deno.test("stepText() marks what cannot be told, and shows the words for people", () => {
  const step = withFacts(undecidedStep("unclear", "ask"), { status: 400 }, "400, unclear");
  assert.equal(stepText("ingest", step, 1), "? ingest   1.0 ms  400, unclear\n    Hint: ask");
});

Deno.test("stepJson() keeps the order of the keys, null where there is no hint, and ends with the facts", () => {
  const step = withFacts(
    passedStep("fine", undefined),
    { host: "h", addresses: ["a"] },
    "fine as h",
  );
  assert.equal(
    stepJson("dns", step, 0.04),
    '{"type":"step","name":"dns","ok":true,"detail":"fine","hint":null,"durationMs":0,"host":"h","addresses":["a"]}',
  );
  assert.match(stepJson("ingest", undecidedStep("?"), 1), /"ok":null/);
});

Deno.test("checkSummaryText() does not claim success when a step is undecided", () => {
  assert.doesNotMatch(checkSummaryText(null), /fine|well|ok/i);
  assert.equal(checkSummaryJson(null, 1), '{"type":"summary","ok":null,"exitCode":1}');
});

Deno.test("milliseconds() has a decimal below ten only", () => {
  assert.deepEqual([0, 9.94, 10, 1234.5].map(milliseconds), [
    "0.0 ms",
    "9.9 ms",
    "10 ms",
    "1235 ms",
  ]);
});

Deno.test("withinTime() rejects when time is up or a signal comes, and aborts the work", async () => {
  for (
    const [stop, message] of [[NEVER, "timed out"], [AbortSignal.abort(), "interrupted"]] as const
  ) {
    let aborted = false;
    const work = (signal: AbortSignal) =>
      new Promise<never>(() => {
        aborted = signal.aborted;
        signal.addEventListener("abort", () => aborted = true);
      });
    await assert.rejects(withinTime(1, stop, work), { message });
    assert.equal(aborted, true);
  }
  assert.equal(await withinTime(60_000, NEVER, () => Promise.resolve(7)), 7);
});

Deno.test("targetOf() is host and port of a URL, without the brackets of IPv6", () => {
  const url = new URL("https://[::1]:8443/v1/metrics");
  assert.deepEqual(targetOf(url), { host: "::1", port: 8443 });
  assert.deepEqual(targetOf(new URL("https://h/")), { host: "h", port: 443 });
  assert.deepEqual(targetOf(new URL("http://h/")), { host: "h", port: 80 });
  assert.deepEqual(["::1", "10.0.0.1", "localhost", "10.example"].map(isAddress), [
    true,
    true,
    false,
    false,
  ]);
});

const METRIC = {
  name: "my.canary",
  unit: "ms",
  description: "d",
  resource: { team: "a" },
  scope: SAMPLE_IDENTITY.scope,
  attributes: { fixed: "b" },
};

Deno.test("canary() is a request that Dynatrace's judge takes without a word", async () => {
  const clock = new StillClock(DAY);
  for (const bounds of [[5, 10, 100, 1000], [1], [], "exponential"] as const) {
    for (const random of [0, 0.5, 0.999]) {
      const { request, dimensions } = await canary(
        { ...METRIC, bounds },
        random === 0 ? "none" : "gzip",
        clock,
        () => random,
      );
      assert.equal(request.encoding, random === 0 ? "identity" : "gzip");
      const { status, points, measurements, problems } = judgeDynatrace(() => DAY)(
        decodeRequest(await plainBody(request)),
      );
      assert.deepEqual([status, points, measurements], [200, 1, 1]);
      assert.deepEqual(
        problems.map(({ rule }) => rule),
        bounds === "exponential" ? ["exponential-buckets"] : [],
      );
      assert.deepEqual(dimensions, ["http.method", "http.status_code", "fixed"]);
    }
  }
});

const ENDPOINT = baseEndpoint(
  { name: "DT_ENDPOINT", source: "environment", value: "https://h.example/api/v2/otlp" },
  () => undefined,
  RECEIVERS,
);
const RECEIVER = { endpoint: ENDPOINT, explainer: await ENDPOINT.profile.explainer() };

function reply(status: number, headers: Record<string, string> = {}): Reply {
  return {
    kind: "reply",
    status,
    headers: new Headers(headers),
    body: new Uint8Array(),
  };
}

/** Which of the three steps each status fails; none: it passes them all; open: nothing can be told from it. */
const statuses:
  readonly (readonly [status: number, fails: "http" | "token" | "ingest" | "none" | "open"])[] = [
    [200, "none"],
    [201, "none"],
    [202, "none"],
    [204, "none"],
    [301, "http"],
    [308, "http"],
    [400, "open"],
    [401, "token"],
    [402, "open"],
    [403, "token"],
    [404, "http"],
    [405, "http"],
    [407, "http"],
    [413, "ingest"],
    [415, "ingest"],
    [418, "open"],
    [422, "open"],
    [429, "ingest"],
    [500, "ingest"],
    [502, "http"],
    [503, "http"],
    [504, "http"],
  ];

for (const [status, fails] of statuses) {
  const does = fails === "open" ? "leaves open all three steps" : `fails ${fails}`;
  Deno.test(`a ${status} to the empty request ${does}`, async () => {
    const it = await readPostResult(reply(status), DAY, SAME);
    assert.ok("answer" in it);
    const steps = Object.entries({
      http: judgeHttp(it, RECEIVER, DAY),
      token: judgeToken(it, RECEIVER, true),
      ingest: judgeIngest(it, RECEIVER),
    });
    const first = steps.find(([, { ok }]) => ok === false)?.[0];
    const open = steps.filter(([, { ok }]) => ok === null).length;
    assert.equal(first ?? (open === 0 ? "none" : "open"), fails);
    assert.equal(open, fails === "open" ? 3 : 0);
    assert.equal(isUndecidedAnswer(it), fails === "open");
  });
}

Deno.test("a 400 with a Status is an OTLP receiver's, whatever else it leaves open", async () => {
  const it = await readPostResult(
    reply(400, { "content-type": "application/x-protobuf" }),
    DAY,
    SAME,
  );
  assert.equal(judgeHttp(it, RECEIVER, DAY).ok, true);
});

Deno.test("no step says a status in its detail, nor shows a refusal beside a ✓", async () => {
  for (const [status] of statuses) {
    const it = await readPostResult(reply(status), DAY, SAME);
    assert.ok("answer" in it);
    for (
      const step of [
        judgeHttp(it, RECEIVER, DAY),
        judgeToken(it, RECEIVER, true),
        judgeIngest(it, RECEIVER),
      ]
    ) {
      assert.doesNotMatch(step.detail, new RegExp(String(status)));
      if (step.ok && status >= 300) assert.doesNotMatch(step.text, new RegExp(String(status)));
    }
    assert.equal(judgeHttp(it, RECEIVER, DAY).facts["status"], status);
  }
});

for (const [ms, says] of [[600_000, false], [601_000, true]] as const) {
  Deno.test(`judgeHttp() ${says ? "warns" : "does not warn"} of clocks ${ms} ms apart`, async () => {
    for (const sign of [-1, 1]) {
      const date = new Date(DAY + sign * ms).toUTCString();
      const { ok, hint } = judgeHttp(
        await readPostResult(reply(200, { date }), DAY, (text) => text),
        RECEIVER,
        DAY,
      );
      assert.equal(ok, true);
      assert.equal(hint?.includes(sign > 0 ? "behind" : "ahead of") ?? false, says);
    }
  });
}

Deno.test("judgeHttp() shows a server's name as text that does nothing", async () => {
  const server = `x\u0085${"y".repeat(300)}`;
  const { text, facts } = judgeHttp(
    await readPostResult(reply(200, { server }), DAY, SAME),
    RECEIVER,
    DAY,
  );
  assert.ok(text.includes("server x\\u0085yyy") && text.length < 250, text);
  assert.ok(String(facts["server"]).startsWith("x\\u0085yyy"));
});
