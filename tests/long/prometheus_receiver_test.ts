import assert from "node:assert/strict";
import { decodeRequest } from "../../src/otlp/decode.ts";
import { startCollector } from "../support/collector.ts";
import { startProgram } from "../support/program.ts";
import { type Receiver, startReceiver } from "../support/receiver.ts";
import { seeded } from "../support/seeded.ts";
import { missing, namedUnless } from "../support/tools.ts";

// The program and a Collector (prometheus receiver, cumulativetodelta) scrape one target. That only goes on when both
// have seen its state, so both see the same sequence of states, and the sums of their deltas have to be equal.

const BOUNDS = [0.1, 0.5, 2.5] as const;
const STATES = 40;
const SERIES = 20;
/** States at which the target has begun again. */
const RESTARTS: readonly number[] = [13, 27];
/** Series that come and go. */
const APPEARS = { at: 6, series: "appears" } as const;
const PAUSES = { from: 16, to: 22, series: "pauses" } as const;

/** Counts in the buckets of every series since the target began. */
type State = ReadonlyMap<string, readonly number[]>;

function statesOf(random: () => number): readonly State[] {
  const states: State[] = [];
  let counted = new Map<string, readonly number[]>();
  for (let at = 0; at < STATES; at++) {
    const restarted = at === 0 || RESTARTS.includes(at);
    // A first state has something in it, and less than the target had counted before.
    const most = at === 0 ? 200 : restarted ? 3 : 10;
    const names = [
      ...Array.from({ length: SERIES }, (_, i) => `s${i}`),
      ...at >= APPEARS.at ? [APPEARS.series] : [],
      PAUSES.series,
    ];
    const next = new Map<string, readonly number[]>();
    for (const name of names) {
      const before = restarted ? undefined : counted.get(name);
      next.set(
        name,
        [...BOUNDS, Infinity].map((_, i) => {
          const added = before !== undefined && random() < 0.3 ? 0 : Math.floor(random() * most);
          return (before?.[i] ?? 0) + added;
        }),
      );
    }
    counted = next;
    states.push(counted);
  }
  return states.map((state, at) =>
    at >= PAUSES.from && at < PAUSES.to
      ? new Map([...state].filter(([name]) => name !== PAUSES.series))
      : state
  );
}

function exposition(state: State): string {
  const lines = ["# HELP work_seconds How long.", "# TYPE work_seconds histogram"];
  for (const [series, counts] of state) {
    let below = 0;
    [...BOUNDS, "+Inf"].forEach((bound, i) => {
      below += counts[i] ?? 0;
      lines.push(`work_seconds_bucket{series="${series}",le="${bound}"} ${below}`);
    });
    lines.push(`work_seconds_sum{series="${series}"} ${sumOf(counts)}`);
    lines.push(`work_seconds_count{series="${series}"} ${below}`);
  }
  return `${lines.join("\n")}\n`;
}

/** Quarters, which add up without an error. */
function sumOf(counts: readonly number[]): number {
  return counts.reduce((sum, count, i) => sum + count * (i + 0.25), 0);
}

