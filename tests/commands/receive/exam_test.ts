import assert from "node:assert/strict";
import { create } from "@bufbuild/protobuf";
import { ExportMetricsServiceRequestSchema } from "../../../src/otlp/gen/opentelemetry/proto/collector/metrics/v1/metrics_service_pb.ts";
import { AggregationTemporality } from "../../../src/otlp/gen/opentelemetry/proto/metrics/v1/metrics_pb.ts";
import {
  Exam,
  examFailures,
  type Examination,
  type ExamVerdict,
} from "../../../src/commands/receive/exam.ts";
import { EXAM_CASES } from "../../../src/commands/receive/exam_cases.ts";
import { testCases } from "../../support/cases.ts";
import { SimulatedClock } from "../../support/simulation.ts";
import { GOOD, init } from "./serving.ts";

const NEVER = new AbortController().signal;
const NAMES = EXAM_CASES.map(({ name }) => name);

/** An exam in simulated time, and an exporter's side of it. */
class Session {
  readonly clock = new SimulatedClock();
  readonly exam: Exam;

  constructor(...names: string[]) {
    const cases = EXAM_CASES.filter(({ name }) => names.length === 0 || names.includes(name));
    this.exam = new Exam(this.clock, cases);
  }

  /** Sends the request with that number. */
  send(number: number, { status = 200, points = 1, cumulative = false } = {}) {
    const shape = init([{ ...GOOD, timeUnixNano: BigInt(number) }]);
    const request = create(ExportMetricsServiceRequestSchema, shape);
    const data = request.resourceMetrics[0]?.scopeMetrics[0]?.metrics[0]?.data;
    assert.equal(data?.case, "histogram");
    if (cumulative) data.value.aggregationTemporality = AggregationTemporality.CUMULATIVE;
    return this.exam.examine({ request, verdict: { points, status } }, this.clock.monotonic());
  }

  wait(seconds: number): Promise<void> {
    return this.clock.sleep(seconds * 1000, NEVER);
  }

  run(work: () => Promise<unknown>): Promise<unknown> {
    return this.clock.run(work());
  }
}

Deno.test("Exam gives each new request the next trouble, and repeated ones to the judge", () => {
  const session = new Session();
  const troubles: Examination[] = [];
  for (let i = 0; i < NAMES.length; i++) {
    const examination = session.send(i);
    assert.ok(examination !== undefined);
    troubles.push(examination);
    assert.equal(session.send(i), undefined);
  }
  assert.deepEqual(troubles.map(({ trouble }) => trouble), EXAM_CASES.map((it) => it.trouble));
  assert.equal(session.send(100), undefined);
});

Deno.test("Exam leaves requests without data points to the judge", () => {
  const session = new Session();
  assert.equal(session.send(1, { points: 0 }), undefined);
  assert.deepEqual(session.send(2)?.trouble, { kind: "status", status: 503 });
});

Deno.test("Exam is over when an exporter has reacted to every case, 5 s after the last silence began", async () => {
  const session = new Session();
  let seconds = NaN;
  await session.run(async () => {
    const from = session.clock.monotonic();
    for (const [i, { expects, trouble }] of EXAM_CASES.entries()) {
      const examination = session.send(i);
      await session.wait(trouble.kind === "hang" ? 3 : trouble.kind === "status" ? 2 : 1);
      if (trouble.kind === "hang") examination?.givenUp();
      if (expects === "repeat") session.send(i);
    }
    await session.exam.over;
    seconds = (session.clock.monotonic() - from) / 1000;
  });
  const verdicts = session.exam.end({ hasExporterEnded: false });
  assert.deepEqual(
    verdicts.map(({ name, ok }) => [name, ok]),
    NAMES.map((name) => [name, true]),
  );
  assert.deepEqual(examFailures(verdicts), []);
  // status-204 was answered 4 s before the last repetition.
  assert.equal(seconds, 2 * 4 + 1 * 4 + 3 + 1);
});

Deno.test("Exam fails an exporter that repeats where it must not, and gives up where it must not", async () => {
  const session = new Session();
  await session.run(async () => {
    for (const [i, { expects }] of EXAM_CASES.entries()) {
      const examination = session.send(i);
      examination?.givenUp();
      if (expects === "no-repeat") session.send(i);
    }
    await session.exam.over;
  });
  const verdicts = session.exam.end({ hasExporterEnded: false });
  assert.deepEqual(verdicts.map(({ ok }) => ok), NAMES.map(() => false));
  assert.deepEqual(examFailures(verdicts), [`--exam: 9 cases failed: ${NAMES.join(", ")}`]);
});

