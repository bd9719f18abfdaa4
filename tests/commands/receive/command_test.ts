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
    printed: () => Promise.resolve(true),
    lastWords() {},
    stderrIsTerminal: false,
    stdinHasData: () => Promise.resolve(false),
  };
  const exit = runReceive(flags, system);
  return { exit, stop, kill, out: () => out, err: () => err, url: url.promise };
}

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
  [{ tlsCert: "cert.pem" }, /^--tls-cert \(command line\) requires the other half .*--tls-key$/],
  [{ tlsKey: "key.pem" }, /^--tls-key \(command line\) requires the other half .*--tls-cert$/],
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

for (const output of ["text", "json"] as const) {
  Deno.test(`runReceive() hides the secret part of a Dynatrace token that arrives: ${output}`, async () => {
    const token = `dt0c01.PUBLICPART.${"SECRET".repeat(8)}`;
    const running = command({ port: "0", output, expect: ["m{t=other}"] });
    const attributes = [{ key: "t", value: { stringValue: token } }];
    const metric = { name: token, gauge: { dataPoints: [{ asInt: "1", attributes }] } };
    const response = await fetch(await running.url, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({
        resourceMetrics: [{
          resource: { attributes },
          scopeMetrics: [{ metrics: [metric, { ...metric, name: "m" }] }],
        }],
      }),
    });
    await response.body?.cancel();
    running.stop.abort();
    assert.equal(await running.exit, 1);
    const printed = running.out() + running.err();
    assert.ok(!printed.includes("SECRETSECRET"), printed);
    assert.ok(printed.includes("dt0c01.PUBLICPART.***"), printed);
  });
}
