import assert from "node:assert/strict";
import { objects } from "../support/lines.ts";
import { runProgram, sourceOnly, startProgram } from "../support/program.ts";
import { startReceiver } from "../support/receiver.ts";
import { namedUnless, noPosix } from "../support/tools.ts";

const SECRET = "Xk7dQ2mP9sLw4vTz8bNc1rYjX3hG5fKq";

// The fault is a module of the tests, which runs from source.
if (sourceOnly) {
  for (
    const { signal, says, spool } of [
      { signal: "SIGUSR1", says: "Unexpected error, please report it: dt0c01.PUBLIC.***" },
      {
        signal: "SIGUSR2",
        says: "Too many open files (ulimit -n): raise this limit",
      },
      {
        signal: "SIGUSR1",
        says: "Unexpected error, please report it: dt0c01.PUBLIC.***",
        spool: "s",
      },
    ] as const
  ) {
    Deno.test({
      ...namedUnless(
        noPosix,
        `an error that nobody catches (${signal}) loses no summary and hides no loss${
          spool === undefined ? "" : ", and the spool keeps what is pending"
        }`,
      ),
      async fn() {
        await using receiver = await startReceiver({ answers: [503, 503, 503, 503] });
        await using program = await startProgram({
          main: new URL("../support/crash.ts", import.meta.url),
          args: [
            ...["--endpoint", receiver.url, "--loop", "--interval", "60", "--output", "json"],
            ...spool === undefined ? [] : ["--spool", spool],
          ],
          env: { DT_API_TOKEN: `dt0c01.PUBLIC.${SECRET}` },
        });
        await program.waitForStderr("attempt 1 failed");
        program.signal(signal);
        const { status, stdout, stderr } = await program.finished;
        assert.equal(status, 1);
        const summary = objects(stdout).at(-1);
        assert.equal(summary?.type, "summary", stdout + stderr);
        assert.deepEqual(
          [summary?.recorded, summary?.dropped, summary?.pending, summary?.exitCode],
          spool === undefined ? [5, 5, 0, 1] : [5, 0, 5, 1],
        );
        const messages = objects(stderr).filter(({ type }) => type === "error").map(({ message }) =>
          message
        );
        assert.ok(messages.includes(says), stderr);
        assert.match(String(messages.at(-1)), /^5 measurements not delivered/);
        assert.ok(!(stdout + stderr).includes(SECRET));
        if (spool === undefined) return;
        await using next = await startReceiver();
        const again = await runProgram({
          cwd: program.directory,
          args: ["--endpoint", next.url, "--count", "0", "--spool", spool, "--output", "json"],
        });
        assert.equal(objects(again.stdout).at(-1)?.delivered, 5, again.stderr);
      },
    });
  }
}
