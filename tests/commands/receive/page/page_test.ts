import assert from "node:assert/strict";
import { judgeOtlp } from "../../../../src/receivers/otlp/rules.ts";
import { PROFILES } from "../../../../src/receivers/profiles.ts";
import { limitsFor } from "../../../../src/commands/receive/body.ts";
import type { RequestEvent } from "../../../../src/commands/receive/event.ts";
import { createPage } from "../../../../src/commands/receive/page/page.ts";
import type { HistoryAnswer, Update } from "../../../../src/commands/receive/page/protocol.ts";
import type { Scripted } from "../../../../src/commands/receive/script.ts";
import { startReceiver } from "../../../../src/commands/receive/server.ts";
import { histogramBody, type HistogramSeries } from "../../../support/otlp_histograms.ts";
import { StillClock } from "../../../support/still_clock.ts";

interface Running extends AsyncDisposable {
  readonly url: string;
  readonly clock: StillClock;
  readonly events: readonly RequestEvent[];
  readonly finished: Promise<unknown>;
  get(path: string, init?: RequestInit): Promise<Response>;
  send(...series: readonly HistogramSeries[]): Promise<void>;
  stop(): void;
}

function start(token?: string, respond: readonly Scripted[] = []): Running {
  const clock = new StillClock();
  const events: RequestEvent[] = [];
  const common = {
    host: "127.0.0.1",
    clock,
    hide: (text: string) => text,
    token: token === undefined ? undefined : () => Promise.resolve(token),
  };
  const page = createPage({ ...common, scheme: "http", rules: "otlp" });
  const rest = { port: 0, tls: undefined, respond, requests: undefined };
  const options = { ...common, ...rest, judge: judgeOtlp, limits: limitsFor(PROFILES.otlp.body) };
  const receiver = startReceiver(options, (event) => {
    events.push(event);
    page.record(event);
  }, page);
  const { url } = receiver;
  return {
    url,
    clock,
    events,
    finished: receiver.finished,
    get: (path, init) => fetch(new URL(path, url), init),
    async send(...series) {
      const headers = { "Content-Type": "application/x-protobuf" };
      const answer = await fetch(url, { method: "POST", headers, body: histogramBody(series) });
      await answer.body?.cancel();
    },
    stop: () => receiver.stop(),
    async [Symbol.asyncDispose]() {
      receiver.stop();
      await receiver.finished;
    },
  };
}

/** Reads events from a stream until there are so many. */
async function readEvents(response: Response, count: number): Promise<string[]> {
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  while (text.split("\n\n").length <= count) {
    const { done = true, value = "" } = await reader?.read() ?? {};
    assert.ok(!done, `the stream ended after ${text}`);
    text += value;
  }
  await reader?.cancel();
  return text.split("\n\n").slice(0, count);
}

Deno.test("createPage() serves its parts to GET and HEAD, under a strict policy", async () => {
  await using running = start();
  for (
    const [path, type] of [
      ["/", "text/html; charset=utf-8"],
      ["/page.js", "text/javascript; charset=utf-8"],
      ["/page.css", "text/css; charset=utf-8"],
    ] as const
  ) {
    const answer = await running.get(path);
    assert.deepEqual([answer.status, answer.headers.get("Content-Type")], [200, type]);
    assert.ok((await answer.text()).length > 1000);
    const policy = answer.headers.get("Content-Security-Policy") ?? "";
    assert.match(policy, /default-src 'none'.*frame-ancestors 'none'/);
    assert.doesNotMatch(policy, /unsafe/);
    assert.equal(answer.headers.get("X-Content-Type-Options"), "nosniff");
    assert.equal(answer.headers.get("Referrer-Policy"), "no-referrer");
    assert.equal(answer.headers.get("Access-Control-Allow-Origin"), null);
    const head = await running.get(path, { method: "HEAD" });
    assert.deepEqual([head.status, await head.text()], [200, ""]);
  }
  assert.deepEqual(running.events, []);
});

Deno.test("createPage() leaves other methods and paths to the receiver", async () => {
  await using running = start();
  for (
    const [path, method, status] of [
      ["/", "POST", 404],
      ["/events", "PUT", 404],
      ["/none", "GET", 404],
      ["/v1/metrics", "GET", 405],
    ] as const
  ) {
    const answer = await running.get(path, { method });
    await answer.body?.cancel();
    assert.equal(answer.status, status);
  }
  // GET is not reported.
  assert.deepEqual(running.events.map(({ method }) => method), ["POST", "PUT"]);
});

Deno.test("createPage() answers 403 to another origin", async () => {
  await using running = start();
  for (const path of ["/", "/events", "/history?series=0"]) {
    const answer = await running.get(path, { headers: { Origin: "http://evil.example" } });
    assert.deepEqual([answer.status, await answer.text()], [
      403,
      'Origin "http://evil.example" is another site\n',
    ]);
  }
});

