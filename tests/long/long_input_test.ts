import assert from "node:assert/strict";
import { decode, type Point } from "../support/decode.ts";
import { histogramOf } from "../support/histogram.ts";
import { objects } from "../support/lines.ts";
import { startProgram } from "../support/program.ts";
import { startReceiver } from "../support/receiver.ts";
import { namedUnless, noLinux } from "../support/tools.ts";

const LINES = 10_000_000;
/** The file repeats a block. */
const BLOCK = 100_000;
const ROUTES = ["/", "/cart", "/search"];
/** A signal is answered within so much, in ms. */
const MOST_MS = 1000;

/** A whole number, so that sums are exact in whatever order they are added up. */
const valueOf = (n: number) => (n * 7919) % 6007;
const routeOf = (n: number) => ROUTES[n % ROUTES.length] ?? "";

/** Expected histograms of that many first lines, by route. */
function expected(lines: number): ReadonlyMap<string, ReturnType<typeof histogramOf>> {
  const whole = Math.floor(lines / BLOCK);
  const part = lines % BLOCK;
  return new Map(ROUTES.map((route) => {
    const block: number[] = [];
    const rest: number[] = [];
    for (let n = 0; n < BLOCK; n++) {
      if (routeOf(n) !== route) continue;
      block.push(valueOf(n));
      if (n < part) rest.push(valueOf(n));
    }
    const of = histogramOf(block);
    const more = histogramOf(rest);
    return [route, {
      count: whole * of.count + more.count,
      sum: whole * (of.sum ?? NaN) + (more.sum ?? NaN),
      min: whole > 0 ? of.min : more.min,
      max: whole > 0 ? of.max : more.max,
      counts: of.counts.map((count, i) => whole * count + (more.counts[i] ?? 0)),
    }];
  }));
}

function byRoute(points: readonly Point[]): ReadonlyMap<string, ReturnType<typeof histogramOf>> {
  return new Map(
    points.map(({ attributes, count, sum = NaN, min = NaN, max = NaN, counts }) =>
      [String(attributes["route"]), { count, sum, min, max, counts }] as const
    ),
  );
}

async function inFile(
  format: "ndjson" | "csv",
  run: (path: string) => Promise<void>,
): Promise<void> {
  const path = await Deno.makeTempFile({ prefix: "otlp-histogram-test-" });
  try {
    const line = format === "csv"
      ? (n: number) => `${valueOf(n)},${routeOf(n)}\n`
      : (n: number) => `{"value":${valueOf(n)},"route":"${routeOf(n)}"}\n`;
    const block = new TextEncoder().encode(
      Array.from({ length: BLOCK }, (_, n) => line(n)).join(""),
    );
    {
      using file = await Deno.open(path, { write: true });
      const writer = file.writable.getWriter();
      if (format === "csv") await writer.write(new TextEncoder().encode("value,route\n"));
      for (let written = 0; written < LINES; written += BLOCK) await writer.write(block);
      await writer.close();
    }
    await run(path);
  } finally {
    await Deno.remove(path);
  }
}

/** Sends the file, and gives what arrived and the summary; `meanwhile` gets the process. */
async function sent(
  path: string,
  through: readonly string[] = [],
  meanwhile: (pid: number, signal: () => void) => Promise<void> = async () => {},
) {
  await using receiver = await startReceiver();
  const args = ["--endpoint", receiver.url, "--input", path, "--attr-field", "route"];
  await using program = await startProgram({
    args: [...args, "--output", "json"],
    through,
    timeoutMs: 120_000,
  });
  let signalled = NaN;
  await meanwhile(program.pid, () => {
    signalled = performance.now();
    program.signal("SIGTERM");
  });
  const { status, stdout, stderr } = await program.finished;
  const tookMs = performance.now() - signalled;
  const summary = objects(stdout).at(-1);
  const points = receiver.requests.flatMap(({ content }) =>
    decode(content).metrics.flatMap(({ points }) => points)
  );
  return { status, stderr, tookMs, summary, points: byRoute(points) };
}

for (const format of ["ndjson", "csv"] as const) {
  Deno.test(`10,000,000 lines of ${format} are counted exactly`, async () => {
    await inFile(format, async (path) => {
      const { status, summary, points } = await sent(path);
      assert.equal(status, 0);
      assert.equal(summary?.["delivered"], LINES);
      assert.deepEqual(points, expected(LINES));
    });
  });
}

Deno.test({
  ...namedUnless(noLinux, "on one core 10,000,000 lines are counted as exactly"),
  async fn() {
    await inFile("ndjson", async (path) => {
      const { status, points } = await sent(path, ["taskset", "-c", "0"]);
      assert.equal(status, 0);
      assert.deepEqual(points, expected(LINES));
    });
  },
});

Deno.test({
  // Only Linux shows, in /proc, how much was read.
  ...namedUnless(noLinux, "a signal ends a long input within a second, and what was read is sent"),
  async fn() {
    await inFile("ndjson", async (path) => {
      const { status, summary, tookMs, points } = await sent(path, [], async (pid, signal) => {
        // Far from the end.
        const some = (await Deno.stat(path)).size / 4;
        const readSoFar = async () =>
          Number(/^rchar: (\d+)$/m.exec(await Deno.readTextFile(`/proc/${pid}/io`))?.[1]);
        const until = performance.now() + 30_000;
        while (await readSoFar() < some && performance.now() < until) {
          await new Promise((resolve) => setTimeout(resolve, 5));
        }
        signal();
      });
      const delivered = Number(summary?.["delivered"]);
      const figures = `${tookMs.toFixed(0)} ms, ${delivered} lines, status ${status}`;
      assert.ok(delivered > 0 && delivered < LINES, figures);
      assert.equal(summary?.["recorded"], delivered, figures);
      assert.deepEqual(points, expected(delivered));
      assert.ok(tookMs < MOST_MS, figures);
    });
  },
});
