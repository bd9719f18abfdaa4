import assert from "node:assert/strict";
import { baseEndpoint } from "../../src/http/endpoint.ts";
import { failureHint, hintFor, statusHint } from "../../src/http/hints.ts";
import type { FailureCause } from "../../src/http/reply.ts";

const at = (value: string) =>
  baseEndpoint({ name: "--endpoint", source: "command line", value }, () => undefined);
const failed = (cause: FailureCause, url: string, message = "") =>
  failureHint({ kind: "failure", cause, message, mayHaveArrived: false }, at(url)) ?? "";
const answered = (status: number, url: string, headers = {}) =>
  statusHint(status, new Headers(headers), at(url)) ?? "";

const SAAS = "https://abc.live.dynatrace.com/api/v2/otlp";
const COLLECTOR = "http://collector:4318";

for (const cause of ["refused", "broken", "timeout", "tls"] as const) {
  Deno.test(`failureHint() says of port 4317 that it is gRPC's when the cause is "${cause}"`, () => {
    for (const url of ["http://collector:4317", "https://collector:4317"]) {
      assert.match(failed(cause, url), /4317 is gRPC; OTLP\/HTTP is 4318/);
    }
    if (cause !== "broken") assert.doesNotMatch(failed(cause, COLLECTOR), /4317/);
  });
}

Deno.test("failureHint() asks for https:// where plain HTTP is cut off or refused", () => {
  assert.match(failed("broken", COLLECTOR, "invalid HTTP version parsed"), /is it https:\/\/\?/);
  assert.match(failed("broken", COLLECTOR, "error reading a body"), /is it https:\/\/\?/);
  assert.match(failed("refused", "http://abc.live.dynatrace.com"), /Is it https:\/\/\?/);
  assert.doesNotMatch(failed("broken", "https://h"), /is it https/i);
});

Deno.test("statusHint() names token, scheme and scope of both kinds for 401 and 403", () => {
  for (const status of [401, 403]) {
    const hint = answered(status, SAAS);
    for (
      const word of ["Api-Token", "metrics.ingest", "Bearer", "openpipeline:metrics:ingest"]
    ) assert.ok(hint.includes(word), `${status}: ${word}`);
  }
  assert.match(answered(401, SAAS), /dt0c01.*dt0s16.*Managed endpoints take no Bearer.*dt0s01/);
  assert.match(answered(403, SAAS), /has expired, or it is another environment's/);
});

const notFound: readonly (readonly [url: string, hint: RegExp])[] = [
  [
    SAAS,
    /ENV\.live\.dynatrace\.com.*DOMAIN\/e\/ENV.*HOST:9999\/e\/ENV.*HOST\/e\/ENV.*went to \/api\/v2\/otlp/,
  ],
  [COLLECTOR, /a Collector's base is http:\/\/HOST:4318/],
  ["https://abc.apps.dynatrace.com/api/v2/otlp", /^a host with \.apps\. serves Dynatrace's pages/],
  // An OpenShift route.
  ["https://otel.apps.cluster.example", /no OTLP receiver at/],
  ["http://localhost:14499/api/v2/otlp", /^port 14499 is a OneAgent's/],
  ["http://collector:4318/v1/traces", /^\/v1\/traces takes another signal/],
];

for (const [url, hint] of notFound) {
  Deno.test(`statusHint() knows why ${url} is not found`, () => {
    assert.match(answered(404, url), hint);
  });
}

Deno.test("statusHint() says what is sent when it is not taken, and what the rate's headers say", () => {
  assert.match(answered(415, SAAS), /neither JSON nor gRPC/);
  assert.match(answered(429, SAAS, { "X-RateLimit-Limit": "7" }), /; .*7 requests are allowed/);
  assert.doesNotMatch(answered(429, SAAS), /the rate is limited/);
});

Deno.test("statusHint() takes no 304 for a redirect", () => {
  assert.match(answered(308, COLLECTOR, { location: "https://h/x" }), /redirects to https:\/\/h;/);
  for (const status of [300, 304]) assert.equal(answered(status, COLLECTOR), "");
});

Deno.test("statusHint() knows a request that is too large whatever the status is, but for a 429", () => {
  const hint = (status: number) =>
    statusHint(status, new Headers(), at(COLLECTOR), `${status}: http: request body too large`);
  for (const status of [400, 413]) {
    assert.match(hint(status) ?? "", /^one data point, or a request/);
  }
  assert.match(hint(429) ?? "", /send less often/);
  assert.equal(hint(500), undefined);
});

Deno.test("failureHint() does not blame the connection for a response that cannot be read", () => {
  for (const url of [COLLECTOR, "https://collector:4318"]) {
    for (
      const message of [
        "message head is too large",
        "invalid content-length parsed",
        "invalid HTTP header parsed",
        "Parse Error: Header overflow",
      ]
    ) {
      assert.match(
        failed("broken", url, message),
        /^the response of collector:4318 breaks the rules/,
      );
    }
  }
});

Deno.test("hintFor() reads a 400 in which nginx or Go asks for TLS, and has none for others", () => {
  const trouble = { kind: "reply", status: 400, headers: new Headers() } as const;
  for (
    const said of [
      "Client sent an HTTP request to an HTTPS server.",
      "The plain HTTP request was sent to HTTPS port",
    ]
  ) assert.match(hintFor(trouble, at(COLLECTOR), `400 Bad Request: ${said}`) ?? "", /https:\/\/\?/);
  assert.equal(hintFor(trouble, at(COLLECTOR), "400 Bad Request: no"), undefined);
});
