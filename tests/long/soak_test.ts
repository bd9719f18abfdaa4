import assert from "node:assert/strict";
import { decode } from "../support/decode.ts";
import { figure } from "../support/figure.ts";
import { type Program, startProgram } from "../support/program.ts";
import {
  type ExportAnswer,
  isTaken,
  type ReceivedRequest,
  startReceiver,
} from "../support/receiver.ts";
import { seeded } from "../support/seeded.ts";
import { namedUnless } from "../support/tools.ts";

/** How long it goes on, in seconds: a minute, or for example `OTLP_HISTOGRAM_SOAK_SECONDS=300`. */
const SECONDS = Number(Deno.env.get("OTLP_HISTOGRAM_SOAK_SECONDS") || 60);
const INTERVAL = 0.1;
/** Memory that garbage may hold until it is collected, in MB. */
const SLACK = 8;

/** Fails a third of the time, in every way that asks for another try. */
function answer(random: () => number): Exclude<ExportAnswer, (...args: never[]) => unknown> {
  const drawn = random();
  if (drawn < 0.12) return 503;
  if (drawn < 0.15) return { status: 429, headers: { "retry-after": "0" } };
  if (drawn < 0.22) return "reset-after-body";
  if (drawn < 0.26) return "half-answer";
  if (drawn < 0.29) return "hang";
  if (drawn < 0.33) return "reset-before-body";
  if (drawn < 0.38) return "trickle";
  if (drawn < 0.42) return { delayMs: 50 };
  return 200;
}

interface Sample {
  readonly seconds: number;
  /** Resident, in MB. */
  readonly memory: number;
  readonly descriptors: number;
}

async function sampleOf(program: Program, seconds: number): Promise<Sample> {
  const status = await Deno.readTextFile(`/proc/${program.pid}/status`);
  const [, kilobytes] = /^VmRSS:\s+(\d+) kB$/m.exec(status) ?? [];
  let descriptors = 0;
  for await (const _ of Deno.readDir(`/proc/${program.pid}/fd`)) descriptors++;
  return { seconds, memory: Number(kilobytes) / 1000, descriptors };
}

function measurementsIn({ content }: ReceivedRequest): number {
  return decode(content).metrics.flatMap(({ points }) => points)
    .reduce((sum, { count, counts }) => {
      assert.equal(counts.reduce((total, n) => total + n, 0), count);
      return sum + count;
    }, 0);
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
}

/** How many samples of the curve are printed. */
const COLUMNS = 10;

function curve(samples: readonly Sample[]): string {
  const shown = Array.from(
    { length: COLUMNS },
    (_, i) => samples[Math.round(i * (samples.length - 1) / (COLUMNS - 1))],
  );
  return shown.map((sample) =>
    sample === undefined
      ? ""
      : `${sample.seconds.toFixed(0)} s ${sample.memory.toFixed(1)} MB, ${sample.descriptors} open`
  ).join("; ");
}

Deno.test({
  ...namedUnless(
    Deno.build.os === "linux" ? undefined : "it needs /proc",
    `send --loop keeps its memory, its files and its books for ${SECONDS} s under a receiver that fails a third of the time`,
  ),
  async fn() {
    const random = seeded(14);
    const started = performance.now();
    const elapsed = () => (performance.now() - started) / 1000;
    const sends = Math.round(SECONDS / INTERVAL);
    await using receiver = await startReceiver({
      // Each is decided when its request has come: in the end the receiver is well.
      answers: Array.from(
        { length: 10 * sends },
        () => () => elapsed() < SECONDS ? answer(random) : 200,
      ),
    });
    await using program = await startProgram({
      args: [
        ...["--endpoint", receiver.url, "--loop", "--interval", String(INTERVAL)],
        ...["--duration", String(SECONDS + 3), "--series", "20", "--rate", "1000"],
        ...["--timeout", "0.5", "--compression", "none", "--output", "json"],
      ],
      timeoutMs: (SECONDS + 60) * 1000,
    });

    const samples: Sample[] = [];
    await receiver.waitForRequests(1);
    const first = await sampleOf(program, elapsed());
    while (elapsed() < SECONDS) {
      samples.push(await sampleOf(program, elapsed()));
      await receiver.waitForRequests(receiver.requests.length + 5);
    }
    // Well again, it gets what has waited.
    await receiver.waitForRequests(receiver.requests.length + 10);
    const last = await sampleOf(program, elapsed());
    const { status, stdout, stderr } = await program.finished;
    await figure(
      `${sends} sends, ${receiver.requests.length} requests: ${curve([...samples, last])}`,
    );

    const summary = JSON.parse(stdout.trim().split("\n").at(-1) ?? "");
    const { recorded, delivered, rejected, dropped, pending } = summary;
    assert.equal(recorded, delivered + rejected + dropped + pending);
    assert.deepEqual({ status, rejected, dropped, pending }, {
      status: 0,
      rejected: 0,
      dropped: 0,
      pending: 0,
    }, stderr.slice(-2000));
    assert.ok(recorded >= 1000 * SECONDS, `${recorded} measurements`);

    // Requests that the receiver has accepted, whether or not its answer came through.
    const taken = new Map<string, { measurements: number; times: number; confirmed: boolean }>();
    for (const request of receiver.requests) {
      if (request.answered === 503 || request.answered === 429) continue;
      const key = request.content.toHex();
      const { times = 0, confirmed = false } = taken.get(key) ?? {};
      taken.set(key, {
        measurements: measurementsIn(request),
        times: times + 1,
        confirmed: confirmed || isTaken(request) || request.answered === "trickle",
      });
    }
    const bodies = [...taken.values()];
    assert.ok(bodies.every(({ confirmed }) => confirmed), "said to be delivered, never confirmed");
    assert.equal(bodies.reduce((sum, { measurements }) => sum + measurements, 0), delivered);
    const twice = bodies.filter(({ times }) => times > 1).length;
    const marked = stderr.split("possibly duplicated").length - 1;
    await figure(
      `${twice} requests taken more than once, ${marked} said to be possibly duplicated`,
    );
    assert.ok(twice > 0 && marked >= twice, `${marked} of ${twice} are marked`);

    const third = Math.floor(samples.length / 3);
    const before = median(samples.slice(third, 2 * third).map(({ memory }) => memory));
    const after = median(samples.slice(2 * third).map(({ memory }) => memory));
    assert.ok(after <= before + SLACK, `${before} MB in the middle, ${after} MB in the end`);
    assert.ok(
      last.descriptors <= first.descriptors,
      `${first.descriptors} files open at the start, ${last.descriptors} in the end`,
    );
  },
});
