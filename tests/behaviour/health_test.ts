import assert from "node:assert/strict";
import { readHistograms } from "../../src/source/prometheus/cumulative.ts";
import { usageError } from "../support/fixture.ts";
import { objects } from "../support/lines.ts";
import { type Program, startProgram } from "../support/program.ts";
import { startReceiver } from "../support/receiver.ts";
import { testFixtures } from "../support/run_fixture.ts";
import { closeQuietly } from "../support/connection.ts";
import { missing, namedUnless, tool } from "../support/tools.ts";

/** Where the program serves its health. */
async function healthOf(program: Program): Promise<string> {
  const stdout = await program.waitForStdout(/^Health and metrics: http\S+\/metrics$/m);
  const [, url] = /^Health and metrics: (http\S+)\/metrics$/m.exec(stdout) ?? [];
  assert.ok(url !== undefined);
  return url;
}

async function get(url: string): Promise<readonly [number, string]> {
  const answer = await fetch(url);
  return [answer.status, await answer.text()];
}

/** Asks until the status is that, for a minute at most. */
async function until(url: string, status: number): Promise<string> {
  const end = performance.now() + 60_000;
  for (;;) {
    const [is, text] = await get(url);
    if (is === status) return text;
    if (performance.now() > end) throw new Error(`${url} is still ${is}: ${text}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

Deno.test("--health tells of an outage and of its end, and the loop turns all the while", async () => {
  await using receiver = await startReceiver();
  await using program = await startProgram({
    args: [
      ...["--endpoint", receiver.url, "--series", "3", "--loop", "--interval", "0.1"],
      ...["--retry-for", "0"],
    ],
    env: { OTLP_HISTOGRAM_HEALTH: "127.0.0.1:0" },
  });
  const url = await healthOf(program);
  await receiver.waitForRequests(2);
  assert.equal(await until(`${url}/readyz`, 200), "ok\n");
  assert.equal((await get(`${url}/livez`))[0], 200);
  const { port } = receiver;
  await receiver.stop();
  assert.equal(await until(`${url}/readyz`, 503), "the last send was failed\n");
  assert.equal((await get(`${url}/livez`))[0], 200, "restarting mends no receiver");
  const [, during] = await get(`${url}/metrics`);
  assert.match(during, /^otlp_histogram_pending_measurements [1-9]/m);
  assert.match(during, /^otlp_histogram_pending_bytes [1-9]/m);
  await receiver.restart();
  assert.equal(receiver.port, port);
  await until(`${url}/readyz`, 200);
  assert.equal((await get(`${url}/livez`))[0], 200);

  const [status, text] = await get(`${url}/metrics`);
  assert.equal(status, 200);
  const reading = readHistograms(text);
  assert.ok(typeof reading !== "string" && reading.isWhole);
  assert.equal(reading.histograms.length, 1);
  program.signal("SIGTERM");
  assert.equal((await program.finished).status, 0);
  await assert.rejects(fetch(`${url}/livez`), "nothing listens any more");
});

Deno.test("--health is ready while nothing was due yet, and alive while the first send is tried", async () => {
  await using receiver = await startReceiver();
  await receiver.stop();
  await using program = await startProgram({
    args: [
      ...["--endpoint", receiver.url, "--rate", "10", "--loop", "--interval", "0.5"],
      ...["--health", "127.0.0.1:0", "--retry-for", "0"],
    ],
  });
  const url = await healthOf(program);
  assert.equal((await get(`${url}/readyz`))[0], 200);
  await until(`${url}/readyz`, 503);
  assert.equal((await get(`${url}/livez`))[0], 200);
  program.signal("SIGINT");
  assert.equal((await program.finished).status, 1);
});

Deno.test("--health ends with the program, also while somebody is connected", async () => {
  await using receiver = await startReceiver();
  await using program = await startProgram({
    args: [
      ...["--endpoint", receiver.url, "--loop", "--interval", "3600"],
      ...["--health", "127.0.0.1:0"],
    ],
  });
  const url = await healthOf(program);
  const { hostname, port } = new URL(url);
  // One that has asked and stays, and one that has not come to an end with asking.
  const stays = await Deno.connect({ hostname, port: Number(port) });
  await stays.write(new TextEncoder().encode(`GET /livez HTTP/1.1\r\nHost: ${hostname}\r\n\r\n`));
  await stays.read(new Uint8Array(1000));
  const hangs = await Deno.connect({ hostname, port: Number(port) });
  await hangs.write(new TextEncoder().encode("GET /livez HT"));
  await receiver.waitForRequests(1);
  const began = performance.now();
  program.signal("SIGTERM");
  const { status } = await program.finished;
  const tookMs = performance.now() - began;
  stays.close();
  hangs.close();
  assert.equal(status, 0);
  assert.ok(tookMs < 10_000, `${tookMs} ms`);
});

Deno.test("--health prints its URL as an object on standard error where JSON is printed", async () => {
  await using receiver = await startReceiver();
  await using program = await startProgram({
    args: [
      ...["--endpoint", receiver.url, "--value", "1", "--loop", "--interval", "60"],
      ...["--output", "json", "--quiet", "--health", "127.0.0.1:0", "--service", "shop"],
    ],
  });
  const stderr = await program.waitForStderr(/}\n/);
  const [{ type, url } = {}] = objects(stderr);
  assert.equal(type, "health");
  assert.match(String(url), /^http:\/\/127\.0\.0\.1:[1-9]\d*$/);
  assert.deepEqual(await get(`${url}/livez`), [200, "ok\n"]);
  program.signal("SIGTERM");
  const { stdout, status, ...rest } = await program.finished;
  assert.equal(status, 0);
  assert.deepEqual(objects(stdout).map(({ type }) => type), ["summary"]);
  assert.equal(rest.stderr, stderr);
});

/** Writes as it stands and reads until the server closes. */
async function exchange(url: string, ...pieces: readonly string[]): Promise<string> {
  const { hostname, port } = new URL(url);
  const connection = await Deno.connect({ hostname, port: Number(port) });
  connection.setNoDelay();
  try {
    for (const piece of pieces) await connection.write(new TextEncoder().encode(piece));
    return await new Response(connection.readable).text();
  } finally {
    closeQuietly(connection);
  }
}

Deno.test("--health speaks HTTP/1.1 as it is spoken", async () => {
  await using receiver = await startReceiver();
  await using program = await startProgram({
    args: [
      ...["--endpoint", receiver.url, "--loop", "--interval", "3600"],
      ...["--health", "127.0.0.1:0"],
    ],
  });
  const url = await healthOf(program);
  const head = (status: string, type = "text/plain; charset=utf-8") =>
    new RegExp(`^HTTP/1\\.1 ${status}\r\nContent-Type: ${type}\r\n`);
  const whole = await exchange(url, "GET /livez HTTP/1.1\r\nHost: x\r\n\r\n");
  assert.match(whole, head("200 OK"));
  assert.ok(whole.endsWith("\r\nContent-Length: 3\r\nConnection: close\r\n\r\nok\n"), whole);
  assert.equal(
    await exchange(url, ..."GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"),
    whole,
    "in pieces",
  );
  assert.equal(await exchange(url, "GET http://x/livez?a=b HTTP/1.0\n\n"), whole);
  assert.equal(
    await exchange(url, "HEAD /livez HTTP/1.1\r\nHost: x\r\n\r\n"),
    whole.slice(0, -"ok\n".length),
  );
  assert.match(
    await exchange(url, "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"),
    head("200 OK", "text/plain; version=0\\.0\\.4; charset=utf-8"),
  );
  assert.match(await exchange(url, "GET /x HTTP/1.1\r\n\r\n"), head("404 Not Found"));
  assert.match(
    await exchange(url, "POST /livez HTTP/1.1\r\nContent-Length: 5\r\n\r\n", "hello"),
    /^HTTP\/1\.1 405 [^]*\r\nAllow: GET, HEAD\r\n/,
  );
  assert.match(await exchange(url, "\x16\x03\x01\n\n"), head("400 Bad Request"));
  const long = `GET /livez HTTP/1.1\r\nX: ${"x".repeat(10_000)}\r\n\r\n`;
  assert.match(await exchange(url, long), /^HTTP\/1\.1 431 /);
  const several = await Promise.all(
    Array.from({ length: 8 }, async () => (await get(`${url}/livez`))[0]),
  );
  assert.deepEqual(several, Array(8).fill(200));
  program.signal("SIGTERM");
  assert.equal((await program.finished).status, 0);
});

Deno.test({
  ...namedUnless(missing("PROMETHEUS_PYTHON"), "Prometheus's own parser reads /metrics"),
  async fn() {
    await using receiver = await startReceiver({ answers: [503] });
    await using program = await startProgram({
      args: [
        ...["--endpoint", receiver.url, "--series", "3", "--loop", "--interval", "0.1"],
        ...["--health", "127.0.0.1:0"],
      ],
    });
    const url = await healthOf(program);
    await receiver.waitForRequests(4);
    await until(`${url}/readyz`, 200);
    const [, text] = await get(`${url}/metrics`);
    const python = new Deno.Command(tool("PROMETHEUS_PYTHON"), {
      args: ["-c", PARSE],
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    const writer = python.stdin.getWriter();
    await writer.write(new TextEncoder().encode(text));
    await writer.close();
    const { code, stdout } = await python.output();
    assert.equal(code, 0);
    const families = objects(new TextDecoder().decode(stdout));
    assert.deepEqual(families.map(({ name, type }) => [name, type]), [
      ["otlp_histogram_measurements", "counter"],
      ["otlp_histogram_pending_measurements", "gauge"],
      ["otlp_histogram_pending_bytes", "gauge"],
      ["otlp_histogram_requests", "counter"],
      ["otlp_histogram_request_duration_seconds", "histogram"],
    ]);
    assert.ok(families.every(({ help, samples }) => help !== "" && Number(samples) > 0));
  },
});

/** A line of JSON for each metric family. */
const PARSE = `
import json, sys
from prometheus_client.parser import text_string_to_metric_families
for family in text_string_to_metric_families(sys.stdin.read()):
    print(json.dumps({"name": family.name, "type": family.type, "help": family.documentation,
                      "samples": len(family.samples)}))
`;

const url = ["--endpoint", "{url}"];
testFixtures([
  ...["8080", "host:", ":8080", "host:99999", "http://host:80", "a b:80", "::1:80"].map((address) =>
    usageError(
      `--health "${address}" is refused`,
      { args: [...url, "--health", address] },
      `ERROR: Invalid --health "${address}" (command line): expected HOST:PORT to listen on, for example 127.0.0.1:8080 or 0.0.0.0:8080`,
    )
  ),
  {
    name: "--health names a port that is in use, before anything is sent",
    args: [...url, "--health", "127.0.0.1:{port}"],
    status: 2,
    stdout: "any",
    stderr: [
      /^ERROR: Cannot listen on --health "127\.0\.0\.1:PORT" \(command line\): another program is listening there\. /,
    ],
    requests: 0,
  },
  {
    name: "OTLP_HISTOGRAM_HEALTH names an address that is not this machine's",
    args: url,
    env: { OTLP_HISTOGRAM_HEALTH: "192.0.2.1:8080" },
    status: 2,
    stdout: "any",
    stderr: [
      /^ERROR: Cannot listen on OTLP_HISTOGRAM_HEALTH "192\.0\.2\.1:8080" \(environment\): /,
    ],
    requests: 0,
  },
]);
