import assert from "node:assert/strict";
import { decode } from "./decode.ts";
import { startProgram } from "./program.ts";
import { type Receiver, startReceiver } from "./receiver.ts";
import { seeded } from "./seeded.ts";

const BEGIN = Date.UTC(2026, 0, 31, 12);

/** When line `id` happened, ms since 1970: five in an interval, and every ninth came a second late. */
function timeOf(id: number): number {
  return BEGIN + id * 10 - (id % 9 === 8 ? 1000 : 0);
}

/** Log whose lines are numbered, rotated while somebody follows it. */
export class Log {
  readonly path: string;
  readonly random: () => number;
  /** How many lines were written. */
  written = 0;
  /** How often it was rotated. */
  rotations = 0;

  constructor(path: string, random: () => number) {
    this.path = path;
    this.random = random;
  }

  async write(lines: number): Promise<void> {
    const text = Array.from({ length: lines }, () => {
      const id = this.written++;
      return `id=${id} took=1 time=${new Date(timeOf(id)).toISOString()}\n`;
    }).join("");
    // A line often comes in two pieces.
    const cut = Math.floor(this.random() * text.length);
    await Deno.writeTextFile(this.path, text.slice(0, cut), { append: true });
    await Deno.writeTextFile(this.path, text.slice(cut), { append: true });
  }
}

/** Rotates a log once. */
export type Rotate = (log: Log) => Promise<void>;

/** Renames the file, as logrotate's `create` does, or copies and truncates it. */
export const renameOrCopy: Rotate = async (log) => {
  const to = `${log.path}.${log.rotations}`;
  if (log.random() < 0.5) {
    await Deno.rename(log.path, to);
    await log.write(1);
  } else {
    await Deno.copyFile(log.path, to);
    await Deno.truncate(log.path);
  }
};

/** Lines that were written, and what a receiver got of them. */
export interface Lane {
  readonly lines: number;
  readonly rotations: number;
  readonly missing: readonly number[];
  /** Came twice, and not in two requests of the same bytes. */
  readonly readTwice: readonly number[];
  readonly repeatedRequests: number;
  readonly marked: number;
}

/** Words of messages about lines that do not count. */
const LOSSES = /Unexpected|dropped|Cannot|lost|gone|uncaught|not used/i;

/** Asserts that no message tells of a loss, but for one that cannot know: whether lines are missing is counted. */
function assertNoLoss(stderr: string): void {
  assert.doesNotMatch(stderr.replaceAll(/^.* are lost, if there were any$/gm, ""), LOSSES);
}

/** How a lane is run. */
export interface LaneOptions {
  readonly kills: number;
  readonly seed: number;
  /** The lines carry a time. */
  readonly isTimed?: boolean;
  /** Prepares the directory, and says how the log in it is rotated and by which name it is followed. */
  readonly layOut?: (cwd: string) => Promise<{
    readonly path: string;
    readonly followed: string;
    readonly rotate: Rotate;
  }>;
}

const plainLayout = (cwd: string) =>
  Promise.resolve({ path: `${cwd}/log`, followed: "log", rotate: renameOrCopy });

