import assert from "node:assert/strict";
import { inDirectory } from "../support/directory.ts";
import type { Expectation, Setup } from "../support/fixture.ts";
import { error, like, type Line, repeated, warning } from "../support/lines.ts";
import type { Outcome } from "../support/outcome.ts";
import { type Receiver, startReceiver } from "../support/receiver.ts";
import { runFixture } from "../support/run_fixture.ts";
import { SENDS_AND_SUMMARY } from "../support/wording.ts";
import type { TestCase } from "../support/cases.ts";
import {
  DELIVERED,
  DUPLICATED,
  type Fault,
  FIVE,
  fixtureOf,
  inTurn,
  KEPT,
  kept,
  KEPT_SAID,
  LOOP,
  LOST,
  LOST_SAID,
  NOT_YET,
  RETRIES,
  RETRY,
  signal,
  SPOOL,
  testFaults,
  whenAsked,
  whenReported,
} from "../support/fault.ts";

/** One run with a spool in a directory and to a receiver that others share. */
function send(
  cwd: string,
  receiver: Receiver,
  args: readonly string[],
  expected: Omit<Fault, "name" | "args">,
): Promise<Outcome> {
  const fault = { ...expected, name: "", args: ["--endpoint", "{url}", ...SPOOL, ...args] };
  return runFixture(fixtureOf(fault), { cwd, receiver });
}

/** Sends what the spool holds and nothing else, to its end. */
function sendWhatIsLeft(cwd: string, receiver: Receiver, left: number, said: readonly Line[] = []) {
  return send(cwd, receiver, ["--count", "0"], {
    posts: "any",
    said,
    expect: { recorded: left, delivered: left, sends: [repeated(like({ type: "late" }), 1)] },
  });
}

/** Nothing is accepted, and nothing tried again. */
const NOTHING_SENT = ["--retry-for", "0"] as const;
const ALWAYS_503 = Array.from({ length: 1000 }, () => 503);

/** Whether the tests may mount a file system of their own. */
const mayMount = Deno.build.os === "linux" && Deno.uid() === 0;
const needsMount = mayMount ? undefined : "only root on Linux may mount a file system";

async function command(name: string, ...args: readonly string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command(name, { args: [...args] }).output();
  assert.ok(success, `${name} ${args.join(" ")}: ${new TextDecoder().decode(stderr)}`);
}

/** The warning about the file that fills the disk. */
const FILLER = warning(/^"filler" in the spool "spool": .*left unsent and unchanged/);

/** A file system in memory in the place of the spool's directory. */
async function mounted(
  directory: string,
  options: string,
  work: () => Promise<void>,
): Promise<void> {
  await Deno.mkdir(`${directory}/spool`, { recursive: true });
  await command("mount", "-t", "tmpfs", "-o", options, "tmpfs", `${directory}/spool`);
  try {
    await work();
  } finally {
    await command("umount", `${directory}/spool`);
  }
}

const faults: readonly Fault[] = [
  {
    name: "a torn file in the spool",
    args: ["--endpoint", "{url}", ...SPOOL],
    files: { "spool/001700000000000-00000000-0badf00d.otlp": "otlp-histogram spool 1 00\n{}" },
    said: [warning(/is torn or not a spool file: not sent, set aside/)],
    expect: DELIVERED,
  },
  {
    name: "a foreign file in the spool",
    args: ["--endpoint", "{url}", ...SPOOL],
    files: { "spool/notes.txt": "important" },
    said: [warning(/notes\.txt.*not spool files, left unsent and unchanged/)],
    expect: DELIVERED,
    check: async ({ program }) => {
      assert.equal(await Deno.readTextFile(`${program.directory}/spool/notes.txt`), "important");
    },
  },
  {
    name: "a spool that cannot be made",
    args: ["--endpoint", "{url}", "--spool", "file/spool"],
    files: { file: "in the way" },
    said: [warning(/Cannot use the spool.*kept in memory only/)],
    expect: DELIVERED,
  },
  {
    name: "a spool that cannot be made, and 503",
    answers: Array.from({ length: 50 }, () => 503),
    args: ["--endpoint", "{url}", "--retry-for", "0", "--spool", "file/spool"],
    files: { file: "in the way" },
    said: [warning(/Cannot use the spool.*kept in memory only/), LOST_SAID],
    expect: LOST,
  },
  {
    name: "--count 0 with an empty spool",
    args: ["--endpoint", "{url}", "--count", "0", ...SPOOL],
    posts: 0,
    expect: { recorded: 0, sends: [] },
  },
];

