import assert from "node:assert/strict";
import { runProgram, startProgram } from "./program.ts";
import { namedUnless, noLinux } from "./tools.ts";

const STAND_IN = new URL("stand_in.ts", import.meta.url);

Deno.test("runProgram() gives arguments, environment and files when they are named", async () => {
  const { status, stdout, stderr } = await runProgram({
    main: STAND_IN,
    args: ["show", "--flag", "a b"],
    env: { DT_ENDPOINT: "x" },
    dotenv: "A=1\n",
    files: { "folder/input.txt": "1", "ca.pem": "" },
    stdin: "from stdin",
  });
  const shown: { env: string[] } & Record<string, unknown> = JSON.parse(stdout);
  const bare = ["HOME", "PATH", "DENO_DIR", "XDG_CACHE_HOME", "LOCALAPPDATA", "SystemRoot"];
  assert.equal(status, 3);
  assert.equal(stderr, "shown\n");
  assert.deepEqual(shown["args"], ["--flag", "a b"]);
  assert.deepEqual(shown.env.filter((name) => !bare.includes(name)), ["DT_ENDPOINT"]);
  assert.deepEqual(shown["files"], [".env", "ca.pem", "folder"]);
  assert.equal(shown["dotenv"], "A=1\n");
  assert.equal(shown["stdin"], "from stdin");
});

Deno.test("runProgram() throws when the program takes too long", async () => {
  const run = runProgram({ main: STAND_IN, args: ["wait"], timeoutMs: 300 });
  await assert.rejects(run, /more than 300 ms\nstdout:\n/);
});

Deno.test({
  ...namedUnless(noLinux, "runProgram() throws in time though a command holds the output open"),
  async fn() {
    const through = ["sh", "-c", 'while echo held; do sleep 0.1; done & exec "$@"', "sh"];
    const run = runProgram({ main: STAND_IN, args: ["wait"], timeoutMs: 300, through });
    await assert.rejects(run, /more than 300 ms/);
  },
});

Deno.test("startProgram() passes a signal on when the program is ready", async () => {
  await using program = await startProgram({ main: STAND_IN, args: ["wait"] });
  await program.waitForStdout(/^ready$/m);
  program.signal("SIGTERM");
  assert.equal(await program.waitForStdout("terminated"), "ready\nterminated\n");
  const { status, stderr } = await program.finished;
  assert.deepEqual({ status, stderr }, { status: 5, stderr: "" });
});

Deno.test("startProgram() kills the program and removes its directory when it is disposed of", async () => {
  let directory = "";
  let pid = 0;
  {
    await using program = await startProgram({ main: STAND_IN, args: ["wait"] });
    await program.waitForStdout("ready");
    ({ directory, pid } = program);
  }
  assert.throws(() => Deno.statSync(directory), Deno.errors.NotFound);
  assert.throws(() => Deno.kill(pid, "SIGTERM"));
});

Deno.test("startProgram() writes standard input as it is told when stdin is open", async () => {
  await using program = await startProgram({
    main: STAND_IN,
    args: ["copy"],
    stdin: { open: true },
  });
  await program.write("one");
  await program.waitForStdout("got one");
  await program.write("two");
  await program.waitForStdout("got two");
  await program.closeStdin();
  assert.equal((await program.finished).status, 0);
});

Deno.test("waitForStdout() rejects when the program ends without writing it", async () => {
  await using program = await startProgram({ main: STAND_IN, args: ["nothing"] });
  await assert.rejects(program.waitForStdout("something"), /ended: no something on stdout/);
});
