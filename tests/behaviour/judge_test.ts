import assert from "node:assert/strict";
import { create, toBinary } from "@bufbuild/protobuf";
import { ExportMetricsServiceRequestSchema } from "../../src/otlp/gen/opentelemetry/proto/collector/metrics/v1/metrics_service_pb.ts";
import { AggregationTemporality } from "../../src/otlp/gen/opentelemetry/proto/metrics/v1/metrics_pb.ts";
import { judgeDynatrace } from "../../src/receivers/dynatrace/judge.ts";
import { limitsFor } from "../../src/commands/receive/body.ts";
import { DYNATRACE } from "../../src/receivers/dynatrace/profile.ts";
import { usageError } from "../support/fixture.ts";
import {
  assertMemory,
  GZIP,
  HEAD,
  lines,
  post,
  raw,
  request,
  startJudge,
  summaryOf,
} from "../support/judge.ts";
import { startProgram } from "../support/program.ts";
import { testFixtures } from "../support/run_fixture.ts";
import { seeded } from "../support/seeded.ts";
import { start } from "../commands/receive/serving.ts";

// The local judge, as a program, under load and with bad input. A bound on headers that never end is missing: Deno.serve
// has none, so such a connection stays open; what can be asked for is that it disturbs nobody else.

Deno.test("receive --rules dynatrace answers a hundred connections at once, each as it should", async () => {
  await using judge = await startJudge();
  const sent = await Promise.all(Array.from({ length: 100 }, async (_, i) => {
    const client = Deno.createHttpClient({});
    try {
      const answer = await fetch(judge.url, {
        client,
        method: "POST",
        // Every third is past the limit on dimensions.
        body: request(10, i % 3 === 0 ? 51 : 50),
        headers: { "Content-Type": "application/x-protobuf" },
      });
      await answer.body?.cancel();
      return answer.status;
    } finally {
      client.close();
    }
  }));
  assert.deepEqual(sent, Array.from({ length: 100 }, (_, i) => i % 3 === 0 ? 400 : 200));
  await assertMemory(judge);
  const summary = await summaryOf(judge);
  assert.deepEqual(summary, {
    type: "summary",
    requests: 100,
    points: 660,
    measurements: 1320,
    rejectedPoints: 340,
    errors: 34,
    // one-bucket, once.
    warnings: 1,
    missing: [],
    otherSignals: 0,
    exitCode: 0,
  });
});

Deno.test("receive --rules dynatrace goes on when requests stop half-way", async () => {
  await using judge = await startJudge();
  const halves = [
    "POST",
    "POST /v1/metrics HTTP/1.1\r\nHost",
    HEAD,
    `${HEAD}Content-Length: 1000\r\n\r\nhalf`,
    `${HEAD}Transfer-Encoding: chunked\r\n\r\n10\r\nhalf`,
    `${HEAD}Content-Encoding: gzip\r\nContent-Length: 1000\r\n\r\n\x1f`,
  ];
  for (const half of [...halves, ...halves]) (await raw(judge, half)).close();
  await judge.program.waitForStdout(/(?:"unanswered"[^]*){6}/);
  assert.equal((await post(judge, request(1))).status, 200);
  await judge.program.waitForStdout(/"accepted"/);
  const told = lines(judge).map(({ outcome, status }) => `${outcome} ${status}`);
  assert.deepEqual(told, [...Array.from({ length: 6 }, () => "unanswered null"), "accepted 200"]);
});

Deno.test("receive --rules dynatrace serves others while heads and bodies never end", async () => {
  await using judge = await startJudge();
  const open = await Promise.all([
    ...Array.from({ length: 50 }, () => raw(judge, `${HEAD}Content-Length: 1000\r\n\r\nmore`)),
    ...Array.from({ length: 50 }, () => raw(judge, `${HEAD}X-More: `)),
  ]);
  try {
    const answers = await Promise.all(Array.from({ length: 20 }, () => post(judge, request(1))));
    assert.deepEqual(answers.map(({ status }) => status), answers.map(() => 200));
    await assertMemory(judge);
  } finally {
    for (const connection of open) connection.close();
  }
});

