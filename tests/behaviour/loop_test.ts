import assert from "node:assert/strict";
import configuration from "../../deno.json" with { type: "json" };
import { startReceiver } from "../support/receiver.ts";
import {
  assertNoSecret,
  type Outcome,
  type Row,
  sendJson,
  SHOWN_URL,
  summaryJson,
  testRows,
  type World,
} from "./table.ts";

const loop = (...more: readonly string[]) => ["--endpoint", "{secretUrl}", "--loop", ...more];
const heading = (seconds: string) => [
  `Sending histogram metrics to: ${SHOWN_URL}`,
  `Running in loop mode (sending every ${seconds} seconds)`,
  "Press Ctrl+C to stop...",
  "",
];
const recording = (iteration: number) => `[TIME] Iteration ${iteration}: Recording measurements...`;
const sent = "[TIME] ✓ Sent 5 measurements";
const stopping = ["", "", "Stopping... Flushing final metrics..."];

/** Sends a signal once so many requests have come and `said` is on standard output. */
function signalAfter(signal: Deno.Signal, requests: number, said?: string) {
  return async ({ program, receiver }: World) => {
    await receiver.waitForRequests(requests);
    if (said !== undefined) await program.waitForStdout(said);
    program.signal(signal);
  };
}

/** Sends a signal in the middle of a timeout of 1 s, so that half of one is left for the last try. */
function signalInTheMiddle(signal: Deno.Signal) {
  return async ({ program, receiver }: World) => {
    await receiver.waitForRequests(1);
    await new Promise((resolve) => setTimeout(resolve, 500));
    program.signal(signal);
  };
}

/** Long before the interval or the timeout of the row would have ended it. */
const soon = ({ durationMs }: Outcome) =>
  assert.ok(durationMs < 8000, `ended after ${durationMs} ms`);