const stories: readonly TestCase[] = [
  {
    name: "a spool left by one process, sent by the next",
    run: () =>
      inDirectory(async (cwd) => {
        await using receiver = await startReceiver({ answers: [503] });
        await send(cwd, receiver, NOTHING_SENT, { said: [KEPT_SAID], expect: KEPT });
        const { points } = await send(cwd, receiver, [], {
          posts: 2,
          expect: {
            recorded: 10,
            delivered: 10,
            sends: [like({ type: "late" }), like({ type: "send", outcome: "accepted" })],
          },
        });
        assert.ok((points[0]?.end ?? 0n) < (points.at(-1)?.end ?? 0n), "oldest first");
        assert.deepEqual(await kept(cwd), []);
      }),
  },
  {
    name: "--count 0 sends what the spool holds, and no more",
    run: () =>
      inDirectory(async (cwd) => {
        await using receiver = await startReceiver({ answers: [503, 503] });
        await send(cwd, receiver, NOTHING_SENT, { said: [KEPT_SAID], expect: KEPT });
        await send(cwd, receiver, [...NOTHING_SENT, "--compression", "none"], {
          said: [error(/^10 measurements not delivered, kept in spool/)],
          expect: { recorded: 10, pending: 10, outcome: "failed" },
        });
        await sendWhatIsLeft(cwd, receiver, 10);
        // The second process sent what the first had left, and not its own; each time the very same bytes.
        const bodies = receiver.requests.map(({ body }) => body);
        assert.equal(bodies.length, 4);
        assert.deepEqual([bodies[1], bodies[2]], [bodies[0], bodies[0]]);
        assert.deepEqual(
          receiver.requests.map(({ headers }) => headers.get("content-encoding")),
          ["gzip", "gzip", "gzip", null],
        );
      }),
  },
  {
    name: "--count 0 with a receiver that is down keeps everything",
    run: () =>
      inDirectory(async (cwd) => {
        await using receiver = await startReceiver({ answers: ALWAYS_503 });
        await send(cwd, receiver, NOTHING_SENT, { said: [KEPT_SAID], expect: KEPT });
        const before = await kept(cwd);
        await send(cwd, receiver, [...NOTHING_SENT, "--count", "0"], {
          said: [KEPT_SAID],
          expect: { pending: FIVE, sends: [] },
        });
        assert.deepEqual(await kept(cwd), before);
      }),
  },
  {
    name: "two processes on one spool: the second one says so and ends with 2",
    run: () =>
      inDirectory(async (cwd) => {
        await using receiver = await startReceiver();
        await send(cwd, receiver, ["--loop"], {
          meanwhile: async ({ program }) => {
            await program.waitForStdout('"type":"send"');
            await runFixture({
              args: ["--endpoint", "{url}", "--output", "json", ...SPOOL],
              posts: 0,
              status: 2,
              stderr: [error(/^Another process uses the spool "spool"/)],
            }, { cwd, receiver });
            program.signal("SIGTERM");
          },
          expect: DELIVERED,
        });
        // The lock ends with the process.
        await send(cwd, receiver, [], { expect: DELIVERED });
      }),
  },
  {
    name: "a spool whose process was killed is free for the next",
    run: () =>
      inDirectory(async (cwd) => {
        await using receiver = await startReceiver({ answers: ["hang"] });
        await killedWhenAsked(cwd, receiver, []);
        // The killed process may have delivered it.
        await sendWhatIsLeft(cwd, receiver, FIVE, [DUPLICATED]);
      }),
  },
  {
    name: "a directory for the spool that is read-only",
    run: () =>
      inDirectory(async (cwd) => {
        const sends = async () => {
          await using receiver = await startReceiver();
          await send(cwd, receiver, [], {
            said: [warning(/Cannot use the spool.*kept in memory only/)],
            expect: DELIVERED,
          });
        };
        if (mayMount) return await mounted(cwd, "size=1m,ro", sends);
        await Deno.mkdir(`${cwd}/spool`, { mode: 0o555 });
        await sends();
      }),
  },
  {
    name: "a full disk",
    ignore: needsMount,
    run: () =>
      inDirectory((cwd) =>
        mounted(cwd, "size=16k", async () => {
          await Deno.writeFile(`${cwd}/spool/filler`, new Uint8Array(16384)).catch(() => {});
          await using receiver = await startReceiver({ answers: [503] });
          await send(cwd, receiver, ["--loop", "--interval", "0", "--iterations", "3"], {
            posts: 4,
            // Said once.
            said: [FILLER, warning(/Cannot (use|write to) the spool/), RETRY],
            expect: { recorded: 15, delivered: 15, sends: [repeated(like({ type: "send" }), 3)] },
          });
        })
      ),
  },
  {
    name: "a disk that is full and has room again before the end",
    ignore: needsMount,
    run: () =>
      inDirectory((cwd) =>
        mounted(cwd, "size=64k", async () => {
          // The lock's own file is there before the disk is full.
          await using receiver = await startReceiver({ answers: ALWAYS_503 });
          await Deno.writeTextFile(`${cwd}/spool/lock`, "");
          await Deno.writeFile(`${cwd}/spool/filler`, new Uint8Array(65536)).catch(() => {});
          await send(cwd, receiver, ["--loop"], {
            meanwhile: async (world) => {
              await whenAsked(1)(world);
              await Deno.remove(`${cwd}/spool/filler`);
              world.program.signal("SIGTERM");
            },
            posts: "any",
            said: [
              FILLER,
              warning(/Cannot write to the spool/),
              RETRIES,
              repeated(NOT_YET),
              KEPT_SAID,
            ],
            expect: KEPT,
          });
          assert.equal((await kept(cwd)).length, 1);
        })
      ),
  },
  {
    name: "shutdown while the destination is down deletes nothing (opentelemetry-collector #15677)",
    run: () =>
      inDirectory(async (cwd) => {
        await using receiver = await startReceiver({ answers: ALWAYS_503 });
        const { summary } = await runFixture({
          ...everyInterval(...SPOOL),
          meanwhile: inTurn(whenReported(4), signal("SIGTERM")),
        }, { cwd, receiver });
        const { recorded = 0, pending } = summary;
        assert.ok(recorded >= 20 && pending === recorded, `${pending} of ${recorded}`);
        assert.equal((await kept(cwd)).length, recorded / 5);
        await using back = await startReceiver();
        await sendWhatIsLeft(cwd, back, recorded);
      }),
  },
  {
    name:
      "what is recorded is kept before it is sent, whatever kills the process (opentelemetry-collector #12711)",
    run: () =>
      inDirectory(async (cwd) => {
        // Killed while the first of several requests is under way: those behind it are kept as well.
        await using receiver = await startReceiver({ answers: ["hang"] });
        await killedWhenAsked(cwd, receiver, ["--series", "7000"], "{url}/api/v2/otlp");
        assert.equal((await kept(cwd)).length, 3);
        await using back = await startReceiver();
        await sendWhatIsLeft(cwd, back, 7000, [repeated(DUPLICATED, 1)]);
      }),
  },
  {
    name:
      "an outage longer than the bounds has its losses named and counted (opentelemetry-collector #15324)",
    run: () =>
      inDirectory(async (cwd) => {
        await using receiver = await startReceiver({ answers: ALWAYS_503 });
        const { summary, stderr } = await runFixture({
          ...everyInterval("--compression", "none", "--max-pending-mb", "0.005", ...SPOOL),
          meanwhile: async ({ program }) => {
            await program.waitForStderr(/(?:not delivered and lost: more than 0.005 MB[^]*){3}/);
            program.signal("SIGTERM");
          },
        }, { cwd, receiver });
        const { recorded, dropped = 0, pending = 0 } = summary;
        const named = [
          ...stderr.matchAll(/(\d+) measurements of iteration \d+ not delivered and lost/g),
        ];
        assert.equal(named.reduce((sum, [, count]) => sum + Number(count), 0), dropped);
        assert.equal(recorded, dropped + pending);
        assert.equal((await kept(cwd)).length, pending / 5);
      }),
  },
];

testFaults(faults, stories);

/** A loop with a short interval to a receiver that takes nothing, until a signal ends it. */
function everyInterval(...args: readonly string[]): Setup & Expectation {
  return {
    args: [...LOOP, "--output", "json", "--interval", "0.1", ...NOTHING_SENT, ...args],
    posts: "any",
    status: 1,
    stdout: SENDS_AND_SUMMARY,
    stderr: [repeated(like({ type: /^(warning|error)$/ }), 1)],
  };
}

/** A run with a spool that is killed once a request has come. */
async function killedWhenAsked(
  cwd: string,
  receiver: Receiver,
  args: readonly string[],
  endpoint = "{url}",
): Promise<void> {
  const asked = receiver.requests.length + 1;
  await runFixture({
    args: ["--endpoint", endpoint, "--output", "json", ...args, ...SPOOL],
    meanwhile: inTurn(whenAsked(asked), signal("SIGKILL")),
    posts: 1,
    status: 137,
  }, { cwd, receiver });
}
