import assert from "node:assert/strict";
import { exactEndpoint } from "../../../src/http/endpoint.ts";
import { RECEIVERS } from "../../../src/receivers/profiles.ts";
import { PrometheusBackend } from "../../../src/receivers/prometheus/backend.ts";
import type { SentRun } from "../../../src/receivers/backend.ts";
import { queryClient } from "../../../src/receivers/query/query_client.ts";
import { testCases } from "../../support/cases.ts";

const RUN: SentRun = {
  metric: "m",
  unit: "ms",
  attribute: "otlp_histogram.run",
  id: "1",
  attributes: [],
  time: 1_800_000_000_000,
  bounds: [1],
  buckets: [],
  count: 3,
  sum: 0,
};

/** Looks for a run in a Prometheus that answers every query in that way. */
async function findIn(status: number, body: string) {
  const endpoint = exactEndpoint(
    { name: "--query-url", source: "command line", value: "http://h" },
    () => undefined,
    RECEIVERS,
  );
  const reply = { kind: "reply", status, headers: new Headers(), unread: undefined } as const;
  const request = () => Promise.resolve({ ...reply, body: new TextEncoder().encode(body) });
  const client = queryClient(endpoint, { request }, (text) => text, () => RUN.time);
  const { signal } = new AbortController();
  const sighting = await new PrometheusBackend(client).find(RUN, RUN.time, signal);
  assert.ok(sighting.kind === "refused" || sighting.kind === "trouble");
  return [sighting.kind, sighting.message, sighting.hint ?? ""] as const;
}

// The texts are those of Mimir, of Go's net/http, of VictoriaMetrics, of Envoy and of nginx.
testCases(
  ([
    [401, "no org id", "refused", "401: no org id", /^name the tenant: --query-header X-Scope/],
    [401, "Unauthorized\n", "refused", "401: Unauthorized", /--query-header Authorization=/],
    [
      404,
      "404 page not found\n",
      "refused",
      "404: 404 page not found",
      /^check --query-url: \/api/,
    ],
    [
      400,
      'unsupported path requested: "/x"',
      "refused",
      '400: unsupported path requested: "/x"',
      /^check --query-url, which leads to http:\/\/h\//,
    ],
    [
      400,
      "Client sent an HTTP request to an HTTPS server.\n",
      "refused",
      "400: Client sent an HTTP request to an HTTPS server.",
      /^use https:\/\//,
    ],
    [503, "upstream connect error", "trouble", "503: upstream connect error", /^$/],
    [
      401,
      "<html><title>401 Authorization Required</title></html>",
      "refused",
      '401, with a web page, "401 Authorization Required"',
      /check --query-url.*or set credentials with --query-header Authorization=/,
    ],
    [200, "OK", "refused", "200, with a response that is not JSON", /check --query-url/],
  ] as const).map(([status, body, kind, message, hint]) => ({
    name: `a query that is answered with ${status} ${
      JSON.stringify(body)
    } has a cause and a remedy`,
    async run() {
      const [found, words, remedy] = await findIn(status, body);
      assert.deepEqual([found, words], [kind, message]);
      assert.match(remedy, hint);
    },
  })),
);
