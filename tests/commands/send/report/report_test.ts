import assert from "node:assert/strict";
import type { OutputConfig } from "../../../../src/settings/output_config.ts";
import type { Pending } from "../../../../src/delivery/delivering.ts";
import type { Result } from "../../../../src/delivery/result.ts";
import { localTime } from "../../../../src/console/local_time.ts";
import { PROFILES, RECEIVERS } from "../../../../src/receivers/profiles.ts";
import { baseEndpoint } from "../../../../src/http/endpoint.ts";
import { reporter } from "../../../../src/commands/send/report/report.ts";
import type { ReportContext } from "../../../../src/commands/send/report/report_context.ts";
import type { Capacity, RunEvent } from "../../../../src/commands/send/run_event.ts";
import { UNTRIED } from "../../../support/simulation.ts";

const EXPLAINER = await PROFILES.otlp.explainer();
const TIME = new Date(2026, 0, 31, 12, 5, 9).getTime();
const STAMP = "[2026-01-31 12:05:09]";

function config(
  format: OutputConfig["format"],
  change: Partial<ReportContext> & { readonly level?: OutputConfig["level"] } = {},
): ReportContext {
  const { level = "normal", ...others } = change;
  return {
    output: { format, level },
    metrics: ["http.server.duration"],
    endpoint: baseEndpoint(
      { name: "--endpoint", source: "command line", value: "http://h:4318" },
      () => undefined,
      RECEIVERS,
    ),
    explainer: EXPLAINER,
    loop: false,
    spoolOnly: false,
    samples: true,
    input: false,
    scrape: false,
    replays: false,
    load: false,
    intervalMs: 60_000,
    rate: undefined,
    insecure: false,
    spool: undefined,
    shard: null,
    ...others,
  };
}

const accepted: Result = {
  outcome: "accepted",
  status: 200,
  rejectedPoints: 0,
  message: null,
  trouble: undefined,
};

function send(change: Partial<Extract<RunEvent, { type: "send" }>> = {}): RunEvent {
  return {
    ...accepted,
    type: "send",
    time: TIME,
    iteration: 1,
    measurements: 5,
    points: 3,
    attempts: 1,
    bytes: 412,
    durationMs: 12.345,
    possiblyDuplicated: false,
    pending: 0,
    reportedAt: TIME + 2000,
    isCutShort: false,
    ...change,
  };
}

function late(iteration: number | null, result: Result): RunEvent {
  return {
    type: "late",
    time: TIME,
    iteration,
    measurements: 5,
    points: 3,
    attempts: 2,
    possiblyDuplicated: false,
    result,
  };
}

function summary(change: Partial<Extract<RunEvent, { type: "summary" }>> = {}): RunEvent {
  return {
    type: "summary",
    recorded: 5,
    delivered: 5,
    rejected: 0,
    dropped: 0,
    pending: 0,
    invalid: 0,
    skipped: 0,
    rejectedPoints: 0,
    sends: 1,
    exitCode: 0,
    elapsedMs: 2000,
    requests: 10,
    points: 3000,
    bytes: 412,
    latencyMs: { p50: 12.34, p90: 23.45, p99: 38, max: 1234.56 },
    startTime: TIME,
    latencyHistogram: { bounds: [10, 20], counts: [1, 2, 0] },
    ...change,
  };
}

const pending: Pending = {
  ...UNTRIED,
  request: { body: new Uint8Array(412), encoding: "gzip", points: 3, measurements: 5 },
  iteration: 2,
  recordedAt: TIME,
  attempts: 1,
};

const text = (event: RunEvent, change = {}) => reporter(config("text", change)).event(event);
const json = (event: RunEvent, change = {}) => reporter(config("json", change)).event(event);