Deno.test("receive with Dynatrace's rules ends bodies that never end, more than it reads at once", async () => {
  await using running = start({
    judge: judgeDynatrace(() => Date.now()),
    limit: { ...limitsFor(DYNATRACE.body), bodyMs: 300, bodies: 10 },
  });
  const port = Number(new URL(running.url).port);
  const connections = await Promise.all(Array.from({ length: 20 }, async () => {
    const connection = await Deno.connect({ hostname: "127.0.0.1", port });
    const never = `${HEAD}Content-Length: 1000\r\n\r\nmore`;
    await connection.write(new TextEncoder().encode(never));
    return connection;
  }));
  const statuses = () => running.events.map(({ status }) => status);
  try {
    // It waits for a place: only ten are read at once.
    assert.equal((await post(running, request(1))).status, 200);
    assert.ok(statuses().filter((status) => status === 408).length >= 10);
    await running.told(21);
    assert.deepEqual(statuses().sort(), [200, ...Array.from({ length: 20 }, () => 408)]);
  } finally {
    for (const connection of connections) connection.close();
  }
});

Deno.test("receive --rules dynatrace goes on after garbage of every kind", async () => {
  await using judge = await startJudge();
  const drawn = seeded(20_260_131);
  const random = () => Math.floor(drawn() * 2 ** 32);
  for (let i = 0; i < 100; i++) {
    const garbage = new Uint8Array(random() % 2000 + 20).map(() => random() >>> 16);
    const { status } = await post(judge, garbage, i % 2 === 0 ? {} : GZIP);
    assert.equal(status, 400);
  }
  // A good request that was hurt on its way: decoded or not, it is answered.
  const good = request(5, 10);
  for (let i = 0; i < 200; i++) {
    const hurt = good.slice(0, random() % good.length + 1);
    hurt[random() % hurt.length] = random() >>> 16;
    const { status } = await post(judge, hurt);
    assert.ok(status === 200 || status === 400, String(status));
  }
  for (const text of ["\0\0\0\0", "\x16\x03\x01\x02\x00\x01", "GET / HTTP/9.9\r\n\r\n", "{}\n\n"]) {
    (await raw(judge, text)).close();
  }
  const json = new TextEncoder().encode("{}");
  assert.equal((await post(judge, json, { "Content-Type": "application/json" })).status, 415);
  assert.equal((await post(judge, request(1))).status, 200);
  await assertMemory(judge);
  assert.equal((await summaryOf(judge))["type"], "summary");
});

Deno.test("receive --rules dynatrace looks at the attributes of point, scope and resource", async () => {
  await using judge = await startJudge();
  const attributes = (...keys: string[]) =>
    keys.map((key) => ({ key, value: { value: { case: "boolValue" as const, value: true } } }));
  const dataPoints = [{
    timeUnixNano: BigInt(Date.now()) * 1_000_000n,
    count: 1n,
    sum: 1,
    attributes: attributes("http.statusCode", "dt.entity.host"),
  }];
  const aggregationTemporality = AggregationTemporality.DELTA;
  const data = { case: "histogram" as const, value: { aggregationTemporality, dataPoints } };
  const scope = { name: "s", attributes: attributes("Team", "HTTP.statuscode") };
  const metrics = [{ name: "my.metric", data }];
  const sent = create(ExportMetricsServiceRequestSchema, {
    resourceMetrics: [{
      resource: { attributes: attributes("team") },
      scopeMetrics: [{ scope, metrics }],
    }],
  });
  const { status } = await post(judge, toBinary(ExportMetricsServiceRequestSchema, sent));
  assert.equal(status, 200);
  await summaryOf(judge);
  const said = JSON.stringify(lines(judge)[0]?.["problems"]).replaceAll("\\", "");
  const wanted = [
    'the attribute key "http.statusCode" becomes "http.statuscode"',
    'in a scope: the attribute key "Team" becomes "team", if the allow list',
    '"Team" (scope) and "team" (resource) both become "team"',
    '"http.statusCode" (data point) and "HTTP.statuscode" (scope) both become "http.statuscode"',
  ];
  for (const words of wanted) assert.ok(said.includes(words), said);
  assert.ok(!said.includes("dt.entity"), said);
});

Deno.test("receive judges by OTLP's rules unless --rules says otherwise", async () => {
  for (const args of [[], ["--rules", "otlp"]]) {
    await using plain = await startProgram({
      args: ["receive", "--port", "0", "--output", "json", ...args],
    });
    const said = await plain.waitForStderr(/"listening".*\n/);
    const url = /"url":"([^"]+)"/.exec(said)?.[1] ?? "";
    // One dimension more than Dynatrace takes.
    assert.equal((await post({ url }, request(1, 51))).status, 200);
  }
});

testFixtures([
  usageError(
    "receive knows no third set of rules",
    { args: ["receive", "--rules", "datadog"] },
    'ERROR: Invalid --rules "datadog" (command line): expected "otlp" or "dynatrace"',
  ),
]);
