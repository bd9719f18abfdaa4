import project from "../../deno.json" with { type: "json" };
import assert from "node:assert/strict";
import { fromJson, toJson } from "@bufbuild/protobuf";
import { decodeRequest } from "../../src/otlp/decode.ts";
import {
  type ExportMetricsServiceRequest,
  ExportMetricsServiceRequestSchema,
} from "../../src/otlp/gen/opentelemetry/proto/collector/metrics/v1/metrics_service_pb.ts";
import { inDirectory } from "../support/directory.ts";
import type { Expectation, Fixture, Setup } from "../support/fixture.ts";
import { repeated } from "../support/lines.ts";
import {
  measure,
  type Measuring,
  runFixture,
  type Shared,
  testFixtures,
} from "../support/run_fixture.ts";
import { atLeastOne } from "../support/cases.ts";

const dryRun = ({ args = [], ...setup }: Setup & Expectation, shared?: Shared) =>
  runFixture({ ...setup, args: ["--dry-run", ...args], requests: 0, stdout: "any" }, shared);

/** Without what is different in every run. */
function withoutTimes(request: ExportMetricsServiceRequest): ExportMetricsServiceRequest {
  for (const { scopeMetrics } of atLeastOne(request.resourceMetrics)) {
    for (const { data } of atLeastOne(scopeMetrics.flatMap(({ metrics }) => metrics))) {
      assert.ok(data.case === "histogram" || data.case === "exponentialHistogram");
      for (const point of data.value.dataPoints) {
        assert.ok(point.timeUnixNano >= point.startTimeUnixNano && point.startTimeUnixNano > 0n);
        point.startTimeUnixNano = 0n;
        point.timeUnixNano = 0n;
      }
    }
  }
  return request;
}

/** The document as a generic OTLP/JSON reader takes it; it refuses unknown fields and trailing text. */
function read(document: string): ExportMetricsServiceRequest {
  return withoutTimes(fromJson(ExportMetricsServiceRequestSchema, JSON.parse(document)));
}

interface Case extends Pick<Measuring, "args" | "stdin"> {
  /** Warning that both print on standard error. */
  readonly warning?: string;
}
const cases: Readonly<Record<string, Case>> = {
  "given values": {
    args: ["--value", "3", "--value", "0.1", "--attr", "a=b", "--resource", "x=y", "--unit", "s"],
  },
  "an input": {
    args: ["--input", "-"],
    stdin: '{"value":1,"attributes":{"s":"ü","b":true,"i":-5,"d":0.5}}\n{"value":2e9}\n',
  },
  "synthetic series": { args: ["--series", "4", "--count", "50", "--seed", "the same"] },
  "exponential histograms": {
    args: ["--exponential", "--count", "200", "--seed", "7", "--distribution", "normal(9,4)"],
  },
  "folded series": {
    args: ["--input", "-", "--attr-field", "a", "--max-series", "4"],
    stdin: `a,value\n${[1, 2, 3, 4, 5, 6, 7, 8, 9].map((n) => `${n},${n}\n`).join("")}`,
    warning:
      "6 measurements of 6 series were merged into one data point (otel.metric.overflow=true): there are more series than --max-series",
  },
  "more than one request's worth of series": { args: ["--series", "5000", "--seed", "7"] },
};
for (const [name, { warning, ...setup }] of Object.entries(cases)) {
  Deno.test(`--dry-run prints exactly what would be sent: ${name}`, async () => {
    const [printed, sent] = await Promise.all([
      dryRun({ ...setup, stderr: warning === undefined ? [] : [`WARNING: ${warning}`] }),
      measure({ ...setup, said: warning === undefined ? [] : [warning] }),
    ]);
    const [request] = sent.requests;
    assert.ok(request !== undefined && sent.requests.length === 1);
    assert.deepEqual(
      toJson(ExportMetricsServiceRequestSchema, read(printed.stdout)),
      toJson(ExportMetricsServiceRequestSchema, withoutTimes(decodeRequest(request.content))),
    );
  });
}

Deno.test("--dry-run prints one document by OTLP's JSON mapping, and nothing else", async () => {
  const { stdout } = await dryRun({ args: ["--value", "7", "--buckets", "5,10"] });
  assert.ok(stdout.endsWith("}\n") && stdout.startsWith("{\n"));
  const times = stdout.matchAll(/"(?:startT|t)imeUnixNano": "(\d+)"/g);
  assert.equal([...times].length, 2);
  const text = stdout.replaceAll(/("(?:startT|t)imeUnixNano"): "\d+"/g, '$1: "N"');
  const attribute = (key: string, value: string) => ({ key, value: { stringValue: value } });
  assert.deepEqual(JSON.parse(text), {
    resourceMetrics: [{
      resource: {
        attributes: [attribute("service.name", "unknown_service:otlp-histogram")],
      },
      scopeMetrics: [{
        scope: { name: "otlp-histogram", version: project.version },
        metrics: [{
          name: "http.server.duration",
          description: "HTTP request duration",
          unit: "ms",
          histogram: {
            aggregationTemporality: 1,
            dataPoints: [{
              startTimeUnixNano: "N",
              timeUnixNano: "N",
              count: "1",
              sum: 7,
              min: 7,
              max: 7,
              bucketCounts: ["0", "1", "0"],
              explicitBounds: [5, 10],
            }],
          },
        }],
      }],
    }],
  });
});

