import assert from "node:assert/strict";
import { testCases } from "../support/cases.ts";
import { inDirectory } from "../support/directory.ts";
import { type Program, runProgram, startProgram } from "../support/program.ts";

// The file of receive --save, and others that rename, remove or share it.

const windows = Deno.build.os === "windows" ? "Windows" : undefined;

interface Saving {
  readonly receiver: Program;
  readonly cwd: string;
  /** Sends one measurement, which must be accepted. */
  readonly send: (metric: string) => Promise<void>;
  /** Metrics that a file of requests names, in order. */
  readonly metricsIn: (file: string) => Promise<readonly unknown[]>;
}

/** Runs `work` with a receiver that saves to saved.jsonl; resolves to how it ended after a SIGTERM. */
function whileSaving(work: (saving: Saving) => Promise<void>) {
  return inDirectory(async (cwd) => {
    await Deno.mkdir(`${cwd}/kept`);
    await using receiver = await startProgram({
      args: ["receive", "--port", "0", "--save", "kept/saved.jsonl"],
      cwd,
    });
    const said = await receiver.waitForStdout("Listening on");
    const url = /http:\S+(?=\/v1)/.exec(said)?.[0] ?? "";
    await work({
      receiver,
      cwd,
      async send(metric) {
        const args = ["--endpoint", url, "--metric", metric, "--value", "1"];
        assert.equal((await runProgram({ args, cwd })).status, 0);
      },
      async metricsIn(file) {
        const lines = (await Deno.readTextFile(`${cwd}/${file}`)).trimEnd().split("\n");
        return lines.map((line) =>
          JSON.parse(line).resourceMetrics[0].scopeMetrics[0].metrics[0].name
        );
      },
    });
    receiver.signal("SIGTERM");
    return await receiver.finished;
  });
}

testCases([
  {
    name: "receive --save continues in a new file when its file was renamed, and says so",
    ignore: windows,
    async run() {
      const { status, stderr } = await whileSaving(async ({ cwd, send, metricsIn }) => {
        await send("first");
        await Deno.rename(`${cwd}/kept/saved.jsonl`, `${cwd}/kept/saved.jsonl-2026`);
        await send("second");
        assert.deepEqual(await metricsIn("kept/saved.jsonl-2026"), ["first"]);
        assert.deepEqual(await metricsIn("kept/saved.jsonl"), ["second"]);
      });
      assert.equal(status, 0);
      assert.match(
        stderr,
        /^NOTE: --save ".*saved.jsonl" was renamed or removed: requests are saved in a new file of that name\n$/,
      );
    },
  },
  {
    name: "receive --save ends with 1 when its directory was removed, and says so",
    ignore: windows,
    async run() {
      const { status, stderr } = await whileSaving(async ({ cwd, send }) => {
        await send("first");
        await Deno.remove(`${cwd}/kept`, { recursive: true });
        await send("second");
        await send("third");
      });
      assert.equal(status, 1);
      assert.match(
        stderr,
        /^WARNING: --save ".*saved.jsonl": a request was not saved: No such file or directory/,
      );
      assert.match(stderr, /^WARNING: 2 accepted requests are not in ".*saved.jsonl"$/m);
    },
  },
  {
    name: "receive --save refuses a file that another receiver saves to, also after a rotation",
    ignore: windows,
    async run() {
      const { status } = await whileSaving(async ({ cwd, send, metricsIn }) => {
        const isRefused = async () => {
          const args = ["receive", "--port", "0", "--save", "kept/saved.jsonl"];
          const second = await runProgram({ args, cwd });
          assert.equal(second.status, 2);
          assert.match(
            second.stderr,
            /^ERROR: --save ".*saved.jsonl" is in use: another process saves to it\. Choose another file/,
          );
        };
        await send("first");
        await isRefused();
        await Deno.rename(`${cwd}/kept/saved.jsonl`, `${cwd}/kept/saved.jsonl.1`);
        await send("second");
        await isRefused();
        assert.deepEqual(await metricsIn("kept/saved.jsonl"), ["second"]);
      });
      assert.equal(status, 0);
    },
  },
]);
