import assert from "node:assert/strict";
import fc from "fast-check";
import { ExplicitHistogram } from "../../src/aggregate/explicit.ts";
import { ExponentialHistogram } from "../../src/aggregate/exponential.ts";
import type { Attributes, AttributeValue } from "../../src/aggregate/measurement.ts";
import { decodeRequest } from "../../src/otlp/decode.ts";
import { type Collection, encodeCollections, type MetricData } from "../../src/otlp/encode.ts";
import type {
  ExponentialHistogramDataPoint,
  HistogramDataPoint,
} from "../../src/otlp/gen/opentelemetry/proto/metrics/v1/metrics_pb.ts";
import { type EncodablePoint, POINT_ENCODINGS } from "../../src/otlp/points.ts";
import {
  attributeFields,
  varintSize,
  writeFixed64,
  writeVarint,
  zigzag,
} from "../../src/otlp/wire.ts";
import { attributes, SEED, value } from "../support/arbitrary.ts";
import { atLeastOne } from "../support/cases.ts";

const ALL = { points: Infinity, bytes: Infinity };
const INTERVAL = { start: 1_769_860_800_123, end: 1_769_860_860_456 };

type AnyHistogram = ExplicitHistogram | ExponentialHistogram;

function explicitPoint(histogram: ExplicitHistogram, attributes: Attributes) {
  return {
    attributes: attributeFields(POINT_ENCODINGS.explicit.attributes, attributes),
    histogram,
  };
}

function exponentialPoint(histogram: ExponentialHistogram, attributes: Attributes) {
  return {
    attributes: attributeFields(POINT_ENCODINGS.exponential.attributes, attributes),
    histogram,
  };
}

function filled<H extends AnyHistogram>(histogram: H, values: readonly number[]): H {
  for (const each of values) histogram.add(each);
  return histogram;
}

/** A metric with a data point for each list of values. */
function metric(
  name: string,
  kind: MetricData["kind"],
  points: readonly (readonly number[])[],
): MetricData {
  const about = { name, unit: "ms", description: `about ${name}`.repeat(20) };
  const attributes = (i: number) => ({ [name]: i });
  return kind === "explicit"
    ? {
      ...about,
      kind,
      data: inInterval(points.map((values, i) =>
        explicitPoint(filled(new ExplicitHistogram([5, 10]), values), attributes(i))
      )),
    }
    : {
      ...about,
      kind,
      data: inInterval(
        points.map((values, i) =>
          exponentialPoint(filled(new ExponentialHistogram(), values), attributes(i))
        ),
      ),
    };
}

function inInterval<H>(points: readonly EncodablePoint<H>[], interval = INTERVAL) {
  return [{ interval, points }];
}

function collection(...metrics: readonly MetricData[]): Collection {
  return { resource: { "service.name": "s" }, scope: { name: "scope", version: "1" }, metrics };
}

interface Decoded {
  readonly metric: string;
  readonly point: HistogramDataPoint | ExponentialHistogramDataPoint;
}

/** Every data point of a request, with the name of its metric. */
function pointsOf(bytes: Uint8Array): readonly Decoded[] {
  return decodeRequest(bytes).resourceMetrics.flatMap(({ scopeMetrics }) => scopeMetrics)
    .flatMap(({ metrics }) => metrics)
    .flatMap(({ name, data }) => {
      if (data.case !== "histogram" && data.case !== "exponentialHistogram") {
        throw new Error(`${name} is a ${data.case}`);
      }
      return data.value.dataPoints.map((point) => ({ metric: name, point }));
    });
}

function only(collection: Collection): Uint8Array {
  const [request, ...others] = encodeCollections([collection], ALL);
  assert.ok(request !== undefined && others.length === 0);
  return request.body;
}

Deno.test("writeVarint() and varintSize() agree with 64-bit arithmetic", () => {
  const numbers = fc.oneof(
    fc.maxSafeNat(),
    fc.nat(),
    fc.integer({ min: 0, max: 62 }).map((exponent) => 2 ** exponent),
    fc.integer({ min: 1, max: 53 }).map((exponent) => 2 ** exponent - 1),
  );
  fc.assert(
    fc.property(numbers, (number) => {
      const expected: number[] = [];
      for (let left = BigInt(number);; left >>= 7n) {
        expected.push(Number(left & 127n) | (left > 127n ? 128 : 0));
        if (left <= 127n) break;
      }
      const bytes = new Uint8Array(12);
      assert.equal(writeVarint(bytes, 1, number), 1 + expected.length);
      assert.deepEqual([...bytes.subarray(1, 1 + expected.length)], expected);
      assert.equal(varintSize(number), expected.length);
    }),
    SEED,
  );
});