Deno.test("--dry-run writes the integer of an attribute as a string", async () => {
  const { stdout } = await dryRun({ args: [] });
  assert.match(stdout, /"key": "http\.status_code",\s+"value": \{\s+"intValue": "200"\s+\}/);
});

Deno.test("--dry-run names what it cannot use of an input, and exits with 1", async () => {
  const { stdout } = await dryRun({
    args: ["--input", "-"],
    stdin: "1\nx\n",
    status: 1,
    stderr: ['WARNING: line 2 not used: the value is not a number: "x"'],
  });
  assert.equal(read(stdout).resourceMetrics.length, 1);
});

Deno.test("--dry-run of an empty input is a document without metrics", async () => {
  const { stdout } = await dryRun({ args: ["--input", "-"], stdin: "" });
  assert.deepEqual(JSON.parse(stdout), { resourceMetrics: [] });
});

const rows: readonly Fixture[] = [
  {
    name: "--dry-run needs no endpoint and no token",
    args: ["--dry-run", "--value", "1"],
    bare: true,
    stdout: [repeated(/./)],
    requests: 0,
  },
  {
    name: "--dry-run sends nothing where an endpoint is named, and shows no token",
    args: ["--dry-run", "--endpoint", "{url}", "--value", "1", "--output", "json"],
    env: { DT_ENDPOINT: "{secretUrl}" },
    stdout: [repeated(/./)],
    requests: 0,
  },
  {
    name: "--dry-run warns of Dynatrace's rules for the endpoint that is set, and needs no token",
    args: ["--dry-run", "--input", "-", "--attr", "service.name=a", "--time-field", "t"],
    env: { DT_ENDPOINT: "https://abc12345.live.dynatrace.com/api/v2/otlp" },
    stdin: '{"value":1,"t":1000000000,"attributes":{"User":"u"}}\n',
    stdout: "any",
    stderr: [
      /^WARNING: Dynatrace rule dimension-key-levels: service\.name /,
      /^WARNING: Dynatrace rule time/,
      /^WARNING: Dynatrace rule .*"User"/,
    ],
    requests: 0,
  },
  {
    name: "--dry-run of more data than a request to Dynatrace holds warns of nothing",
    args: ["--dry-run", "--endpoint", "{url}/api/v2/otlp", "--series", "5000"],
    stdout: "any",
    requests: 0,
  },
  {
    name: "--dry-run with --strict ends with 2 over a broken rule of Dynatrace's",
    args: ["--dry-run", "--strict", "--attr", "service.name=a", "--value", "1"],
    env: { DT_ENDPOINT: "{url}/api/v2/otlp" },
    status: 2,
    stderr: [
      /^ERROR: Dynatrace rule dimension-key-levels: service\.name /,
      "Nothing was sent, because of --strict",
    ],
    requests: 0,
  },
  {
    name: "--dry-run warns of a host of Dynatrace's web pages",
    args: ["--dry-run"],
    env: { DT_ENDPOINT: "https://abc12345.apps.dynatrace.com" },
    stdout: "any",
    stderr: [
      /^WARNING: Dynatrace rule endpoint-apps: DT_ENDPOINT \(environment\): /,
      /^WARNING: Dynatrace rule endpoint-path: DT_ENDPOINT \(environment\): /,
    ],
    requests: 0,
  },
  {
    name: "--dry-run ignores an endpoint that has to be corrected before a send",
    args: ["--dry-run", "--value", "1"],
    env: { DT_ENDPOINT: "https://<your-environment>.live.dynatrace.com/api/v2/otlp" },
    stdout: [repeated(/./)],
    requests: 0,
  },
  {
    name: "--dry-run of a loop is refused",
    args: ["--dry-run", "--loop"],
    status: 2,
    stderr: ["ERROR: --dry-run shows a single send: remove --loop"],
    requests: 0,
  },
  {
    name: "--dry-run of a setting that is wrong is refused",
    args: ["--dry-run", "--buckets", "5,1"],
    status: 2,
    stderr: [
      'ERROR: Invalid --buckets "5,1" (command line): expected numbers in strictly increasing order, for example 5,10,25.5,100',
    ],
    requests: 0,
  },
];
testFixtures(rows);

Deno.test("--dry-run leaves a spool alone", () =>
  inDirectory(async (cwd) => {
    await dryRun({ args: ["--value", "1", "--spool", "spool"] }, { cwd });
    assert.deepEqual([...Deno.readDirSync(cwd)], []);
  }));
