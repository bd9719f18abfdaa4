import assert from "node:assert/strict";
import { atLeastOne, testCases } from "../support/cases.ts";
import {
  type DynatraceModes,
  type FakeDynatrace,
  type ScriptedAnswer,
  startDynatrace,
} from "../support/fake_dynatrace.ts";
import { TOKEN } from "../support/fixture.ts";
import { inDirectory } from "../support/directory.ts";
import { freePort } from "../support/process.ts";
import { type Finished, runProgram, startProgram } from "../support/program.ts";
import { readVerified } from "../support/verify.ts";

// Faults of the query API, before anything is sent and while the program waits.

const QUERY_TOKEN = `dt0s16.${"QUERY".padEnd(24, "A")}.${"QUERYSECRET".padEnd(64, "C")}`;

function settings({ url }: { readonly url: string }) {
  return {
    args: ["verify", "--output", "json", "--backend", "grail", "--query-url", url],
    env: {
      DT_ENDPOINT: `${url}/api/v2/otlp`,
      DT_API_TOKEN: TOKEN,
      DT_QUERY_TOKEN: QUERY_TOKEN,
    },
    timeoutMs: 60_000,
  };
}

function assertNoSecret({ stdout, stderr }: Pick<Finished, "stdout" | "stderr">): void {
  for (const secret of ["QUERYSECRET", TOKEN.slice(40)]) {
    assert.ok(!(stdout + stderr).includes(secret), stdout + stderr);
  }
}

async function withGrail(
  modes: DynatraceModes,
  args: readonly string[],
  judge: (finished: Finished, environment: FakeDynatrace) => void,
): Promise<void> {
  await using environment = startDynatrace(modes);
  const given = settings(environment);
  const finished = await runProgram({ ...given, args: [...given.args, ...args] });
  assertNoSecret(finished);
  judge(finished, environment);
}

const HTML = {
  headers: { "content-type": "text/html" },
  body: "<html><title>Sign in</title></html>",
};
const GONE: ScriptedAnswer = {
  status: 410,
  body: '{"error":{"message":"QUERY_GONE","code":410,"details":{"errorType":"QUERY_GONE"}}}',
};

/** Answers that refuse the first query for good, and the words that the program has for each. */
const REFUSALS: readonly (readonly [string, ScriptedAnswer, RegExp])[] = [
  [
    "401",
    {
      status: 401,
      body: `{"error":{"code":401,"message":"Platform token has invalid format. ${QUERY_TOKEN}"}}`,
    },
    /401: Platform token has invalid format\..*platform token \(dt0s16\.…\) with storage:metrics:read/,
  ],
  [
    "403",
    {
      status: 403,
      body:
        '{"error":{"code":403,"message":"Forbidden","details":{"errorType":"NOT_AUTHORIZED_FOR_TABLE",' +
        '"missingScopes":["storage:metrics:read"]}}}',
    },
    /403: Forbidden; NOT_AUTHORIZED_FOR_TABLE; storage:metrics:read.*lacks a permission or has expired/,
  ],
  [
    "a missing permission with 400",
    {
      status: 400,
      body:
        '{"error":{"code":400,"message":"x","details":{"errorType":"NOT_AUTHORIZED_FOR_TABLE"}}}',
    },
    /400: x; NOT_AUTHORIZED_FOR_TABLE.*lacks a permission/,
  ],
  ["404", { status: 404, body: '{"error":{"code":404}}' }, /404.*ENV\.apps\.dynatrace\.com, not/],
  ["a sign-in page", { status: 200, ...HTML }, /200, with a web page, \\"Sign in\\".*a proxy/],
  ["JSON of something else", { status: 200, body: '{"a":1}' }, /not a response of the query API/],
];

testCases(REFUSALS.map(([what, answer, says]) => ({
  name: `verify sends nothing when the first query is answered with ${what}`,
  run: () =>
    withGrail({ answers: [answer] }, [], ({ status, stdout, stderr }, { exports }) => {
      assert.deepEqual([status, stdout, exports.length], [2, "", 0], stderr);
      assert.match(stderr, says);
      assert.match(stderr, /Nothing was sent/);
    }),
})));

Deno.test("verify sends nothing when the query API is down", async () => {
  const url = `http://127.0.0.1:${freePort()}`;
  const { status, stdout, stderr } = await runProgram(settings({ url }));
  const { steps, summary } = readVerified(status, stdout, stderr);
  assert.deepEqual([status, steps, summary["visibleAfterMs"]], [1, [], null]);
  assert.match(stderr, /cannot be reached: Connection refused.*Nothing was sent/);
});

