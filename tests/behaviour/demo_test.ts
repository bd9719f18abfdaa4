import assert from "node:assert/strict";
import { usageError } from "../support/fixture.ts";
import { sourceOnly } from "../support/program.ts";
import { testFixtures } from "../support/run_fixture.ts";

/** The directory of Deno's TMPDIR, before and after. */
const KEEP = { "tmp/.keep": "" } as const;

testFixtures([
  {
    name: "demo draws three sends and ends with the sums, whatever is configured",
    args: ["demo"],
    dotenv: "DT_ENDPOINT={url}\nINTERVAL=never\n",
    env: {
      DT_ENDPOINT: "{url}/api/v2/otlp",
      OTEL_SERVICE_NAME: "other",
      INTERVAL: "never",
      HTTP_PROXY: "{proxy}",
      ALL_PROXY: "{proxy}",
      // An executable finds its own, and takes no relative one.
      ...sourceOnly && { TMPDIR: "tmp" },
    },
    files: KEEP,
    proxy: {},
    requests: 0,
    stdout: "any",
    check({ stdout, durationMs, receiver, proxy, program: { directory } }) {
      assert.ok(durationMs > 2000, `took ${durationMs} ms`);
      const times = (line: RegExp) => stdout.match(line)?.length ?? 0;
      assert.equal(
        times(
          /^\[TIME\] POST \/v1\/metrics 200 accepted: N bytes, 3 data points, 5 measurements$/gm,
        ),
        3,
      );
      assert.equal(times(/^\[TIME\] ✓ Sent 5 measurements$/gm), 3);
      // Each send is drawn, and so are all together.
      assert.equal(times(/^ {2}http\.server\.duration \(ms\) http\.method=GET/gm), 4);
      assert.equal(times(/^ {2}resource service\.name=my-service /gm), 4);
      assert.match(stdout, /^Totals of 3 requests:\n(.*\n){2} {4}count 9, min /m);
      // Every send has three data points, each with at least one bar.
      assert.ok(times(/^ +\(.*\] █+[▉▊▋▌▍▎▏]? [123]$/gm) >= 9);
      assert.match(stdout, /^Delivered 15 of 15 measurements in 3 sends\.$/m);
      assert.match(
        stdout,
        /\nReceived 3 requests: 9 data points, 15 measurements, 0 data points rejected\n$/,
      );
      assert.equal(receiver.connections, 0);
      assert.deepEqual(proxy?.requests, []);
      const left = [...Deno.readDirSync(directory)].map(({ name }) => name).sort();
      assert.deepEqual(left, [".env", "tmp"]);
      assert.deepEqual([...Deno.readDirSync(`${directory}/tmp`)].map(({ name }) => name), [
        ".keep",
      ]);
    },
  },
  {
    name: "demo --ui prints the URL of a page, and goes on sending until a signal",
    args: ["demo", "--ui"],
    requests: 0,
    stdout: "any",
    async meanwhile({ program }) {
      const said = await program.waitForStdout("Page: ");
      const page = /Page: (http:\S+)/.exec(said)?.[1] ?? "";
      await program.waitForStdout("Iteration 4: ");
      const answer = await fetch(page);
      assert.equal(answer.status, 200);
      assert.match(await answer.text(), /^<!doctype html>/);
      program.signal("SIGINT");
    },
    check({ stdout }) {
      assert.match(stdout, /^Page: http:\/\/127\.0\.0\.1:\d+\/$/m);
      assert.match(stdout, /^Press Ctrl\+C to stop\.\.\.$/m);
      const [, delivered, recorded] =
        /^Delivered (\d+) of (\d+) measurements in \d+ sends\.$/m.exec(stdout) ?? [];
      assert.ok(delivered !== undefined && delivered === recorded, stdout);
      assert.match(stdout, /^Received \d+ requests: .* 0 data points rejected$/m);
    },
  },
  usageError(
    "demo exits with 2 when it is given an argument",
    { args: ["demo", "--loop"] },
    /^ERROR: .*--loop/,
  ),
  {
    name: "demo --help says what it does",
    args: ["demo", "--help"],
    stdout: "any",
    requests: 0,
    check: ({ stdout }) => assert.match(stdout, /needs no configuration/),
  },
]);
