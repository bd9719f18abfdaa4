import assert from "node:assert/strict";
import { type Fixture, usageError } from "../support/fixture.ts";
import { testFixtures } from "../support/run_fixture.ts";

// Dynatrace's rules as `send` says them; `check` has its own tests.

const TOKEN = `dt0c01.${"A".repeat(24)}.${"B".repeat(64)}`;

const hosts = [
  "abc.apps.dynatrace.com",
  "abc.live.apps.dynatrace.com",
  "x.apps.dynatracelabs.com",
] as const;

testFixtures(hosts.flatMap((host) =>
  ["", "/api/v2/otlp"].map((path) =>
    usageError(
      `send ends with 2 before anything leaves for ${host}${path}`,
      {
        args: ["--value", "1"],
        env: { DT_ENDPOINT: `https://${host}${path}`, DT_API_TOKEN: TOKEN },
      },
      /rule endpoint-apps: DT_ENDPOINT .*use ENV\.live\.dynatrace\.com/,
      "Nothing was sent",
    )
  )
));

/** One accepted send to a receiver at Dynatrace's path. */
const toDynatrace = (name: string, args: readonly string[], more: Partial<Fixture>): Fixture => ({
  name,
  args: ["--endpoint", "{url}/api/v2/otlp", ...args],
  env: { DT_API_TOKEN: TOKEN },
  posts: 1,
  stdout: "any",
  ...more,
});

const warnings: readonly (readonly [args: readonly string[], wanted: RegExp])[] = [
  [["--attr", "http.statusCode=1"], /"http\.statusCode" becomes "http\.statuscode"/],
  [["--attr", "HTTP.method=1"], /"http\.method".* and .*both become "http\.method"/s],
  [["--attr", "service.name=a"], /"service\.name" is an attribute of a data point and of its res/],
  [["--attr", `a=${"v".repeat(300)}`], /has 300 characters, Dynatrace keeps 255/],
  [["--value", "1", "--buckets", "-5,5"], /the bound -5 is negative: Dynatrace does not support/],
];

testFixtures([
  ...warnings.map(([args, wanted]) =>
    toDynatrace(`send warns of ${args.join(" ").slice(0, 40)}, and sends`, args, {
      stderr: "any",
      check({ stdout, stderr }) {
        assert.match(stderr, wanted);
        assert.match(stdout, /✓/);
      },
    })
  ),
  toDynatrace(
    "send has no word against attributes that Dynatrace enriches with, nor with --strict",
    ["--strict", "--attr", "dt.entity.host=HOST-1"],
    {},
  ),
  usageError(
    "send with --strict sends nothing to a host of Dynatrace without the path of its API",
    {
      args: ["--strict", "--value", "1"],
      env: { DT_ENDPOINT: "https://abc12345.live.dynatrace.com", DT_API_TOKEN: TOKEN },
    },
    /rule endpoint-path: DT_ENDPOINT /,
    "Nothing was sent, because of --strict",
  ),
  toDynatrace(
    "send tells the query with the keys that Dynatrace stores",
    ["--attr", "userId=1", "--attr", "or=2"],
    {
      stderr: "any",
      check: ({ stdout }) =>
        assert.match(stdout, /by: \{http\.method, http\.status_code, userid, `or`\}/),
    },
  ),
]);
