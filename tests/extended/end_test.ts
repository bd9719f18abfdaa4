import assert from "node:assert/strict";
import { decode } from "../support/decode.ts";
import { each, testCases } from "../support/cases.ts";
import { inDirectory } from "../support/directory.ts";
import { type Fixture, SECRETS } from "../support/fixture.ts";
import { error, like, repeated, warning } from "../support/lines.ts";
import { bareEnvironment, commandLine, runProgram, startProgram } from "../support/program.ts";
import { startReceiver } from "../support/receiver.ts";
import { assertNoSecret, runFixture } from "../support/run_fixture.ts";
import {
  loopEnd,
  loopHeading,
  lostLine,
  lostMessage,
  PLAIN_URL,
  recording,
  STOPPING,
} from "../support/wording.ts";
import { namedUnless } from "../support/tools.ts";

/**
 * How the program ends whatever hangs or fails: Docker and Kubernetes kill what is not over in time, and a program that is
 * killed has neither named nor kept anything.
 */

const LOOP = ["--endpoint", "{url}", "--loop"] as const;
const JSON_LOOP = [...LOOP, "--output", "json"] as const;
const HANGS = Array.from({ length: 9 }, () => "hang" as const);
/** Promised time from a first signal to the end, in ms. */
const ALL_OVER_MS = 8000;

const windows = Deno.build.os === "windows" ? "Windows has no such pipe" : undefined;
const noFull = Deno.build.os === "linux" ? undefined : "only Linux has /dev/full";

/** A receiver that hangs; a signal once it was asked. */
function hanging(name: string, args: readonly string[], more: Partial<Fixture>): Fixture {
  let signalled = NaN;
  return {
    name,
    args: [...LOOP, ...args],
    answers: HANGS,
    meanwhile: async ({ program, receiver }) => {
      await receiver.waitForRequests(1);
      program.signal("SIGTERM");
      signalled = performance.now();
    },
    posts: 1,
    status: 1,
    check: () => {
      const ms = performance.now() - signalled;
      assert.ok(ms <= ALL_OVER_MS, `over ${Math.round(ms)} ms after the signal`);
    },
    ...more,
  };
}

const fixtures: readonly Fixture[] = [
  ...[["--timeout", "60"], []].map((timeout): Fixture =>
    hanging(
      `a receiver that hangs, ${
        timeout.join(" ") || "the default timeout"
      }: over in time, with what is not delivered`,
      timeout,
      {
        stdout: [
          ...loopHeading(60, PLAIN_URL),
          recording(1),
          ...STOPPING,
          ...loopEnd(0, 5, 1, "; 5 lost"),
        ],
        stderr: [
          /^ERROR: 5 measurements not delivered yet: /,
          lostLine(),
        ],
      },
    )
  ),
  hanging(
    "a receiver that hangs, with a spool: over in time, and the spool has it",
    ["--output", "json", "--timeout", "60", "--spool", "spool"],
    {
      stdout: [
        like({ type: "send", outcome: "failed" }),
        like({ type: "summary", recorded: 5, pending: 5, dropped: 0, exitCode: 1 }),
      ],
      stderr: [
        error(/^5 measurements not delivered yet/),
        error(/^5 measurements not delivered, kept/),
      ],
    },
  ),
  {
    name: "a spool that is removed while the program runs is written again before it ends",
    args: [...JSON_LOOP, "--retry-for", "0", "--spool", "spool"],
    answers: Array.from({ length: 9 }, () => 503),
    meanwhile: async ({ program }) => {
      await program.waitForStdout('"type":"send"');
      await Deno.remove(`${program.directory}/spool`, { recursive: true });
      program.signal("SIGTERM");
    },
    posts: 2,
    status: 1,
    stdout: [like({ type: "send" }), like({ type: "summary", pending: 5, dropped: 0 })],
    stderr: [
      error(/not delivered yet/),
      warning("1 request was removed from the spool while the program ran: written there again"),
      error(/^5 measurements not delivered, kept in spool/),
    ],
    check: async ({ program }) => {
      const names = await Array.fromAsync(Deno.readDir(`${program.directory}/spool`));
      assert.equal(names.filter(({ name }) => name.endsWith(".otlp")).length, 1);
    },
  },
  {
    name: "a spool that is removed and cannot be written again is said to be lost",
    args: [...JSON_LOOP, "--retry-for", "0", "--spool", "spool"],
    answers: Array.from({ length: 9 }, () => 503),
    meanwhile: async ({ program }) => {
      await program.waitForStdout('"type":"send"');
      await Deno.remove(`${program.directory}/spool`, { recursive: true });
      await Deno.writeTextFile(`${program.directory}/spool`, "in the way");
      program.signal("SIGTERM");
    },
    posts: 2,
    status: 1,
    stdout: [like({ type: "send" }), like({ type: "summary", pending: 0, dropped: 5 })],
    stderr: [
      error(/not delivered yet/),
      warning(/^Cannot write to the spool "spool"/),
      warning(/not all could be written there again$/),
      error(lostMessage()),
    ],
  },
];

