import assert from "node:assert/strict";
import type { Fixture, World } from "../support/fixture.ts";
import { error, like, repeated, warning } from "../support/lines.ts";
import { commandLine } from "../support/program.ts";
import { startReceiver } from "../support/receiver.ts";
import { assertNoSecret, testFixtures } from "../support/run_fixture.ts";
import {
  beforeSend,
  loopEnd,
  loopHeading,
  loopOf,
  lostLine,
  lostMessage,
  recording,
  sendJson,
  SENT,
  SHOWN_URL,
  STOPPING,
  summaryJson,
} from "../support/wording.ts";
import { atLeastOne } from "../support/cases.ts";

const loop = (...more: readonly string[]) => ["--endpoint", "{secretUrl}", "--loop", ...more];

/** Sends a signal once so many requests have come and `said` is on standard output. */
function signalAfter(signal: Deno.Signal, requests: number, said?: string) {
  return async ({ program, receiver }: World) => {
    await receiver.waitForRequests(requests);
    if (said !== undefined) await program.waitForStdout(said);
    program.signal(signal);
  };
}

/** Resolved when the signal has been sent that comes while a request is under way. */
const signalled = Promise.withResolvers<void>();

const rows: readonly Fixture[] = [
  {
    name: "--iterations ends a loop, which prints the predecessor's lines and a sum",
    args: loop("--interval", "0", "--iterations", "2"),
    requests: 2,
    stdout: [
      ...loopHeading(0),
      recording(1),
      SENT,
      recording(2),
      SENT,
      ...loopEnd(10, 10, 2),
    ],
  },
  {
    name: "--loop --output json prints a line a send and the summary",
    args: loop("--interval", "0", "--iterations", "2", "--output", "json"),
    requests: 2,
    stdout: [
      sendJson(),
      sendJson({ iteration: 2 }),
      summaryJson({ recorded: 10, delivered: 10, sends: 2, requests: 2, points: 6 }),
    ],
  },
  {
    name: "INTERVAL is the interval of a loop",
    args: loop("--iterations", "1"),
    env: { INTERVAL: "7.5" },
    stdout: loopOf(7.5, 1),
  },
  {
    name: "--interval beats INTERVAL, which beats .env",
    args: loop("--iterations", "1", "--interval", "8"),
    env: { INTERVAL: "7.5" },
    dotenv: "INTERVAL=7\n",
    stdout: loopOf(8, 1),
  },
  {
    name: "the interval is 60 seconds when nothing is said",
    args: loop("--iterations", "1"),
    stdout: loopOf(60, 1),
  },
  {
    name: "--interval 0 sends one right after the other",
    args: loop("--interval", "0", "--iterations", "5"),
    requests: 5,
    stdout: loopOf(0, 5),
  },
  {
    // How many sends a duration has room for is tested in simulated time: tests/send/loop_test.ts.
    name: "--duration ends a loop when the next send would be due after it",
    args: loop("--interval", "60", "--duration", "50"),
    stdout: loopOf(60, 1),
  },
  {
    name: "each iteration is a delta of its own: times join without gap or overlap",
    args: loop("--interval", "0", "--iterations", "4"),
    answers: [30, 20, 10, 0].map((delayMs) => ({ delayMs })),
    requests: 4,
    stdout: loopOf(0, 4),
    check({ decoded }) {
      const times = decoded.map(({ metrics: [metric] }) => {
        const { start = 0n, end = 0n } = metric?.points[0] ?? {};
        return { start, end };
      });
      for (const { start, end } of atLeastOne(times.slice(1))) assert.ok(start < end);
      times.slice(1).forEach(({ start }, i) => assert.equal(start, times[i]?.end));
    },
  },
  {
    name: "sends that a slow one left no time for are said to be skipped",
    args: loop("--interval", "0.2", "--iterations", "2", "--retry-for", "0"),
    answers: [{ delayMs: 900 }],
    requests: 2,
    stdout: loopOf(0.2, 2),
    stderr: [/^WARNING: the previous send took longer than --interval: \d+ sends were skipped$/],
    skipsTold: true,
  },
  {
    name: "a refused send does not end a loop; its measurements are not sent again",
    args: loop("--interval", "0", "--iterations", "2", "--output", "json"),
    answers: [{ status: 400, body: "no" }],
    requests: 2,
    status: 1,
    stdout: [
      sendJson({ outcome: "rejected", status: 400, message: "400 Bad Request: no" }),
      sendJson({ iteration: 2 }),
      summaryJson({ recorded: 10, delivered: 5, rejected: 5, sends: 2, exitCode: 1, requests: 2 }),
    ],
    stderr: [/5 measurements not delivered: 400 Bad Request: no/],
  },
  ...(["SIGINT", "SIGTERM"] as const).map((signal): Fixture => ({
    name: `${signal} while a loop waits ends it at once with exit 0`,
    args: loop(),
    meanwhile: signalAfter(signal, 1, "✓ Sent"),
    stdout: [
      ...loopHeading(60),
      recording(1),
      SENT,
      ...STOPPING,
      ...loopEnd(5, 5, 1),
    ],
  })),
  {
    name: "SIGTERM while a loop waits prints the summary alone in JSON",
    args: loop("--output", "json"),
    meanwhile: signalAfter("SIGTERM", 1, '"type":"send"'),
    stdout: [sendJson(), summaryJson()],
  },
  {
    name: "SIGTERM while a request is under way waits for its answer",
    args: loop(),
    answers: [() => signalled.promise.then(() => ({ delayMs: 500 }))],
    async meanwhile(world) {
      await signalAfter("SIGTERM", 1)(world);
      signalled.resolve();
    },
    stdout: [
      ...loopHeading(60),
      recording(1),
      ...STOPPING,
      SENT,
      ...loopEnd(5, 5, 1),
    ],
  },
  {
    name: "SIGINT while a request hangs ends within its timeout, and says what is not delivered",
    args: loop("--timeout", "1", "--output", "json"),
    answers: ["hang", "hang"],
    meanwhile: signalAfter("SIGINT", 1),
    // How much of the timeout is left for another try is the machine's affair.
    posts: "any",
    status: 1,
    stdout: [
      like({ type: "send", iteration: 1, measurements: 5, outcome: "failed" }),
      like({ type: "summary", delivered: 0, dropped: 5, exitCode: 1, points: 0 }),
    ],
    stderr: [
      repeated(error(/^5 measurements not delivered yet: /)),
      repeated(warning(/^possibly duplicated: /)),
      error(lostMessage()),
    ],
  },
  {
    name: "SIGTERM while one send hangs says what is not delivered",
    args: ["--endpoint", "{secretUrl}", "--timeout", "1"],
    answers: ["hang", "hang"],
    meanwhile: signalAfter("SIGTERM", 1),
    posts: "any",
    status: 1,
    stdout: [...beforeSend(SHOWN_URL), ...STOPPING, repeated(/./)],
    stderr: [
      repeated(/^WARNING: possibly duplicated: /),
      lostLine(),
      repeated(/^ {2}Hint: /),
    ],
  },
  {
    name: "SIGTERM while a failed send waits for its next try makes one more, and delivers",
    args: loop("--output", "json"),
    answers: [{ status: 503, headers: { "retry-after": "1" } }],
    meanwhile: async ({ program, receiver }) => {
      await receiver.waitForRequests(1);
      await program.waitForStderr("attempt 1 failed");
      program.signal("SIGTERM");
    },
    requests: 2,
    stdout: [sendJson({ attempts: 2 }), summaryJson({ requests: 2 })],
    stderr: [/attempt 1 failed/],
  },
  {
    name: "a second signal ends a hanging request at once, and says what is not delivered",
    args: loop("--timeout", "100"),
    answers: ["hang", "hang"],
    async meanwhile({ program, receiver }) {
      await receiver.waitForRequests(1);
      program.signal("SIGINT");
      await program.waitForStdout("Press Ctrl+C");
      // Two signals of one kind, sent at the same time, may become one.
      program.signal("SIGTERM");
    },
    status: 1,
    stdout: [
      ...loopHeading(60),
      recording(1),
      ...STOPPING,
      ...loopEnd(0, 5, 1, "; 5 lost"),
    ],
    stderr: [
      /^ERROR: 5 measurements not delivered yet: /,
      lostLine("ended by a second signal"),
    ],
  },
];
testFixtures(rows);

Deno.test("send ends as after a signal when nobody reads its standard output any more", async () => {
  await using receiver = await startReceiver();
  const [command, ...words] = commandLine();
  const child = new Deno.Command(command, {
    args: [...words, "--loop", "--interval", "0", "--endpoint", receiver.url],
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const killed = setTimeout(() => child.kill("SIGKILL"), 60_000);
  try {
    const reader = child.stdout.getReader();
    const text = new TextDecoder();
    for (let said = ""; !said.includes("✓ Sent");) {
      const { value, done } = await reader.read();
      assert.ok(!done, said);
      said += text.decode(value, { stream: true });
    }
    await reader.cancel();
    const [{ code, signal }, stderr] = await Promise.all([
      child.status,
      new Response(child.stderr).text(),
    ]);
    assert.deepEqual({ code, signal, stderr }, { code: 0, signal: null, stderr: "" });
    assertNoSecret({ stdout: "", stderr });
    assert.ok(receiver.requests.length >= 1);
  } finally {
    clearTimeout(killed);
  }
});