Deno.test("createPage() tells what came as server-sent events", async () => {
  await using running = start();
  await running.send({ name: "m", attributes: { a: "b" }, counts: [1, 2, 0, 0] });
  const answer = await running.get("/events");
  assert.equal(answer.headers.get("Content-Type"), "text/event-stream; charset=utf-8");
  const [hello = "", first = ""] = await readEvents(answer, 2);
  assert.match(hello, /^event: hello\ndata: \{"startedMs":\d+,"version":".*"rules":"otlp"/);
  const update: Update = JSON.parse(first.replace(/^event: update\ndata: /, ""));
  assert.deepEqual(update.totals, {
    requests: 1,
    points: 1,
    measurements: 3,
    rejectedPoints: 0,
    errors: 0,
    warnings: 0,
  });
  assert.deepEqual(update.newSeries, [{
    id: 0,
    group: 0,
    name: "m",
    unit: "ms",
    type: "histogram",
    temporality: "delta",
    resource: ["service.name=shop"],
    scope: "",
    attributes: ["a=b"],
    kind: "histogram",
  }]);
  assert.deepEqual(update.figures[0]?.slice(0, 4), [0, 3, 20, 49.39999999999999]);
  assert.equal(update.requests[0]?.status, 200);
});

Deno.test("createPage() shows what was accepted with another status than 200", async () => {
  await using running = start(undefined, [{ kind: "status", status: 204, retryAfter: undefined }]);
  await running.send({ name: "m", counts: [1, 2, 0, 0] });
  const [, first = ""] = await readEvents(await running.get("/events"), 2);
  const update: Update = JSON.parse(first.replace(/^event: update\ndata: /, ""));
  assert.deepEqual([update.totals.points, update.totals.measurements], [1, 3]);
  assert.deepEqual(update.newSeries.map(({ name }) => name), ["m"]);
});

Deno.test("createPage() gives a series' history, whole and from a slice on", async () => {
  await using running = start();
  await running.send({ name: "m", counts: [1, 2, 0, 0] });
  running.clock.now += 2000;
  await running.send({ name: "m", counts: [0, 0, 4, 0] });
  const slice = Math.floor(running.clock.now / 1000);
  const ask = async (query: string): Promise<HistoryAnswer> =>
    await (await running.get(`/history?series=0${query}`)).json();
  const whole = await ask("");
  assert.deepEqual([whole.isPart, whole.bounds], [false, [10, 50, 100]]);
  assert.deepEqual(whole.rows, [
    [slice - 2, 3, null, null, null, 1, 2, 0, 0],
    [slice, 4, null, null, null, 0, 0, 4, 0],
  ]);
  const part = await ask(`&from=${slice}&version=${whole.version}`);
  assert.deepEqual([part.isPart, part.rows.length], [true, 1]);
  assert.equal((await ask(`&from=${slice}&version=${whole.version + 1}`)).rows.length, 2);
  const sum: HistoryAnswer = await (await running.get("/history?group=0&by=route")).json();
  assert.deepEqual([sum.rows, sum.lines.length], [whole.rows, 1]);
  const none = await running.get("/history?series=7");
  assert.deepEqual([none.status, await none.text()], [404, "unknown series\n"]);
});

Deno.test("createPage() names the series whose data points were all rejected", async () => {
  await using running = start();
  await running.send({ name: "m", counts: [1, 0, 0, 0], count: 9 });
  const [, first = ""] = await readEvents(await running.get("/events"), 2);
  const update: Update = JSON.parse(first.replace(/^event: update\ndata: /, ""));
  assert.deepEqual(update.newSeries, []);
  assert.deepEqual(
    update.refused.map(({ name, points, reason }) => [name, points, reason.rule]),
    [["m", 1, "bucket-sum"]],
  );
});

Deno.test("createPage() gives data only to who has the token", async () => {
  await using running = start("Api-Token dt0c01.A.B");
  for (const path of ["/events", "/history?series=0"]) {
    for (const headers of [{}, { Authorization: "Api-Token wrong" }]) {
      const answer = await running.get(path, { headers });
      assert.deepEqual([answer.status, await answer.text()], [
        401,
        "this is not the token in --token-file\n",
      ]);
    }
  }
  const html = await (await running.get("/")).text();
  assert.match(html, /<html data-token/);
  const headers = { Authorization: "Bearer dt0c01.A.B" };
  assert.equal((await readEvents(await running.get("/events", { headers }), 1)).length, 1);
});

Deno.test("startReceiver() ends when stopped though somebody looks", async () => {
  const running = start();
  const looking = await running.get("/events");
  running.stop();
  assert.match(await looking.text(), /^event: hello/);
  await running.finished;
});