/** In a directory with a pipe at `token` that nobody writes to. */
async function withPipe(
  run: (cwd: string) => Promise<unknown>,
): Promise<void> {
  await inDirectory(async (cwd) => {
    await makePipe(`${cwd}/token`);
    await run(cwd);
  });
}

async function makePipe(path: string): Promise<void> {
  const { success } = await new Deno.Command("mkfifo", { args: [path] }).output();
  assert.ok(success);
}

const pipes: readonly {
  readonly name: string;
  readonly ignore: string | undefined;
  readonly run: () => Promise<unknown>;
}[] = [
  {
    name: "a token file that is a pipe without an end is an error that names it",
    ignore: windows,
    run: () =>
      withPipe((cwd) =>
        runFixture({
          args: ["--endpoint", "{url}", "--token-file", "token"],
          posts: 0,
          status: 2,
          stderr: [/^ERROR: Cannot read the file of --token-file .*"token": it did not end/],
        }, { cwd })
      ),
  },
  {
    name: "a second signal ends it while a token is read from a pipe",
    ignore: windows,
    run: () =>
      withPipe(async (cwd) => {
        let pipe: Deno.FsFile | undefined;
        await runFixture({
          args: ["--endpoint", "{url}", "--token-file", "token"],
          meanwhile: async ({ program }) => {
            // Open once the program also has it open.
            pipe = await Deno.open(`${cwd}/token`, { write: true });
            program.signal("SIGTERM");
            program.signal("SIGINT");
          },
          posts: 0,
          status: 1,
          stderr: ["ERROR: ended by a second signal"],
        }, { cwd });
        pipe?.close();
      }),
  },
  {
    name: "a token file that becomes a pipe: over in time after a signal, and the spool has all",
    ignore: windows,
    run: () =>
      inDirectory(async (cwd) => {
        await Deno.writeTextFile(`${cwd}/token`, SECRETS.DT_API_TOKEN);
        let pipe: Deno.FsFile | undefined;
        const { summary } = await runFixture({
          args: [...JSON_LOOP, "--interval", "0.2", "--token-file", "token", "--spool", "spool"],
          meanwhile: async ({ program }) => {
            await program.waitForStdout('"type":"send"');
            await Deno.remove(`${cwd}/token`);
            await makePipe(`${cwd}/token`);
            pipe = await Deno.open(`${cwd}/token`, { write: true });
            program.signal("SIGTERM");
          },
          posts: "any",
          status: 1,
          stdout: [repeated(like({ type: "send" }), 1), like({ type: "summary" })],
          stderr: [repeated(like({ type: "error", message: /not delivered/ }), 1)],
        }, { cwd });
        // A slow machine fails to send more than one.
        const { recorded = 0, delivered = 0, pending = 0 } = summary;
        assert.ok(pending >= 5 && pending === recorded - delivered, `${pending} of ${recorded}`);
        pipe?.close();
      }),
  },
];

/** Arguments that read a pipe without a writer, and what a signal makes the program say. */
const silent: readonly (readonly [args: readonly string[], words: RegExp])[] = [
  [["--input", "token"], /: 0 lines of the input were read/],
  [["--loop", "--input", "token"], /: 0 lines of the input were read/],
  [["--replay", "token"], /: 0 requests were read/],
];

each(
  silent,
  ([args]) => `end: a signal ends the wait for the writer of a pipe: ${args.join(" ")}`,
  ([args, words]) =>
    withPipe(async (cwd) => {
      await using receiver = await startReceiver();
      const own = ["--endpoint", receiver.url, ...args];
      await using program = await startProgram({ args: own, cwd });
      await program.waitForStdout("Sending histogram metrics to");
      const signalled = performance.now();
      program.signal("SIGTERM");
      const { status, stderr } = await program.finished;
      const ms = performance.now() - signalled;
      assert.match(stderr, words);
      assert.equal(status, 1);
      assert.ok(ms < ALL_OVER_MS, `over after ${Math.round(ms)} ms`);
    }),
);

each(
  [["--loop", "--interval", "0.2"], ["--loop", "--interval", "60"], ["--loop", "--interval", "0"]],
  (loop) => `end: a signal in the middle of a long file ends it in time: ${loop.join(" ")}`,
  (loop) =>
    inDirectory(async (cwd) => {
      const path = `${cwd}/long.csv`;
      const rows = `${Array.from({ length: 50_000 }, (_, i) => i % 300).join("\n")}\n`;
      await Deno.writeTextFile(path, "value\nread\n");
      const file = await Deno.open(path, { append: true });
      const bytes = new TextEncoder().encode(rows.repeat(20));
      for (let i = 0; i < 20; i++) await file.write(bytes);
      file.close();
      await using receiver = await startReceiver();
      await using program = await startProgram({
        args: ["--endpoint", receiver.url, "--output", "json", "--input", path, ...loop],
        cwd,
      });
      await program.waitForStderr("line 2 not used");
      const signalled = performance.now();
      program.signal("SIGTERM");
      const { status, stdout, stderr } = await program.finished;
      const ms = performance.now() - signalled;
      const { delivered, recorded, dropped } = JSON.parse(stdout.trim().split("\n").at(-1) ?? "");
      assert.equal(status, 1);
      assert.deepEqual([recorded, dropped], [delivered, 0]);
      // The header and the invalid one are also lines.
      const [, lines] = /stopped before the end: (\d+) lines of the input/.exec(stderr) ?? [];
      assert.equal(Number(lines), delivered + 2);
      assert.ok(delivered < 20_000_000, String(delivered));
      const counts = receiver.requests.flatMap(({ content }) => decode(content).metrics)
        .flatMap(({ points }) => points).map(({ count }) => count);
      assert.equal(counts.reduce((sum, count) => sum + count, 0), delivered);
      assert.ok(ms < ALL_OVER_MS, `over after ${Math.round(ms)} ms`);
    }),
);