Deno.test("verify counts no run of several when the query API is down", async () => {
  const url = `http://127.0.0.1:${freePort()}`;
  const given = settings({ url });
  const { status, stdout, stderr } = await runProgram({
    ...given,
    args: [...given.args.filter((arg) => !/output|json/.test(arg)), "--repeat", "3"],
  });
  assert.deepEqual([status, stdout], [1, "Not verified.\n"], stderr);
});

/** Answers after which the program goes on. */
const PASSING: readonly (readonly [string, readonly (ScriptedAnswer | undefined)[]])[] = [
  ["503", [{ status: 503, ...HTML }]],
  ["429 while it waits", [undefined, undefined, {
    status: 429,
    headers: { "retry-after": "1" },
    body: '{"error":{"code":429,"message":"busy","retryAfterSeconds":1}}',
  }]],
  ["410 to execute", [undefined, GONE]],
];

testCases(PASSING.map(([what, answers]) => ({
  name: `verify goes on after ${what}`,
  run: () =>
    withGrail({ answers }, [], ({ status, stdout, stderr }) => {
      assert.equal(readVerified(status, stdout, stderr).status, 0, stdout + stderr);
    }),
})));

/** Answers to the first query after the send, and the hint of the step `visible`. */
const DENIED: readonly (readonly [string, ScriptedAnswer, RegExp])[] = [
  [
    "403",
    {
      status: 403,
      body:
        '{"error":{"code":403,"message":"Forbidden","details":{"missingScopes":["storage:buckets:read"]}}}',
    },
    /^the last query failed: 403: Forbidden; storage:buckets:read/,
  ],
  [
    "400",
    {
      status: 400,
      body:
        '{"error":{"code":400,"message":"x","details":{"errorType":"NOT_AUTHORIZED_FOR_TABLE"}}}',
    },
    /^the last query failed: 400: x; NOT_AUTHORIZED_FOR_TABLE/,
  ],
];

testCases(DENIED.map(([status, answer, detail]) => ({
  name: `verify says that a scope is missing when only a query after the send has a ${status}`,
  run: () =>
    withGrail({ answers: [undefined, answer] }, [], ({ status, stdout, stderr }, { exports }) => {
      const { steps, step } = readVerified(status, stdout, stderr);
      assert.deepEqual([status, exports.length], [1, 1]);
      assert.deepEqual(steps.map(({ name, ok }) => [name, ok]), [["sent", true], [
        "visible",
        false,
      ]]);
      assert.match(step("visible").detail, detail);
      assert.match(
        step("visible").hint ?? "",
        /lacks a permission or has expired: it needs storage:metrics:read/,
      );
    }),
})));

testCases(([
  ["busy", 429, /^the query API may answer later: .*longer --wait$/],
  ["in the dark about the query", 400, /^the query API does not accept the query: --verbose/],
] as const).map(([what, status, hint]) => ({
  name: `verify has a remedy when the query API stays ${what}`,
  run() {
    const body = `{"error":{"code":${status},"message":"no"}}`;
    const answers = [undefined, undefined, ...Array.from({ length: 20 }, () => ({ status, body }))];
    return withGrail({ loses: true, answers }, ["--wait", "1"], ({ status, stdout, stderr }) => {
      const { step } = readVerified(status, stdout, stderr);
      assert.match(step("visible").hint ?? "", hint);
    });
  },
})));

Deno.test("verify says that a token expired in the middle", async () => {
  await withGrail({ loses: true, grail: { expiresAfter: 2 } }, [], ({ status, stdout, stderr }) => {
    const { step } = readVerified(status, stdout, stderr);
    assert.equal(step("visible").ok, false);
    assert.match(step("visible").detail, /^the last query failed: 401: Platform token/);
    assert.match(step("visible").hint ?? "", /storage:metrics:read/);
  });
});

testCases([
  ["is removed", undefined, /^the last query failed: Cannot read the file of --query-token-file/],
  [
    "gets an access token",
    TOKEN,
    /^the last query failed: The token in the file of --query-token-file .* is not a platform token/,
  ],
].map(([what, token, detail]) => ({
  name: `verify says while it waits that the file of its token ${what}`,
  async run() {
    await using environment = startDynatrace({ loses: true });
    const { args, env } = settings(environment);
    await inDirectory(async (cwd) => {
      await Deno.writeTextFile(`${cwd}/token`, QUERY_TOKEN);
      await using program = await startProgram({
        args: [...args, "--query-token-file", "token", "--wait", "3"],
        env,
        cwd,
      });
      await environment.waitForAsked(2);
      if (token === undefined) await Deno.remove(`${cwd}/token`);
      else await Deno.writeTextFile(`${cwd}/token`, String(token));
      const { status, stdout, stderr } = await program.finished;
      const { step } = readVerified(status, stdout, stderr);
      assert.match(step("visible").detail, Object(detail));
      assert.doesNotMatch(step("visible").detail, /Nothing was sent/);
      assert.equal(step("visible").hint, "correct what the message names");
      assertNoSecret({ stdout, stderr });
    });
  },
})));

