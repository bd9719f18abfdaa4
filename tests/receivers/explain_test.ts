import assert from "node:assert/strict";
import { baseEndpoint } from "../../src/http/endpoint.ts";
import { PROFILES, RECEIVERS } from "../../src/receivers/profiles.ts";
import { allRules } from "../../src/receivers/dynatrace/rules.ts";

const SAAS = "https://abc.live.dynatrace.com/api/v2/otlp";
const COLLECTOR = "http://collector:4318";
const KNOWN = [400, 401, 403, 404, 405, 407, 413, 415, 429, 500, 502, 503, 504];

/** Hint of the profile at a URL for a response. */
async function hintAt(status: number, url: string, headers = {}, words = ""): Promise<string> {
  const setting = { name: "--endpoint", source: "command line", value: url } as const;
  const endpoint = baseEndpoint(setting, () => undefined, RECEIVERS);
  const { hint } = await endpoint.profile.explainer();
  return hint({ kind: "reply", status, headers: new Headers(headers) }, endpoint, words) ?? "";
}

Deno.test("a hint names token, scheme and scope of both kinds for Dynatrace's 401 and 403", async () => {
  for (const status of [401, 403]) {
    const hint = await hintAt(status, SAAS);
    for (const word of ["metrics.ingest", "openpipeline:metrics:ingest"]) {
      assert.ok(hint.includes(word), `${status}: ${word}`);
    }
  }
  assert.match(
    await hintAt(401, SAAS),
    /dt0c01.*Api-Token.*dt0s16.*Bearer.*Managed endpoints do not accept Bearer.*dt0s01/,
  );
  assert.match(await hintAt(403, SAAS), /another environment.*has expired/);
});

Deno.test("a hint for Dynatrace's 403 is about the kind of token that the message names", async () => {
  const platform = await hintAt(403, SAAS, {}, "403: OAuth token is missing required scope. Use …");
  assert.match(platform, /^the platform token .*openpipeline:metrics:ingest/);
  assert.doesNotMatch(platform, /access token/);
  const access = await hintAt(403, SAAS, {}, "403: Token is missing required scope. Use one of: …");
  assert.doesNotMatch(access, /platform/);
});

Deno.test("a hint says what the rule of the status says, in the words of the documentation", async () => {
  const explained = allRules().filter(({ statuses = [] }) => statuses.length > 0);
  assert.ok(explained.length > 5);
  for (const { statuses = [], effect, remedy } of explained) {
    for (const status of statuses) {
      const hint = await hintAt(status, SAAS);
      assert.ok(hint.includes(effect) && hint.includes(remedy), `${status}: ${hint}`);
    }
  }
});

Deno.test("a hint names Dynatrace only where the receiver is Dynatrace, but for a 404", async () => {
  for (const status of KNOWN.filter((status) => status !== 404)) {
    assert.doesNotMatch(await hintAt(status, COLLECTOR), /dynatrace|dt0/i, String(status));
  }
});

const notFound: readonly (readonly [url: string, hint: RegExp])[] = [
  [
    SAAS,
    /ENV\.live\.dynatrace\.com.*DOMAIN\/e\/ENV.*HOST:9999\/e\/ENV.*HOST\/e\/ENV.*went to \/api\/v2\/otlp/,
  ],
  [COLLECTOR, /a Collector's base is http:\/\/HOST:4318, Dynatrace's is https:\/\/ENV\.live/],
  [
    "https://abc.apps.dynatrace.com/api/v2/otlp",
    /a host with \.apps\. serves Dynatrace's web pages/,
  ],
  // An OpenShift route.
  ["https://otel.apps.cluster.example", /no OTLP receiver at/],
  ["http://localhost:14499/api/v2/otlp", /^port 14499 is a OneAgent's/],
  ["http://localhost:14499/otlp", /^port 14499 is a OneAgent's/],
  ["http://collector:4318/v1/traces", /^\/v1\/traces is the path of another signal/],
];

for (const [url, hint] of notFound) {
  Deno.test(`a hint knows why ${url} is not found`, async () => {
    assert.match(await hintAt(404, url), hint);
  });
}

Deno.test("a hint for a 415 says what is sent", async () => {
  for (const url of [SAAS, COLLECTOR]) {
    assert.match(await hintAt(415, url), /not JSON and not gRPC/);
  }
});

Deno.test("a hint for Dynatrace's 429 reads its X-RateLimit headers, the reset in microseconds", async () => {
  const headers = {
    "X-RateLimit-Limit": "1000",
    "X-RateLimit-Remaining": "0",
    "X-RateLimit-Reset": String(Date.UTC(2026, 0, 31, 12) * 1000),
  };
  const plain = await hintAt(429, SAAS);
  assert.equal(
    await hintAt(429, SAAS, headers),
    `${plain}; the rate is limited: 1000 requests are allowed, 0 are left, ` +
      "the limit resets at 2026-01-31T12:00:00.000Z",
  );
  // Those of other receivers have other units.
  assert.equal(await hintAt(429, COLLECTOR, headers), await hintAt(429, COLLECTOR));
});

for (const odd of ["many", "9".repeat(20), "60", String(Date.UTC(2026, 0, 31) / 1000), "-1"]) {
  Deno.test(`a hint for a 429 says nothing of X-RateLimit-Reset: ${odd}`, async () => {
    const headers = { "X-RateLimit-Limit": "many", "X-RateLimit-Reset": odd };
    assert.equal(await hintAt(429, SAAS, headers), await hintAt(429, SAAS));
  });
}

Deno.test("PROFILES: only a vendor's says where to look and explains reasons", async () => {
  const { reasons, whereToLook } = await PROFILES.otlp.explainer();
  const metric = { metric: "m", dimensions: [], exponential: false };
  assert.deepEqual([
    ...reasons("x - Reason: VALUE_INVALID"),
    ...whereToLook([metric], { url: new URL("http://h") }),
  ], []);
});

Deno.test("a hint takes no 300 and no 304 for a redirect", async () => {
  assert.match(
    await hintAt(308, COLLECTOR, { location: "https://h/x" }),
    /redirects to https:\/\/h;/,
  );
  for (const status of [300, 304]) assert.equal(await hintAt(status, COLLECTOR), "");
});

Deno.test("a hint knows a request that is too large whatever the status is, but for a 429", async () => {
  const hint = (status: number) =>
    hintAt(status, COLLECTOR, {}, `${status}: http: request body too large`);
  for (const status of [400, 413]) {
    assert.match(await hint(status), /^one data point, or a request/);
  }
  assert.match(await hint(429), /send less often/);
  assert.equal(await hint(500), "");
});
