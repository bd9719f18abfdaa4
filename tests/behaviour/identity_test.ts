import project from "../../deno.json" with { type: "json" };
import assert from "node:assert/strict";
import { testCases } from "../support/cases.ts";
import { officialScopes } from "../support/official.ts";
import { type ProgramOptions, runProgram } from "../support/program.ts";
import { startReceiver } from "../support/receiver.ts";
import { missing } from "../support/tools.ts";
import { SERVICE_NOTE } from "../support/wording.ts";

/** Identity in a request: the resource's attributes, and `NAME VERSION` of the scope. */
interface Identity {
  readonly resource: Readonly<Record<string, string>>;
  readonly scope: string;
}

interface Row extends Omit<ProgramOptions, "args"> {
  readonly name: string;
  /** Arguments after `--endpoint URL`; {target} is a Prometheus endpoint. */
  readonly args: readonly string[];
  readonly identity: Identity;
  /** Whether the note that names --service is printed, once. */
  readonly isNoted: boolean;
}

const SAMPLE: Identity = {
  resource: { "service.name": "my-service", "deployment.environment": "prod" },
  scope: "example-meter 1.0.0",
};
const OWN_SCOPE = `otlp-histogram ${project.version}`;
const outside = (resource: Identity["resource"]) => ({ resource, scope: OWN_SCOPE });
const UNKNOWN = outside({ "service.name": "unknown_service:otlp-histogram" });

const REPLAYED = JSON.stringify({
  resourceMetrics: [{
    resource: { attributes: [{ key: "service.name", value: { stringValue: "kept" } }] },
    scopeMetrics: [{
      scope: { name: "theirs", version: "7" },
      metrics: [{
        name: "m",
        histogram: {
          aggregationTemporality: 1,
          dataPoints: [{ count: "1", sum: 1, bucketCounts: ["1", "0"], explicitBounds: [5] }],
        },
      }],
    }],
  }],
});

function scenario(resource: Identity["resource"] | undefined): string {
  const metric = { name: "m", unit: "ms", mix: [{ weight: 1, distribution: "uniform(1,9)" }] };
  return JSON.stringify({ resource, metrics: [metric] });
}

/** An exposition of so many values, of a target that names itself or does not. */
function exposition(count: number, target = ""): string {
  return `${target}# TYPE h histogram
h_bucket{le="1"} ${count}
h_bucket{le="+Inf"} ${count}
h_sum ${count}
h_count ${count}
`;
}
const TARGET_INFO =
  '# TYPE target_info gauge\ntarget_info{service_name="shop",service_version="1.2"} 1\n';
const SHOP = { "service.name": "shop", service_name: "shop", service_version: "1.2" };

const sample = (name: string, ...args: readonly string[]): Row => ({
  name,
  args,
  identity: SAMPLE,
  isNoted: false,
});
const unknown = (
  name: string,
  args: readonly string[],
  more: Partial<ProgramOptions> = {},
): Row => ({ ...more, name, args, identity: UNKNOWN, isNoted: true });
const named = (
  name: string,
  args: readonly string[],
  resource: Identity["resource"],
  env: Readonly<Record<string, string>> = {},
): Row => ({ name, args, env, identity: outside(resource), isNoted: false });