Deno.test("verify ends a poll that never ends, and cancels the query", async () => {
  const modes = { grail: { running: Infinity } };
  await using environment = startDynatrace(modes);
  const given = settings(environment);
  await using program = await startProgram(given);
  // The first look is under way: nothing was sent.
  await environment.waitForAsked(3);
  program.signal("SIGTERM");
  const { status, stderr } = await program.finished;
  assert.notEqual(status, 0, stderr);
  assert.equal(environment.exports.length, 0);
  assert.ok(environment.asked.some(({ path }) => path.endsWith("query:cancel")));
});

Deno.test("verify names the time in which the first query had no response", async () => {
  const silent = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  try {
    const url = `http://127.0.0.1:${silent.addr.port}`;
    const { status, stderr } = await runProgram({
      args: ["verify", "--wait", "0.5", "--endpoint", url, "--query-url", url],
    });
    assert.equal(status, 1, stderr);
    assert.match(stderr, /has not responded within 500 ms\. Nothing was sent.*increase --wait/s);
  } finally {
    silent.close();
  }
});

Deno.test("verify prints its summary when a signal ends the wait", async () => {
  await using environment = startDynatrace({ loses: true });
  await using program = await startProgram(settings(environment));
  await environment.waitForAsked(3);
  const began = performance.now();
  program.signal("SIGINT");
  const { status, stdout, stderr } = await program.finished;
  assert.ok(performance.now() - began < 8000);
  const { steps, step } = readVerified(status, stdout, stderr);
  assert.deepEqual(steps.map(({ name }) => name), ["sent", "visible"]);
  assert.match(step("visible").detail, /^interrupted/);
});

Deno.test("verify --verbose records every exchange without secrets", async () => {
  await withGrail({}, ["--verbose"], ({ status, stderr }, { asked }) => {
    assert.equal(status, 0, stderr);
    const lines = atLeastOne(stderr.trim().split("\n")).map((line) => JSON.parse(line));
    assert.equal(lines.filter(({ type }) => type === "query").length, asked.length);
    assert.match(lines[0].body, /timeseries/);
    assert.equal(lines.filter(({ type }) => type === "answer").length, asked.length);
    assert.equal(lines[1].status, 200);
  });
});

const SAAS = "https://abc12345.live.dynatrace.com/api/v2/otlp";

/** Settings that end with 2 before anything is sent. */
const USAGE:
  readonly (readonly [string, Readonly<Record<string, string>>, readonly string[], RegExp])[] = [
    ["a Collector", {}, ["--endpoint", "http://127.0.0.1:4318"], /name the base URL.*--query-url/],
    [
      "Grail without a token",
      { DT_ENDPOINT: SAAS, DT_API_TOKEN: TOKEN },
      [],
      /No token for queries.*DT_QUERY_TOKEN/,
    ],
    [
      "Grail with an access token",
      { DT_ENDPOINT: SAAS, DT_API_TOKEN: TOKEN, DT_QUERY_TOKEN: TOKEN },
      [],
      /not a platform token.*DT_QUERY_TOKEN/,
    ],
    [
      "an access token in a file for Grail",
      { DT_ENDPOINT: SAAS, DT_API_TOKEN: TOKEN, DT_QUERY_TOKEN_FILE: "token" },
      [],
      /not a platform token.*DT_QUERY_TOKEN/,
    ],
    [
      "half of an OAuth client",
      { DT_ENDPOINT: SAAS, DT_API_TOKEN: TOKEN, DT_QUERY_CLIENT_ID: "dt0s02.X" },
      [],
      /DT_QUERY_CLIENT_SECRET/,
    ],
    [
      "Grail behind an ActiveGate",
      { DT_ENDPOINT: "https://h/e/abc12345/api/v2/otlp", DT_API_TOKEN: TOKEN },
      ["--backend", "grail"],
      /--query-url/,
    ],
  ];

testCases(USAGE.map(([what, env, args, says]) => ({
  name: `verify refuses ${what} before anything is sent`,
  async run() {
    const finished = await runProgram({ args: ["verify", ...args], env, files: { token: TOKEN } });
    assert.deepEqual([finished.status, finished.stdout], [2, ""], finished.stderr);
    assert.match(finished.stderr, says);
    assertNoSecret(finished);
  },
})));
