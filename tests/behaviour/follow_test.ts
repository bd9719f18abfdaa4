import assert from "node:assert/strict";
import { decode } from "../support/decode.ts";
import { gzip } from "../support/gzip.ts";
import { startProgram } from "../support/program.ts";
import { startReceiver } from "../support/receiver.ts";
import { testFixtures } from "../support/run_fixture.ts";
import { usageError } from "../support/fixture.ts";

testFixtures([
  usageError(
    "--follow without --loop is exit 2",
    { args: ["--endpoint", "{url}", "--input", "log", "--follow"] },
    "ERROR: --follow never ends: add --loop to send every interval",
  ),
  usageError(
    "--follow of standard input is exit 2",
    { args: ["--endpoint", "{url}", "--input", "-", "--follow", "--loop"] },
    "ERROR: --follow requires a file name: use --input FILE instead of --input -",
  ),
  usageError(
    "--follow without --input is exit 2",
    { args: ["--endpoint", "{url}", "--follow", "--loop"] },
    "ERROR: --follow applies to an input: add --input FILE, or --input - for standard input",
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
    "--from without --follow is exit 2",
    { args: ["--endpoint", "{url}", "--input", "log", "--from", "end"], files: { log: "1\n" } },
    "ERROR: --from sets where --follow starts: add --follow, or remove --from",
  ),
  usageError(
    "--from with something else than start or end is exit 2",
    {
      args: ["--endpoint", "{url}", "--input", "log", "--follow", "--loop", "--from", "middle"],
      files: { log: "1\n" },
    },
    /^ERROR: Invalid --from "middle" .*start.*end/,
  ),
  usageError(
    "--follow with a checkpoint in the spool that cannot be read is exit 2, and nothing is sent again",
    {
      args: ["--endpoint", "{url}", "--input", "log", "--follow", "--loop", "--spool", "kept"],
      files: { log: "1\n", "kept/checkpoint": "garbage" },
    },
    /^ERROR: Cannot read "kept\/checkpoint", which holds the position of --follow .*: it is damaged\. /,
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
  const args = [
    "--endpoint",
    receiver.url,
    "--input",
    "requests.log",
    "--follow",
    "--loop",
    "--from",
    "start",
  ];
  args.push("--interval", "0.2", "--spool", "spool", "--value-field", "took", "--service", "log");
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

/** A directory of its own, a receiver, and how a followed log is sent to it. */
async function withLog(
  test: (log: {
    readonly directory: string;
    readonly path: string;
    readonly args: readonly string[];
    /** The values that the receiver got, in their order. */
    readonly values: () => readonly (number | undefined)[];
    readonly received: (count: number) => Promise<void>;
  }) => Promise<void>,
): Promise<void> {
  await using receiver = await startReceiver({});
  const directory = await Deno.makeTempDir({ prefix: "otlp-histogram-follow-" });
  const values = () =>
    receiver.requests.flatMap(({ content }) => decode(content).metrics)
      .flatMap(({ points }) => points).map(({ sum }) => sum);
  const received = async (count: number) => {
    for (let requests = 1; values().length < count; requests = receiver.requests.length + 1) {
      await receiver.waitForRequests(requests);
    }
  };
  const args = ["--endpoint", receiver.url, "--input", "log", "--follow", "--loop"];
  args.push("--interval", "0.2", "--value-field", "took", "--attr-field", "took=took");
  args.push("--service", "log");
  try {
    await test({ directory, path: `${directory}/log`, args, values, received });
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

Deno.test("--follow begins at the end, says so, and goes on there after a restart", async () => {
  await withLog(async ({ directory, path, args, values, received }) => {
    await Deno.writeTextFile(path, "took=1\n");
    const spooled = [...args, "--spool", "spool"];
    {
      await using program = await startProgram({ args: spooled, cwd: directory });
      await program.waitForStdout(
        'Following "log" from its end, byte 7. To include existing lines, add --from start',
      );
      program.signal("SIGTERM");
      await program.finished;
    }
    await Deno.writeTextFile(path, "took=2\n", { append: true });
    await using again = await startProgram({ args: spooled, cwd: directory });
    await received(1);
    again.signal("SIGTERM");
    const { stdout, stderr } = await again.finished;
    assert.deepEqual(values(), [2]);
    assert.doesNotMatch(stdout, /Following/);
    assert.equal(stderr, "");
  });
});

Deno.test("--follow --time-field begins at the start, and without a spool warns that a restart does again", async () => {
  await withLog(async ({ directory, path, args, received }) => {
    // The second line ends the interval of the first.
    await Deno.writeTextFile(
      path,
      "took=1 at=2026-01-31T12:00:00Z\ntook=2 at=2026-01-31T13:00:00Z\n",
    );
    const timed = [...args, "--time-field", "at"];
    await using program = await startProgram({ args: timed, cwd: directory });
    await program.waitForStdout('Following "log" from its start');
    await received(1);
    program.signal("SIGTERM");
    const { stderr } = await program.finished;
    assert.match(
      stderr,
      /^WARNING: every start counts all of "log" again \(--follow, --time-field\): add --spool DIR, which keeps the position$/m,
    );
  });
});

Deno.test("--follow goes on in a file that begins with text, after a restart too", async () => {
  await withLog(async ({ directory, path, args, received, values }) => {
    await Deno.writeTextFile(path, "took,id\n1,a\n");
    const spooled = [...args, "--from", "start", "--spool", "spool"];
    {
      await using program = await startProgram({ args: spooled, cwd: directory });
      await received(1);
      await Deno.rename(path, `${path}.1`);
      await Deno.writeTextFile(path, "Server started\n2,b\n");
      await received(2);
      program.signal("SIGTERM");
      const { stderr } = await program.finished;
      assert.match(stderr, /^WARNING: line 3 not used: 1 field, but the header has 2 fields$/m);
    }
    await Deno.writeTextFile(path, "3,c\n", { append: true });
    await using again = await startProgram({ args: spooled, cwd: directory });
    await received(3);
    again.signal("SIGTERM");
    const { status } = await again.finished;
    assert.equal(status, 0);
    assert.deepEqual(values(), [1, 2, 3]);
  });
});

Deno.test("--follow of a pipe is exit 2, and a file that a pipe replaces is waited for", async () => {
  await withLog(async ({ directory, path, args, received, values }) => {
    const makePipe = () => new Deno.Command("mkfifo", { args: [path] }).output();
    await makePipe();
    {
      await using program = await startProgram({ args, cwd: directory });
      const { status, stderr } = await program.finished;
      assert.equal(status, 2);
      assert.match(
        stderr,
        /^ERROR: Cannot read the file of --input, "log": it is not a regular file/,
      );
    }
    await Deno.remove(path);
    await Deno.writeTextFile(path, "");
    await using program = await startProgram({ args, cwd: directory });
    await program.waitForStdout("Following");
    await Deno.remove(path);
    await makePipe();
    await program.waitForStderr(
      'cannot read the state of "log" (it is not a regular file): retrying',
    );
    await Deno.remove(path);
    await Deno.writeTextFile(path, "took=4\n");
    await received(1);
    program.signal("SIGTERM");
    const { status } = await program.finished;
    assert.equal(status, 0);
    assert.deepEqual(values(), [4]);
  });
});

Deno.test("--follow of a compressed file is exit 2, however few lines it has", async () => {
  await withLog(async ({ directory, path, args }) => {
    await Deno.writeFile(path, await gzip("took=1\n"));
    await using program = await startProgram({ args, cwd: directory });
    const { status, stderr } = await program.finished;
    assert.equal(status, 2);
    assert.match(
      stderr,
      /^ERROR: Cannot read the file of --input, "log": it is compressed, and does not grow: read it without --follow/,
    );
  });
});
