import assert from "node:assert/strict";
import { decode } from "../support/decode.ts";
import { startProgram } from "../support/program.ts";
import { type Receiver, startReceiver } from "../support/receiver.ts";
import { seeded } from "../support/seeded.ts";

const KILLS = 200;
const LANES = 4;
/** Of those whose lines carry a time. */
const TIMED_KILLS = 40;
const BEGIN = Date.UTC(2026, 0, 31, 12);

/** When line `id` happened, ms since 1970: five in an interval, and every ninth came a second late. */
function timeOf(id: number): number {
  return BEGIN + id * 10 - (id % 9 === 8 ? 1000 : 0);
}

/** A log whose lines are numbered, rotated in every way while somebody follows it. */
class Log {
  readonly #path: string;
  readonly #random: () => number;
  written = 0;
  #rotations = 0;

  constructor(path: string, random: () => number) {
    this.#path = path;
    this.#random = random;
  }

  async write(lines: number): Promise<void> {
    const text = Array.from({ length: lines }, () => {
      const id = this.written++;
      return `id=${id} took=1 time=${new Date(timeOf(id)).toISOString()}\n`;
    }).join("");
    // A line often comes in two pieces.
    const cut = Math.floor(this.#random() * text.length);
    await Deno.writeTextFile(this.#path, text.slice(0, cut), { append: true });
    await Deno.writeTextFile(this.#path, text.slice(cut), { append: true });
  }

  /** Renames the file, as logrotate's `create` does, or copies and truncates it. */
  async rotate(): Promise<void> {
    const to = `${this.#path}.${++this.#rotations}`;
    if (this.#random() < 0.5) {
      await Deno.rename(this.#path, to);
      await this.write(1);
    } else {
      await Deno.copyFile(this.#path, to);
      await Deno.truncate(this.#path);
    }
  }
}

interface Lane {
  readonly lines: number;
  readonly missing: readonly number[];
  /** Came twice, and not in two requests of the same bytes. */
  readonly readTwice: readonly number[];
  readonly repeatedRequests: number;
  readonly marked: number;
}

async function lane(
  kills: number,
  seed: number,
  isTimed = false,
): Promise<Lane> {
  const random = seeded(seed);
  await using receiver = await startReceiver();
  const cwd = await Deno.makeTempDir({ prefix: "otlp-histogram-test-" });
  const log = new Log(`${cwd}/log`, random);
  const args = [...flags(receiver), ...isTimed ? ["--time-field", "time"] : []];
  let marked = 0;
  try {
    for (let killed = 0; killed < kills; killed++) {
      const before = receiver.requests.length;
      await using program = await startProgram({ cwd, args });
      await log.write(1 + Math.floor(random() * 20));
      if (random() < 0.7) {
        const asked = receiver.waitForRequests(before + 1);
        await Promise.race([asked, program.finished]);
        asked.catch(() => {}); // when the program has ended by itself, which is told below
      }
      if (random() < 0.3) await log.rotate();
      await log.write(1 + Math.floor(random() * 5));
      await new Promise((resolve) => setTimeout(resolve, random() * 60));
      program.signal("SIGKILL");
      const { status, stderr } = await program.finished;
      assert.equal(status, 137, `ended by itself with ${status}:\n${stderr}`);
      assert.doesNotMatch(stderr, /Unexpected|dropped|Cannot|lost|gone|uncaught|not used/i);
      marked += stderr.split("possibly duplicated").length - 1;
      if (random() < 0.2) await log.rotate();
    }
    await log.write(1);
    const last = `id=${log.written - 1}`;
    await using program = await startProgram({ cwd, args });
    while (!idsOf(receiver).some(({ id }) => `id=${id}` === last)) {
      await receiver.waitForRequests(receiver.requests.length + 1);
    }
    program.signal("SIGTERM");
    const { stderr } = await program.finished;
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
  /** Of its data point, ms since 1970. */
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
    ...["--input", "log", "--follow", "--loop", "--interval", "0.05", "--value-field", "took"],
    ...["--attr-field", "id", "--max-series", "100000"],
  ];
}

function assertWhole(lanes: readonly Lane[], kills: number): void {
  for (const { lines, missing, readTwice, repeatedRequests, marked } of lanes) {
    console.log(
      `${lines} lines, ${missing.length} missing, ${readTwice.length} read twice, ` +
        `${repeatedRequests} requests repeated, of which ${marked} were said to be`,
    );
    assert.ok(lines > kills * 3, `${lines} lines`);
    if (missing.length > 0) console.log("missing", missing.join(" "));
    assert.deepEqual(missing, []);
    assert.deepEqual(readTwice, []);
  }
}

Deno.test({
  name:
    `send --follow --spool reads every line once when it is killed ${KILLS} times, with rotations in between`,
  async fn() {
    const lanes = await Promise.all(
      Array.from({ length: LANES }, (_, i) => lane(KILLS / LANES, 1200 + i)),
    );
    assertWhole(lanes, KILLS / LANES);
    // A process that dies in the midst of a repetition cannot say so any more: the others do.
    const total = (key: "repeatedRequests" | "marked") =>
      lanes.reduce((sum, lane) => sum + lane[key], 0);
    assert.ok(total("marked") >= total("repeatedRequests") / 4, "repeated without a word");
  },
});

Deno.test({
  name:
    `send --follow --spool --time-field reads every line once when it is killed ${TIMED_KILLS} times, with rotations in between`,
  async fn() {
    assertWhole([await lane(TIMED_KILLS, 1300, true)], TIMED_KILLS);
  },
});
