import { SAMPLE_IDENTITY } from "../../../src/aggregate/identity.ts";
import assert from "node:assert/strict";
import type { PlotConfig } from "../../../src/commands/plot/plot_config.ts";
import { plotMeasurements } from "../../../src/commands/plot/command.ts";
import { DRIVES_A_TERMINAL } from "../../support/terminal.ts";
import { plotSystem, type Written } from "./system.ts";

const DEFAULT = [5, 10, 25, 50, 75, 100, 250, 500, 1000, 2500, 5000];

type Change = Partial<Omit<PlotConfig, "metric" | "output">> & {
  readonly format?: "text" | "json";
  readonly metric?: Partial<PlotConfig["metric"]>;
};

function config({ format = "text", metric = {}, ...change }: Change): PlotConfig {
  return {
    source: INPUT,
    output: { format },
    suggest: undefined,
    color: false,
    follow: false,
    warnings: [],
    ...change,
    metric: {
      name: "http.server.duration",
      unit: "ms",
      description: "",
      bounds: DEFAULT,
      maxSeries: 10_000,
      resource: {},
      scope: SAMPLE_IDENTITY.scope,
      userResource: {},
      attributes: {},
      ...metric,
    },
  };
}

const INPUT: PlotConfig["source"] = {
  kind: "input",
  paths: ["-"],
  follow: false,
  format: "ndjson",
  pattern: undefined,
  delimiter: undefined,
  values: [{ field: "value", metric: undefined }],
  attrFields: undefined,
  where: [],
  scale: 1,
  time: undefined,
  notOfExpositions: [],
};

function lines(measurements: readonly (readonly [number, Record<string, unknown>])[]): string {
  return measurements.map(([value, attributes]) => `${JSON.stringify({ value, attributes })}\n`)
    .join("");
}

async function plotted(change: Change, written: Written) {
  const code = await plotMeasurements(config(change), written.system);
  return { code, out: written.out(), err: written.err() };
}

const SMALL = lines([[12, { route: "/" }], [40, { route: "/" }], [41, { route: "/" }], [700, {
  route: "/slow path",
}]]);

for (const columns of [40, 80, 120]) {
  Deno.test(`plotMeasurements() draws series, their percentiles and totals at a width of ${columns}`, async () => {
    const { code, out, err } = await plotted(
      { suggest: { most: 3, keep: [] } },
      plotSystem(SMALL, { columns }),
    );
    assert.equal(code, 0);
    assert.equal(err, "");
    assert.equal(
      out,
      await Deno.readTextFile(new URL(`snapshots/${columns}.txt`, import.meta.url)),
    );
    // Text to paste is not wrapped.
    const [before = ""] = out.split("In an SDK");
    const drawn = before.split("\n").filter((line) => !line.startsWith("  --buckets"));
    assert.ok(drawn.every((line) => line.length <= columns));
  });
}

Deno.test("plotMeasurements() lets hostile names do nothing to a terminal", async () => {
  const evil = "\x1b[2J\x9b31m\u202e\u2028\x07";
  const input = lines([[5, { [evil]: evil, [`${evil}=`]: 7 }]]);
  for (const format of ["text", "json"] as const) {
    const { out } = await plotted(
      { format, suggest: { most: 2, keep: [] }, metric: { name: `a${evil}`, unit: evil } },
      plotSystem(input, { columns: 80 }),
    );
    assert.match(out, /u009b31m/);
    assert.doesNotMatch(out, DRIVES_A_TERMINAL);
    if (format === "json") {
      assert.equal(JSON.parse(out.split("\n")[0] ?? "").attributes[evil], evil);
    }
  }
});

Deno.test("plotMeasurements() draws the largest 20 series and counts the others", async () => {
  const input = lines(
    Array.from({ length: 300 }, (_, i) => [i, { i: Math.floor(Math.sqrt(i)) }]),
  );
  const { out } = await plotted({}, plotSystem(input));
  const counts = [...out.matchAll(/ count (\d+)/g)].map((found) => Number(found[1])).slice(0, -1);
  assert.deepEqual(counts, counts.toSorted((a, b) => b - a));
  assert.equal(counts.length, 18);
  const many = lines(Array.from({ length: 25 }, (_, i) => [i, { i }]));
  const drawn = (await plotted({}, plotSystem(many))).out;
  assert.match(drawn, /… and 5 more series\n/);
  assert.match(drawn, /all 25 series together\n {4}count 25,/);
  assert.match(drawn, /Total: 25 measurements in 25 series\n$/);
});

