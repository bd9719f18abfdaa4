import project from "../../deno.json" with { type: "json" };
import assert from "node:assert/strict";
import { type OfficialScope, officialScopes } from "../support/official.ts";
import { startCollector } from "../support/collector.ts";
import { runProgram } from "../support/program.ts";
import { startReceiver } from "../support/receiver.ts";
import { missing, namedUnless } from "../support/tools.ts";

// The program and a Collector's prometheus receiver scrape one target. Resource, scopes, units and attributes of both
// are decoded by the official Python classes, and are equal but for the differences that docs/input.md names.

/** Units of OpenTelemetry's table, and others, as OTLP has them; a pair where the Collector's differs from ours. */
const UNITS: Readonly<Record<string, string | readonly [ours: string, theirs: string]>> = {
  days: "d",
  hours: "h",
  minutes: "min",
  seconds: "s",
  milliseconds: "ms",
  microseconds: "us",
  nanoseconds: "ns",
  bytes: "By",
  kibibytes: "KiBy",
  mebibytes: "MiBy",
  gibibytes: "GiBy",
  tebibytes: ["TiBy", "tebibytes"],
  kilobytes: ["kBy", "KBy"],
  megabytes: "MBy",
  gigabytes: "GBy",
  terabytes: "TBy",
  meters: "m",
  volts: "V",
  amperes: "A",
  joules: "J",
  watts: "W",
  grams: "g",
  celsius: "Cel",
  hertz: "Hz",
  percent: "%",
  ratio: "1",
  widgets: "widgets",
  bytes_per_second: "By/s",
  meters_per_hour: "m/h",
  requests_per_minute: ["requests/min", "requests/m"],
  bytes_per_widget: "By/widget",
};
/** Units that only a name's suffix tells: the Collector does not read it. */
const SUFFIXES = { plain_seconds: "s", plain_bytes_per_second: "By/s", plain_things: "" };

const SCOPES = [
  'otel_scope_name="http",otel_scope_version="v1",otel_scope_schema_url="https://s/1",otel_scope_mascot="gopher"',
  'otel_scope_name="other"',
  'otel_scope_version="9"',
  'otel_scope_only="attribute"',
  'otel_scope_name=""',
];

function exposition(count: number): string {
  const histogram = (name: string, labels: string) =>
    `${name}_bucket{${labels},le="1"} ${count}\n${name}_bucket{${labels},le="+Inf"} ${count}\n` +
    `${name}_sum{${labels}} ${count}\n${name}_count{${labels}} ${count}\n`;
  return [
    "# TYPE target info\n",
    'target_info{service_name="shop",service_version="1.2",empty=""} 1\n',
    "# TYPE scoped histogram\n",
    ...SCOPES.map((scope) => histogram("scoped", `${scope},method="GET"`)),
    ...Object.keys(UNITS).map((unit) =>
      `# TYPE x_${unit} histogram\n# UNIT x_${unit} ${unit}\n${histogram(`x_${unit}`, 'a="b"')}`
    ),
    ...Object.keys(SUFFIXES).map((name) => `# TYPE ${name} histogram\n${histogram(name, 'a="b"')}`),
    "# EOF\n",
  ].join("");
}

function startTarget() {
  let count = 0;
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, () => {
    return new Response(exposition(++count), {
      headers: { "content-type": "application/openmetrics-text; version=1.0.0; charset=utf-8" },
    });
  });
  return {
    at: `127.0.0.1:${server.addr.port}`,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

function configuration(target: string, endpoint: string): string {
  return `
receivers:
  prometheus:
    config:
      scrape_configs:
        - {job_name: target, scrape_interval: 300ms, scrape_timeout: 300ms, static_configs: [{targets: ["${target}"]}]}
exporters:
  otlp_http: {endpoint: "${endpoint}", compression: none}
service:
  telemetry: {metrics: {level: none}}
  pipelines:
    metrics: {receivers: [prometheus], exporters: [otlp_http]}
`;
}

const THEIR_SCOPE =
  "github.com/open-telemetry/opentelemetry-collector-contrib/receiver/prometheusreceiver";

/** Scopes and metrics with data points, in an order of their own; the scope of who scraped has the name `own`. */
function listed(scopes: readonly OfficialScope[]): readonly unknown[] {
  return scopes.flatMap(({ name, version, schemaUrl, attributes, metrics }) => {
    const isOwn = [THEIR_SCOPE, "otlp-histogram"].includes(name);
    const scope = isOwn ? "own" : JSON.stringify([name, version, schemaUrl, attributes]);
    return Object.entries(metrics).filter(([, [, points]]) => points.length > 0)
      .map(([metric, of]) => JSON.stringify([scope, metric, ...of]));
  }).sort();
}

function unitsOf(scopes: readonly OfficialScope[]): ReadonlyMap<string, string> {
  return new Map(
    scopes.flatMap(({ metrics }) => Object.entries(metrics).map(([name, [unit]]) => [name, unit])),
  );
}

/** The metrics with the units of the Collector in the place of ours. */
function withTheirUnits(scopes: readonly OfficialScope[]): readonly OfficialScope[] {
  return scopes.map((scope) => ({
    ...scope,
    metrics: Object.fromEntries(
      Object.entries(scope.metrics).map(([name, [unit, ...others]]) => {
        const other = UNITS[name.slice("x_".length)];
        const theirs = name in SUFFIXES ? "" : typeof other === "object" ? other[1] : unit;
        return [name, [theirs, ...others] as const];
      }),
    ),
  }));
}

Deno.test({
  ...namedUnless(
    missing("OTELCOL_CONTRIB") ?? missing("PREDECESSOR_PYTHON"),
    "--scrape finds the scopes, units and resource that a Collector's prometheus receiver finds",
  ),
  async fn() {
    await using target = startTarget();
    await using ours = await startReceiver();
    await using theirs = await startReceiver();
    const { status, stderr } = await runProgram({
      args: [
        ...["--endpoint", ours.url, "--scrape", `http://${target.at}/metrics`],
        ...["--loop", "--interval", "0.5", "--iterations", "3"],
      ],
    });
    assert.equal(status, 0, stderr);
    {
      await using _ = await startCollector(configuration(target.at, theirs.url));
      await theirs.waitForRequests(1, 60_000);
    }
    const sent = await officialScopes(ours.requests.slice(0, 1));
    const found = await officialScopes(theirs.requests.slice(0, 1));
    assert.equal(sent.find(({ name }) => name === "otlp-histogram")?.version, project.version);
    const units = unitsOf(sent);
    for (const [unit, expected] of Object.entries(UNITS)) {
      const own = typeof expected === "string" ? expected : expected[0];
      assert.equal(units.get(`x_${unit}`), own, unit);
    }
    for (const [name, expected] of Object.entries(SUFFIXES)) {
      assert.equal(units.get(name), expected);
    }
    assert.deepEqual(listed(withTheirUnits(sent)), listed(found));
    assert.equal(sent.length, SCOPES.length);
    for (const { resource } of sent) {
      assert.deepEqual(resource, {
        "service.name": "shop",
        service_name: "shop",
        service_version: "1.2",
      });
    }
    for (const { resource } of found) {
      assert.deepEqual(resource, {
        "service.name": "target",
        "service.instance.id": target.at,
        "server.port": target.at.split(":")[1],
        "url.scheme": "http",
        service_name: "shop",
        service_version: "1.2",
      });
    }
  },
});