const rows: readonly Row[] = [
  {
    name: "--iterations ends a loop, which prints the predecessor's lines and a sum",
    args: loop("--interval", "0", "--iterations", "2"),
    requests: 2,
    stdout: [
      ...heading("0"),
      recording(1),
      sent,
      recording(2),
      sent,
      "Delivered 10 of 10 measurements in 2 sends.",
      "Shutdown complete.",
    ],
  },
  {
    name: "--loop --output json prints a line a send and the summary",
    args: loop("--interval", "0", "--iterations", "2", "--output", "json"),
    requests: 2,
    stdout: [
      sendJson(),
      sendJson({ iteration: 2 }),
      summaryJson({ recorded: 10, delivered: 10, sends: 2 }),
    ],
  },
  {
    name: "INTERVAL is the interval of a loop",
    args: loop("--iterations", "1"),
    env: { INTERVAL: "7.5" },
    stdout: [...heading("7.5"), recording(1), sent, /./, /./],
  },
  {
    name: "--interval beats INTERVAL, which beats .env",
    args: loop("--iterations", "1", "--interval", "8"),
    env: { INTERVAL: "7.5" },
    dotenv: "INTERVAL=7\n",
    stdout: [...heading("8"), recording(1), sent, /./, /./],
  },
  {
    name: "the interval is 60 seconds when nothing is said",
    args: loop("--iterations", "1"),
    stdout: [...heading("60"), recording(1), sent, /./, /./],
  },
  {
    name: "--interval 0 sends one right after the other",
    args: loop("--interval", "0", "--iterations", "5"),
    requests: 5,
  },
  {
    name: "--duration ends a loop when the next send would be due after it",
    args: loop("--interval", "0.5", "--duration", "1.2"),
    requests: 3,
    check({ requests: [first, , third] }) {
      const took = (third?.at ?? 0) - (first?.at ?? 0);
      assert.ok(took > 450 && took < 1500, `the third came ${took} ms after the first`);
    },
  },
  {
    name: "each iteration is a delta of its own: times join without gap or overlap",
    args: loop("--interval", "0", "--iterations", "4"),
    answers: [30, 20, 10, 0].map((delayMs) => ({ delayMs })),
    requests: 4,
    check({ requests }) {
      const times = requests.map(({ decoded }) => {
        const { start = 0n, end = 0n } = decoded.metrics[0]?.points[0] ?? {};
        assert.ok(start < end || start === requests[0]?.decoded.metrics[0]?.points[0]?.start);
        return { start, end };
      });
      times.slice(1).forEach(({ start }, i) => assert.equal(start, times[i]?.end));
      const now = BigInt(Date.now()) * 1_000_000n;
      assert.ok(
        (times.at(-1)?.end ?? 0n) <= now && (times[0]?.start ?? 0n) > now - 60_000_000_000n,
      );
    },
  },
  {
    name: "the schedule is kept after a slow send",
    args: loop("--interval", "1", "--iterations", "3", "--retry-for", "0"),
    answers: [{ delayMs: 1300 }],
    requests: 3,
    check({ requests: [first, second, third] }) {
      // Due at 0, 1 (late, at 1.3, since the first took so long) and 2, not at 2.3.
      const at = (request = first) => (request?.at ?? 0) - (first?.at ?? 0);
      assert.ok(at(second) >= 1280 && at(second) < 1700, `the second came at ${at(second)} ms`);
      assert.ok(at(third) > 1500 && at(third) < 2250, `the third came at ${at(third)} ms`);
    },
  },
  {
    name: "sends that a slow one left no time for are said to be left out",
    args: loop("--interval", "0.2", "--iterations", "2", "--retry-for", "0"),
    answers: [{ delayMs: 900 }],
    requests: 2,
    stderr: [/^WARNING: the send before took longer than the interval: [3-9] sends were left out$/],
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
      summaryJson({ recorded: 10, delivered: 5, rejected: 5, sends: 2, exitCode: 1 }),
    ],
    stderr: [/5 measurements not delivered: 400 Bad Request: no/],
  },
  ...(["SIGINT", "SIGTERM"] as const).map((signal): Row => ({
    name: `${signal} while a loop waits ends it at once with exit 0`,
    args: loop(),
    meanwhile: signalAfter(signal, 1, "✓ Sent"),
    stdout: [
      ...heading("60"),
      recording(1),
      sent,
      ...stopping,
      "Delivered 5 of 5 measurements in 1 send.",
      "Shutdown complete.",
    ],
    check: soon,
  })),
  {
    name: "SIGTERM while a loop waits prints the summary alone in JSON",
    args: loop("--output", "json"),
    meanwhile: signalAfter("SIGTERM", 1, '"type":"send"'),
    stdout: [sendJson(), summaryJson()],
    check: soon,
  },
  {
    name: "SIGTERM while a request is under way waits for its answer",
    args: loop(),
    answers: [{ delayMs: 700 }],
    meanwhile: signalAfter("SIGTERM", 1),
    stdout: [
      ...heading("60"),
      recording(1),
      ...stopping,
      sent,
      "Delivered 5 of 5 measurements in 1 send.",
      "Shutdown complete.",
    ],
    check: soon,
  },
  {
    name: "SIGINT while a request hangs ends within its timeout, and says what is not delivered",
    args: loop("--timeout", "1", "--output", "json"),
    answers: ["hang", "hang"],
    meanwhile: signalInTheMiddle("SIGINT"),
    status: 1,
    stdout: [
      /^\{"type":"send","time":"TIME",.*"outcome":"failed",/,
      summaryJson({ delivered: 0, dropped: 5, exitCode: 1 }),
    ],
    stderr: [
      /^\{"type":"error","message":"5 measurements not delivered yet: .*"\}$/,
      /^\{"type":"warning","message":"possibly duplicated: .*"\}$/,
      /^\{"type":"error","message":"5 measurements not delivered and lost: .*"\}$/,
    ],
    requests: 2,
    check: soon,
  },
  {
    name: "SIGTERM while one send hangs says what is not delivered",
    args: ["--endpoint", "{secretUrl}", "--timeout", "1"],
    answers: ["hang", "hang"],
    meanwhile: signalInTheMiddle("SIGTERM"),
    status: 1,
    stderr: [
      /^WARNING: possibly duplicated: /,
      /^ERROR: 5 measurements not delivered and lost: /,
    ],
    requests: 2,
    check: soon,
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
    stdout: [sendJson({ attempts: 2 }), summaryJson()],
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
    stderr: [
      /^ERROR: 5 measurements not delivered yet: /,
      "ERROR: 5 measurements not delivered and lost: ended by a second signal",
    ],
    check: soon,
  },
];
testRows(rows);

Deno.test("send ends as after a signal when nobody reads its standard output any more", async () => {
  await using receiver = await startReceiver();
  const binary = Deno.env.get("OTLP_HISTOGRAM_BIN");
  const [, ...words] = configuration.tasks.run.command.split(" ");
  const main = decodeURIComponent(new URL("../../main.ts", import.meta.url).pathname);
  const child = new Deno.Command(binary || Deno.execPath(), {
    args: [
      ...binary ? [] : words.map((word) => word === "main.ts" ? main : word),
      "--loop",
      "--interval",
      "0.1",
      "--endpoint",
      receiver.url,
    ],
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const killed = setTimeout(() => child.kill("SIGKILL"), 15_000);
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
