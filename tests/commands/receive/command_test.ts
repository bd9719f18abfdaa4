import assert from "node:assert/strict";
import { systemClock } from "../../../src/platform/clock.ts";
import { Secrets } from "../../../src/redact/secrets.ts";
import type { System } from "../../../src/platform/system.ts";
import type { ReceiveFlags } from "../../../src/settings/settings.ts";
import { runReceive } from "../../../src/commands/receive/command.ts";
import { readTokenFile } from "../../../src/http/token_file.ts";
import { RECEIVERS } from "../../../src/receivers/profiles.ts";
import { GOOD, post, request } from "./serving.ts";

interface Command {
  readonly exit: Promise<number>;
  readonly stop: AbortController;
  readonly kill: AbortController;
  readonly out: () => string;
  readonly err: () => string;
  readonly url: Promise<string>;
}

function command(flags: ReceiveFlags, files: Record<string, string> = {}): Command {
  const stop = new AbortController();
  const kill = new AbortController();
  let out = "";
  let err = "";
  const url = Promise.withResolvers<string>();
  const look = (written: string) => {
    const found = /https?:\/\/[^\s"]+/.exec(written);
    if (found !== null) url.resolve(found[0]);
  };
  const system: System = {
    env: () => undefined,
    cwd: "/cwd",
    stdout: (written) => look(out += written),
    stderr: (written) => look(err += written),
    workflowCommand() {},
    columns: undefined,
    rows: undefined,
    stop: stop.signal,
    kill: kill.signal,
    clock: systemClock,
    secrets: new Secrets(),
    random: () => 0,
    readTextFile: (path) => {
      const content = files[path];
      return content === undefined
        ? Promise.reject(new Deno.errors.NotFound("No such file"))
        : Promise.resolve(content);
    },
    openFile: () => Promise.reject(new Deno.errors.NotFound("No such file")),
    stdin: () => new ReadableStream(),
    printed: () => Promise.resolve(),
    lastWords() {},
    stderrIsTerminal: false,
    stdinHasData: () => Promise.resolve(false),
  };
  const exit = runReceive(flags, system);
  return { exit, stop, kill, out: () => out, err: () => err, url: url.promise };
}

Deno.test("runReceive() prints what it gets as text, drawn, and a summary when stopped", async () => {
  const running = command({ port: "0" });
  assert.equal((await post(await running.url, request(GOOD))).status, 200);
  running.stop.abort();
  assert.equal(await running.exit, 0);
  assert.equal(running.err(), "");
  const lines = running.out().split("\n");
  assert.match(lines[0] ?? "", /^Listening on http:\/\/127\.0\.0\.1:\d+\/v1\/metrics$/);
  assert.match(
    lines[1] ?? "",
    /^\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\] POST \/v1\/metrics 200 accepted: \d+ bytes, 1 data point, 3 measurements$/,
  );
  assert.deepEqual(lines.slice(2), [
    '  resource service.name="my service"',
    "  http.server.duration (ms)",
    "    count 3, min 20, max 61.25, sum 120.5",
    "    estimated p50 42.5, p90 57.875, p99 60.9125",
    "     (-∞, 10] 0",
    `     (10, 50] ${"█".repeat(64)} 2`,
    `    (50, 100] ${"█".repeat(32)} 1`,
    "    (100, +∞) 0",
    "Received 1 request: 1 data point, 3 measurements, 0 data points rejected",
    "",
  ]);
});

Deno.test("runReceive() prints the lines of the contract when the output is json", async () => {
  const running = command({ port: "0", output: "json", requests: "2" });
  const url = await running.url;
  await post(url, request(GOOD, { ...GOOD, count: 4n }));
  await post(`${url}?token=SECRET`, "{}");
  assert.equal(await running.exit, 0);
  assert.equal(running.err(), `{"type":"listening","url":"${url}"}\n`);
  const lines = running.out().trimEnd().split("\n");
  assert.equal(lines.length, 3);
  const bytes = request(GOOD, { ...GOOD, count: 4n }).length;
  const time = /"time":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"/;
  assert.match(lines[0] ?? "", time);
  assert.equal(
    lines[0]?.replace(time, '"time":"T"'),
    `{"type":"request","time":"T","path":"/v1/metrics","status":200,"outcome":"partial","points":2,` +
      `"measurements":7,"rejectedPoints":1,"bytes":${bytes},"problems":[{"rule":"bucket-sum",` +
      `"level":"error","metric":"http.server.duration","message":"the bucket counts sum to 3, but count is 4"}],` +
      `"metrics":[{"name":"http.server.duration","type":"histogram","unit":"ms","temporality":"delta",` +
      `"points":2,"attributes":[]}]}`,
  );
  assert.match(
    lines[1] ?? "",
    /"status":400,"outcome":"rejected","points":0,"measurements":0,"rejectedPoints":0,"bytes":2,/,
  );
  assert.equal(
    lines[2],
    `{"type":"summary","requests":2,"points":2,"measurements":7,"rejectedPoints":1,"errors":2,` +
      `"warnings":0,"missing":[],"exitCode":0}`,
  );
});

