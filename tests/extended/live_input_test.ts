import assert from "node:assert/strict";
import { assertHistogram, onePoint } from "../support/histogram.ts";
import type { Program } from "../support/program.ts";
import { repeated } from "../support/lines.ts";
import { measure, runFixture } from "../support/run_fixture.ts";
import { beforeSendOfOwn } from "../support/wording.ts";

const live = (interval: string, ...more: readonly string[]) => [
  ...["--input", "-", "--input-format", "text", "--loop", "--interval", interval],
  ...more,
];
const open = { open: true } as const;

/** Writes lines, and one that cannot be used: once that is named, everything before it has been read. */
async function writeRead(program: Program, lines: string, before: number): Promise<void> {
  await program.write(`${lines}read\n`);
  await program.waitForStderr(`line ${before + lines.split("\n").length} not used`);
}

Deno.test("a live input is sent every interval as it comes, and flushed at its end", async () => {
  const sent = await measure({
    args: live("0.4"),
    stdin: open,
    async meanwhile({ program, receiver }) {
      await program.write("1\n2\n");
      await receiver.waitForRequests(1);
      await program.write("30\n");
      await receiver.waitForRequests(2);
      await program.write("4\n");
      await receiver.waitForRequests(3);
      await program.write("500");
      await program.closeStdin();
    },
  });
  assert.equal(sent.points.length, 4);
  [[1, 2], [30], [4], [500]].forEach((values, i) => {
    const point = sent.points[i];
    assert.ok(point !== undefined);
    assertHistogram(point, values);
    // Deltas: each begins where the one before it ended, an interval without values in between included.
    assert.equal(point.start, sent.points[i - 1]?.end ?? point.start);
  });
  assert.equal(sent.summary["recorded"], 5);
});

Deno.test("a live input is flushed at its end, long before the interval is over", async () => {
  const sent = await measure({ args: live("60"), stdin: "1\n2\n" });
  assertHistogram(onePoint(sent), [1, 2]);
});

Deno.test("an interval of a live input without measurements sends nothing", async () => {
  await measure({
    args: live("0.1", "--duration", "0.55"),
    posts: 0,
    stdin: open,
    meanwhile: ({ program }) => program.write("\n\n"),
  });
});

Deno.test("--iterations ends a live input that goes on", async () => {
  const sent = await measure({
    args: live("0.5", "--iterations", "2"),
    stdin: open,
    async meanwhile({ program, receiver }) {
      await program.write("1\n");
      await receiver.waitForRequests(1);
      await program.write("2\n");
    },
  });
  assert.deepEqual(sent.sends.map(({ measurements }) => measurements), [1, 1]);
});

Deno.test("--interval 0 sends what comes as soon as it comes", async () => {
  const sent = await measure({
    args: live("0"),
    stdin: open,
    async meanwhile({ program, receiver }) {
      for (let n = 1; n <= 3; n++) {
        await program.write(`${n}\n`);
        await receiver.waitForRequests(n);
      }
      await program.closeStdin();
    },
  });
  assert.deepEqual(sent.points.map(({ sum }) => sum), [1, 2, 3]);
});

Deno.test("SIGTERM sends what was read of a live input", async () => {
  const sent = await measure({
    args: live("60"),
    stdin: open,
    status: 1,
    said: ['line 4 not used: the value is not a number: "read"'],
    async meanwhile({ program }) {
      await writeRead(program, "1\n2\n3\n", 0);
      program.signal("SIGTERM");
    },
  });
  assertHistogram(onePoint(sent), [1, 2, 3]);
  const { recorded, invalid, exitCode } = sent.summary;
  assert.deepEqual({ recorded, invalid, exitCode }, { recorded: 3, invalid: 1, exitCode: 1 });
});

Deno.test("SIGTERM sends what was read of an input without a loop", async () => {
  const sent = await measure({
    args: ["--input", "-", "--input-format", "text"],
    stdin: open,
    status: 1,
    said: [
      'line 4 not used: the value is not a number: "read"',
      "stopped before the end: 4 lines of the input were read",
    ],
    async meanwhile({ program }) {
      await writeRead(program, "1\n2\n3\n", 0);
      program.signal("SIGINT");
    },
  });
  assertHistogram(onePoint(sent), [1, 2, 3]);
});

Deno.test("a signal before the end of an input prints no ✓ for what was read", async () => {
  await runFixture({
    args: ["--endpoint", "{url}", "--input", "-", "--input-format", "text"],
    stdin: open,
    async meanwhile({ program }) {
      await writeRead(program, "1\n2\n3\n", 0);
      program.signal("SIGINT");
    },
    posts: 1,
    status: 1,
    stdout: [
      ...beforeSendOfOwn().slice(0, 1),
      repeated(/^($|Stopping|Recording|Measurements)/),
      "Sent 3 measurements.",
    ],
    stderr: [
      /^WARNING: line 4 not used/,
      "ERROR: stopped before the end: 4 lines of the input were read",
    ],
  });
});

Deno.test("a signal is the end of a live input in a loop: exit status 0", async () => {
  const sent = await measure({
    args: live("0"),
    stdin: open,
    async meanwhile({ program, receiver }) {
      await program.write("1\n2\n");
      await receiver.waitForRequests(1);
      program.signal("SIGTERM");
    },
  });
  assertHistogram(onePoint(sent), [1, 2]);
  assert.equal(sent.summary["exitCode"], 0);
});

Deno.test("a receiver that does not answer does not stop the reading", async () => {
  const answer = Promise.withResolvers<number>();
  const many = "7\n".repeat(100_000);
  const sent = await measure({
    args: live("0.1"),
    stdin: open,
    status: 1,
    said: ['line 100002 not used: the value is not a number: "read"'],
    answers: [() => answer.promise],
    async meanwhile({ program, receiver }) {
      await program.write("1\n");
      await receiver.waitForRequests(1);
      await writeRead(program, many, 1);
      assert.equal(receiver.requests.length, 1);
      answer.resolve(200);
      await program.closeStdin();
    },
  });
  assert.equal(sent.summary["delivered"], 100_001);
  assert.equal(sent.summary["dropped"], 0);
  assert.deepEqual(sent.points.map(({ count }) => count), [1, 100_000]);
});

Deno.test("a receiver that is away stops the reading at --max-pending-mb, and nothing is lost", async () => {
  let away = true;
  const line = "12\n";
  const chunk = line.repeat(4096);
  let written = 0;
  const sent = await measure({
    args: live("0.05", "--max-pending-mb", "0.001", "--compression", "none"),
    stdin: open,
    said: "any",
    answers: Array.from({ length: 1000 }, () => () => away ? 503 : 200),
    async meanwhile({ program, receiver }) {
      // Each interval makes one try: stuck is what has not been read after so many of them.
      for (;;) {
        let done = false;
        const writing = program.write(chunk).then(() => done = true);
        const before = receiver.requests.length;
        await Promise.race([writing, receiver.waitForRequests(before + 8)]);
        written += 4096;
        if (!done) {
          away = false;
          await writing;
          break;
        }
        // As data comes over time, not all at once.
        await receiver.waitForRequests(Math.min(before + 1, 12));
        assert.ok(written < 1e7, "it goes on reading");
      }
      await program.closeStdin();
    },
  });
  assert.equal(sent.summary["recorded"], written);
  assert.equal(sent.summary["delivered"], written);
  assert.equal(sent.summary["dropped"], 0, sent.said.join("\n"));
  assert.ok(sent.points.length >= 3, `${sent.points.length} requests were pending`);
});
