import assert from "node:assert/strict";
import { decode, type Histogram } from "../support/decode.ts";
import { startProgram } from "../support/program.ts";
import { startReceiver } from "../support/receiver.ts";
import { measure } from "../support/run_fixture.ts";
import { missing, namedUnless, tool } from "../support/tools.ts";

// Two readings each of what real targets expose. expected.py says what they hold, found with prometheus_client's parsers.

const DIRECTORY = new URL("../fixtures/expositions/", import.meta.url);

/** One series: the values counted in it, and how many of them are at or below each bound. */
interface ExpectedSeries {
  readonly family: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly count: number;
  readonly sum: number;
  readonly below: Readonly<Record<string, number>>;
}

interface Exposed {
  readonly name: string;
  /** All that the first reading holds. */
  readonly all: readonly ExpectedSeries[];
  /** Difference that the second one adds. */
  readonly gain: readonly ExpectedSeries[];
}

const EXPOSED: readonly Exposed[] = JSON.parse(
  await Deno.readTextFile(new URL("expected.json", DIRECTORY)),
);

/** Targets with metrics that look like a histogram and are not, or without any, and the words about them. */
const WORDS: Readonly<Record<string, readonly RegExp[]>> = {
  haproxy: [],
  minio: [/^not used: minio_s3_requests_ttfb_seconds_distribution: it has buckets, but no line/],
  "node-exporter": [],
  pushgateway: [],
  victoriametrics: [
    /^not used: vmselect_request_duration_seconds_bucket: .* VictoriaMetrics' vmrange/,
    /^not used: go_sched_latencies_seconds_bucket: it has buckets, but no line declares its TYPE/,
  ],
};
/** Targets whose values lie above the last bound that they chose themselves. */
const OVERFLOWING: readonly string[] = ["coredns", "nginx-lua"];
const OVERFLOW = /^rule overflow-bucket: /;
const NONE = /^not used: the exposition has no classic histogram/;

const readingOf = (name: string, n: 1 | 2) =>
  Deno.readFile(new URL(`${name}-${n}.prom`, DIRECTORY));

function keyOf(family: string, attributes: Readonly<Record<string, unknown>>): string {
  // A scope is not an attribute of the data points.
  const own = Object.entries(attributes).filter(([key]) => !key.startsWith("otel_scope_"));
  return `${family} ${own.map(([k, v]) => `${k}=${v}`).sort().join()}`;
}

function assertSeries(metrics: readonly Histogram[], expected: readonly ExpectedSeries[]): void {
  const found = new Map(
    metrics.flatMap(({ name, points }) =>
      points.map((point) => [keyOf(name, point.attributes), point])
    ),
  );
  assert.deepEqual(
    [...found.keys()].sort(),
    expected.map(({ family, attributes }) => keyOf(family, attributes)).sort(),
  );
  for (const { family, attributes, count, sum, below } of expected) {
    const point = found.get(keyOf(family, attributes));
    assert.equal(point?.count, count);
    assert.ok(Math.abs((point?.sum ?? NaN) - sum) <= 1e-9 * Math.abs(sum) + 1e-12);
    let total = 0;
    const cumulative = point?.bounds.map((bound, i) => [bound, total += point.counts[i] ?? 0]);
    assert.deepEqual(
      cumulative,
      Object.entries(below).map(([bound, value]) => [Number(bound), value])
        .sort(([a = 0], [b = 0]) => a - b),
    );
  }
}

for (const { name, all, gain } of EXPOSED) {
  Deno.test(`--input reads the histograms that ${name} exposes`, async () => {
    const words = WORDS[name];
    const args = name === "victoriametrics" ? ["--input-format", "prometheus"] : [];
    const sent = await measure({
      args: ["--input", "metrics", ...args],
      files: { metrics: await readingOf(name, 1) },
      status: words === undefined ? 0 : 1,
      posts: all.length > 0 ? 1 : 0,
      said: words !== undefined ? [...words, NONE] : OVERFLOWING.includes(name) ? [OVERFLOW] : [],
    });
    assertSeries(sent.requests.flatMap(({ content }) => decode(content).metrics), all);
  });

  Deno.test(`--scrape sends what ${name} counts between two readings`, async () => {
    const bodies = [await readingOf(name, 1), await readingOf(name, 2)];
    const last = new TextDecoder().decode(bodies[1]);
    const type = last.trimEnd().endsWith("# EOF")
      ? "application/openmetrics-text; version=1.0.0"
      : "text/plain; version=0.0.4";
    const server = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen() {} },
      () => new Response(bodies.shift() ?? last, { headers: { "content-type": type } }),
    );
    await using _ = { [Symbol.asyncDispose]: () => server.shutdown() };
    await using receiver = await startReceiver();
    await using program = await startProgram({
      args: [
        ...["--endpoint", receiver.url, "--scrape", `http://127.0.0.1:${server.addr.port}`],
        ...["--loop", "--interval", "1", "--iterations", "1", "--service", "shop"],
      ],
    });
    const { status, stderr } = await program.finished;
    assert.equal(status, 0, stderr);
    for (const word of WORDS[name] ?? []) {
      assert.match(stderr, new RegExp(word.source.replace("^", "^WARNING: "), "m"));
    }
    if (WORDS[name] === undefined) assert.equal(stderr, "");
    assertSeries(receiver.requests.flatMap(({ content }) => decode(content).metrics), gain);
  });
}

Deno.test({
  ...namedUnless(
    missing("PROMETHEUS_PYTHON"),
    "expected.json is what expositions/expected.py prints",
  ),
  async fn() {
    const { stdout, stderr } = await new Deno.Command(tool("PROMETHEUS_PYTHON"), {
      args: [new URL("expected.py", DIRECTORY).pathname],
    }).output();
    const printed: unknown = JSON.parse(new TextDecoder().decode(stdout) || "null");
    assert.deepEqual(printed, EXPOSED, new TextDecoder().decode(stderr));
  },
});