Deno.test("runReceive() reads the token file beside the working directory, trimmed", async () => {
  const files = { "/cwd/token": " abc\n" };
  const running = command({ port: "0", demandedToken: "token", requests: "2" }, files);
  const url = await running.url;
  assert.equal((await post(url, request(GOOD))).status, 401);
  assert.equal((await post(url, request(GOOD), { Authorization: "Api-Token abc" })).status, 200);
  assert.equal(await running.exit, 0);
  assert.doesNotMatch(running.out(), /abc/);
});

for (const text of ["api-token abc", "dt0s16.A.B", "BEARER abc"]) {
  Deno.test(`runReceive() takes what send sends with a token file that holds ${text}`, async () => {
    const file = { name: "--token-file", source: "command line", value: "token" };
    const files = { "/cwd/token": `${text}\n` };
    const running = command({ port: "0", demandedToken: "token", requests: "1" }, files);
    const sent = await readTokenFile(file, RECEIVERS.tokens, {
      cwd: "/cwd",
      readTextFile: () => Promise.resolve(files["/cwd/token"]),
    });
    const answer = await post(await running.url, request(GOOD), { Authorization: sent });
    assert.equal(answer.status, 200);
    assert.equal(await running.exit, 0);
  });
}

Deno.test("runReceive() ends at once when killed though a request hangs", async () => {
  const running = command({ port: "0", respond: "hang", output: "json" });
  const hung = assert.rejects(post(await running.url, request(GOOD)));
  while (!running.out().includes("unanswered")) {
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  running.kill.abort();
  assert.equal(await running.exit, 0);
  await hung;
});

const wrongFlags: [ReceiveFlags, RegExp][] = [
  [
    { port: "abc" },
    /^Invalid --port "abc" \(command line\): expected a whole number from 0 to 65535$/,
  ],
  [{ port: "65536" }, /^Invalid --port "65536" /],
  [{ port: "-1" }, /^Invalid --port "-1" /],
  [{ port: "" }, /^Invalid --port "" /],
  [{ host: "" }, /^Invalid --host "" \(command line\): expected a host name or an IP address$/],
  [{ host: "192.0.2.1", port: "0" }, /^Cannot listen on --host "192\.0\.2\.1" --port "0": /],
  [{ output: "xml" }, /^Invalid --output "xml" \(command line\): expected "text" or "json"$/],
  [{ rules: "none" }, /^Invalid --rules "none" \(command line\): expected "otlp" or "dynatrace"$/],
  [
    { requests: "0" },
    /^Invalid --requests "0" \(command line\): expected a whole number, 1 or more$/,
  ],
  [{ requests: "1.5" }, /^Invalid --requests "1\.5" /],
  [{ respond: "200,no" }, /^Invalid --respond "no" \(command line\): expected a status /],
  [{ demandedToken: "none" }, /^Cannot read the file of --token-file \(command line\), "none": /],
  [{ demandedToken: "/empty" }, /^The token file of --token-file, "\/empty", is empty$/],
  [{ tlsCert: "cert.pem" }, /^--tls-cert \(command line\) needs the other half .*--tls-key$/],
  [{ tlsKey: "key.pem" }, /^--tls-key \(command line\) needs the other half .*--tls-cert$/],
  [
    { tlsCert: "none", tlsKey: "none" },
    /^Cannot read the file of --tls-cert \(command line\), "none": /,
  ],
  [
    { tlsCert: "/empty", tlsKey: "/empty", port: "0" },
    /^Cannot listen on .*--tls-cert and --tls-key/,
  ],
];
for (const [flags, message] of wrongFlags) {
  Deno.test(`runReceive() refuses ${JSON.stringify(flags)}`, async () => {
    await assert.rejects(command(flags, { "/empty": " \n" }).exit, { name: "UsageError", message });
  });
}

Deno.test("runReceive() names host and port when the port is in use", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  await assert.rejects(command({ port: String(port) }).exit, {
    name: "UsageError",
    message: new RegExp(
      `^Cannot listen on --host "127\\.0\\.0\\.1" --port "${port}": the port is in use`,
    ),
  });
});
