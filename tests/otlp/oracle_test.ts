import assert from "node:assert/strict";
import { fromBinary } from "@bufbuild/protobuf";
import { OTLPMetricExporter } from "@opentelemetry/exporter-metrics-otlp-proto";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { AggregationType, MeterProvider } from "@opentelemetry/sdk-metrics";
import type { Measurement } from "../../src/aggregate/measurement.ts";
import { sampleBatch } from "../../src/source/generate/sample.ts";
import { ExportMetricsServiceRequestSchema } from "../../src/otlp/gen/opentelemetry/proto/collector/metrics/v1/metrics_service_pb.ts";
import type { Instrument } from "../../src/aggregate/instrument.ts";
import { recordingOf } from "../support/recording.ts";
import { decode, type Values } from "../support/decode.ts";
import { startReceiver } from "../support/receiver.ts";
import { StillClock } from "../support/still_clock.ts";
import { seeded } from "../support/seeded.ts";
import { missing, namedUnless, tool } from "../support/tools.ts";
import { atLeastOne } from "../support/cases.ts";

const RESOURCE = { "service.name": "my-service", "deployment.environment": "prod", team: "a, b=c" };
const INSTRUMENT: Instrument = {
  name: "http.server.duration",
  unit: "ms",
  description: "HTTP request duration",
  bounds: [5, 10, 25, 50, 75, 100, 250, 500, 1000, 2500, 5000],
  attributes: {},
};
const ALL = { points: Infinity, bytes: Infinity };

/** Request that the stock exporter posts over HTTP for these measurements of an interval (ms since 1970). */
async function stockRequest(
  { name, unit, description, bounds }: Instrument,
  batch: readonly Measurement[],
  start: number,
  end: number,
): Promise<Uint8Array> {
  const reader = new DeltaReader();
  const provider = new MeterProvider({
    resource: resourceFromAttributes(RESOURCE),
    readers: [reader],
    views: [{
      instrumentName: name,
      aggregation: bounds === "exponential" ? { type: AggregationType.EXPONENTIAL_HISTOGRAM } : {
        type: AggregationType.EXPLICIT_BUCKET_HISTOGRAM,
        options: { boundaries: [...bounds], recordMinMax: true },
      },
    }],
  });
  const histogram = provider.getMeter("example-meter", "1.0.0").createHistogram(name, {
    unit,
    description,
  });
  for (const { value, attributes } of batch) histogram.record(value, { ...attributes });
  const { resourceMetrics } = await reader.collect();
  const times = { startTime: hrTime(start), endTime: hrTime(end) };
  for (
    const { dataPoints } of atLeastOne(
      resourceMetrics.scopeMetrics.flatMap(({ metrics }) => metrics),
    )
  ) {
    for (const point of dataPoints) Object.assign(point, times);
  }
  await using receiver = await startReceiver();
  const exporter = new OTLPMetricExporter({ url: `${receiver.url}/v1/metrics` });
  await new Promise<void>((resolve, reject) => {
    exporter.export(resourceMetrics, ({ error }) => error ? reject(error) : resolve());
  });
  await exporter.shutdown();
  await provider.shutdown();
  const [request] = receiver.requests;
  assert.ok(request !== undefined);
  assert.equal(request.headers.get("content-type"), "application/x-protobuf");
  return request.content;
}

/** Our request for the same, with the interval that it names. */
async function ourRequest(instrument: Instrument, batch: readonly Measurement[]) {
  const clock = new StillClock();
  const start = clock.now;
  const recording = recordingOf(
    { resource: RESOURCE, instruments: [instrument], maxSeries: Infinity },
    clock,
  );
  recording.add(batch);
  clock.now += 60_123;
  const [request] = (await recording.collect(ALL, "none")).requests;
  assert.ok(request !== undefined);
  return { body: request.body, start, end: clock.now };
}