Deno.test("start() prints the predecessor's heading, and that of a loop", () => {
  assert.deepEqual(reporter(config("text")).start(), {
    out: ["Sending histogram metrics to: http://h:4318/v1/metrics"],
    err: [],
  });
  assert.deepEqual(reporter(config("text", { loop: true, intervalMs: 500 })).start().out, [
    "Sending histogram metrics to: http://h:4318/v1/metrics",
    "Running in loop mode (sending every 0.5 seconds)",
    "Press Ctrl+C to stop...",
    "The measurements are built-in samples",
    "",
  ]);
  assert.deepEqual(reporter(config("json")).start(), {
    out: [],
    err: ['{"type":"warning","message":"The measurements are built-in samples"}'],
  });
  assert.deepEqual(reporter(config("json", { level: "quiet" })).start().err, []);
  assert.deepEqual(reporter(config("json", { insecure: true, samples: false })).start(), {
    out: [],
    err: ['{"type":"warning","message":"SSL verification disabled (INSECURE_SSL=true)"}'],
  });
  assert.deepEqual(reporter(config("text", { insecure: true })).start().err, [
    "WARNING: SSL verification disabled (INSECURE_SSL=true)",
  ]);
});

Deno.test("event() prints the predecessor's lines around an accepted send", () => {
  assert.deepEqual(text({ type: "recording", iteration: 1, time: TIME }).out, [
    "Recording sample measurements...",
  ]);
  assert.deepEqual(text({ type: "recorded" }).out, [
    "Measurements recorded. Waiting for export...",
  ]);
  assert.deepEqual(text(send()), {
    out: [
      "✓ Metrics exported successfully! Sent 5 measurements.",
      "The measurements are built-in samples",
    ],
    err: [],
  });
  assert.deepEqual(text(summary()), { out: [], err: [] });
});

Deno.test("event() prints the predecessor's lines in a loop, and a sum at its end", () => {
  const loop = { loop: true };
  assert.deepEqual(text({ type: "recording", iteration: 3, time: TIME }, loop).out, [
    `${STAMP} Iteration 3: Recording measurements...`,
  ]);
  assert.deepEqual(text({ type: "recorded" }, loop).out, []);
  assert.deepEqual(text(send({ time: TIME - 9000, reportedAt: TIME }), loop).out, [
    `${STAMP} ✓ Sent 5 measurements`,
  ]);
  assert.deepEqual(text(late(1, accepted), loop).out, [
    `${STAMP} ✓ Sent 5 measurements of iteration 1`,
  ]);
  assert.deepEqual(text({ type: "stopping" }, loop).out, [
    "",
    "",
    "Stopping... Flushing final metrics...",
  ]);
  const lost = { recorded: 15, dropped: 5, pending: 5, rejectedPoints: 1, sends: 3, exitCode: 1 };
  assert.deepEqual(text(summary(lost), { ...loop, load: true }).out, [
    "Delivered 5 of 15 measurements in 3 sends; 5 lost, 5 unsent in the spool, 1 data point rejected.",
    "Rate: 1,500 points/s in 5 requests/s, over 2 s",
    "Latency of requests: p50 12.3 ms, p90 23.4 ms, p99 38 ms, max 1,235 ms",
    "Shutdown complete.",
  ]);
});

Deno.test("event() leaves out what a loop without answers cannot tell", () => {
  const latencyMs = { p50: null, p90: null, p99: null, max: null };
  const lines = (change: Parameters<typeof summary>[0]) =>
    text(summary({ latencyMs, points: 0, ...change }), { loop: true, load: true }).out;
  assert.deepEqual(lines({ requests: 3 }), [
    "Delivered 5 of 5 measurements in 1 send.",
    "Rate: 0 points/s in 1.5 requests/s, over 2 s",
    "Shutdown complete.",
  ]);
  assert.equal(lines({ requests: 0 }).length, 2);
  const noLoad = text(summary({ requests: 3, points: 3 }), { loop: true }).out;
  assert.deepEqual(noLoad, ["Delivered 5 of 5 measurements in 1 send.", "Shutdown complete."]);
});