/** Follows a log with a spool, kills the program again and again, and rotates the log meanwhile. */
export async function runLane(
  { kills, seed, isTimed = false, layOut = plainLayout }: LaneOptions,
): Promise<Lane> {
  const random = seeded(seed);
  await using receiver = await startReceiver();
  const cwd = await Deno.makeTempDir({ prefix: "otlp-histogram-test-" });
  const { path, followed, rotate } = await layOut(cwd);
  const log = new Log(path, random);
  const rotateOnce = async () => {
    log.rotations++;
    await rotate(log);
  };
  const args = [
    ...flags(receiver),
    "--input",
    followed,
    ...isTimed ? ["--time-field", "time"] : [],
  ];
  let marked = 0;
  try {
    for (let killed = 0; killed < kills; killed++) {
      const before = receiver.requests.length;
      await using program = await startProgram({ cwd, args });
      await log.write(1 + Math.floor(random() * 20));
      // A file that is rotated before the program looks at it first was never followed.
      if (random() < 0.7 || killed === 0) {
        const asked = receiver.waitForRequests(before + 1);
        await Promise.race([asked, program.finished]);
        asked.catch(() => {}); // when the program has ended by itself, which is told below
      }
      if (random() < 0.3) await rotateOnce();
      await log.write(1 + Math.floor(random() * 5));
      await new Promise((resolve) => setTimeout(resolve, random() * 60));
      program.signal("SIGKILL");
      const { status, stderr } = await program.finished;
      assert.equal(status, 137, `ended by itself with ${status}:\n${stderr}`);
      assertNoLoss(stderr);
      marked += stderr.split("possibly duplicated").length - 1;
      if (random() < 0.2) await rotateOnce();
    }
    await log.write(1);
    const last = `id=${log.written - 1}`;
    await using program = await startProgram({ cwd, args });
    while (!idsOf(receiver).some(({ id }) => `id=${id}` === last)) {
      await receiver.waitForRequests(receiver.requests.length + 1);
    }
    program.signal("SIGTERM");
    const { stderr } = await program.finished;
    assertNoLoss(stderr);
    marked += stderr.split("possibly duplicated").length - 1;

    const bodies = new Map<number, Set<string>>();
    for (const { id, body, start, end } of idsOf(receiver)) {
      if (isTimed) assert.ok(start <= timeOf(id) && timeOf(id) < end, `${id}: ${start} to ${end}`);
      const known = bodies.get(id) ?? new Set();
      bodies.set(id, known.add(body));
    }
    const all = Array.from({ length: log.written }, (_, id) => id);
    const whole = receiver.requests.map(({ content }) => content.toHex());
    return {
      lines: log.written,
      rotations: log.rotations,
      missing: all.filter((id) => !bodies.has(id)),
      readTwice: all.filter((id) => (bodies.get(id)?.size ?? 0) > 1),
      repeatedRequests: whole.length - new Set(whole).size,
      marked,
    };
  } finally {
    await Deno.remove(cwd, { recursive: true });
  }
}

/** A line that a request held. */
interface Sent {
  readonly id: number;
  /** The request's bytes. */
  readonly body: string;
  /** Time of its data point, in ms since 1970. */
  readonly start: number;
  readonly end: number;
}

function idsOf(receiver: Receiver): readonly Sent[] {
  return receiver.requests.flatMap(({ content }) =>
    decode(content).metrics.flatMap(({ points }) => points).map(
      ({ attributes, count, ...times }) => {
        assert.equal(count, 1, "a line is one measurement");
        const [start, end] = [times.start, times.end].map((ns) => Number(ns / 1_000_000n));
        return {
          id: Number(attributes["id"]),
          body: content.toHex(),
          start: start ?? NaN,
          end: end ?? NaN,
        };
      },
    )
  );
}

function flags(receiver: Receiver): readonly string[] {
  return [
    ...["--endpoint", receiver.url, "--spool", "spool", "--compression", "none", "--quiet"],
    ...[
      "--follow",
      "--from",
      "start",
      "--loop",
      "--interval",
      "0.05",
      "--value-field",
      "took",
    ],
    ...["--attr-field", "id", "--max-series", "100000"],
  ];
}

/** Asserts that every line of the lanes was counted, and once. */
export function assertWhole(lanes: readonly Lane[], kills: number): void {
  for (const { lines, rotations, missing, readTwice, repeatedRequests, marked } of lanes) {
    console.log(
      `${lines} lines, ${kills} kills, ${rotations} rotations, ${missing.length} missing, ${readTwice.length} read twice, ` +
        `${repeatedRequests} requests repeated, of which ${marked} were said to be`,
    );
    assert.ok(lines > kills * 3, `${lines} lines`);
    if (missing.length > 0) console.log("missing", missing.join(" "));
    assert.deepEqual(missing, []);
    assert.deepEqual(readTwice, []);
  }
}
