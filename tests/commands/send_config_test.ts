import assert from "node:assert/strict";
import { sendConfig } from "../../src/commands/send_config.ts";
import { UsageError } from "../../src/platform/errors.ts";
import type { SendFlags } from "../../src/settings/settings.ts";
import { variables } from "../../src/settings/setting.ts";

type Texts = Readonly<Record<string, string>>;
const TOKEN = "dt0c01.PUBLIC.SECRET";
const HERE = { endpoint: "http://h" };

function config(flags: SendFlags, environment: Texts = {}, dotenv: Texts = {}) {
  const find = variables((name) => environment[name], new Map(Object.entries(dotenv)), ".env");
  return sendConfig(flags, find, (name) => environment[name]);
}

function refusal(flags: SendFlags, environment: Texts = {}): string {
  try {
    config(flags, environment);
  } catch (thrown) {
    if (thrown instanceof UsageError) return thrown.message;
    throw thrown;
  }
  throw new Error("It was taken");
}

Deno.test("sendConfig() has the contract's defaults", () => {
  const { destination, metric, schedule, keep, output, source, warnings } = config(HERE);
  assert.equal(destination.endpoint.url.href, "http://h/v1/metrics");
  assert.deepEqual(destination.authorization, { kind: "none" });
  assert.deepEqual(destination.headers, []);
  assert.deepEqual(destination.tls, { insecure: false, ca: undefined, client: undefined });
  assert.equal(destination.compression, "gzip");
  assert.equal(destination.timeoutMs, 10_000);
  assert.equal(metric.name, "http.server.duration");
  assert.equal(metric.unit, "ms");
  assert.equal(metric.description, "HTTP request duration");
  assert.deepEqual(metric.bounds, [5, 10, 25, 50, 75, 100, 250, 500, 1000, 2500, 5000]);
  assert.deepEqual(metric.resource, {
    "service.name": "my-service",
    "deployment.environment": "prod",
  });
  assert.deepEqual(metric.attributes, {});
  assert.deepEqual(schedule, {
    loop: false,
    intervalMs: 60_000,
    iterations: Infinity,
    durationMs: Infinity,
  });
  assert.deepEqual(keep, {
    retryForMs: 30_000,
    spool: undefined,
    maxPendingBytes: 64e6,
    maxAgeMs: 3_600_000,
  });
  assert.deepEqual(output, { format: "text", level: "normal" });
  assert.deepEqual(source, { kind: "sample" });
  assert.deepEqual(warnings, []);
});

Deno.test("sendConfig() takes flag, then environment, then .env", () => {
  const of = (flag?: string, environment?: string, dotenv?: string) =>
    config(
      { ...HERE, loop: true, ...flag !== undefined && { interval: flag } },
      environment === undefined ? {} : { INTERVAL: environment },
      dotenv === undefined ? {} : { INTERVAL: dotenv },
    ).schedule.intervalMs;
  assert.equal(of("1", "2", "3"), 1000);
  assert.equal(of(undefined, "2", "3"), 2000);
  assert.equal(of(undefined, " ", "3"), 3000);
  assert.equal(of(undefined, undefined, ""), 60_000);
});

Deno.test("sendConfig() tries the endpoint's names in order, .env merged first", () => {
  const url = (flags: SendFlags, environment: Texts, dotenv: Texts = {}) =>
    config(flags, { DT_API_TOKEN: TOKEN, ...environment }, dotenv).destination.endpoint.url.href;
  const otel = {
    OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: "http://metrics/as/is",
    OTEL_EXPORTER_OTLP_ENDPOINT: "http://general",
  };
  assert.equal(
    url({ endpoint: "http://flag" }, { DT_ENDPOINT: "http://dt", ...otel }),
    "http://flag/v1/metrics",
  );
  assert.equal(url({}, { DT_ENDPOINT: "http://dt", ...otel }), "http://dt/v1/metrics");
  assert.equal(url({}, otel), "http://metrics/as/is");
  assert.equal(
    url({}, { ...otel, OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: "" }),
    "http://general/v1/metrics",
  );
  assert.equal(url({}, otel, { DT_ENDPOINT: "http://dt" }), "http://dt/v1/metrics");
});

Deno.test("sendConfig() orders what names the Authorization", () => {
  const everything = {
    DT_API_TOKEN: TOKEN,
    DT_API_TOKEN_FILE: "of-variable",
    OTEL_EXPORTER_OTLP_HEADERS: "Authorization=Bearer variable",
  };
  const of = (flags: SendFlags, environment: Texts) =>
    config(flags, environment).destination.authorization;
  const flags = { ...HERE, tokenFile: "of-flag", header: ["authorization=Bearer flag"] };
  assert.deepEqual(of(flags, everything), {
    kind: "value",
    value: "Bearer flag",
    from: "--header",
  });
  assert.deepEqual(of({ ...HERE, tokenFile: "of-flag" }, everything), {
    kind: "token-file",
    path: "of-flag",
    from: "--token-file",
  });
  assert.deepEqual(of(HERE, everything), {
    kind: "value",
    value: `Api-Token ${TOKEN}`,
    from: "DT_API_TOKEN",
  });
  assert.deepEqual(of(HERE, { ...everything, DT_API_TOKEN: "" }), {
    kind: "token-file",
    path: "of-variable",
    from: "DT_API_TOKEN_FILE",
  });
  assert.deepEqual(of(HERE, { OTEL_EXPORTER_OTLP_HEADERS: "Authorization=Bearer%20x" }), {
    kind: "value",
    value: "Bearer x",
    from: "OTEL_EXPORTER_OTLP_HEADERS",
  });
});

