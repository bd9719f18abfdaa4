import assert from "node:assert/strict";
import { parseConfigFile } from "@opentelemetry/configuration";
import {
  AggregationTemporality,
  AggregationType,
  DataPointType,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
  type ViewOptions,
} from "@opentelemetry/sdk-metrics";
import { type HistogramView, sdkViews } from "../../src/aggregate/sdk_view.ts";
import { each } from "../support/cases.ts";
import { missing, namedUnless, tool } from "../support/tools.ts";

const VIEWS: readonly HistogramView[] = [
  { name: "checkout.duration", bounds: [0.005, 0.25, 1, 120.5] },
  { name: "Payload/size", bounds: [1e-7, 1024, 1e21] },
  { name: "one.bucket", bounds: [] },
];
const ODD = 'a"b\\c$d ${HOME} [e] é\u2028\n';

function viewsIn(language: string, views: readonly HistogramView[] = VIEWS): readonly string[] {
  const found = sdkViews(views).find((each) => each.language === language);
  assert.ok(found !== undefined, language);
  return found.lines;
}

function javaScriptViews(views: readonly HistogramView[]): ViewOptions[] {
  const text = `return [${viewsIn("JavaScript", views).join("\n")}]`;
  return new Function("AggregationType", text)(AggregationType);
}

Deno.test("sdkViews() gives the SDK for JavaScript its bounds", async () => {
  const exporter = new InMemoryMetricExporter(AggregationTemporality.DELTA);
  const reader = new PeriodicExportingMetricReader({ exporter });
  const provider = new MeterProvider({ readers: [reader], views: javaScriptViews(VIEWS) });
  const meter = provider.getMeter("test");
  for (const { name } of VIEWS) meter.createHistogram(name).record(1);
  meter.createHistogram("other").record(1);
  await provider.forceFlush();
  const sent = exporter.getMetrics().flatMap(({ scopeMetrics }) => scopeMetrics)
    .flatMap(({ metrics }) => metrics).map(({ descriptor, dataPoints, dataPointType }) => {
      assert.equal(dataPointType, DataPointType.HISTOGRAM);
      return [descriptor.name, dataPoints.map(({ value }) => Object(value).buckets.boundaries)];
    });
  await provider.shutdown();
  assert.deepEqual(sent.slice(0, 3), VIEWS.map(({ name, bounds }) => [name, [bounds]]));
  assert.deepEqual(sent[3], [
    "other",
    [[0, 5, 10, 25, 50, 75, 100, 250, 500, 750, 1000, 2500, 5000, 7500, 10_000]],
  ]);
});

Deno.test("sdkViews() writes a declarative configuration that keeps to the schema", async () => {
  const views = [...VIEWS, { name: ODD, bounds: [1] }];
  const file = await Deno.makeTempFile({ suffix: ".yaml" });
  try {
    const rest = "  readers:\n    - periodic:\n        exporter:\n          console:\n";
    const lines = viewsIn("YAML", views).map((line) => `${line}\n`).join("");
    await Deno.writeTextFile(file, `file_format: "1.0"\n${lines}${rest}`);
    const { meter_provider } = parseConfigFile(file);
    assert.deepEqual(
      meter_provider?.views?.map(({ selector, stream }) => ({
        name: selector.instrument_name,
        bounds: stream.aggregation?.explicit_bucket_histogram?.boundaries,
      })),
      views,
    );
  } finally {
    await Deno.remove(file);
  }
});

/** Views as the SDK for Python uses them; of the odd name, which no instrument can have, the pattern alone. */
const PYTHON = `
import json, sys
from fnmatch import fnmatchcase
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.metrics.view import ExplicitBucketHistogramAggregation, View
views, names, odd, odd_name = json.load(sys.stdin)
reader = InMemoryMetricReader()
meter = MeterProvider(metric_readers=[reader], views=eval(f"[{views}]")).get_meter("test")
for name in names:
    meter.create_histogram(name).record(1)
[view] = eval(f"[{odd}]")
metrics = reader.get_metrics_data().resource_metrics[0].scope_metrics[0].metrics
bounds = {m.name: list(m.data.data_points[0].explicit_bounds) for m in metrics}
print(json.dumps([bounds, fnmatchcase(odd_name, view._instrument_name)]))
`;

Deno.test({
  ...namedUnless(
    missing("PREDECESSOR_PYTHON"),
    "sdkViews() gives the SDK for Python its bounds, whatever the name",
  ),
  fn: async () => {
    const child = new Deno.Command(tool("PREDECESSOR_PYTHON"), {
      args: ["-c", PYTHON],
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    const input = [
      viewsIn("Python").join("\n"),
      VIEWS.map(({ name }) => name),
      viewsIn("Python", [{ name: ODD, bounds: [1] }]).join("\n"),
      ODD,
    ];
    const writer = child.stdin.getWriter();
    await writer.write(new TextEncoder().encode(JSON.stringify(input)));
    await writer.close();
    const { stdout, success } = await child.output();
    assert.ok(success);
    assert.deepEqual(JSON.parse(new TextDecoder().decode(stdout)), [
      // The SDK stores names in lower case.
      Object.fromEntries(VIEWS.map(({ name, bounds }) => [name.toLowerCase(), bounds])),
      true,
    ]);
  },
});

each(
  [
    {
      language: "Java",
      line: String.raw`.registerView(InstrumentSelector.builder().setName("a\"b").build(), ` +
        "View.builder().setAggregation(Aggregation.explicitBucketHistogram(" +
        "List.of(1.0, 2.5, 1.0e-7, 1.0e+21))).build())",
    },
    {
      language: "Go",
      line: String.raw`metric.WithView(metric.NewView(metric.Instrument{Name: "a\"b"}, ` +
        "metric.Stream{Aggregation: metric.AggregationExplicitBucketHistogram{" +
        "Boundaries: []float64{1.0, 2.5, 1.0e-7, 1.0e+21}}})),",
    },
    {
      language: ".NET",
      line: String.raw`.AddView(instrumentName: "a\"b", new ExplicitBucketHistogramConfiguration ` +
        "{ Boundaries = new double[] { 1.0, 2.5, 1.0e-7, 1.0e+21 } })",
    },
  ],
  ({ language }) => `sdkViews() writes a view for ${language}, with quotes in the name`,
  ({ language, line }) =>
    assert.deepEqual(viewsIn(language, [{ name: 'a"b', bounds: [1, 2.5, 1e-7, 1e21] }]), [line]),
);
