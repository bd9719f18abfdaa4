import assert from "node:assert/strict";
import { main as conventions } from "../../scripts/conventions.ts";
import { advisedBounds, modelRows, renamedMetrics } from "../../scripts/conventions/checkout.ts";
import { packageRows } from "../../scripts/conventions/package.ts";

Deno.test("the table of the conventions is current, and --check sees when it is not", async () => {
  const root = new URL("../../", import.meta.url);
  assert.equal(await conventions(["--check"], root), 0);
  const copy = await Deno.makeTempDir({ prefix: "otlp-histogram-conventions-" });
  const printed: unknown[] = [];
  const error = console.error;
  console.error = (line) => printed.push(line);
  try {
    await Deno.mkdir(`${copy}/scripts/conventions`, { recursive: true });
    await Deno.mkdir(`${copy}/src/aggregate`, { recursive: true });
    const extract = "scripts/conventions/extract.json";
    await Deno.copyFile(new URL(extract, root), `${copy}/${extract}`);
    const table = "src/aggregate/convention_table.ts";
    const current = await Deno.readTextFile(new URL(table, root));
    await Deno.writeTextFile(`${copy}/${table}`, current.replace("0.005", "0.006"));
    assert.equal(await conventions(["--check"], new URL(`file://${copy}/`)), 1);
  } finally {
    console.error = error;
    await Deno.remove(copy, { recursive: true });
  }
  assert.match(
    printed.join("\n"),
    /^src\/aggregate\/convention_table\.ts .*`deno task conventions`/,
  );
});

Deno.test("advisedBounds() reads a list on one line or two, and the advice of a single bucket", () => {
  const page = [
    "### Metric: `a.duration`",
    "This metric SHOULD be specified with [`ExplicitBucketBoundaries` advisory parameter](https://x.y/#z) of `[ 0.5, 1 ]`.",
    "<!-- semconv metric.a.duration -->",
    "## Metric: `b.duration`",
    "This metric SHOULD be specified with [ExplicitBucketBoundaries] of",
    "[1, 2.5].",
    "#### Metric: `c.duration`",
    "`ExplicitBucketBoundaries` with a single bucket with no boundaries.",
    "### Metric: `d.duration`",
    "This metric is recommended.",
    "<!-- semconv metric.d.duration -->",
    "Quotes ExplicitBucketBoundaries of `[ 7 ]`.",
  ].join("\n");
  assert.deepEqual([...advisedBounds(page)], [
    ["a.duration", [0.5, 1]],
    ["b.duration", [1, 2.5]],
    ["c.duration", []],
  ]);
});

Deno.test("advisedBounds() throws when it cannot read the advice", () => {
  const page = "### Metric: `a.duration`\nWith `ExplicitBucketBoundaries` as below.\n";
  assert.throws(() => advisedBounds(page), /advised bounds of a\.duration/);
});

Deno.test("modelRows() reads both formats of the model, and histograms alone", () => {
  const histogram = { instrument: "histogram", unit: "s", stability: "stable" };
  const rows = modelRows({
    groups: [
      { type: "metric", metric_name: "a", ...histogram },
      {
        type: "metric",
        metric_name: "old",
        ...histogram,
        deprecated: { note: "Replaced by `a`." },
      },
      { type: "metric", metric_name: "count", ...histogram, instrument: "counter" },
    ],
    metrics: [{ name: "b", ...histogram, deprecated: { renamed_to: "a" } }],
  }, new Map([["a", [1]]]));
  assert.deepEqual(
    rows.map(({ name, stability, bounds, renamedTo }) => [
      name,
      stability,
      bounds,
      renamedTo,
    ]),
    [
      ["a", "stable", [1], null],
      ["old", "deprecated", null, "a"],
      ["b", "deprecated", null, "a"],
    ],
  );
});

Deno.test("renamedMetrics() follows a name through several versions", () => {
  const change = (from: string, to: string) => ({
    metrics: { changes: [{ rename_metrics: { [from]: to } }] },
  });
  const schema = {
    versions: { "1.3.0": change("b", "c"), "1.2.0": null, "1.1.0": change("a", "b") },
  };
  assert.deepEqual([...renamedMetrics(schema)], [["b", "c"], ["a", "c"]]);
});

Deno.test("packageRows() reads units and old names from the package of PyPI", () => {
  const rows = packageRows(`
A_DURATION: Final = "a.duration"
"""
Deprecated: Replaced by \`b.duration\` with unit \`s\`.
"""


def create_a_duration(meter: Meter) -> Histogram:
    """Deprecated"""
    return meter.create_histogram(
        name=A_DURATION,
        description="Says \\"a\\".",
        unit="ms",
    )


A_COUNT: Final = "a.count"
"""
Counts
"""


def create_a_count(meter: Meter) -> Counter:
    return meter.create_counter(name=A_COUNT, description="", unit="1")
`);
  assert.deepEqual(rows, [{
    name: "a.duration",
    unit: "ms",
    stability: "deprecated",
    bounds: null,
    renamedTo: "b.duration",
  }]);
});