const BATCHES: readonly (readonly [string, Instrument, readonly Measurement[]])[] = [
  ["the sample", INSTRUMENT, sampleBatch(seeded(1))],
  [
    "values on bounds, 0, fractions and beyond the last bound",
    { ...INSTRUMENT, name: "a.b", unit: "", description: "" },
    [0, 5, 5.000000000000001, 10, 4999.999, 5000, 1e9].map((value) => ({ value, attributes: {} })),
  ],
  [
    "attributes of every type",
    { ...INSTRUMENT, bounds: [1] },
    [
      { value: 0.1, attributes: { text: 'ü "quoted" 👩‍🚀', yes: true, no: false } },
      { value: 2, attributes: { integer: -3, large: 2 ** 40, double: 0.5 } },
    ],
  ],
  ["exponential buckets", { ...INSTRUMENT, bounds: "exponential" }, sampleBatch(seeded(1))],
];

for (const [what, instrument, batch] of BATCHES) {
  Deno.test({
    name: `collect() makes what the stock exporter sends when there are ${what}`,
    // The exporter's connection is kept alive for a while.
    sanitizeOps: false,
    sanitizeResources: false,
    async fn() {
      const { body, start, end } = await ourRequest(instrument, batch);
      const stock = await stockRequest(instrument, batch, start, end);
      const decoded = fromBinary(ExportMetricsServiceRequestSchema, body);
      assert.deepEqual(decoded, fromBinary(ExportMetricsServiceRequestSchema, stock));
      const points = decoded.resourceMetrics[0]?.scopeMetrics[0]?.metrics[0]?.data.value
        ?.dataPoints;
      assert.ok((points?.length ?? 0) > 0);
    },
  });
}

const PYTHON = `
import json, sys
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
request = ExportMetricsServiceRequest.FromString(sys.stdin.buffer.read())
def value(v):
    kind = v.WhichOneof("value")
    return [kind, str(getattr(v, kind))]
def values(attributes):
    return {a.key: value(a.value) for a in attributes}
resource, = request.resource_metrics
scope, = resource.scope_metrics
metric, = scope.metrics
json.dump({
    "resource": values(resource.resource.attributes),
    "scope": [scope.scope.name, scope.scope.version],
    "metric": [metric.name, metric.unit, metric.description],
    "temporality": metric.histogram.aggregation_temporality,
    "points": [{
        "attributes": values(p.attributes), "count": p.count, "sum": p.sum, "min": p.min, "max": p.max,
        "bounds": list(p.explicit_bounds), "counts": list(p.bucket_counts),
        "start": str(p.start_time_unix_nano), "end": str(p.time_unix_nano),
    } for p in metric.histogram.data_points],
}, sys.stdout)
`;
import { DeltaReader, hrTime } from "../support/sdk.ts";

/** As the Python program above writes attributes: the type that is on the wire, and the value. */
function typed(attributes: Values): Record<string, readonly [string, string]> {
  return Object.fromEntries(
    Object.entries(attributes).map(([key, value]) => [
      key,
      typeof value === "bigint" ? ["int_value", `${value}`] : ["string_value", `${value}`],
    ]),
  );
}

Deno.test({
  ...namedUnless(
    missing("PREDECESSOR_PYTHON"),
    "collect() makes what the official Python classes decode to the same values",
  ),
  async fn() {
    const { body } = await ourRequest(INSTRUMENT, sampleBatch(seeded(1)));
    const child = new Deno.Command(tool("PREDECESSOR_PYTHON"), {
      args: ["-c", PYTHON],
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    const writer = child.stdin.getWriter();
    await writer.write(body);
    await writer.close();
    const { code, stdout } = await child.output();
    assert.equal(code, 0);
    const { resource, scope, metrics: [metric] } = decode(body);
    assert.ok(metric !== undefined);
    assert.deepEqual(JSON.parse(new TextDecoder().decode(stdout)), {
      resource: typed(resource),
      scope: [scope.name, scope.version],
      metric: [metric.name, metric.unit, metric.description],
      temporality: 1,
      points: metric.points.map((point) => ({
        ...point,
        attributes: typed(point.attributes),
        start: `${point.start}`,
        end: `${point.end}`,
      })),
    });
    assert.equal(metric.points.reduce((sum, { count }) => sum + count, 0), 5);
  },
});