interface Case {
  readonly name: string;
  readonly examCase: string;
  readonly exporter: (session: Session) => Promise<unknown>;
  readonly hasEnded?: boolean;
  readonly ok: boolean | null;
  readonly detail: RegExp;
}

/** Sends, waits, and sends again as often as there are numbers of seconds. */
const repeatedAfter =
  (...waits: number[]) => async (session: Session, sent: Parameters<Session["send"]>[1] = {}) => {
    session.send(1, sent);
    for (const seconds of waits) {
      await session.wait(seconds);
      session.send(1, sent);
    }
  };

const CASES: readonly Case[] = [
  {
    name: "a repetition before Retry-After is over fails",
    examCase: "retry-after",
    exporter: repeatedAfter(1.9),
    ok: false,
    detail: /^The exporter sent the request again 1\.9 s after 429 with Retry-After: 2\. /,
  },
  {
    name: "a repetition after Retry-After passes",
    examCase: "retry-after",
    exporter: repeatedAfter(2),
    ok: true,
    detail: /"OTLP\/HTTP Throttling".* No data was lost\.$/,
  },
  {
    name: "5 s of silence are counted from the end of Retry-After",
    examCase: "retry-after",
    exporter: async (session) => {
      session.send(1);
      await session.wait(6.9);
    },
    ok: null,
    detail: /^The run ended 6\.9 s after 429 with Retry-After: 2, too early for a verdict\.$/,
  },
  {
    name: "silence where a retry is due loses data",
    examCase: "retry-503",
    exporter: async (session) => {
      session.send(1);
      await session.exam.over;
    },
    ok: false,
    detail:
      /^The exporter did not send the request again within 5\.0 s after 503\. .*"Retryable Response Codes".* Exported data was lost\.$/,
  },
  {
    name: "silence loses cumulative data for a while only",
    examCase: "retry-503",
    exporter: async (session) => {
      session.send(1, { cumulative: true });
      await session.exam.over;
    },
    ok: false,
    detail: /lost until the next cumulative export makes up for it\.$/,
  },
  {
    name: "a repetition after the silence counts as long as the run lasts",
    examCase: "retry-503",
    exporter: repeatedAfter(7.5),
    ok: true,
    detail: /^The exporter sent the request again 7\.5 s after 503\. /,
  },
  {
    name: "an accepted request that is sent once more is counted twice",
    examCase: "retry-503",
    exporter: repeatedAfter(1, 1),
    ok: false,
    detail: /and once more after it was accepted\. .* Exported data was counted twice\.$/,
  },
  {
    name: "a refused request may be sent once more",
    examCase: "retry-503",
    exporter: (session) => repeatedAfter(1, 1)(session, { status: 503 }),
    ok: true,
    detail: /No data was lost\.$/,
  },
  {
    name: "a repetition of what was accepted counts data twice",
    examCase: "status-204",
    exporter: repeatedAfter(0.5),
    ok: false,
    detail:
      /^The exporter sent the request again 0\.5 s after 204\. .* Exported data was counted twice\.$/,
  },
  {
    name: "a run that ends within the silence is undecided",
    examCase: "no-retry-400",
    exporter: (session) => Promise.resolve(session.send(1)),
    ok: null,
    detail: /^The run ended 0\.0 s after 400, too early for a verdict\.$/,
  },
  {
    name: "an exporter that has ended repeats nothing any more",
    examCase: "no-retry-400",
    exporter: (session) => Promise.resolve(session.send(1)),
    hasEnded: true,
    ok: true,
    detail: /^The exporter did not send the request again before it ended after 400\. /,
  },
  {
    name: "a client that still waits is undecided",
    examCase: "no-answer",
    exporter: async (session) => {
      session.send(1);
      await session.wait(12);
    },
    ok: null,
    detail: /^The exporter was still waiting when the run ended, after 12\.0 s\.$/,
  },
  {
    name: "a client that repeats has given up",
    examCase: "no-answer",
    exporter: repeatedAfter(3),
    ok: true,
    detail:
      /^The exporter sent the request again 0\.0 s after giving up 3\.0 s after the request\. /,
  },
  {
    name: "a case that no request came to is undecided",
    examCase: "reset",
    exporter: () => Promise.resolve(),
    ok: null,
    detail: /^No request reached this case\.$/,
  },
];

testCases(CASES.map(({ name, examCase, exporter, hasEnded = false, ok, detail }) => ({
  name: `Exam, ${examCase}: ${name}`,
  async run() {
    const session = new Session(examCase);
    await session.run(() => exporter(session));
    const [verdict]: readonly ExamVerdict[] = session.exam.end({ hasExporterEnded: hasEnded });
    assert.equal(verdict?.ok, ok);
    assert.match(verdict?.detail ?? "", detail);
  },
})));
