import assert from "node:assert/strict";
import { decodeFile } from "../../src/delivery/spool/spool_file.ts";
import { decode, type Point } from "../support/decode.ts";
import { type Finished, startProgram } from "../support/program.ts";
import { type ExportAnswer, isTaken, type Receiver, startReceiver } from "../support/receiver.ts";
import { SPLITTABLE_ARGS } from "../support/sample.ts";
import { seeded } from "../support/seeded.ts";

/** Kills in one run, of several programs at a time, each with a spool and a receiver of its own. */
const KILLS = 204;
const LANES = 2;

/** Takes most of what it gets, and fails in every way that asks for another try. */
function answer(random: () => number): ExportAnswer {
  const drawn = random();
  if (drawn < 0.08) return 503;
  if (drawn < 0.11) return "reset-after-body";
  if (drawn < 0.13) return "half-answer";
  if (drawn < 0.14) return "hang";
  if (drawn < 0.16) return { delayMs: 20 };
  // Splitting is the one time that a request's file is replaced by others.
  if (drawn < 0.24) return ({ content }) => pointsOf(content).length > 1 ? 413 : 200;
  return 200;
}

function pointsOf(body: Uint8Array): readonly Point[] {
  return decode(body).metrics.flatMap(({ points }) => points);
}

/** Tells a data point from all others: no two sends have the same values. */
function keysOf(body: Uint8Array): readonly string[] {
  return pointsOf(body).map((point) =>
    JSON.stringify(point, (_, value: unknown) => typeof value === "bigint" ? String(value) : value)
  );
}

/** The bodies of the requests that a dead process has left in its spool. */
async function bodiesIn(directory: string): Promise<readonly Uint8Array[]> {
  const bodies: Uint8Array[] = [];
  try {
    for await (const { name, isFile } of Deno.readDir(directory)) {
      if (!isFile || !name.includes(".otlp")) continue;
      const stored = await decodeFile(await Deno.readFile(`${directory}/${name}`));
      bodies.push(...(stored?.requests ?? []).map(({ body }) => body));
    }
  } catch (thrown) {
    // Killed before it made the directory.
    if (!(thrown instanceof Deno.errors.NotFound)) throw thrown;
  }
  return bodies;
}

interface Lane {
  readonly kills: number;
  /** Processes of which something was in the spool when they were killed. */
  readonly withSomethingLeft: number;
  readonly points: number;
}

async function killAgainAndAgain(kills: number, seed: number): Promise<Lane> {
  const random = seeded(seed);
  await using receiver = await startReceiver();
  const cwd = await Deno.makeTempDir({ prefix: "otlp-histogram-test-" });
  try {
    const spooled = new Set<string>();
    let withSomethingLeft = 0;
    for (let killed = 0; killed < kills; killed++) {
      receiver.answer(...Array.from({ length: 50 }, () => answer(random)));
      await liveAndDie(cwd, receiver, random);
      const left = await bodiesIn(`${cwd}/spool`);
      if (left.length > 0) withSomethingLeft++;
      for (const body of left) for (const key of keysOf(body)) spooled.add(key);
    }
    await empty(cwd, receiver);

    const taken = new Set<string>();
    for (const request of receiver.requests) {
      const { content } = request;
      // A torn file does not decode; half of one does not add up.
      for (const key of keysOf(content)) {
        spooled.add(key); // it is stored before it is sent
        if (isTaken(request)) taken.add(key);
      }
      for (const { count, counts } of pointsOf(content)) {
        assert.equal(counts.reduce((sum, n) => sum + n, 0), count);
      }
    }
    const missing = [...spooled].filter((key) => !taken.has(key));
    assert.deepEqual(missing, [], `${missing.length} of ${spooled.size} data points are missing`);
    return { kills, withSomethingLeft, points: spooled.size };
  } finally {
    await Deno.remove(cwd, { recursive: true });
  }
}

/** Starts the program and kills it at a random instant: of its start, or of its work. */
async function liveAndDie(cwd: string, receiver: Receiver, random: () => number): Promise<void> {
  const before = receiver.requests.length;
  await using program = await startProgram({
    cwd,
    args: flags(receiver, "--loop", "--interval", "0"),
  });
  if (random() < 0.8) {
    const asked = receiver.waitForRequests(before + 1 + Math.floor(random() * 4));
    await Promise.race([asked, program.finished]);
    asked.catch(() => {}); // when the program has ended by itself, which is told below
  }
  await new Promise((resolve) => setTimeout(resolve, random() * 40));
  program.signal("SIGKILL");
  const { status, stderr } = await program.finished;
  assert.equal(status, 137, `ended by itself with ${status}:\n${stderr}`);
  assertNothingLost(stderr);
}

/** Lets process after process send what the others have left, until there is no more. */
async function empty(cwd: string, receiver: Receiver): Promise<void> {
  for (let started = 0; started < 50; started++) {
    await using program = await startProgram({ cwd, args: flags(receiver, "--count", "0") });
    const finished = await program.finished;
    assertNothingLost(finished.stderr);
    const { recorded, delivered, pending } = summaryOf(finished);
    assert.equal(recorded, delivered + pending);
    assert.equal(finished.status, pending > 0 ? 1 : 0, finished.stderr);
    if (pending === 0) return;
  }
  throw new Error("The spool is not empty after 50 processes");
}

function flags(receiver: Receiver, ...more: readonly string[]): readonly string[] {
  return [
    ...["--endpoint", receiver.url, "--spool", "spool", "--compression", "none"],
    ...["--output", "json", "--timeout", "0.3", "--retry-for", "0.2", ...SPLITTABLE_ARGS, ...more],
  ];
}

/** A file that a crash leaves behind may be set aside, with a warning; nothing may be dropped or fatal. */
function assertNothingLost(stderr: string): void {
  assert.doesNotMatch(stderr, /Unexpected|dropped|Cannot|lost|uncaught/i);
}

function summaryOf({ stdout }: Finished) {
  const summary: unknown = JSON.parse(stdout.trim().split("\n").at(-1) ?? "");
  assert.ok(typeof summary === "object" && summary !== null);
  const { recorded, delivered, pending }: Partial<Record<string, unknown>> = { ...summary };
  assert.ok(
    typeof recorded === "number" && typeof delivered === "number" && typeof pending === "number",
  );
  return { recorded, delivered, pending };
}

Deno.test({
  name: `send --spool loses nothing when it is killed ${KILLS} times at random instants`,
  async fn() {
    const lanes = await Promise.all(
      Array.from({ length: LANES }, (_, lane) => killAgainAndAgain(KILLS / LANES, 2026 + lane)),
    );
    const total = (key: keyof Lane) => lanes.reduce((sum, lane) => sum + lane[key], 0);
    assert.equal(total("kills"), KILLS);
    // Otherwise this shows nothing.
    assert.ok(
      total("withSomethingLeft") > KILLS / 10,
      `${total("withSomethingLeft")} times something was left`,
    );
    assert.ok(total("points") > KILLS, `${total("points")} data points`);
  },
});
