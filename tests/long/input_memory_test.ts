import assert from "node:assert/strict";
import { startProgram } from "../support/program.ts";
import { startReceiver } from "../support/receiver.ts";
import { namedUnless, noLinux } from "../support/tools.ts";

/** So much more a run of ten times the input may take, in MB: what a garbage collector makes of chance. */
const MOST_MORE_MB = 30;
/** Far below what holding the longer input would take. */
const MOST_MB = 150;

const ROUTES = ["/", "/cart", "/search", "/checkout"];

function untimed(n: number): string {
  const route = ROUTES[n % ROUTES.length];
  return `{"value":${n % 977}.${
    n % 10
  },"attributes":{"route":"${route}","status":200},"id":${n}}\n`;
}

/** One of so many lines of a log of so many hours, in order of time; 40 series. */
function timed(lines: number, hours: number): (n: number) => string {
  const begin = Date.UTC(2026, 0, 15);
  const stepMs = hours * 3_600_000 / lines;
  return (n) =>
    `{"time":${begin + Math.floor(n * stepMs)},"value":${n % 977}.${n % 10},` +
    `"attributes":{"route":"${ROUTES[n % ROUTES.length]}","shard":${Math.floor(n / 4) % 10}}}\n`;
}

/** The peak resident memory of reading so many lines, in MB. */
async function peakMb(
  lines: number,
  line: (n: number) => string,
  args: readonly string[] = [],
): Promise<number> {
  const perChunk = 2000;
  function* chunks() {
    for (let written = 0; written < lines; written += perChunk) {
      const length = Math.min(perChunk, lines - written);
      yield Array.from({ length }, (_, i) => line(written + i)).join("");
    }
  }
  const { peak, stdout } = await read(chunks(), lines, args);
  assert.match(stdout, new RegExp(`"recorded":${lines},"delivered":${lines},.*"invalid":1`));
  return peak;
}

/** Reads text that has so many lines, and one more that is not used; returns the peak resident memory in MB. */
async function read(
  chunks: Iterable<string>,
  lines: number,
  args: readonly string[],
): Promise<{ readonly peak: number; readonly stdout: string }> {
  await using receiver = await startReceiver();
  await using program = await startProgram({
    args: ["--endpoint", receiver.url, "--input", "-", "--output", "json", ...args],
    stdin: { open: true },
    timeoutMs: 60_000,
  });
  for (const chunk of chunks) await program.write(chunk);
  // Once it is named, everything before it has been read, and the program is still there to be asked.
  await program.write("end\n");
  await program.waitForStderr(`line ${lines + 1} not used`, 30_000);
  const status = await Deno.readTextFile(`/proc/${program.pid}/status`);
  await program.closeStdin();
  const { stdout } = await program.finished;
  const [, kb] = /^VmHWM:\s+(\d+) kB$/m.exec(status) ?? [];
  return { peak: Number(kb) / 1024, stdout };
}

Deno.test({
  ...namedUnless(noLinux, "reading ten times as many lines takes no more memory"),
  async fn() {
    const few = await peakMb(200_000, untimed);
    const many = await peakMb(2_000_000, untimed);
    const figures = `${few.toFixed(0)} MB for 200,000 lines, ${many.toFixed(0)} MB for 2,000,000`;
    assert.ok(few > 20, figures);
    assert.ok(many - few < MOST_MORE_MB, figures);
    assert.ok(many < MOST_MB, figures);
  },
});

Deno.test({
  ...namedUnless(
    noLinux,
    "--time-field takes no more memory for a day than for an hour of as many lines",
  ),
  async fn() {
    const lines = 1_000_000;
    // All data points of the day, 345,600 of 10 s each, would take more than 200 MB if they were kept.
    for (const interval of ["60", "10"]) {
      const args = ["--time-field", "time", "--interval", interval];
      const hour = await peakMb(lines, timed(lines, 1), args);
      const day = await peakMb(lines, timed(lines, 24), args);
      const figures = `intervals of ${interval} s: ${hour.toFixed(0)} MB for an hour, ${
        day.toFixed(0)
      } MB for a day`;
      assert.ok(day < MOST_MB, figures);
      if (interval === "60") assert.ok(day - hour < MOST_MORE_MB, figures);
    }
  },
});

Deno.test({
  ...namedUnless(noLinux, "a line of 400 MiB takes no memory"),
  async fn() {
    const part = "x".repeat(1024 * 1024);
    const { peak, stdout } = await read(["7\n", ...Array(400).fill(part), "\n"], 2, []);
    assert.match(stdout, /"recorded":1,"delivered":1,.*"invalid":2/);
    assert.ok(peak > 20 && peak < MOST_MB, `${peak.toFixed(0)} MB`);
  },
});
