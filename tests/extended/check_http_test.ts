import assert from "node:assert/strict";
import { partialSuccess } from "../support/decode.ts";
import { startReceiver } from "../support/receiver.ts";
import { type Answers, check, dynatrace, failed, PATH, PROTOBUF } from "../support/check.ts";
import { TOKEN } from "../support/fixture.ts";

Deno.test("check names the server, and posts one empty request", async () => {
  await using receiver = await startReceiver({
    answers: [{ headers: { server: "nginx/1.27", date: new Date().toUTCString() } }],
  });
  const checked = await check({ env: dynatrace(receiver) });
  assert.equal(checked.status, 0);
  assert.deepEqual(checked.steps.map(({ name }) => name), [
    "config",
    "dns",
    "tcp",
    "http",
    "token",
    "ingest",
  ]);
  const { detail, line: { url, status, server } } = checked.step("http");
  assert.equal(detail, "an OTLP receiver answers");
  assert.deepEqual([url, status, server], [
    `${receiver.url}${PATH}/v1/metrics`,
    200,
    "nginx/1.27",
  ]);
  assert.equal(checked.step("http").hint, null);
  assert.match(checked.step("ingest").detail, /^an empty request was accepted/);
  assert.equal(receiver.requests.length, 1);
  assert.equal(receiver.requests[0]?.content.length, 0);
  assert.equal(receiver.requests[0]?.headers.get("authorization"), `Api-Token ${TOKEN}`);
});

for (const [minutes, says] of [[-11, /11 minutes ahead of/], [11, /11 minutes behind/]] as const) {
  Deno.test(`check says at http that the clocks are ${minutes} minutes apart`, async () => {
    const date = new Date(Date.now() + minutes * 60_000).toUTCString();
    await using receiver = await startReceiver({ answers: [{ headers: { date } }] });
    const checked = await check({ env: dynatrace(receiver) });
    assert.equal(checked.status, 0);
    assert.match(checked.step("http").hint ?? "", says);
  });
}

Deno.test("check says nothing of clocks that are nine minutes apart", async () => {
  const date = new Date(Date.now() - 9 * 60_000).toUTCString();
  await using receiver = await startReceiver({ answers: [{ headers: { date } }] });
  assert.equal((await check({ env: dynatrace(receiver) })).step("http").hint, null);
});

const page = {
  status: 200,
  headers: { "content-type": "text/html" },
  body: "<html><title>Sign in</title></html>",
};

const answers: readonly (readonly [
  step: string,
  what: string,
  answers: Answers,
  detail: RegExp,
  hint: RegExp | null,
  status?: number,
])[] = [
  [
    "http",
    "it is redirected",
    [{ status: 302, headers: { location: "https://sso.example/login?token=abc" } }],
    /^Found, to https:\/\/sso\.example\/login$/,
    /redirects to https:\/\/sso\.example.*not followed/,
    302,
  ],
  [
    "http",
    "a sign-in page answers",
    [page],
    /a web page, "Sign in"/,
    /a sign-in page or a proxy/,
    200,
  ],
  [
    "http",
    "the path is not there",
    [404],
    /^Not Found/,
    /ENV\.live.*DOMAIN\/e\/ENV.*HOST:9999.*HOST\/e/,
    404,
  ],
  ["http", "POST is not allowed", [405], /Method Not Allowed/, /does not accept POST/, 405],
  ["http", "a proxy wants a password", [407], /Proxy Auth/, /user name and password/, 407],
  ["http", "a gateway finds nobody", [502], /^Bad Gateway/, /overloaded or restarting/, 502],
  ["http", "the service is not available", [503], /Unavailable/, /overloaded or restarting/, 503],
  ["http", "a gateway waits in vain", [504], /Timeout/, /overloaded or restarting/, 504],
  ["http", "the connection is reset", ["reset-after-body"], /./, /the connection to .* broke/],
  [
    "token",
    "the token is wrong",
    [401],
    /^Unauthorized/,
    /Api-Token and the scope metrics\.ingest.*Bearer and openpipeline:metrics:ingest.*dt0s01 and dt0s02/,
    401,
  ],
  [
    "token",
    "the scope is missing",
    [403],
    /^Forbidden/,
    /lacks the scope metrics\.ingest.*another environment.*openpipeline:metrics:ingest.*expired/,
    403,
  ],
  [
    "token",
    "Dynatrace says what is wrong with the token",
    [{
      status: 401,
      headers: { "content-type": "application/json" },
      body: `{"error":{"code":401,"message":"Token Authentication failed ${TOKEN}"}}`,
    }],
    /Token Authentication failed/,
    /mistyped, expired or revoked/,
    401,
  ],
  ["ingest", "protobuf is not taken", [415], /^Unsupported Media/, /not JSON and not gRPC/, 415],
  ["ingest", "it is too large even when it is empty", [413], /^Content Too Large/, /./, 413],
  [
    "ingest",
    "the environment is busy",
    [{ status: 429, headers: { "x-ratelimit-limit": "1000", "x-ratelimit-remaining": "0" } }],
    /^Too Many Requests/,
    /busy or a quota.*1000 requests are allowed, 0 are left/,
    429,
  ],
  [
    "ingest",
    "the receiver fails",
    [500],
    /^Internal Server Error/,
    /failed while.*read its log/,
    500,
  ],
  [
    "ingest",
    "the empty request is taken in part",
    [{ headers: PROTOBUF, body: partialSuccess(1, "no idea") }],
    /no idea/,
    null,
    200,
  ],
];

for (const [name, what, script, detail, hint, status] of answers) {
  Deno.test(`check fails at ${name} when ${what}`, async () => {
    await using receiver = await startReceiver({ answers: script });
    const step = failed(await check({ env: dynatrace(receiver) }), name);
    assert.match(step.detail, detail);
    if (hint !== null) assert.match(step.hint ?? "", hint);
    assert.equal(step.line["status"], status);
  });
}

Deno.test("check fails at http when no answer comes in time", async () => {
  await using receiver = await startReceiver({ answers: ["hang"] });
  const step = failed(
    await check({ env: dynatrace(receiver), args: ["--timeout", "0.5"] }),
    "http",
  );
  assert.match(step.detail, /no response in time/);
  assert.match(step.hint ?? "", /does not respond in time/);
});

Deno.test("check says which path a 404 should have, for another receiver too", async () => {
  await using receiver = await startReceiver({ answers: [404] });
  const step = failed(await check({ args: ["--endpoint", `${receiver.url}/wrong`] }), "http");
  assert.match(step.hint ?? "", /no OTLP receiver at \/wrong\/v1\/metrics/);
});

Deno.test("check says that other receivers want other credentials", async () => {
  await using receiver = await startReceiver({ answers: [401] });
  const step = failed(await check({ args: ["--endpoint", receiver.url] }), "token");
  assert.match(step.hint ?? "", /set them with --header/);
});
