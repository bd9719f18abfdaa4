import assert from "node:assert/strict";
import { decode } from "../support/decode.ts";
import { startProgram } from "../support/program.ts";
import { startReceiver } from "../support/receiver.ts";
import { testFixtures } from "../support/run_fixture.ts";
import { usageError } from "../support/fixture.ts";

testFixtures([
  usageError(
    "--follow without --loop is exit 2",
    { args: ["--endpoint", "{url}", "--input", "log", "--follow"] },
    "ERROR: --follow goes on for ever: add --loop, to send every interval",
  ),
  usageError(
    "--follow of standard input is exit 2",
    { args: ["--endpoint", "{url}", "--input", "-", "--follow", "--loop"] },
    "ERROR: --follow follows a file by its name: give --input FILE in place of --input -, whose end says that there is no more",
  ),
  usageError(
    "--follow without --input is exit 2",
    { args: ["--endpoint", "{url}", "--follow", "--loop"] },
    "ERROR: --follow describes an input: name it with --input FILE, or - for standard input",
  ),
  usageError(
    "--follow of a directory is exit 2",
    { args: ["--endpoint", "{url}", "--input", ".", "--follow", "--loop"] },
    'ERROR: Cannot read the file of --input, ".": it is a directory',
  ),
  usageError(
    "--follow below a file is exit 2",
    { args: ["--endpoint", "{url}", "--input", "log/x", "--follow", "--loop"], files: { log: "" } },
    /^ERROR: Cannot read the file of --input, "log\/x": Not a directory/,
  ),
  usageError(
    "--follow with a checkpoint in the spool that cannot be read is exit 2, and nothing is sent again",
    {
      args: ["--endpoint", "{url}", "--input", "log", "--follow", "--loop", "--spool", "kept"],
      files: { log: "1\n", "kept/checkpoint": "garbage" },
    },
    /^ERROR: Cannot read "kept\/checkpoint", which keeps how far the file of --follow was sent .*: it is damaged\. /,
  ),
]);

Deno.test("--follow sends what is appended, across a rotation, and where it left off after a restart", async () => {
  await using receiver = await startReceiver({});
  const directory = await Deno.makeTempDir({ prefix: "otlp-histogram-follow-" });
  const log = `${directory}/requests.log`;
  const append = (text: string, file = log) => Deno.writeTextFile(file, text, { append: true });
  const sum = () =>
    receiver.requests.flatMap(({ content }) => decode(content).metrics)
      .flatMap(({ points }) => points)
      .reduce((total, point) => total + (point.sum ?? NaN), 0);
  /** Resolves when the values that have come add up to that. */
  const comesTo = async (total: number) => {
    for (let requests = 1; sum() !== total; requests = receiver.requests.length + 1) {
      await receiver.waitForRequests(requests);
    }
  };
  const args = ["--endpoint", receiver.url, "--input", "requests.log", "--follow", "--loop"];
  args.push("--interval", "0.2", "--spool", "spool", "--value-field", "took");
  try {
    await append("took=1 id=a\ntook=2 id=b\ntook=4");
    {
      await using program = await startProgram({ args, cwd: directory });
      await program.waitForStdout("✓ Sent 2 measurements");
      await append(" id=c\n");
      await program.waitForStdout("✓ Sent 1 measurement");
      await Deno.rename(log, `${log}.1`);
      await append("took=8 id=d\n", `${log}.1`);
      await append("took=16 id=e\n");
      await program.waitForStdout("Iteration 3");
      await comesTo(31);
      program.signal("SIGTERM");
      const { status } = await program.finished;
      assert.equal(status, 0);
    }
    await append("took=32 id=f\n");
    await using again = await startProgram({ args, cwd: directory });
    await comesTo(63);
    again.signal("SIGTERM");
    const { status, stderr } = await again.finished;
    assert.equal(status, 0);
    assert.equal(stderr, "");
    assert.equal(sum(), 63);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});