Deno.test("event() prints the capacity that was found, even when quiet", () => {
  const capacity: Capacity = {
    pointsPerSecond: 4947.2,
    requestsPerSecond: 24.8,
    p99Ms: 17.3,
    limitedBy: "status",
    p50Ms: 5.6,
    points: 49_472,
    requests: 248,
    message: "Confirmed 4,950 points/s",
  };
  const found = summary({ capacity });
  assert.ok(text(found, { loop: true, load: true }).out.includes(capacity.message));
  const quiet = { loop: true, load: true, output: { format: "text", level: "quiet" } } as const;
  assert.deepEqual(text(found, quiet).out, [capacity.message]);
  const object: unknown = JSON.parse(json(found).out[0] ?? "");
  assert.ok(typeof object === "object" && object !== null && "capacity" in object);
  assert.deepEqual(object.capacity, capacity);
  assert.ok(!json(summary({})).out[0]?.includes("capacity"));
});

for (const outcome of ["partial", "rejected", "failed"] as const) {
  Deno.test(`event() prints no ✓ when a send is ${outcome}`, () => {
    for (const loop of [false, true]) {
      for (
        const event of [
          send({ outcome, message: "why" }),
          late(null, { ...accepted, outcome, message: "why" }),
        ]
      ) {
        assert.deepEqual(text(event, { loop }).out, []);
      }
    }
  });
}

Deno.test("event() prints no ✓ when a signal cut a single send short, and how far it came", () => {
  const cutShort = { type: "cut-short", progress: "3 lines of the input were read" } as const;
  const message = "stopped before the end: 3 lines of the input were read";
  assert.deepEqual(text(send({ isCutShort: true })), { out: ["Sent 5 measurements."], err: [] });
  assert.deepEqual(text(cutShort), { out: [], err: [`ERROR: ${message}`] });
  assert.deepEqual(json(cutShort), {
    out: [],
    err: [JSON.stringify({ type: "error", message })],
  });
});

Deno.test("event() says on standard error what the receiver did not take, with the hint", () => {
  const trouble = { kind: "reply", status: 401, headers: new Headers() } as const;
  assert.deepEqual(text(send({ outcome: "rejected", message: "401: no", trouble })).err, [
    "ERROR: 5 measurements not delivered: 401: no",
    "  Hint: the receiver requires credentials, or different ones: set them with --header, --token-file or DT_API_TOKEN",
  ]);
  assert.deepEqual(text(send({ outcome: "partial", message: "rejected 1 of 3" })).err, [
    "ERROR: 5 measurements only partly accepted: rejected 1 of 3",
  ]);
  assert.deepEqual(text(send({ message: "old" })).err, ["WARNING: the receiver reports: old"]);
  assert.match(
    text(send({ possiblyDuplicated: true })).err.join(),
    /^WARNING: possibly duplicated/,
  );
  assert.deepEqual(
    text(send({ outcome: "failed", message: "refused", pending: 12 }), { loop: true }).err,
    ["ERROR: 5 measurements not delivered yet: refused (7 more are unsent)"],
  );
  assert.deepEqual(text(late(null, { ...accepted, outcome: "rejected", message: "400" })).err, [
    "ERROR: 5 measurements of an earlier run not delivered: 400",
  ]);
});

Deno.test("event() warns once that a partial success could not have been seen", () => {
  const message = "a partial success could not have been seen: the response body was cut off";
  for (
    const [unseen, remedy] of [
      ["unreadable", ""],
      ["not-otlp", "; check that http://h:4318/v1/metrics is an OTLP receiver"],
    ] as const
  ) {
    for (const level of ["normal", "quiet"] as const) {
      const { event } = reporter(config("text", { loop: true, level }));
      const result = { ...accepted, status: 202, message, unseen };
      const attempt = { type: "attempt", pending, result, durationMs: 1 } as const;
      assert.deepEqual(event({ ...attempt, result: accepted }).err, []);
      assert.deepEqual(event(attempt).err, [
        `WARNING: accepted with status 202, but ${message}${remedy} (later responses like this are not reported)`,
      ]);
      assert.deepEqual(event(send({ message, unseen })).err, []);
      assert.deepEqual(event(late(1, result)).err, []);
      assert.deepEqual(event(attempt).err, []);
    }
  }
});

