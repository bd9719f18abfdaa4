import assert from "node:assert/strict";
import { bareEnvironment, commandLine, sourceOnly } from "../support/program.ts";

const LIMIT = 200;

/** A process that may have so many descriptors open, sockets included. */
function limited(...args: readonly string[]): Deno.ChildProcess {
  return new Deno.Command("sh", {
    args: ["-c", `ulimit -n ${LIMIT}; exec "$@"`, "sh", ...commandLine(), ...args],
    clearEnv: true,
    env: bareEnvironment(),
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

async function post(url: string): Promise<number> {
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/x-protobuf" },
    body: new Uint8Array(),
  });
  await response.body?.cancel();
  return response.status;
}

Deno.test({
  name: "receive outlives more idle connections than it may have open, says so, and sums up",
  ignore: Deno.build.os === "windows",
  async fn() {
    const child = limited("receive", "--port", "0");
    const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
    const errors = new Response(child.stderr).text();
    let output = "";
    while (!/metrics\n/.test(output)) {
      const { value, done } = await reader.read();
      if (done) break;
      output += value;
    }
    const url = /http:\S+/.exec(output)?.[0] ?? "";
    const port = Number(new URL(url).port);
    const idle: Deno.Conn[] = [];
    try {
      for (let i = 0; i < LIMIT + 20; i++) {
        // It may have stopped listening for a moment.
        const connection = await Deno.connect({ hostname: "127.0.0.1", port }).catch(() => {});
        if (connection !== undefined) idle.push(connection);
      }
    } finally {
      // Deno 2.6 tells only when the last connection has ended that it can accept no more.
      if (!sourceOnly) { for (const connection of idle.splice(0)) connection.close(); }
    }
    let status = 0;
    for (let tries = 0; status === 0 && tries < 100; tries++) {
      status = await post(url).catch(() => 0);
      if (status === 0) await new Promise((resolve) => setTimeout(resolve, 50));
    }
    child.kill("SIGTERM");
    for (const connection of idle) connection.close();
    for (let read = await reader.read(); !read.done; read = await reader.read()) {
      output += read.value;
    }
    assert.equal(status, 200, output);
    assert.equal((await child.status).code, 0);
    assert.match(output, /\nReceived 1 request/);
    const said = await errors;
    assert.equal(said.match(/WARNING: there are more connections than/g)?.length, 1, said);
  },
});
