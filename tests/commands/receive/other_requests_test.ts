import assert from "node:assert/strict";
import { atLeastOne, each } from "../../support/cases.ts";
import { isMetricsPath, pathRemedy } from "../../../src/commands/receive/request_path.ts";
import { GOOD, post, request, start } from "./serving.ts";

const ORIGIN = "http://localhost:3000";

each(
  [
    ["/v1/traces", "traces"],
    ["/v1/logs", "logs"],
    ["/v1development/profiles", "profiles"],
    ["/api/v2/otlp/v1/traces", "traces"],
  ] as const,
  ([path]) => `startReceiver() discards what is posted to ${path}, and says so once`,
  async ([path, signal]) => {
    const notes: string[] = [];
    await using running = start({ requests: 1 }, (message) => notes.push(message));
    const url = new URL(path, running.url).href;
    const first = await post(url, Uint8Array.of(255, 1, 2), { "Content-Encoding": "gzip" });
    assert.deepEqual([first.status, first.body.length], [200, 0]);
    assert.equal(first.headers.get("Content-Type"), "application/x-protobuf");
    const second = await post(url, "{}", { "Content-Type": "application/json" });
    assert.deepEqual([second.status, new TextDecoder().decode(second.body)], [200, "{}"]);
    assert.equal(second.headers.get("Content-Type"), "application/json");
    assert.deepEqual(notes, [`also receiving ${signal}: discarded`]);
    // Neither was the one request that ends the run.
    assert.equal((await post(running.url, request(GOOD))).status, 200);
    const { requests, otherSignals } = await running.receiver.finished;
    assert.deepEqual([requests, otherSignals, running.events.length], [1, 2, 1]);
  },
);

Deno.test("startReceiver() keeps scripted answers for metrics, and the token for every signal", async () => {
  await using running = start({
    respond: [{ kind: "status", status: 503, retryAfter: undefined }],
    token: () => Promise.resolve("Api-Token abc"),
  });
  const traces = new URL("/v1/traces", running.url).href;
  assert.equal((await post(traces, "")).status, 401);
  assert.equal((await post(traces, "", { Authorization: "Api-Token abc" })).status, 200);
  assert.equal((await post(running.url, request(GOOD))).status, 503);
  assert.deepEqual(running.events.map(({ status, problems }) => [status, problems.length]), [[
    503,
    0,
  ]]);
});

Deno.test("startReceiver() reports no GET, HEAD or OPTIONS, and is ready at once", async () => {
  await using running = start({ requests: 1, token: () => Promise.resolve("Api-Token abc") });
  const statuses = [];
  for (
    const [method, path] of [
      ["GET", "/readyz"],
      ["HEAD", "/readyz"],
      ["GET", "/v1/metrics"],
      ["GET", "/"],
      ["OPTIONS", "/v1/metrics"],
    ] as const
  ) {
    const answer = await fetch(new URL(path, running.url), { method });
    await answer.body?.cancel();
    statuses.push(answer.status);
  }
  assert.deepEqual(statuses, [200, 200, 405, 404, 204]);
  assert.deepEqual(running.events, []);
});

each(
  ["http://localhost:3000", "https://127.0.0.1", "http://[::1]:8080", "http://shop.localhost:80"]
    .map((origin) => new URL(origin).origin),
  (origin) => `startReceiver() lets a page of ${origin} post, and read the answer`,
  async (origin) => {
    await using running = start();
    const preflight = await fetch(running.url, {
      method: "OPTIONS",
      headers: {
        Origin: origin,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "content-type,x-tenant",
      },
    });
    assert.equal(preflight.status, 204);
    assert.equal(preflight.headers.get("Access-Control-Allow-Origin"), origin);
    assert.equal(preflight.headers.get("Access-Control-Allow-Methods"), "POST");
    assert.equal(preflight.headers.get("Access-Control-Allow-Headers"), "content-type,x-tenant");
    for (const path of ["/v1/metrics", "/v1/traces", "/v1/metric"]) {
      const answer = await post(new URL(path, running.url).href, request(GOOD), { Origin: origin });
      assert.equal(answer.headers.get("Access-Control-Allow-Origin"), origin, path);
    }
    assert.deepEqual(running.events.map(({ status }) => status), [200, 404]);
  },
);

each(
  ["http://evil.example", "null", "http://localhost.evil.example", "file://", "http://127.evil.de"],
  (origin) => `startReceiver() refuses the preflight of a page of ${origin}, and says why once`,
  async (origin) => {
    const notes: string[] = [];
    await using running = start({}, (message) => notes.push(message));
    for (let i = 0; i < 2; i++) {
      const headers = { Origin: origin, "Access-Control-Request-Method": "POST" };
      const preflight = await fetch(running.url, { method: "OPTIONS", headers });
      assert.equal(preflight.status, 403);
      assert.equal(preflight.headers.get("Access-Control-Allow-Origin"), null);
      assert.match(
        await preflight.text(),
        /cannot post here, only a page of this machine: serve it/,
      );
    }
    assert.equal(notes.length, 1);
    assert.ok(notes[0]?.startsWith(`a page of "${origin}" cannot post here`), notes[0]);
    const answer = await post(running.url, request(GOOD), { Origin: origin });
    assert.equal(answer.headers.get("Access-Control-Allow-Origin"), null);
  },
);

Deno.test("startReceiver() reports no more than 20 origins that it refuses", async () => {
  const notes: string[] = [];
  await using running = start({}, (message) => notes.push(message));
  for (let i = 0; i < 25; i++) {
    const headers = { Origin: `http://${i}.example` };
    await (await fetch(running.url, { method: "OPTIONS", headers })).body?.cancel();
  }
  assert.equal(notes.length, 20);
});

Deno.test("isMetricsPath() accepts one /v1/metrics at the end of a path", () => {
  for (const path of ["/v1/metrics", "/api/v2/otlp/v1/metrics", "/v1/logs/v1/metrics"]) {
    assert.ok(isMetricsPath(path), path);
  }
  const others = ["/", "/metrics", "/v1/metric", "/v1/metrics/", "/v1/metrics/v1/metrics"];
  for (const path of atLeastOne(others)) assert.ok(!isMetricsPath(path), path);
});

Deno.test("pathRemedy() names the right path, and what to set", () => {
  const remedy = (path: string) => pathRemedy(`${ORIGIN}${path}`);
  assert.match(remedy("/metrics"), /: send metrics to \/v1\/metrics\. /);
  assert.match(
    remedy("/x/v1/metrics/v1/metrics"),
    /^nothing is served at \S+, which contains \/v1\/metrics twice: send metrics to \/x\/v1\/metrics\. .* http:\/\/localhost:3000\/x$/,
  );
});
