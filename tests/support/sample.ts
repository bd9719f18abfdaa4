import project from "../../deno.json" with { type: "json" };
import assert from "node:assert/strict";
import { decode, type Decoded, type Values } from "./decode.ts";
import { assertWhole, DEFAULT_BOUNDS } from "./histogram.ts";
import type { ReceivedRequest } from "./receiver.ts";

/** Request of the sample; parts without a value are as the program sends them with an endpoint alone. */
export interface SampleRequest {
  readonly target?: string;
  /** Value of each header; null: it must not be there. */
  readonly headers?: Readonly<Record<string, string | null>>;
  readonly resource?: Values;
  readonly name?: string;
  readonly unit?: string;
  readonly description?: string;
  readonly bounds?: readonly number[];
  /** On every data point, over the sample's own. */
  readonly attributes?: Values;
}

const RESOURCE = { "service.name": "my-service", "deployment.environment": "prod" };
/** The predecessor's five by their attributes: how many, and between what. */
const SAMPLE = [
  { method: "GET", status: 200n, count: 3, low: 10, high: 180 },
  { method: "POST", status: 201n, count: 1, low: 20, high: 100 },
  { method: "PUT", status: 200n, count: 1, low: 30, high: 90 },
] as const;

/** Arguments that make any request so large that it is sent in halves, down to single data points, when it is refused. */
export const SPLITTABLE_ARGS: readonly string[] = ["a", "b"].flatMap((key) => [
  "--resource",
  `${key}=${"x".repeat(64 * 2 ** 10)}`,
]);

/** One DELTA histogram of the sample, whole and consistent in itself. */
export function assertSample(request: ReceivedRequest, expected: SampleRequest): void {
  const { headers } = request;
  assert.equal(request.method, "POST");
  assert.equal(request.target, expected.target ?? "/v1/metrics");
  assert.equal(headers.get("content-type"), "application/x-protobuf");
  assert.equal(headers.get("content-length"), String(request.body.length));
  const { version } = project;
  assert.equal(headers.get("user-agent"), `OTel-OTLP-Exporter-otlp-histogram/${version}`);
  for (const [name, value] of Object.entries(expected.headers ?? {})) {
    assert.equal(headers.get(name), value, `header ${name}`);
  }
  assertContent(decode(request.content), expected);
}

function assertContent(decoded: Decoded, expected: SampleRequest): void {
  assert.deepEqual(decoded.resource, expected.resource ?? RESOURCE);
  assert.deepEqual(decoded.scope, { name: "example-meter", version: "1.0.0" });
  const [metric, ...others] = decoded.metrics;
  assert.ok(metric !== undefined && others.length === 0, "one metric");
  assert.equal(metric.name, expected.name ?? "http.server.duration");
  assert.equal(metric.unit, expected.unit ?? "ms");
  assert.equal(metric.description, expected.description ?? "HTTP request duration");
  assert.equal(metric.temporality, "delta");
  assert.equal(metric.points.length, SAMPLE.length);
  metric.points.forEach((point, i) => {
    const sample = SAMPLE[i];
    assert.ok(sample !== undefined);
    const { count, low, high } = sample;
    assert.deepEqual(point.attributes, {
      "http.method": sample.method,
      "http.status_code": sample.status,
      ...expected.attributes,
    });
    assert.equal(point.count, count);
    const bounds = expected.bounds ?? DEFAULT_BOUNDS;
    assert.deepEqual(point.bounds, bounds);
    assertWhole(point);
    const { min = NaN, max = NaN } = point;
    assert.ok(low <= min && min <= max && max <= high, `${min} to ${max} in ${low} to ${high}`);
    const bucketOf = (value: number) => bounds.filter((bound) => bound < value).length;
    assert.ok((point.counts[bucketOf(min)] ?? 0) > 0 && (point.counts[bucketOf(max)] ?? 0) > 0);
    assert.equal(point.start, metric.points[0]?.start);
    assert.equal(point.end, metric.points[0]?.end);
    assert.ok(point.start <= point.end);
  });
}
