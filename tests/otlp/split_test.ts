import assert from "node:assert/strict";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import {
  ExportMetricsServiceRequestSchema,
} from "../../src/otlp/gen/opentelemetry/proto/collector/metrics/v1/metrics_service_pb.ts";
import type { HistogramDataPoint } from "../../src/otlp/gen/opentelemetry/proto/metrics/v1/metrics_pb.ts";
import type { EncodedRequest } from "../../src/otlp/request.ts";
import { PROFILES } from "../../src/receivers/profiles.ts";
import { splitRequest } from "../../src/otlp/split.ts";
import { recordingOf } from "../support/recording.ts";
import { SimulatedClock } from "../support/simulation.ts";

/** A request as the program makes it: two instruments of both kinds, series with attributes of every type. */
async function made(
  series: readonly {
    readonly values: readonly number[];
    readonly text: string;
    readonly exponential: boolean;
  }[],
  compression: "gzip" | "none",
): Promise<EncodedRequest> {
  const instrument = { unit: "ms", description: "d", attributes: { everywhere: "yes" } };
  const made = recordingOf({
    resource: { "service.name": "s" },
    instruments: [
      { ...instrument, name: "explicit", bounds: [0, 10, 100] },
      { ...instrument, name: "exponential", bounds: "exponential" },
    ],
    maxSeries: Infinity,
  }, new SimulatedClock());
  series.forEach(({ values, text, exponential }, i) => {
    const attributes = { series: i, text, flag: i % 2 === 0, part: i + 0.5 };
    made.add(values.map((value) => ({ value, attributes })), exponential ? 1 : 0);
  });
  const { requests: [request] } = await made.collect(PROFILES.otlp.limits, compression);
  assert.ok(request !== undefined);
  return request;
}

const series = fc.array(
  fc.record({
    values: fc.array(fc.double({ min: 0, noNaN: true, noDefaultInfinity: true }), {
      minLength: 1,
      maxLength: 5,
    }),
    text: fc.string({ unit: "binary", maxLength: 10 }),
    exponential: fc.boolean(),
  }),
  { minLength: 2, maxLength: 12 },
);

async function decoded({ body, encoding }: EncodedRequest) {
  const stream = new Blob([body]).stream();
  const plain = encoding === "gzip" ? stream.pipeThrough(new DecompressionStream("gzip")) : stream;
  return fromBinary(
    ExportMetricsServiceRequestSchema,
    new Uint8Array(await new Response(plain).arrayBuffer()),
  );
}

/** Each data point with all that is around it, as bytes: in one request a metric, in another half of it. */
async function points(request: EncodedRequest): Promise<readonly string[]> {
  const { resourceMetrics } = await decoded(request);
  return resourceMetrics.flatMap((resource) =>
    resource.scopeMetrics.flatMap((scope) =>
      scope.metrics.flatMap((metric) => {
        const dataPoints = metric.data.value?.dataPoints ?? [];
        return dataPoints.map((_, i) => {
          const { data } = metric;
          assert.ok(data.case === "histogram" || data.case === "exponentialHistogram");
          const only = data.case === "histogram"
            ? {
              case: data.case,
              value: { ...data.value, dataPoints: data.value.dataPoints.slice(i, i + 1) },
            }
            : {
              case: data.case,
              value: { ...data.value, dataPoints: data.value.dataPoints.slice(i, i + 1) },
            };
          const bytes = toBinary(
            ExportMetricsServiceRequestSchema,
            create(ExportMetricsServiceRequestSchema, {
              resourceMetrics: [{
                ...resource,
                scopeMetrics: [{ ...scope, metrics: [{ ...metric, data: only }] }],
              }],
            }),
          );
          return [...bytes].join(" ");
        });
      })
    )
  );
}

Deno.test("splitRequest() changes no data point, loses none and doubles none", async () => {
  await fc.assert(
    fc.asyncProperty(series, fc.constantFrom("gzip", "none"), async (series, compression) => {
      const whole = await made(series, compression);
      const halves = await splitRequest(whole);
      const [one, two] = halves;
      assert.deepEqual([...await points(one), ...await points(two)], await points(whole));
      assert.equal(one.points + two.points, whole.points);
      assert.ok(one.points - two.points === whole.points % 2, `${one.points} and ${two.points}`);
      assert.equal(one.measurements + two.measurements, whole.measurements);
      for (const half of halves) {
        assert.equal(half.encoding, whole.encoding);
        assert.equal((await points(half)).length, half.points);
      }
    }),
    { seed: 413, numRuns: 200 },
  );
});

Deno.test("splitRequest() counts the measurements of each half by its own points", async () => {
  const whole = await made(
    [[1], [1, 2], [1, 2, 3]].map((values) => ({ values, text: "", exponential: false })),
    "none",
  );
  const [one, two] = await splitRequest(whole);
  assert.deepEqual([one.measurements, two.measurements], [3, 3]);
  for (const half of [one, two]) {
    const counts = (await decoded(half)).resourceMetrics.flatMap(({ scopeMetrics }) =>
      scopeMetrics.flatMap(({ metrics }) =>
        metrics.flatMap(({ data }) => countsOf(data.value?.dataPoints ?? []))
      )
    );
    assert.equal(counts.reduce((sum, count) => sum + count, 0), half.measurements);
  }
});

function countsOf(
  dataPoints: readonly (object & Partial<Pick<HistogramDataPoint, "count">>)[],
): readonly number[] {
  return dataPoints.map(({ count }) => Number(count));
}