Deno.test("writeFixed64() writes whole numbers up to 2^53 exactly", () => {
  const view = new DataView(new ArrayBuffer(10));
  fc.assert(
    fc.property(
      fc.oneof(fc.maxSafeNat(), fc.constantFrom(2 ** 53, 2 ** 32, 2 ** 32 - 1, 2 ** 31)),
      (n) => {
        assert.equal(writeFixed64(view, 1, n), 9);
        assert.equal(view.getBigUint64(1, true), BigInt(n));
      },
    ),
    SEED,
  );
});

Deno.test("zigzag() interleaves negative and positive numbers", () => {
  assert.deepEqual([0, -1, 1, -2, 2147483647, -2147483648].map(zigzag), [
    0,
    1,
    2,
    3,
    4294967294,
    4294967295,
  ]);
});

Deno.test("attributeFields() keeps type and value of every attribute", () => {
  fc.assert(
    fc.property(attributes, (attributes) => {
      const histogram = filled(new ExplicitHistogram([]), [1]);
      const bytes = only(collection({
        ...metric("m", "explicit", []),
        kind: "explicit",
        data: inInterval([explicitPoint(histogram, attributes)]),
      }));
      const [decoded] = pointsOf(bytes);
      const read = decoded?.point.attributes.map(({ key, value }) => [key, value?.value.value]);
      const sent = Object.entries(attributes).map((
        [key, value],
      ) => [wellFormed(key), asSent(value)]);
      assert.deepEqual(read, sent);
    }),
    SEED,
  );
});

function asSent(value: AttributeValue): AttributeValue | bigint {
  if (typeof value === "string") return wellFormed(value);
  return typeof value === "number" && Number.isInteger(value) && Math.abs(value) < 2 ** 63
    ? BigInt(value)
    : value === -(2 ** 63)
    ? BigInt(value)
    : value;
}

function wellFormed(text: string): string {
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(new TextEncoder().encode(text));
}

Deno.test("encodeCollections() makes no request of nothing", () => {
  assert.deepEqual(encodeCollections([collection()], ALL), []);
  assert.deepEqual(encodeCollections([collection(metric("m", "explicit", []))], ALL), []);
});

Deno.test("encodeCollections() writes times to the nanosecond and counts beyond 32 bits", () => {
  const explicit = filled(new ExplicitHistogram([5]), [1, 7]);
  explicit.count = 2 ** 53 - 1;
  explicit.counts[0] = 2 ** 53 - 2 ** 33;
  explicit.counts[1] = 2 ** 33 - 1;
  const exponential = filled(new ExponentialHistogram(), [1, 1.5, 0]);
  exponential.zeroCount = 2 ** 40 + 1;
  const interval = { start: 1_769_860_800_123.25, end: 2 ** 43 };
  const bytes = only(collection(
    {
      ...metric("a", "explicit", []),
      kind: "explicit",
      data: inInterval([explicitPoint(explicit, {})], interval),
    },
    {
      ...metric("b", "exponential", []),
      kind: "exponential",
      data: inInterval([exponentialPoint(exponential, {})], interval),
    },
  ));
  const [first, second] = pointsOf(bytes).map(({ point }) => point);
  assert.equal(first?.startTimeUnixNano, 1_769_860_800_123_250_000n);
  assert.equal(first?.timeUnixNano, 2n ** 43n * 1_000_000n);
  assert.equal(second?.timeUnixNano, 2n ** 43n * 1_000_000n);
  assert.equal(first?.count, 2n ** 53n - 1n);
  assert.ok(first !== undefined && "bucketCounts" in first);
  assert.deepEqual(first.bucketCounts, [2n ** 53n - 2n ** 33n, 2n ** 33n - 1n]);
  assert.ok(second !== undefined && "zeroCount" in second);
  assert.equal(second.zeroCount, 2n ** 40n + 1n);
});

Deno.test("encodeCollections() counts the data points and the measurements of each request", () => {
  const requests = encodeCollections(
    [collection(
      metric("a", "explicit", [[1], [2, 3], [4]]),
      metric("b", "exponential", [[5, 6, 7]]),
    )],
    { ...ALL, points: 2 },
  );
  assert.deepEqual(
    requests.map(({ points, measurements }) => [points, measurements]),
    [[2, 3], [2, 4]],
  );
});

