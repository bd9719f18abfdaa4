import assert from "node:assert/strict";
import {
  decodeRequest,
  decodeResponse,
  decodeStatus,
  encodeResponse,
  encodeStatus,
} from "../../src/otlp/decode.ts";

/** A request written by hand from metrics.proto: one delta histogram with one data point. */
const REQUEST = hex(`
  0a 53                                  # resource_metrics
    0a 0a                                #   resource
      0a 08                              #     attributes
        0a 01 73                         #       key "s"
        12 03 0a 01 78                   #       value: string_value "x"
    12 45                                #   scope_metrics
      12 43                              #     metrics
        0a 01 6d                         #       name "m"
        1a 02 6d 73                      #       unit "ms"
        4a 3a                            #       histogram
          0a 36                          #         data_points
            11 0100000000000000          #           start_time_unix_nano 1
            19 0200000000000000          #           time_unix_nano 2
            21 0300000000000000          #           count 3
            32 10                        #           bucket_counts, packed
              0100000000000000 0200000000000000
            3a 08 0000000000001440       #           explicit_bounds: 5.0
          10 01                          #         aggregation_temporality DELTA
`);

function hex(text: string): Uint8Array {
  const digits = text.replace(/#.*$/gm, "").replace(/\s/g, "");
  return Uint8Array.from(digits.match(/../g) ?? [], (pair) => parseInt(pair, 16));
}

Deno.test("decodeRequest() reads a request that was written by hand", () => {
  const [resource] = decodeRequest(REQUEST).resourceMetrics;
  assert.equal(resource?.resource?.attributes[0]?.key, "s");
  assert.deepEqual(resource?.resource?.attributes[0]?.value?.value, {
    case: "stringValue",
    value: "x",
  });
  const metric = resource?.scopeMetrics[0]?.metrics[0];
  assert.equal(metric?.name, "m");
  assert.equal(metric?.unit, "ms");
  assert.equal(metric?.data.case, "histogram");
  if (metric?.data.case !== "histogram") return;
  assert.equal(metric.data.value.aggregationTemporality, 1);
  const [point] = metric.data.value.dataPoints;
  assert.equal(point?.startTimeUnixNano, 1n);
  assert.equal(point?.timeUnixNano, 2n);
  assert.equal(point?.count, 3n);
  assert.deepEqual(point?.bucketCounts, [1n, 2n]);
  assert.deepEqual(point?.explicitBounds, [5]);
  assert.equal(point?.sum, undefined);
});

Deno.test("decodeRequest() throws for every truncation inside a message", () => {
  assert.equal(decodeRequest(new Uint8Array()).resourceMetrics.length, 0);
  for (let length = 1; length < REQUEST.length; length++) {
    assert.throws(() => decodeRequest(REQUEST.subarray(0, length)), `${length} bytes`);
  }
});

Deno.test("decodeRequest() throws for text and for an unending nesting", () => {
  assert.throws(() => decodeRequest(new TextEncoder().encode("<!DOCTYPE html><html></html>")));
  let nested: number[] = [];
  for (let depth = 0; depth < 60; depth++) nested = field(5, field(1, nested));
  const attribute = field(1, field(1, field(1, field(2, nested))));
  assert.throws(() => decodeRequest(Uint8Array.from(attribute)), /depth/);
});

function field(number: number, bytes: readonly number[]): number[] {
  const length: number[] = [];
  let left = bytes.length;
  do {
    length.push((left & 127) | (left > 127 ? 128 : 0));
    left >>>= 7;
  } while (left > 0);
  return [number << 3 | 2, ...length, ...bytes];
}

Deno.test("encodeResponse() is empty when everything was taken", () => {
  assert.equal(encodeResponse().length, 0);
});

Deno.test("encodeResponse() writes a partial success as the schema says", () => {
  const bytes = encodeResponse({ rejectedDataPoints: 2, errorMessage: "no" });
  assert.deepEqual(bytes, hex("0a 06  08 02  12 02 6e6f"));
  const { partialSuccess } = decodeResponse(bytes);
  assert.equal(partialSuccess?.rejectedDataPoints, 2n);
  assert.equal(partialSuccess?.errorMessage, "no");
});

Deno.test("encodeStatus() and decodeStatus() use google.rpc.Status, whose details are passed over", () => {
  assert.deepEqual(encodeStatus(3, "no"), hex("08 03  12 02 6e6f"));
  const status = decodeStatus(hex("08 10  12 02 6e6f  1a 03 0a 01 78"));
  assert.equal(status.code, 16);
  assert.equal(status.message, "no");
});

Deno.test("decodeResponse() throws for a page", () => {
  assert.throws(() => decodeResponse(new TextEncoder().encode("<html>Sign in</html>")));
});
