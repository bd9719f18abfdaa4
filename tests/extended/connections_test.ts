import assert from "node:assert/strict";
import { closeQuietly } from "../support/connection.ts";
import { objects } from "../support/lines.ts";
import { type Program, runProgram, startProgram } from "../support/program.ts";
import { startReceiver } from "../support/receiver.ts";
import { namedUnless, noLinux, noPosix } from "../support/tools.ts";
import { lostMessage } from "../support/wording.ts";

// A process that has a low limit of open files, sockets included, and clients that take all that it has.

function limit(files: number): { readonly through: readonly string[] } {
  return { through: ["sh", "-c", `ulimit -n ${files}; exec "$@"`, "sh"] };
}

/** Connections to one address, each with the beginning of a request or nothing at all. */
class Crowd implements Disposable {
  readonly #connections: Deno.Conn[] = [];

  static async of(count: number, url: string, begin = ""): Promise<Crowd> {
    const crowd = new Crowd();
    const { hostname, port } = new URL(url);
    for (let i = 0; i < count; i++) {
      // It may have stopped listening for a moment.
      const connection = await Deno.connect({ hostname, port: Number(port) }).catch(() => {});
      if (connection === undefined) continue;
      crowd.#connections.push(connection);
      await connection.write(new TextEncoder().encode(begin)).catch(() => {});
    }
    return crowd;
  }