Deno.test("plotMeasurements() folds what is beyond --max-series, and says so", async () => {
  const input = lines(Array.from({ length: 60 }, (_, i) => [i + 1, { i: i % 6 }]));
  const fold = async (maxSeries: number) => {
    const found = await plotted({ format: "json", metric: { maxSeries } }, plotSystem(input));
    const series = found.out.trimEnd().split("\n").map((line) => JSON.parse(line));
    return { series, err: found.err };
  };
  const { series, err } = await fold(3);
  assert.deepEqual(series.map(({ attributes, count }) => [attributes, count]), [
    [{ "otel.metric.overflow": true }, 40],
    [{ i: 0 }, 10],
    [{ i: 1 }, 10],
  ]);
  assert.match(err, /"40 measurements of 4 series were merged into one data point .*--max-series"/);
  const all = await fold(6);
  assert.equal(all.series.length, 6);
  assert.equal(all.err, "");
  assert.equal((await fold(1)).series[0].count, 60);
});

Deno.test("plotMeasurements() says when there is nothing to draw", async () => {
  for (const format of ["text", "json"] as const) {
    const { code, err } = await plotted(
      { format, suggest: { most: 11, keep: [] } },
      plotSystem(""),
    );
    assert.equal(code, 0);
    assert.match(err, /there are no measurements to draw/);
  }
});

Deno.test("plotMeasurements() draws what there was when it is stopped", async () => {
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const written = plotSystem(readable, { clock: { ...QUIET, sleep: slept } });
  const writer = writable.getWriter();
  async function slept(_ms: number, signal: AbortSignal) {
    await new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      else signal.addEventListener("abort", () => resolve(), { once: true });
      written.stop.abort();
    });
  }
  const running = plotMeasurements(config({}), written.system);
  await writer.write(new TextEncoder().encode(SMALL));
  assert.equal(await running, 1);
  assert.match(written.out(), /^Total: /m);
  assert.match(
    written.err(),
    /^ERROR: stopped before the end: \d lines? of the input (was|were) read/m,
  );
});

const QUIET = { wall: () => 0, monotonic: () => 0 };

Deno.test("plotMeasurements() draws in place on a terminal while an input grows", async () => {
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const writer = writable.getWriter();
  let now = 0;
  let ticks = 0;
  const clock = {
    wall: () => now,
    monotonic: () => now,
    async sleep(ms: number) {
      // The reader only lets everything else have its turn: it takes no bytes meanwhile.
      if (ms === 1) return;
      await writer.write(new TextEncoder().encode(SMALL));
      for (let i = 0; i < 20; i++) await Promise.resolve();
      now += Math.min(ms, 1000);
      if (++ticks === 3) written.stop.abort();
    },
  };
  const written = plotSystem(readable, { columns: 80, rows: 40, clock });
  // Only a file can be followed: this input has an end that a signal cuts off.
  assert.equal(await plotMeasurements(config({ follow: true }), written.system), 1);
  // deno-lint-ignore no-control-regex
  const screens = written.out().split(/\x1b\[J/);
  assert.ok(screens.length >= 3);
  assert.match(screens.at(-1) ?? "", /Total: \d+ measurements in 2 series\n$/);
});

Deno.test("plotMeasurements() names the semantic conventions' bounds where they do as well", async () => {
  const source = { kind: "values", values: [0.01, 0.01, 0.01] } as const;
  const of = async (unit: string) =>
    (await plotted({ source, suggest: { most: 11, keep: [] }, metric: { unit } }, plotSystem()))
      .out;
  const named =
    /The bounds of the semantic conventions are as good .*\n {2}--buckets 0.005,0.01,.*,7.5,10\n/;
  assert.match(await of("s"), named);
  assert.match(await of("ms"), /are as good .*\n {2}--buckets 5,10,25,50,75,100,250,500,750,1000,/);
  assert.doesNotMatch(await of("By"), /conventions/);
});
