import assert from "node:assert/strict";
import { runFixture } from "../support/run_fixture.ts";
import { each } from "../support/cases.ts";

// One metric of several scopes and targets: each is drawn by itself, and the rules of meaning count them together.

function exposition(labels: readonly string[]): string {
  return [
    "# TYPE took histogram",
    ...labels.flatMap((label) => [
      `took_bucket{${label}le="1"} 12`,
      `took_bucket{${label}le="+Inf"} 12`,
      `took_sum{${label}} 6`,
      `took_count{${label}} 12`,
    ]),
    "",
  ].join("\n");
}

const A = 'otel_scope_name="a",otel_scope_version="1",';
const B = 'otel_scope_name="b",otel_scope_version="1",';

each(
  [
    {
      name: "two scopes by name",
      labels: [A, B],
      origins: [{ "otel.scope.name": "a" }, { "otel.scope.name": "b" }],
    },
    {
      name: "a scope and an attribute of it",
      labels: [A, `${A}otel_scope_kind="x",`],
      origins: [undefined, { kind: "x" }],
    },
    { name: "a single scope by nothing", labels: [A], origins: [undefined] },
  ],
  ({ name }) => `plot tells ${name} apart`,
  async ({ labels, origins }) => {
    const stdin = exposition(labels);
    const args = ["plot", "--input", "-", "--input-format", "prometheus"];
    const warned = labels.length === 1
      ? [/every value of took so far is in the first bucket/]
      : [/rule one-bucket: took: all 24 values lie in one of 2 buckets/];
    const json = await runFixture({
      args: [...args, "--output", "json"],
      stdin,
      requests: 0,
      stdout: "any",
      stderr: warned,
    });
    const lines = json.stdout.trimEnd().split("\n").map((line) => JSON.parse(line));
    assert.deepEqual(lines.map(({ origin }) => origin), origins);
    const text = await runFixture({ args, stdin, requests: 0, stdout: "any", stderr: warned });
    const titles = text.stdout.split("\n").filter((line) => line.startsWith("  took"));
    assert.deepEqual(
      titles,
      origins.map((origin) =>
        ["  took", ...Object.entries(origin ?? {}).map(([key, value]) => `${key}=${value}`)].join(
          " ",
        )
      ),
    );
  },
);