Deno.test("event() says with `not delivered` what is dropped or left at the end", () => {
  assert.deepEqual(text({ type: "dropped", pending, reason: "too old" }).err, [
    "ERROR: 5 measurements of iteration 2 not delivered and lost: too old",
  ]);
  const trouble = {
    kind: "failure",
    cause: "refused",
    message: "connection refused",
    mayHaveArrived: false,
  } as const;
  const left = { type: "undelivered", measurements: 1, reason: "why", trouble } as const;
  assert.deepEqual(text({ ...left, spooled: false }).err, [
    "ERROR: 1 measurement not delivered and lost: why",
    "  Hint: nothing is listening on h:4318: start the receiver, or check the port",
  ]);
  assert.match(
    text({ ...left, spooled: true }, { spool: "dir" }).err[0] ?? "",
    /not delivered, kept in dir/,
  );
});

Deno.test("event() prints one object a line in the contract's order when the output is json", () => {
  const time = new Date(TIME).toISOString();
  assert.deepEqual(json(send({ message: 'say "no"' })).out, [
    `{"type":"send","time":"${time}","iteration":1,"measurements":5,"points":3,"outcome":"accepted",` +
    '"attempts":1,"status":200,"bytes":412,"durationMs":12.3,"rejectedPoints":0,' +
    '"possiblyDuplicated":false,"message":"say \\"no\\""}',
  ]);
  assert.deepEqual(json(late(1, accepted)).out, [
    `{"type":"late","time":"${time}","iteration":1,"points":3,"outcome":"accepted","attempts":2,"status":200}`,
  ]);
  assert.deepEqual(json(summary({ delivered: 0, dropped: 5, exitCode: 1 })).out, [
    '{"type":"summary","recorded":5,"delivered":0,"rejected":0,"dropped":5,"pending":0,"invalid":0,' +
    '"skipped":0,"rejectedPoints":0,"sends":1,"exitCode":1,"elapsedMs":2000,"requests":10,"points":3000,"bytes":412,' +
    '"latencyMs":{"p50":12.3,"p90":23.5,"p99":38,"max":1234.6},' +
    `"startTime":"${time}","latencyHistogram":{"bounds":[10,20],"counts":[1,2,0]},"shard":null}`,
  ]);
  assert.match(
    json(summary(), { shard: { index: 3, of: 8 } }).out[0] ?? "",
    /,"shard":\{"index":3,"of":8\}\}$/,
  );
  for (const type of ["recorded", "stopping"] as const) assert.deepEqual(json({ type }).out, []);
});

Deno.test("event() prints less with quiet and more with verbose", () => {
  const quiet = { level: "quiet" } as const;
  assert.deepEqual(text(send(), quiet).out, []);
  assert.equal(text(send({ outcome: "rejected", message: "no" }), quiet).err.length, 1);
  assert.deepEqual(json(send(), quiet).out, []);
  assert.equal(json(summary(), quiet).out.length, 1);
  const attempt: RunEvent = { type: "attempt", pending, result: accepted, durationMs: 7.25 };
  assert.deepEqual(text(attempt).err, []);
  assert.deepEqual(text(attempt, { level: "verbose" }).err, [
    "attempt 1: 3 data points, 412 bytes (gzip) -> 200 in 7.3 ms",
  ]);
  assert.deepEqual(json(attempt, { level: "verbose" }).err, [
    '{"type":"debug","message":"attempt 1: 3 data points, 412 bytes (gzip) -> 200 in 7.3 ms"}',
  ]);
});

Deno.test("event() says when a send is tried again, and when it is sent in halves", () => {
  const failed = { ...accepted, outcome: "failed", message: "503" } as const;
  assert.deepEqual(text({ type: "retry", pending, result: failed, inMs: 1250 }).err, [
    "WARNING: attempt 1 failed: 503; retrying in 1.3 s",
  ]);
  const large = { ...failed, status: 413, message: "413" };
  assert.match(
    text({ type: "split", pending, result: large }).err[0] ?? "",
    /two halves$/,
  );
  assert.match(text({ type: "missed", sends: 1 }).err[0] ?? "", /: 1 send was skipped$/);
});

Deno.test("localTime() writes the local time in the predecessor's form", () => {
  assert.equal(`[${localTime(TIME)}]`, STAMP);
});
