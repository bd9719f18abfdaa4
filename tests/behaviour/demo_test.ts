import assert from "node:assert/strict";
import { runProgram } from "../support/program.ts";
import { startProxy } from "../support/proxy.ts";
import { startReceiver } from "../support/receiver.ts";
import { assertNoSecret, MARK, normalized, TOKEN } from "./table.ts";

Deno.test("demo draws three sends and ends with the sums, whatever is configured", async () => {
  await using elsewhere = await startReceiver();
  await using proxy = startProxy();
  const directory = await Deno.makeTempDir({ prefix: "otlp-histogram-test-" });
  try {
    await Deno.mkdir(`${directory}/tmp`);
    const finished = await runProgram({
      args: ["demo"],
      cwd: directory,
      dotenv: `DT_ENDPOINT=${elsewhere.url}\nINTERVAL=never\n`,
      env: {
        DT_ENDPOINT: `${elsewhere.url}/api/v2/otlp`,
        DT_API_TOKEN: TOKEN,
        OTEL_EXPORTER_OTLP_HEADERS: `x-scope=${MARK}`,
        OTEL_SERVICE_NAME: "other",
        INTERVAL: "never",
        HTTP_PROXY: proxy.url,
        ALL_PROXY: proxy.url,
        DENO_NO_UPDATE_CHECK: "1",
        TMPDIR: `${directory}/tmp`,
      },
    });
    assertNoSecret(finished);
    const { status, stderr, durationMs } = finished;
    const stdout = normalized(finished.stdout);
    assert.deepEqual({ status, stderr }, { status: 0, stderr: "" });
    assert.ok(durationMs > 2000 && durationMs < 10_000, `took ${durationMs} ms`);
    assert.equal(
      stdout.match(
        /^\[TIME\] POST \/v1\/metrics 200 accepted: N bytes, 3 data points, 5 measurements$/gm,
      )
        ?.length,
      3,
    );
    assert.equal(stdout.match(/^\[TIME\] ✓ Sent 5 measurements$/gm)?.length, 3);
    // Of each send, and of all together.
    assert.equal(stdout.match(/^ {2}http\.server\.duration \(ms\) http\.method=GET/gm)?.length, 4);
    assert.equal(stdout.match(/^ {2}resource service\.name=my-service /gm)?.length, 4);
    assert.match(stdout, /^Totals of 3 requests:\n(.*\n){2} {4}count 9, min /m);
    // Every send has three data points, each with at least one bar.
    assert.ok((stdout.match(/^ +\(.*\] █+[▉▊▋▌▍▎▏]? [123]$/gm)?.length ?? 0) >= 9);
    assert.match(stdout, /^Delivered 15 of 15 measurements in 3 sends\.$/m);
    assert.match(
      stdout,
      /\nReceived 3 requests: 9 data points, 15 measurements, 0 data points rejected\n$/,
    );
    assert.equal(elsewhere.connections, 0);
    assert.deepEqual(proxy.requests, []);
    const left = [...Deno.readDirSync(directory)].map(({ name }) => name).sort();
    assert.deepEqual(left, [".env", "tmp"]);
    assert.deepEqual([...Deno.readDirSync(`${directory}/tmp`)], []);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

Deno.test("demo exits with 2 when it is given an argument", async () => {
  const { status, stdout, stderr } = await runProgram({ args: ["demo", "--loop"] });
  assert.deepEqual([status, stdout], [2, ""]);
  assert.match(stderr, /^ERROR: .*--loop/);
});

Deno.test("demo --help says what it does", async () => {
  const { status, stdout } = await runProgram({ args: ["demo", "--help"] });
  assert.equal(status, 0);
  assert.match(stdout, /needs no configuration/);
});