const ROWS: readonly Row[] = [
  sample("samples"),
  sample("samples of a loop", "--loop", "--interval", "0", "--iterations", "2"),
  sample("--series", "--series", "4"),
  sample("--count", "--count", "3"),
  sample("--distribution", "--distribution", "uniform(1,9)"),
  sample("--rate", "--rate", "50", "--loop", "--interval", "0.2", "--iterations", "1"),
  sample("--workers", "--series", "4", "--count", "8", "--workers", "2"),
  sample("--shards", "--series", "4", "--shards", "2", "--shard", "1"),
  {
    ...sample("--scenario without a resource", "--scenario", "./s.json"),
    files: { "s.json": scenario(undefined) },
  },
  {
    ...sample("--scenario with a resource", "--scenario", "./s.json"),
    files: { "s.json": scenario({ "service.name": "web", tier: "1" }) },
    identity: {
      resource: { ...SAMPLE.resource, "service.name": "web", tier: "1" },
      scope: SAMPLE.scope,
    },
  },
  unknown("--value", ["--value", "5"]),
  unknown("--value in a loop, noted once", [
    ...["--value", "5", "--loop", "--interval", "0", "--iterations", "3"],
  ]),
  unknown("--since", ["--since", "1700000000"]),
  unknown("an empty --service", ["--value", "5", "--service", ""]),
  unknown("an empty service.name of --resource", ["--value", "5", "--resource", "service.name="]),
  unknown("--input FILE", ["--input", "f"], { files: { f: "5\n" } }),
  unknown("--input - (standard input)", ["--input", "-"], { stdin: '{"value":5}\n' }),
  unknown("--follow", [
    ...["--input", "f", "--follow", "--from", "start"],
    ...["--loop", "--interval", "0.3", "--iterations", "1"],
  ], { files: { f: "5\n" } }),
  unknown("--time-field", ["--input", "f", "--time-field", "t"], {
    files: { f: '{"value":5,"t":"2026-01-31T12:00:00Z"}\n' },
  }),
  unknown("an exposition that names no target", ["--input", "f"], {
    files: { f: exposition(3) },
  }),
  unknown("--scrape", [
    ...["--scrape", "{target}/", "--loop", "--interval", "0.5", "--iterations", "2"],
  ]),
  {
    ...named("--scrape of a target that names itself", [
      ...["--scrape", "{target}/info", "--loop", "--interval", "1", "--iterations", "1"],
    ], SHOP),
  },
  {
    ...named("an exposition that names its target", ["--input", "f"], SHOP),
    files: { f: exposition(3, TARGET_INFO) },
  },
  {
    ...named(
      "an exposition, and --service",
      ["--input", "f", "--service", "mine", "--resource", "service_version=2"],
      { ...SHOP, "service.name": "mine", service_version: "2" },
    ),
    files: { f: exposition(3, TARGET_INFO) },
  },
  named("--service", ["--value", "5", "--service", "s"], { "service.name": "s" }),
  named(
    "--resource service.name",
    ["--value", "5", "--resource", "service.name=s"],
    { "service.name": "s" },
  ),
  named("OTEL_SERVICE_NAME", ["--value", "5"], { "service.name": "s" }, {
    OTEL_SERVICE_NAME: "s",
  }),
  named("OTEL_RESOURCE_ATTRIBUTES", ["--value", "5"], { "service.name": "a b", team: "t" }, {
    OTEL_RESOURCE_ATTRIBUTES: "service.name=a%20b,team=t",
  }),
  {
    ...unknown("another resource attribute", ["--value", "5", "--resource", "team=t"]),
    identity: outside({ ...UNKNOWN.resource, team: "t" }),
  },
  {
    name: "--replay keeps its own",
    args: ["--replay", "f"],
    files: { f: `${REPLAYED}\n` },
    identity: { resource: { "service.name": "kept" }, scope: "theirs 7" },
    isNoted: false,
  },
];

/** Answers each scrape with one value more. */
function startTarget() {
  let count = 0;
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, ({ url }) => {
    return new Response(exposition(++count, url.endsWith("info") ? TARGET_INFO : ""));
  });
  return {
    url: `http://127.0.0.1:${server.addr.port}`,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

const ignored = missing("PREDECESSOR_PYTHON");

testCases(ROWS.map((row) => ({
  name: `the identity of ${row.name}`,
  ignore: ignored,
  async run() {
    const { args, identity, isNoted, ...options } = row;
    await using target = startTarget();
    await using receiver = await startReceiver();
    const { status, stderr } = await runProgram({
      ...options,
      args: [
        ...["--endpoint", receiver.url],
        ...args.map((arg) => arg.replace("{target}", target.url)),
      ],
    });
    assert.equal(status, 0, stderr);
    const scopes = await officialScopes(receiver.requests);
    assert.ok(scopes.length > 0);
    for (const { resource, name, version } of scopes) {
      assert.deepEqual({ resource, scope: `${name} ${version}` }, identity);
    }
    assert.equal(stderr, isNoted ? `NOTE: ${SERVICE_NOTE}\n` : "");
  },
})));

Deno.test({
  name: "check --canary sends the identity of a sample",
  ignore: ignored !== undefined,
  async fn() {
    await using receiver = await startReceiver();
    const { status, stderr } = await runProgram({
      args: ["check", "--canary", "--endpoint", receiver.url],
    });
    assert.equal(status, 0, stderr);
    const [scope, ...others] = await officialScopes(receiver.requests);
    assert.ok(scope !== undefined && others.length === 0);
    const { resource, name, version } = scope;
    assert.deepEqual({ resource, scope: `${name} ${version}` }, SAMPLE);
  },
});

Deno.test("the note about the service is an object under --output json, and none under --quiet", async () => {
  await using receiver = await startReceiver();
  const sent = (...args: readonly string[]) =>
    runProgram({ args: ["--endpoint", receiver.url, "--value", "5", ...args] });
  const json = await sent("--output", "json");
  assert.deepEqual(JSON.parse(json.stderr), { type: "note", message: SERVICE_NOTE });
  const quiet = await sent("--quiet");
  assert.equal(quiet.stderr, "");
  const dry = await runProgram({ args: ["--dry-run", "--value", "5"] });
  assert.equal(dry.stderr, `NOTE: ${SERVICE_NOTE}\n`);
  assert.equal(JSON.parse(dry.stdout).resourceMetrics.length, 1);
  assert.equal(receiver.requests.length, 2);
});