Deno.test("encodeCollections() splits within both limits, and never changes a data point", () => {
  const values = fc.array(fc.array(value, { minLength: 1, maxLength: 5 }), { maxLength: 12 });
  const kinds = fc.constantFrom<MetricData["kind"]>("explicit", "exponential");
  const metrics = fc.array(fc.tuple(kinds, values), { minLength: 1, maxLength: 3 });
  const points = fc.oneof(fc.constant(Infinity), fc.integer({ min: 1, max: 14 }));
  const bytes = fc.oneof(fc.constant(Infinity), fc.integer({ min: 600, max: 3000 }));
  let splits = 0;
  fc.assert(
    fc.property(metrics, points, bytes, (metrics, points, bytes) => {
      const data = collection(...metrics.map(([kind, values], i) => metric(`m${i}`, kind, values)));
      const requests = encodeCollections([data], { points, bytes });
      for (const { body, ...said } of requests) {
        assert.ok(said.points <= points);
        assert.ok(body.length <= bytes || said.points === 1, `${body.length} bytes of ${bytes}`);
        assert.equal(pointsOf(body).length, said.points);
        for (const { resource, scopeMetrics } of atLeastOne(decodeRequest(body).resourceMetrics)) {
          assert.equal(resource?.attributes[0]?.key, "service.name");
          assert.equal(scopeMetrics[0]?.scope?.version, "1");
          const { metrics = [] } = scopeMetrics[0] ?? {};
          assert.ok(
            metrics.every(({ unit, data }) => unit === "ms" && data.value?.dataPoints.length),
          );
        }
      }
      const whole = encodeCollections([data], ALL);
      assert.deepEqual(
        requests.flatMap(({ body }) => pointsOf(body)),
        whole.flatMap(({ body }) => pointsOf(body)),
      );
      assert.equal(
        requests.reduce((sum, { measurements }) => sum + measurements, 0),
        metrics.flatMap(([, values]) => values).flat().length,
      );
      if (requests.length > 1) splits++;
    }),
    SEED,
  );
  assert.ok(splits > 20, `only ${splits} were split`);
});

Deno.test("encodeCollections() fills a request up to the limit of bytes, but for the lengths' own bytes", () => {
  const data = collection(metric("m", "explicit", Array.from({ length: 1000 }, () => [1])));
  const requests = encodeCollections([data], { points: Infinity, bytes: 10_000 });
  const size = Math.ceil(only(data).length / 1000);
  for (const { body } of atLeastOne(requests.slice(0, -1))) {
    assert.ok(body.length <= 10_000 && body.length > 10_000 - size - 24, `${body.length}`);
  }
});

Deno.test("encodeCollections() encloses neighbours in one resource and one scope, within the limits", () => {
  const resources = [{ r: "a" }, { r: "b" }];
  const collections = resources.flatMap((resource) =>
    ["s", "t"].map((name): Collection => ({
      resource,
      scope: { name, version: "1", schemaUrl: "https://schema", attributes: { of: name } },
      metrics: [metric(`${resource.r}${name}`, "explicit", [[1], [2], [3]])],
    }))
  );
  const shape = (body: Uint8Array) =>
    decodeRequest(body).resourceMetrics.map(({ resource, scopeMetrics }) => [
      resource?.attributes[0]?.value?.value.value,
      ...scopeMetrics.map(({ scope, schemaUrl, metrics }) => [
        ...[scope?.name, scope?.attributes[0]?.value?.value.value, schemaUrl],
        ...metrics.map(({ name }) => name),
      ]),
    ]);
  const [whole, ...others] = encodeCollections(collections, ALL);
  assert.ok(whole !== undefined && others.length === 0);
  assert.deepEqual(shape(whole.body), [
    ["a", ["s", "s", "https://schema", "as"], ["t", "t", "https://schema", "at"]],
    ["b", ["s", "s", "https://schema", "bs"], ["t", "t", "https://schema", "bt"]],
  ]);
  for (let bytes = 350; bytes < whole.body.length + 50; bytes += 7) {
    const requests = encodeCollections(collections, { points: Infinity, bytes });
    assert.deepEqual(
      requests.flatMap(({ body }) => pointsOf(body)),
      pointsOf(whole.body),
    );
    for (const { body } of atLeastOne(requests)) assert.ok(body.length <= bytes, `${body.length}`);
  }
});
