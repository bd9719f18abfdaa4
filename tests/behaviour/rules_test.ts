import assert from "node:assert/strict";
import { runProgram } from "../support/program.ts";
import { startReceiver } from "../support/receiver.ts";

// Dynatrace's rules as `send` says them; `check` has its own tests.

const TOKEN = `dt0c01.${"A".repeat(24)}.${"B".repeat(64)}`;

for (
  const host of [
    "abc.apps.dynatrace.com",
    "abc.live.apps.dynatrace.com",
    "x.apps.dynatracelabs.com",
  ]
) {
  for (const path of ["", "/api/v2/otlp"]) {
    Deno.test(`send ends with 2 before anything leaves for ${host}${path}`, async () => {
      const { status, stdout, stderr } = await runProgram({
        args: ["--value", "1"],
        env: { DT_ENDPOINT: `https://${host}${path}`, DT_API_TOKEN: TOKEN },
      });
      assert.deepEqual([status, stdout], [2, ""]);
      assert.match(stderr, /rule endpoint-apps: DT_ENDPOINT .*use ENV\.live\.dynatrace\.com/);
      assert.match(stderr, /Nothing was sent/);
    });
  }
}

/** What `send` with these flags says on standard error, and on standard output, to a receiver at Dynatrace's path. */
async function sent(...args: string[]): Promise<{ out: string; err: string; status: number }> {
  await using receiver = await startReceiver();
  const { status, stdout, stderr } = await runProgram({
    args: ["--endpoint", `${receiver.url}/api/v2/otlp`, ...args],
    env: { DT_API_TOKEN: TOKEN },
  });
  return { out: stdout, err: stderr, status };
}

const warnings: readonly (readonly [args: readonly string[], wanted: RegExp])[] = [
  [["--attr", "http.statusCode=1"], /"http\.statusCode" becomes "http\.statuscode"/],
  [["--attr", "HTTP.method=1"], /"http\.method".* and .*both become "http\.method"/s],
  [["--attr", "service.name=a"], /"service\.name" is an attribute of a data point and of its res/],
  [["--attr", `a=${"v".repeat(300)}`], /has 300 characters, Dynatrace keeps 255/],
  [["--value", "1", "--buckets", "-5,5"], /the bound -5 is negative: Dynatrace does not support/],
];

for (const [args, wanted] of warnings) {
  Deno.test(`send warns of ${args.join(" ").slice(0, 40)}, and sends`, async () => {
    const { status, out, err } = await sent(...args);
    assert.equal(status, 0, err);
    assert.match(err, wanted);
    assert.match(out, /✓/);
  });
}

Deno.test("send has no word against attributes that Dynatrace enriches with, nor with --strict", async () => {
  const { status, err } = await sent("--strict", "--attr", "dt.entity.host=HOST-1");
  assert.deepEqual([status, err], [0, ""]);
});

Deno.test("send tells the query with the keys that Dynatrace stores", async () => {
  const { out } = await sent("--attr", "userId=1", "--attr", "or=2");
  assert.match(out, /by: \{http\.method, http\.status_code, userid, `or`\}/);
});
