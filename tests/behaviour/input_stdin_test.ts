import assert from "node:assert/strict";
import { decode } from "../support/decode.ts";
import { bareEnvironment, commandLine } from "../support/program.ts";
import { startReceiver } from "../support/receiver.ts";
import { measure, runFixture } from "../support/run_fixture.ts";
import { sentOnce } from "../support/wording.ts";
import { namedUnless, noLinux, noPosix } from "../support/tools.ts";

Deno.test("a pipe on standard input that is not asked for is said, with what to do", async () => {
  const sent = await measure({
    args: [],
    stdin: "1\n2\n",
    said: [
      "standard input is a pipe or a file, but sample measurements are sent: to send the measurements in it, add --input -",
    ],
  });
  assert.equal(sent.summary["recorded"], 5);
  await measure({ args: ["--value", "3"], stdin: "1\n2\n" });
});

Deno.test({
  ...namedUnless(
    noPosix,
    "a file on standard input that is not asked for is said; one that is, is read",
  ),
  async fn() {
    await using receiver = await startReceiver();
    const cwd = await Deno.makeTempDir({ prefix: "otlp-histogram-test-" });
    try {
      await Deno.writeTextFile(`${cwd}/in.txt`, "1\n2\n3\n");
      const run = async (...args: readonly string[]) => {
        const [command, ...first] = commandLine();
        const { code, stderr } = await new Deno.Command("/bin/sh", {
          args: [
            ...["-c", 'exec "$0" "$@" < in.txt', command, ...first],
            ...["--endpoint", receiver.url, ...args],
          ],
          cwd,
          clearEnv: true,
          env: bareEnvironment(),
        }).output();
        return { code, stderr: new TextDecoder().decode(stderr) };
      };
      const ignored = await run();
      assert.equal(ignored.code, 0);
      assert.match(ignored.stderr, /^WARNING: standard input is a pipe or a file, but sample /);
      assert.deepEqual(await run("--input", "-", "--service", "s"), { code: 0, stderr: "" });
      const [sample, given] = receiver.requests.map(({ content }) =>
        decode(content).metrics[0]?.points.reduce((sum, { count }) => sum + count, 0)
      );
      assert.deepEqual([sample, given], [5, 3]);
    } finally {
      await Deno.remove(cwd, { recursive: true });
    }
  },
});

Deno.test({
  ...namedUnless(noLinux, "a terminal shows how far an input has been read"),
  // util-linux's script makes the terminal.
  async fn() {
    const answer = Promise.withResolvers<number>();
    await using receiver = await startReceiver({ answers: [() => answer.promise] });
    const cwd = await Deno.makeTempDir({ prefix: "otlp-histogram-test-" });
    try {
      await Deno.writeTextFile(`${cwd}/in.txt`, "1\nx\n".repeat(600));
      const words = [...commandLine(), "--endpoint", receiver.url, "--input", "in.txt"];
      const child = new Deno.Command("script", {
        args: ["--quiet", "--return", "--command", `exec ${words.join(" ")}`, "/dev/null"],
        cwd,
        clearEnv: true,
        env: { ...bareEnvironment(), SHELL: "/bin/sh", NO_COLOR: "1" },
        stdin: "null",
        stdout: "piped",
        signal: AbortSignal.timeout(60_000),
      }).spawn();
      let shown = "";
      for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
        shown += text;
        // It is drawn while the receiver takes its time, then makes room for what is printed.
        if (shown.includes("lines/s")) answer.resolve(200);
      }
      assert.equal((await child.status).code, 1);
      const line = "\\r\\x1b\\[K1,200 lines, [\\d,]+ lines/s, 100%";
      assert.match(shown, new RegExp(`(${line})+\\r\\x1b\\[K✓ Metrics exported`));
      assert.match(shown, /WARNING: line 20 not used: .*\r\n/);
      assert.match(shown, /WARNING: 590 more lines were not used\r\n/);
    } finally {
      await Deno.remove(cwd, { recursive: true });
    }
  },
});

Deno.test("a live pipe that is not asked for does not keep the program from ending", async () => {
  await runFixture({
    args: ["--endpoint", "{url}"],
    stdin: { open: true },
    stdout: sentOnce(),
    stderr: [/^WARNING: standard input is a pipe or a file, but sample /],
  });
});
