import assert from "node:assert/strict";
import { testCases } from "../support/cases.ts";
import { TOKEN } from "../support/fixture.ts";
import { type JsonObject, objects } from "../support/lines.ts";
import { measurementsIn } from "../support/outcome.ts";
import { type Finished, runProgram } from "../support/program.ts";
import { isTaken, type ReceivedRequest, startReceiver } from "../support/receiver.ts";
import { type RealResponse, realResponses } from "../support/responses.ts";
import { assertNoSecret } from "../support/run_fixture.ts";

/** Enough for one repetition on a slow machine; a response that asks to be left alone for longer is not repeated. */
const RETRY_FOR_SECONDS = 5;

interface Run extends Finished {
  readonly requests: readonly ReceivedRequest[];
}

/** Runs the program against a receiver that gives the response first, and then 200. */
async function against(response: RealResponse, args: readonly string[]): Promise<Run> {
  await using receiver = await startReceiver();
  receiver.answer({ status: response.status, raw: response.bytes(receiver.url) });
  const { endpoint, throughProxy } = response;
  const base = throughProxy ? "http://otlp.invalid" : receiver.url;
  const finished = await runProgram({
    args: [...args, "--endpoint", base + endpoint],
    env: {
      DENO_NO_UPDATE_CHECK: "1",
      ...endpoint === "/api/v2/otlp" && { DT_API_TOKEN: TOKEN },
      ...throughProxy && { HTTP_PROXY: receiver.url },
    },
  });
  assertNoSecret(finished);
  return { ...finished, requests: receiver.requests };
}

interface Expected {
  readonly outcome: string;
  readonly requests: number;
  readonly exit: number;
}

/** Expected end of a single send of the sample, without a spool. */
function expected({ send, retryAfter = 0 }: RealResponse): Expected {
  switch (send) {
    case "accepted":
    case "accepted with a warning":
      return { outcome: "accepted", requests: 1, exit: 0 };
    case "partial":
      return { outcome: "partial", requests: 1, exit: 3 };
    case "rejected":
    case "rejected, kept in a loop":
    case "split": // the sample is too small to be sent in halves
      return { outcome: "rejected", requests: 1, exit: 1 };
    case "retried":
      return retryAfter > RETRY_FOR_SECONDS
        ? { outcome: "failed", requests: 1, exit: 1 }
        : { outcome: "accepted", requests: 2, exit: 0 };
  }
}

function line(run: Run, type: string): JsonObject {
  const found = objects(run.stdout).find((object) => object["type"] === type);
  assert.ok(found !== undefined, `no ${type} line:\n${run.stdout}${run.stderr}`);
  return found;
}

/** Measurements that the receiver accepted: a page under 200 is not a success. */
function taken({ requests }: Run, { send }: RealResponse): number {
  const refused = send.startsWith("rejected") ? requests[0] : undefined;
  return measurementsIn(
    ...requests.filter((request) => request !== refused && isTaken(request)),
  );
}

const retryFor = ["--retry-for", String(RETRY_FOR_SECONDS)];

async function sendOnce(response: RealResponse): Promise<void> {
  const { outcome, requests, exit } = expected(response);
  const json = await against(response, ["--output", "json", ...retryFor]);
  const told = json.stdout + json.stderr;
  const send = line(json, "send");
  const summary = line(json, "summary");
  assert.deepEqual(
    {
      outcome: send["outcome"],
      attempts: send["attempts"],
      status: send["status"],
      requests: json.requests.length,
      exit: json.status,
    },
    {
      outcome,
      attempts: requests,
      status: requests === 1 ? response.status : 200,
      requests,
      exit,
    },
    told,
  );
  assert.equal(summary["delivered"], taken(json, response), told);
  const warnings = objects(json.stderr).filter(({ type, message }) =>
    type === "warning" && !/samples|attempt 1 failed/.test(String(message))
  );
  if (response.send.startsWith("accepted")) {
    assert.equal(warnings.length, response.send === "accepted" ? 0 : 1, json.stderr);
    assert.equal(send["message"] === null, response.send === "accepted", told);
  }
  if (response.hint !== undefined && exit !== 0) assert.match(json.stderr, response.hint);
  if (outcome === "failed") assert.match(json.stderr, /Retry-After/);
  // The same bytes are what is repeated.
  assert.equal(new Set(json.requests.map(({ content }) => content.join())).size, 1);

  const text = await against(response, retryFor);
  assert.equal(text.status, exit, text.stdout + text.stderr);
  assert.equal(text.stdout.includes("✓"), exit === 0, text.stdout);
}

/** A request of 2,000 data points, far above 64 KiB, which the receiver accepts in halves. */
async function sendHalves(response: RealResponse): Promise<void> {
  const series = ["--series", "2000", "--seed", "1"];
  const json = await against(response, ["--output", "json", ...series]);
  const told = json.stdout + json.stderr;
  assert.equal(json.requests.length, 3, told);
  assert.deepEqual(
    [json.status, line(json, "summary")["delivered"], taken(json, response)],
    [0, 2000, 2000],
    told,
  );
}

/** The first send of a loop is refused; it stays pending, and the next send delivers it. */
async function sendInLoop(response: RealResponse): Promise<void> {
  const loop = ["--loop", "--interval", "0", "--iterations", "2"];
  const json = await against(response, ["--output", "json", ...loop]);
  const told = json.stdout + json.stderr;
  assert.equal(line(json, "send")["outcome"], "failed", told);
  assert.equal(line(json, "send")["attempts"], 1, told);
  assert.equal(line(json, "late")["outcome"], "accepted", told);
  assert.deepEqual(
    [json.status, json.requests.length, line(json, "summary")["delivered"], taken(json, response)],
    [0, 3, 10, 10],
    told,
  );
}

async function check(response: RealResponse): Promise<void> {
  const json = await against(response, ["check", "--output", "json"]);
  const [step = "", judgment = ""] = response.check.split(" ");
  const ok = judgment === "undecided" ? null : judgment === "ok";
  const last = objects(json.stdout).findLast(({ type }) => type === "step");
  assert.deepEqual(
    {
      step: last?.["name"],
      ok: last?.["ok"],
      summary: line(json, "summary")["ok"],
      requests: json.requests.length,
      exit: json.status,
    },
    { step, ok, summary: ok, requests: 1, exit: ok === true ? 0 : 1 },
    json.stdout,
  );
  if (step !== "http") assert.doesNotMatch(json.stdout, /sign-in/);
  if (response.hint !== undefined && ok === false && response.send !== "partial") {
    assert.match(String(last?.["hint"]), response.hint);
  }
  assert.equal(json.requests[0]?.content.length, 0);
  if (ok !== null) return;
  // The response to a measurement settles what the one to an empty request leaves open; here it is 200.
  const canary = await against(response, ["check", "--canary", "--output", "json"]);
  assert.deepEqual([canary.status, canary.requests.length], [0, 2], canary.stdout);
}

testCases(
  realResponses().flatMap((response) => [
    {
      name: `${response.name}.http: send: ${response.send}`,
      async run() {
        await sendOnce(response);
        if (response.send === "split") await sendHalves(response);
        if (response.send === "rejected, kept in a loop") await sendInLoop(response);
      },
    },
    {
      name: `${response.name}.http: check: ${response.check}`,
      run: () => check(response),
    },
  ]),
);

Deno.test("there are at least thirty real responses, and every outcome is among them", () => {
  const all = realResponses();
  assert.ok(all.length >= 30, `${all.length}`);
  assert.equal(new Set(all.map(({ send }) => send)).size, 7);
  assert.equal(new Set(all.map(({ check }) => check)).size, 5);
});
