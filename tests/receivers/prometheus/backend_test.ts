import assert from "node:assert/strict";
import { exactEndpoint } from "../../../src/http/endpoint.ts";
import type { SentRun } from "../../../src/receivers/backend.ts";
import { PrometheusBackend } from "../../../src/receivers/prometheus/backend.ts";
import { RECEIVERS } from "../../../src/receivers/profiles.ts";
import { isObject } from "../../../src/platform/json_object.ts";
import type { QueryClient, QueryRequest } from "../../../src/receivers/query/query_client.ts";
import { each } from "../../support/cases.ts";

const RUN: SentRun = {
  metric: "shop.latency",
  unit: "ms",
  attribute: "otlp_histogram.run",
  id: "1",
  attributes: [],
  time: 1_800_000_000_000,
  bounds: [1, 2],
  buckets: [],
  count: 3,
  sum: 0,
};
const signal = new AbortController().signal;

/** Backend whose server answers each query; undefined is a 400 with this error. */
function backendOf(
  answer: (query: string, request: QueryRequest) => unknown,
  error: unknown = "parse error",
) {
  const endpoint = exactEndpoint(
    { name: "--query-url", source: "command line", value: "http://h" },
    () => undefined,
    RECEIVERS,
  );
  const client: QueryClient = {
    endpoint,
    hide: (text) => text,
    ask(request) {
      const result = answer(request.parameters?.["query"] ?? "", request);
      return Promise.resolve({
        kind: "answer",
        status: result === undefined ? 400 : 200,
        headers: new Headers(),
        json: result === undefined
          ? { status: "error", error }
          : { status: "success", data: { resultType: "matrix", result } },
      });
    },
  };
  return new PrometheusBackend(client);
}

const series = (name: string, value: string, labels = {}) => ({
  metric: { __name__: name, otlp_histogram_run: "1", ...labels },
  values: [[RUN.time / 1000, value]],
});
const CLASSIC = [
  series("shop_latency_milliseconds_count", "3"),
  series("shop_latency_milliseconds_sum", "7.5"),
  series("shop_latency_milliseconds_bucket", "1", { le: "1.0" }),
  series("shop_latency_milliseconds_bucket", "1", { le: "2" }),
  series("shop_latency_milliseconds_bucket", "3", { le: "+Inf" }),
];

each(
  [-300_000, 0, 300_000],
  (skew) => `PrometheusBackend covers the data of a machine whose clock is off by ${skew / 1000} s`,
  async (skew) => {
    // The server's clock is another one: the query names the time, by the clock that stamped the data.
    const backend = backendOf((query, { parameters }) => {
      const at = 1000 * Number(parameters?.["time"]);
      const [, window] = /\[(\d+)s\]/.exec(query) ?? [];
      const covers = at >= RUN.time && at - 1000 * Number(window) <= RUN.time;
      return covers && query.includes("otlp_histogram_run") ? CLASSIC : [];
    });
    const sighting = await backend.find(RUN, RUN.time + skew, signal);
    assert.equal(sighting.kind, "shown");
  },
);

Deno.test("PrometheusBackend reads the buckets of a server without UTF-8 names", async () => {
  const backend = backendOf((query) =>
    query.includes('"otlp_histogram.run"')
      ? undefined
      : query.startsWith("histogram_quantile")
      ? [{ metric: {}, value: [RUN.time / 1000, "1.5"] }]
      : CLASSIC
  );
  const sighting = await backend.find(RUN, RUN.time, signal);
  assert.ok(sighting.kind === "shown");
  const { count, sum, percentile, buckets, metric } = sighting.histogram;
  assert.deepEqual([count, sum, percentile, metric], [3, 7.5, 1.5, "shop_latency_milliseconds"]);
  assert.deepEqual(buckets, [
    { upper: 1, count: 1 },
    { upper: 2, count: 0 },
    { upper: Infinity, count: 2 },
  ]);
});

Deno.test("PrometheusBackend reads a native histogram with the bounds that were sent", async () => {
  const native = {
    count: "3",
    sum: "7.5",
    buckets: [[0, "-Inf", "1", "1"], [0, "2", "+Inf", "2"]],
  };
  const backend = backendOf((query) =>
    query.startsWith("histogram_quantile") ? [] : [{
      metric: { __name__: "shop_latency", otlp_histogram_run: "1" },
      histograms: [[RUN.time / 1000, native]],
    }]
  );
  const sighting = await backend.find(RUN, RUN.time, signal);
  assert.ok(sighting.kind === "shown");
  assert.deepEqual(sighting.histogram.buckets?.map(({ count }) => count), [1, 0, 2]);
});

each(
  [[2, "measurements-missing", /^1 measurement of 3 did not arrive$/], [
    6,
    "measurements-repeated",
    /^the backend counts 6 measurements, but 3 were sent$/,
  ]] as const,
  ([count]) => `PrometheusBackend finds the cause of a count of ${count} in place of 3`,
  async ([count, id, message]) => {
    const backend = backendOf((query) =>
      query.startsWith("histogram_quantile")
        ? []
        : CLASSIC.map((sample) =>
          /count|Inf/.test(JSON.stringify(sample.metric))
            ? { ...sample, values: [[RUN.time / 1000, String(count)]] }
            : sample
        )
    );
    const sighting = await backend.find(RUN, RUN.time, signal);
    assert.ok(sighting.kind === "shown");
    assert.equal(sighting.histogram.count, count);
    const cause = await backend.diagnose(RUN, sighting.histogram, RUN.time, signal);
    assert.equal(cause?.id, id);
    assert.match(cause?.message ?? "", message);
  },
);

each(
  [["point-missing", { otlp_histogram_run: "0" }], ["attribute-missing", {}]] as const,
  ([id]) => `PrometheusBackend tells a run of the same second from data without a mark: ${id}`,
  async ([id, mark]) => {
    const backend = backendOf((query) =>
      /otlp_histogram.run/.test(query) ? [] : CLASSIC.map(({ metric, values }) => {
        const { otlp_histogram_run: _, ...labels } = metric;
        return { metric: { ...labels, ...mark }, values };
      })
    );
    const cause = await backend.diagnose(RUN, undefined, RUN.time + 1000, signal);
    assert.equal(cause?.id, id);
  },
);

Deno.test("PrometheusBackend asks for new series in other words each time", async () => {
  const queries = new Set<string>();
  const backend = backendOf((query, request) => {
    assert.ok(isObject(request.parameters));
    queries.add(query);
    return [];
  });
  await backend.find(RUN, RUN.time, signal);
  await backend.find(RUN, RUN.time + 1, signal);
  assert.equal(queries.size, 4);
});

each(
  [["denied"], [{ code: 7, message: "denied" }]] as const,
  ([error]) => `PrometheusBackend quotes the error ${JSON.stringify(error)}`,
  async ([error]) => {
    const sighting = await backendOf(() => undefined, error).find(RUN, RUN.time, signal);
    assert.ok(sighting.kind === "refused", sighting.kind);
    assert.equal(sighting.message, "400: denied");
  },
);

Deno.test("PrometheusBackend says that the buckets of a run were dropped", async () => {
  const kept = CLASSIC.filter(({ metric }) => !metric.__name__.endsWith("_bucket"));
  const backend = backendOf(() => kept);
  const sighting = await backend.find(RUN, RUN.time, signal);
  assert.ok(sighting.kind === "shown");
  const cause = await backend.diagnose(RUN, sighting.histogram, RUN.time, signal);
  assert.match(cause?.message ?? "", /no series shop_latency_milliseconds_bucket/);
});
