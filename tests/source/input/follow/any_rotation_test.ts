import assert from "node:assert/strict";
import { Following, gzipInPlace } from "../../../support/following.ts";
import { seeded } from "../../../support/seeded.ts";

const SEEDS = 6;
const STEPS = 60;

/** Log with numbered lines, which is rotated as logrotate does, whoever looks. */
class RotatedLog {
  written = 0;
  #rotated: string[] = [];

  constructor(readonly path: string, readonly random: () => number) {}

  async write(): Promise<void> {
    const text = Array.from(
      { length: 1 + Math.floor(this.random() * 12) },
      () => `line ${this.written++} ${"x".repeat(this.random() * 200)}\n`,
    ).join("");
    await Deno.writeTextFile(this.path, text, { append: true });
  }

  /** Shifts the numbers, and renames or copies the log to the first one; compresses some. */
  async rotate(): Promise<string> {
    const shifted: string[] = [];
    for (const [i, suffix] of this.#rotated.entries()) {
      const packed = suffix.endsWith(".gz") ? ".gz" : "";
      const to = `.${i + 2}${packed}`;
      shifted.push(to);
    }
    for (let i = this.#rotated.length - 1; i >= 0; i--) {
      await Deno.rename(`${this.path}${this.#rotated[i]}`, `${this.path}${shifted[i]}`);
    }
    const isCopy = this.random() < 0.4;
    if (isCopy) {
      await Deno.copyFile(this.path, `${this.path}.1`);
      await Deno.truncate(this.path);
    } else await Deno.rename(this.path, `${this.path}.1`);
    this.#rotated = [".1", ...shifted];
    if (!isCopy || this.random() < 0.5) await Deno.writeTextFile(this.path, "", { append: true });
    const at = Math.floor(this.random() * 3);
    const chosen = this.#rotated[at];
    const what = isCopy ? "copy" : "rename";
    if (chosen === undefined || chosen.endsWith(".gz")) return what;
    await gzipInPlace(`${this.path}${chosen}`);
    this.#rotated[at] = `${chosen}.gz`;
    return `${what},gzip${chosen}`;
  }
}

async function follow(seed: number): Promise<void> {
  const random = seeded(seed);
  const folder = await Deno.makeTempDir({ prefix: "otlp-histogram-follow-" });
  await Deno.writeTextFile(`${folder}/log`, "");
  const log = new RotatedLog(`${folder}/log`, random);
  let following = await Following.begin(folder);
  const counted: string[] = [];
  const warnings: string[] = [];
  const trace: string[] = [];
  const restart = async () => {
    // Nothing that is read from now on counts: the process was killed.
    const { place, lines } = following;
    counted.push(...lines);
    warnings.push(...following.warnings);
    await following.kill();
    return place;
  };
  for (let step = 0; step < STEPS; step++) {
    const dice = random();
    if (dice < 0.35) {
      await log.write();
      trace.push(`write<${log.written}`);
    } else if (dice < 0.6) {
      trace.push(await log.rotate());
    } else if (dice < 0.9) {
      trace.push("look");
      await following.step();
    } else {
      trace.push("kill");
      const place = await restart();
      while (random() < 0.5) {
        await log.write();
        trace.push(`write<${log.written}`);
        if (random() < 0.5) continue;
        trace.push(await log.rotate());
      }
      trace.push("start");
      following = await Following.begin(folder, place);
    }
  }
  // It looks five times for a file that it does not find.
  for (let looks = 0; looks < 8; looks++) await following.step();
  await restart();
  const ids = counted.map((line) => Number(line.split(" ")[1])).toSorted((a, b) => a - b);
  const all = Array.from({ length: log.written }, (_, id) => id);
  const problem = `seed ${seed}: ${trace.join(" ")}\n${warnings.join("\n")}`;
  assert.deepEqual(all.filter((id) => !ids.includes(id)), [], `missing, ${problem}`);
  assert.deepEqual(ids, all, `twice, ${problem}`);
  assert.deepEqual(warnings, [], `no byte was lost, ${problem}`);
  await Deno.remove(folder, { recursive: true });
}

Deno.test("FollowedFile reads every line once, whatever the rotations, looks and kills", async () => {
  for (let seed = 0; seed < SEEDS; seed++) await follow(7000 + seed);
});