Deno.test("sendConfig() gives the token to Dynatrace and to --endpoint alone", () => {
  const kind = (flags: SendFlags, environment: Texts) =>
    config(flags, { DT_API_TOKEN: TOKEN, ...environment }).destination.authorization.kind;
  assert.equal(kind(HERE, {}), "value");
  assert.equal(kind({}, { DT_ENDPOINT: "http://h" }), "value");
  assert.equal(kind({}, { OTEL_EXPORTER_OTLP_ENDPOINT: "http://h" }), "none");
  assert.equal(kind({}, { OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: "http://h/v1/metrics" }), "none");
  assert.equal(kind({}, { OTEL_EXPORTER_OTLP_ENDPOINT: "http://h/api/v2/otlp" }), "value");
});

Deno.test("sendConfig() names DT_ENDPOINT and DT_API_TOKEN when one of them is missing", () => {
  for (
    const message of [
      refusal({}),
      refusal({}, { DT_API_TOKEN: TOKEN }),
      refusal({}, { DT_ENDPOINT: "http://h" }),
      refusal({ endpoint: "http://h/api/v2/otlp" }),
      refusal({}, { OTEL_EXPORTER_OTLP_ENDPOINT: "http://h/api/v2/otlp" }),
    ]
  ) assert.match(message, /DT_ENDPOINT and DT_API_TOKEN/);
});

Deno.test("sendConfig() merges headers name by name, whatever their case", () => {
  const { headers } = config(
    { ...HERE, header: ["X-A=flag", "x-b=%41 b"] },
    { OTEL_EXPORTER_OTLP_HEADERS: "x-a=variable,X-C=c%2C", OTEL_EXPORTER_OTLP_METRICS_HEADERS: "" },
  ).destination;
  assert.deepEqual(Object.fromEntries(headers), { "x-a": "flag", "x-b": "A b", "x-c": "c," });
});

Deno.test("sendConfig() takes --timeout in seconds and the variables in milliseconds", () => {
  const of = (flags: SendFlags, environment: Texts) =>
    config({ ...HERE, ...flags }, environment).destination.timeoutMs;
  const both = { OTEL_EXPORTER_OTLP_TIMEOUT: "3000", OTEL_EXPORTER_OTLP_METRICS_TIMEOUT: "2000" };
  assert.equal(of({ timeout: "0.5" }, both), 500);
  assert.equal(of({}, both), 2000);
  assert.equal(of({}, { OTEL_EXPORTER_OTLP_TIMEOUT: "3000" }), 3000);
});

Deno.test("sendConfig() overrides resource attributes key by key", () => {
  const { resource } = config(
    { ...HERE, resource: ["team=b", "x=1=2", "service.name=another"], service: "flag" },
    {
      OTEL_RESOURCE_ATTRIBUTES: "team=a,region=eu%20west,service.name=listed",
      OTEL_SERVICE_NAME: "named",
    },
  ).metric;
  assert.deepEqual(resource, {
    "service.name": "flag",
    "deployment.environment": "prod",
    team: "b",
    region: "eu west",
    x: "1=2",
  });
});

Deno.test("sendConfig() takes INSECURE_SSL, and --insecure over it", () => {
  const of = (flags: SendFlags, environment: Texts) =>
    config({ ...HERE, ...flags }, environment).destination.tls.insecure;
  assert.equal(of({}, { INSECURE_SSL: "Yes" }), true);
  assert.equal(of({}, { INSECURE_SSL: "no" }), false);
  assert.equal(of({ insecure: true }, { INSECURE_SSL: "no" }), true);
});

for (
  const [what, flags, message] of [
    ["half a client certificate", { clientCert: "c" }, /--client-cert.*--client-key/],
    ["--iterations without --loop", { iterations: "2" }, /--loop/],
    ["--quiet and --verbose", { quiet: true, verbose: true }, /--quiet and --verbose/],
    [
      "bounds out of order",
      { buckets: "2,1" },
      /^Invalid --buckets "2,1" \(command line\): .*increasing/,
    ],
    ["a timeout that no timer can wait", { timeout: "1e9" }, /^Invalid --timeout "1e9"/],
    ["a metric name of 256 characters", { metric: "m".repeat(256) }, /^Invalid --metric/],
    [
      "a header that the program sets",
      { header: ["Content-Length=1"] },
      /a name other than "Content-Length"/,
    ],
    [
      "a header that decides how the response is read",
      { header: ["accept-encoding=gzip"] },
      /a name other than "accept-encoding"/,
    ],
  ] as const
) {
  Deno.test(`sendConfig() throws a UsageError when given ${what}`, () => {
    assert.match(refusal({ ...HERE, ...flags }), message);
  });
}

Deno.test("sendConfig() shows no secret in what it throws", () => {
  const messages = [
    refusal({ ...HERE, header: ["SECRET"] }),
    refusal({ ...HERE, header: ["x-a=SECRET\nx"] }),
    refusal({ ...HERE, header: ["a b=SECRET"] }),
    refusal(HERE, { OTEL_EXPORTER_OTLP_HEADERS: "SECRET" }),
    refusal(HERE, { DT_API_TOKEN: "dt0c01.PUBLIC.SECRET SECRET" }),
    refusal(HERE, { DT_API_TOKEN: "SECRETß" }),
    refusal({ endpoint: "ftp://SECRET:SECRET@h?k=SECRET" }),
    refusal({}, { DT_ENDPOINT: TOKEN }),
    refusal({}, {
      OTEL_RESOURCE_ATTRIBUTES: "SECRET",
      ...{ DT_ENDPOINT: "http://h", DT_API_TOKEN: TOKEN },
    }),
  ];
  for (const message of messages) assert.doesNotMatch(message, /SECRET/);
});
