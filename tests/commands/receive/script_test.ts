import assert from "node:assert/strict";
import { UsageError } from "../../../src/platform/errors.ts";
import { decodeStatus } from "../../../src/otlp/decode.ts";
import { parseRespond } from "../../../src/commands/receive/script.ts";
import { GOOD, post, PROTOBUF, request, start } from "./serving.ts";

Deno.test("startReceiver() gives scripted answers in order, then judges", async () => {
  await using running = start({ respond: parseRespond(script("503,429:2,200,302,204,202")) });
  const statuses: number[] = [];
  for (let i = 0; i < 7; i++) {
    const response = await fetch(running.url, {
      method: "POST",
      headers: PROTOBUF,
      body: request(GOOD),
      redirect: "manual",
    });
    statuses.push(response.status);
    assert.equal(response.headers.get("Retry-After"), i === 1 ? "2" : null);
    const body = new Uint8Array(await response.arrayBuffer());
    if (i < 2) assert.equal(decodeStatus(body).message, `scripted response ${response.status}`);
    if (response.ok) assert.equal(body.length, 0);
  }
  assert.deepEqual(statuses, [503, 429, 200, 302, 204, 202, 200]);
  assert.deepEqual(running.events.map((it) => [it.outcome, it.measurements, it.rejectedPoints]), [
    ["rejected", 3, 0],
    ["rejected", 3, 0],
    ["accepted", 3, 0],
    ["rejected", 3, 0],
    ["accepted", 3, 0],
    ["accepted", 3, 0],
    ["accepted", 3, 0],
  ]);
});

Deno.test("startReceiver() keeps its script for what is posted to it", async () => {
  await using running = start({ respond: parseRespond(script("503")) });
  assert.equal((await post(new URL("/other", running.url).href, request(GOOD))).status, 404);
  assert.equal((await post(running.url, request(GOOD))).status, 503);
});

Deno.test("startReceiver() never answers a hang, and serves others meanwhile", async () => {
  await using running = start({ respond: parseRespond(script("hang")) });
  const leaving = new AbortController();
  const hung = fetch(running.url, {
    method: "POST",
    headers: PROTOBUF,
    body: request(GOOD),
    signal: leaving.signal,
  });
  await running.told(1);
  assert.deepEqual([running.events[0]?.status, running.events[0]?.outcome], [null, "unanswered"]);
  assert.equal((await post(running.url, request(GOOD))).status, 200);
  leaving.abort();
  await assert.rejects(hung, { name: "AbortError" });
});

const wrongLists = [
  "",
  "503,",
  "abc",
  "99",
  "600",
  "429:",
  "429:x",
  "429:-1",
  "200:3",
  "hang:2",
  "503;429",
];
const script = (value: string) => ({ name: "--respond", source: "command line", value });
for (const list of wrongLists) {
  Deno.test(`parseRespond() refuses "${list}"`, () => {
    assert.throws(() => parseRespond(script(list)), (thrown) => {
      assert.ok(thrown instanceof UsageError);
      assert.match(thrown.message, /^Invalid --respond ".*" \(command line\): expected a status/);
      return true;
    });
  });
}

Deno.test("parseRespond() reads statuses, Retry-After and hang, with spaces around them", () => {
  assert.deepEqual(parseRespond(script("503, 429:120 ,hang,200")), [
    { kind: "status", status: 503, retryAfter: undefined },
    { kind: "status", status: 429, retryAfter: 120 },
    { kind: "hang" },
    { kind: "judge" },
  ]);
});