/** A target that goes on to its next state when both have seen this one. */
function startTarget(states: readonly State[]) {
  let at = 0;
  let seen = new Set<string>();
  let scrapesOfLast = 0;
  const done = Promise.withResolvers<void>();
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, ({ url }) => {
    const by = new URL(url).pathname;
    if (seen.size === 2 && at < states.length - 1) {
      at++;
      seen = new Set();
    }
    seen.add(by);
    if (at === states.length - 1 && seen.size === 2 && ++scrapesOfLast === 8) done.resolve();
    return new Response(exposition(states[at] ?? new Map()), {
      headers: { "content-type": "text/plain; version=0.0.4" },
    });
  });
  return {
    at: `127.0.0.1:${server.addr.port}`,
    done: done.promise,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

function configuration(target: string, endpoint: string): string {
  return `
receivers:
  prometheus:
    config:
      scrape_configs:
        - job_name: target
          scrape_interval: 200ms
          scrape_timeout: 200ms
          metrics_path: /collector
          static_configs: [{targets: ["${target}"]}]
processors:
  cumulativetodelta: {}
exporters:
  otlp_http: {endpoint: "${endpoint}", compression: none}
service:
  telemetry: {metrics: {level: none}}
  pipelines:
    metrics: {receivers: [prometheus], processors: [cumulativetodelta], exporters: [otlp_http]}
`;
}

interface Total {
  readonly counts: readonly number[];
  readonly count: number;
  readonly sum: number;
}

const NOTHING: Total = { counts: [0, 0, 0, 0], count: 0, sum: 0 };

function plus(a: Total, b: Total): Total {
  return {
    counts: a.counts.map((count, i) => count + (b.counts[i] ?? 0)),
    count: a.count + b.count,
    sum: a.sum + b.sum,
  };
}

/** The sums of all deltas, by series. */
function totalsOf({ requests }: Receiver): ReadonlyMap<string, Total> {
  const totals = new Map<string, Total>();
  const metrics = requests.flatMap(({ content }) => decodeRequest(content).resourceMetrics)
    .flatMap(({ scopeMetrics }) => scopeMetrics).flatMap(({ metrics }) => metrics);
  for (const { name, data } of metrics) {
    if (name !== "work_seconds" || data.case !== "histogram") continue;
    assert.equal(data.value.aggregationTemporality, 1, "deltas");
    for (const point of data.value.dataPoints) {
      // A flagged data point has no value: Prometheus' mark that a series is gone.
      if ((point.flags & 1) !== 0) continue;
      assert.deepEqual(point.explicitBounds, [...BOUNDS]);
      const series = point.attributes.find(({ key }) => key === "series")?.value?.value.value;
      const counts = point.bucketCounts.map(Number);
      const total = { counts, count: Number(point.count), sum: point.sum ?? NaN };
      totals.set(String(series), plus(totals.get(String(series)) ?? NOTHING, total));
    }
  }
  return totals;
}

/** Counts of each series after the first state, in all and in the states in which it began, or began again. */
function truthOf(states: readonly State[]) {
  const all = new Map<string, Total>();
  const begun = new Map<string, Total>();
  const last = new Map<string, readonly number[]>(states[0]);
  for (const [series, now] of states.slice(1).flatMap((state) => [...state])) {
    const before = last.get(series);
    const isNew = before === undefined || now.some((count, i) => count < (before[i] ?? 0));
    const counts = now.map((count, i) => isNew ? count : count - (before[i] ?? 0));
    const count = counts.reduce((sum, count) => sum + count, 0);
    const total = { counts, count, sum: sumOf(counts) };
    all.set(series, plus(all.get(series) ?? NOTHING, total));
    if (isNew) begun.set(series, plus(begun.get(series) ?? NOTHING, total));
    last.set(series, now);
  }
  return { all, begun };
}

Deno.test({
  ...namedUnless(
    missing("OTELCOL_CONTRIB"),
    "--scrape sends what a Collector's prometheus receiver and cumulativetodelta make of the same target, and more",
  ),
  async fn() {
    const states = statesOf(seeded(12));
    await using target = startTarget(states);
    await using ours = await startReceiver();
    await using theirs = await startReceiver();
    await using program = await startProgram({
      args: [
        ...["--endpoint", ours.url, "--scrape", `http://${target.at}/program`],
        ...["--loop", "--interval", "0.2"],
      ],
      timeoutMs: 120_000,
    });
    {
      await using _ = await startCollector(configuration(target.at, theirs.url));
      await target.done;
    }
    program.signal("SIGTERM");
    const { status, stderr } = await program.finished;
    assert.equal(status, 0, stderr);

    const { all, begun } = truthOf(states);
    const sent = totalsOf(ours);
    assert.deepEqual(sent, all);
    // The processor takes the first value after a restart, and of a series that appears, as a new base line: its deltas
    // lack exactly those, which the program sends.
    const theirTotals = totalsOf(theirs);
    const completed = [...sent.keys()].map((series): [string, Total] => [
      series,
      plus(theirTotals.get(series) ?? NOTHING, begun.get(series) ?? NOTHING),
    ]);
    assert.deepEqual(new Map(completed), sent);
    const measurements = (totals: ReadonlyMap<string, Total>) =>
      totals.values().reduce((sum, { count }) => sum + count, 0);
    console.log(
      `${sent.size} series, ${RESTARTS.length} restarts: ${
        measurements(sent)
      } measurements sent by the program, ` +
        `${measurements(theirTotals)} by the Collector, which leaves out ${measurements(begun)}`,
    );
  },
});