  [Symbol.dispose](): void {
    for (const connection of this.#connections) closeQuietly(connection);
  }
}

/** Asks until there is an answer, for a minute at most; 0: there was none. */
async function statusOf(url: string, init?: RequestInit): Promise<number> {
  const end = performance.now() + 60_000;
  while (performance.now() < end) {
    try {
      const response = await fetch(url, { ...init, signal: AbortSignal.timeout(2000) });
      await response.body?.cancel();
      return response.status;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
  return 0;
}

const EMPTY_EXPORT = {
  method: "POST",
  headers: { "content-type": "application/x-protobuf" },
  body: new Uint8Array(),
} as const;

async function urlOf(program: Program): Promise<string> {
  return /http:\S+/.exec(await program.waitForStdout(/metrics\n/))?.[0] ?? "";
}

for (
  const { name, begin } of [
    { name: "idle connections", begin: "" },
    { name: "connections that never end with asking", begin: "POST /v1/metrics HT" },
  ]
) {
  Deno.test({
    ...namedUnless(
      noPosix,
      `receive outlives more ${name} than it may have open, says so, and sums up`,
    ),
    async fn() {
      await using program = await startProgram({
        ...limit(60),
        args: ["receive", "--port", "0"],
      });
      const url = await urlOf(program);
      using _crowd = await Crowd.of(100, url, begin);
      // They stay connected.
      assert.equal(await statusOf(url, EMPTY_EXPORT), 200);
      program.signal("SIGTERM");
      const { status, stdout, stderr } = await program.finished;
      assert.equal(status, 0);
      assert.match(stdout, /\nReceived 1 request/);
      assert.match(
        stderr,
        /^WARNING: there are more connections than this process can have open \(ulimit -n\): all connections were closed; new ones are accepted again\. .*\n$/,
      );
    },
  });

  Deno.test({
    ...namedUnless(
      noPosix,
      `--health outlives more ${name} than there may be open, and takes nothing from the sender`,
    ),
    async fn() {
      await using receiver = await startReceiver();
      await using program = await startProgram({
        // Deno itself has 19 or so.
        ...limit(30),
        args: [
          ...["--endpoint", receiver.url, "--loop", "--interval", "0.1"],
          ...["--health", "127.0.0.1:0"],
        ],
      });
      const url = (await urlOf(program)).replace(/\/metrics$/, "");
      using _crowd = await Crowd.of(300, url, begin);
      const before = receiver.requests.length;
      assert.equal(await statusOf(`${url}/livez`), 200);
      await receiver.waitForRequests(before + 5);
      assert.equal(await statusOf(`${url}/readyz`), 200);
      program.signal("SIGTERM");
      const { status, stdout, stderr } = await program.finished;
      assert.equal(status, 0, stderr);
      assert.match(stdout, /Delivered (\d+) of \1 measurements/);
      assert.ok(!/^ERROR|attempt/m.test(stderr), stderr);
    },
  });
}

Deno.test({
  ...namedUnless(noPosix, "a page that many look at keeps nobody from sending to receive --ui"),
  async fn() {
    await using program = await startProgram({
      ...limit(60),
      args: ["receive", "--port", "0", "--ui"],
    });
    const url = await urlOf(program);
    const { host } = new URL(url);
    using _crowd = await Crowd.of(100, url, `GET /events HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
    assert.equal(await statusOf(url, EMPTY_EXPORT), 200);
    program.signal("SIGTERM");
    assert.equal((await program.finished).status, 0);
  },
});

Deno.test({
  ...namedUnless(
    noPosix,
    "more --workers than connections may be open: what is lost is counted, and the limit is named",
  ),
  async fn() {
    await using receiver = await startReceiver();
    const { status, stdout, stderr } = await runProgram({
      ...limit(40),
      args: [
        ...["--endpoint", receiver.url, "--series", "640", "--workers", "64", "--loop"],
        ...["--interval", "0.1", "--iterations", "2", "--retry-for", "0", "--output", "json"],
      ],
    });
    const { recorded, delivered, dropped } = objects(stdout).at(-1) ?? {};
    assert.equal(status, 1);
    assert.equal(recorded, 1280);
    assert.ok(Number(delivered) > 0 && Number(dropped) > 0, stderr);
    assert.equal(Number(delivered) + Number(dropped), recorded);
    const isLost = lostMessage(Number(dropped));
    assert.ok(objects(stderr).some(({ message }) => isLost.test(String(message))), stderr);
    assert.match(
      stderr,
      /Too many open files \(ulimit -n\).*Hint: this process cannot open more files and connections: raise the limit \(ulimit -n\)/,
    );
    assert.doesNotMatch(stderr, /https:\/\/\?|os error/);
  },
});

const regular = "Use a regular file";
const CANNOT = "this program cannot open device and process files";
for (
  const [args, message] of [
    [
      ["plot", "--input", "/dev/stdin"],
      `Cannot read the file of --input, "/dev/stdin": ${CANNOT}. For standard input use --input -`,
    ],
    [
      ["plot", "--input", "/proc/self/fd/0"],
      `Cannot read the file of --input, "/proc/self/fd/0": ${CANNOT}. For standard input use --input -`,
    ],
    [
      ["--input", "/dev/fd/0", "--follow", "--loop"],
      `Cannot read the file of --input, "/dev/fd/0": ${CANNOT}. For standard input use --input - without --follow`,
    ],
    [
      ["--replay", "/dev/stdin"],
      `Cannot read the file of --replay, "/dev/stdin": ${CANNOT}. For standard input use --replay -`,
    ],
    [
      ["--token-file", "/dev/stdin"],
      `Cannot read the file of --token-file (command line), "/dev/stdin": ${CANNOT}. ${regular}`,
    ],
    [
      ["--ca", "/proc/self/mem"],
      `Cannot read the file of --ca (command line), "/proc/self/mem": ${CANNOT}. ${regular}`,
    ],
    [
      ["--scenario", "/dev/stdin"],
      `Cannot read the file of --scenario, "/dev/stdin": ${CANNOT}. ${regular}`,
    ],
    [
      ["--env-file", "/dev/stdin"],
      `Cannot read the file of --env-file, "/dev/stdin": ${CANNOT}. ${regular}`,
    ],
    [
      ["receive", "--port", "0", "--save", "/dev/stdout"],
      `--save "/dev/stdout" cannot be written: ${CANNOT}. ${regular}`,
    ],
  ] as const
) {
  Deno.test({
    ...namedUnless(noLinux, `${args.join(" ")} is a usage error that names what to do`),
    // Deno guards the files of Linux.
    async fn() {
      const isSend = args[0]?.startsWith("--");
      const { status, stderr } = await runProgram({
        args: isSend ? [...args, "--endpoint", "https://127.0.0.1:1"] : args,
        stdin: "1\n",
      });
      // Deno 2.6 still says what kind of file it is.
      const isPipe = stderr.startsWith('ERROR: --save "/dev/stdout" is a pipe');
      if (!isPipe) assert.equal(stderr, `ERROR: ${message}\n`);
      assert.equal(status, 2);
    },
  });
}