/** Lines of which the third never ends with the expressions below. */
const HOSTILE = `took 1 ms\ntook 2 ms\n${"a".repeat(60)}! took 3 ms\ntook 4 ms\n`;
const slow: readonly (readonly [args: readonly string[], delivered: number, flag: string])[] = [
  [["--pattern", "^(?=(a+)+$)|took (?<value>\\d+)"], 2, "--pattern"],
  [["--pattern", "took (?<value>\\d+)|^(?:(?:a|aa){1,40}){1,40}$"], 2, "--pattern"],
  [["--pattern", "^(a+)+ x|took (?<value>\\d+)"], 4, ""],
  [
    ["--pattern", "(?<path>.*)took (?<value>\\d+)", "--where", "path~^(?=(a+)+$)|^$"],
    2,
    "--where",
  ],
];

each(
  slow,
  ([args]) => `end: a hostile line does not stop the program: ${args.join(" ")}`,
  async ([args, delivered, flag]) => {
    await using receiver = await startReceiver();
    const { status, stdout, stderr } = await runProgram({
      args: ["--endpoint", receiver.url, "--output", "json", "--input", "log", ...args],
      files: { log: HOSTILE },
    });
    const summary = JSON.parse(stdout.trim().split("\n").at(-1) ?? "");
    assert.equal(summary.delivered, delivered);
    assert.equal(status, flag === "" ? 0 : 1);
    assert.ok(flag === "" || stderr.includes(`${flag} takes longer than 1.5 s`), stderr);
  },
);

Deno.test({
  ...namedUnless(windows, "end: --save refuses a pipe"),
  fn: () =>
    withPipe(async (cwd) => {
      const { status, stderr } = await runProgram({
        args: ["receive", "--port", "0", "--save", "token"],
        cwd,
      });
      assert.match(stderr, /^ERROR: --save ".*token" is a pipe/);
      assert.equal(status, 2);
    }),
});

testCases([
  ...fixtures.map((fixture) => ({ ...fixture, run: () => runFixture(fixture) })),
  ...pipes,
].map((test) => ({ ...test, name: `end: ${test.name}` })));

/** The program with a standard output of the test's own; killed after 60 seconds, which fails. */
function start(words: readonly [string, ...string[]], cwd: string): Deno.ChildProcess {
  const [command, ...args] = words;
  return new Deno.Command(command, {
    args,
    cwd,
    clearEnv: true,
    env: { ...bareEnvironment(), DENO_NO_UPDATE_CHECK: "1" },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    signal: AbortSignal.timeout(60_000),
  }).spawn();
}

Deno.test({
  ...namedUnless(
    noFull,
    "end: standard output on a full disk does not end the sending, and is said once",
  ),
  fn: () =>
    inDirectory(async (cwd) => {
      await using receiver = await startReceiver();
      const send = ["--endpoint", receiver.url, "--loop", "--interval", "0", "--iterations", "3"];
      const words = ["sh", "-c", '"$@" > /dev/full', "sh", ...commandLine(), ...send] as const;
      const { code, stderr } = await start(["sh", ...words.slice(1)], cwd).output();
      const said = new TextDecoder().decode(stderr);
      assertNoSecret({ stdout: "", stderr: said });
      assert.match(said, /^ERROR: Cannot write to standard output: No space left on device.*\n$/);
      assert.equal(code, 1);
      assert.equal(receiver.requests.length, 3);
    }),
});

Deno.test({
  ...namedUnless(
    windows,
    "end: a reader of standard output that hangs neither stops the sending nor the end",
  ),
  fn: () =>
    inDirectory(async (cwd) => {
      await using receiver = await startReceiver();
      const send = ["--endpoint", receiver.url, "--loop", "--interval", "0", "--output", "json"];
      const program = start([...commandLine(), ...send], cwd);
      // A pipe takes 64 KiB, and a stream reads a little ahead: not a thousand lines of 200 bytes.
      await receiver.waitForRequests(1500, 50_000);
      program.kill("SIGTERM");
      const said = new Response(program.stderr).text();
      const { code } = await program.status;
      await program.stdout.cancel();
      assert.match(await said, /did not end within 7 s of a signal/);
      assert.equal(code, 1);
    }),
});
