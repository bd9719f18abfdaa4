import assert from "node:assert/strict";
import { readHistograms } from "../../src/source/prometheus/cumulative.ts";
import { ScrapeDeltas } from "../../src/source/prometheus/deltas.ts";
import { inDirectory } from "../support/directory.ts";
import { seeded } from "../support/seeded.ts";
import { missing, namedUnless } from "../support/tools.ts";
import { startVictoriaMetrics } from "../support/metric_stores.ts";

// Readings of one target, as a recording has them, go to the program's deltas and to VictoriaMetrics. Its increase_pure()
// is PromQL's increase() without the extrapolation to the ends of the range, and with 0 before a series' first sample:
// Prometheus itself cannot give whole numbers. Both are compared with arithmetic on the raw samples that it also stores.

const STEP_MS = 10_000;
const READINGS = 120;
const BOUNDS = [0.1, 0.5, 2.5, 10];
/** Series, and the readings in which each is shown. */
const SERIES: Readonly<Record<string, (at: number) => boolean>> = {
  always: () => true,
  appears: (at) => at >= 20,
  pauses: (at) => at < 50 || at >= 65,
  comesAndGoes: (at) => at % 7 < 4,
  ends: (at) => at < 90,
};
/** Readings before which the target has begun again. */
const RESTARTS: readonly number[] = [40, 71, 100];
/** Readings that failed. */
const GAPS: readonly number[] = [15, 16, 33, 80];
/** Readings that show a count beside its last bucket, or lack a bucket. */
const TORN: readonly number[] = [10, 44, 84];
const INCOMPLETE: readonly number[] = [12, 27, 95];

interface Scrape {
  readonly at: number;
  readonly text: string;
}

/** Shows a bucket only once it was hit, as nginx-lua-prometheus does. */
function record(random: () => number): readonly Scrape[] {
  const scrapes: Scrape[] = [];
  const counted = new Map<string, number[]>();
  for (let at = 0; at < READINGS; at++) {
    const isNew = at === 0 || RESTARTS.includes(at);
    const lines = ["# TYPE h histogram"];
    for (const [series, isShown] of Object.entries(SERIES)) {
      // After a restart every bucket has less than before, which is how PromQL knows of it.
      const before = isNew ? [0, 0, 0, 0, 0] : counted.get(series) ?? [0, 0, 0, 0, 0];
      const most = at === 0 ? 500 : isNew ? 2 : 30;
      const now = before.map((count, i) =>
        random() < 0.4 || (at < 30 && i === 1) ? count : count + Math.floor(random() * most)
      );
      counted.set(series, now);
      const total = now.reduce((sum, count) => sum + count, 0);
      if (!isShown(at) || total === 0) continue;
      let below = 0;
      const buckets = BOUNDS.flatMap((bound, i) => {
        below += now[i] ?? 0;
        return below === 0 ? [] : [`h_bucket{series="${series}",le="${bound}"} ${below}`];
      });
      if (INCOMPLETE.includes(at)) buckets.shift();
      lines.push(
        ...buckets,
        `h_bucket{series="${series}",le="+Inf"} ${total}`,
        `h_count{series="${series}"} ${TORN.includes(at) ? total + 1 : total}`,
      );
    }
    if (!GAPS.includes(at)) scrapes.push({ at, text: `${lines.join("\n")}\n` });
  }
  return scrapes;
}

/** Increases by series and bound. */
type Increases = ReadonlyMap<string, number>;

/** Adds up the program's deltas; buckets hold all values at or below their bounds, as in an exposition. */
function increasesOfDeltas(scrapes: readonly Scrape[]): Increases {
  const deltas = new ScrapeDeltas(1000);
  const all = new Map<string, number>();
  for (const { text } of scrapes) {
    const reading = readHistograms(text);
    assert.ok(typeof reading !== "string");
    for (const { attributes, bounds, counts } of deltas.next(reading, 0).deltas) {
      const below = (bound: number) =>
        counts.reduce((sum, count, i) => (bounds[i] ?? Infinity) <= bound ? sum + count : sum, 0);
      for (const bound of [...BOUNDS, Infinity]) {
        const key = `${attributes["series"]} ${bound}`;
        all.set(key, (all.get(key) ?? 0) + below(bound));
      }
    }
  }
  return all;
}

/** Growth of a counter after its first sample, or after 0 when that came later than the first reading. */
function increaseOf(values: readonly number[], isOld: boolean): number {
  let before = isOld ? values[0] ?? 0 : 0;
  let increase = 0;
  for (const value of values) {
    increase += value < before ? value : value - before;
    before = value;
  }
  return increase;
}

function keyOf({ series, le }: Readonly<Record<string, string>>): string {
  return `${series} ${le === "+Inf" ? Infinity : Number(le)}`;
}

async function startStore(directory: string) {
  const process = await startVictoriaMetrics(directory, { flags: ["--retentionPeriod=10y"] });
  const { url } = process;
  const ask = async (path: string, fields: Readonly<Record<string, string>>) => {
    const answer = await fetch(url + path, {
      method: "POST",
      body: new URLSearchParams(fields),
    });
    const text = await answer.text();
    assert.equal(answer.status, 200, text);
    return text;
  };
  return {
    process,
    async store(time: number, text: string): Promise<void> {
      const path = `/api/v1/import/prometheus?timestamp=${time}`;
      const answer = await fetch(url + path, { method: "POST", body: text });
      assert.equal(answer.status, 204, await answer.text());
    },
    async increases(from: number, to: number): Promise<Increases> {
      await fetch(`${url}/internal/force_flush`).then((answer) => answer.body?.cancel());
      const text = await ask("/api/v1/query", {
        query: `increase_pure(h_bucket[${(to - from) / 1000}s])`,
        time: String(to / 1000),
        nocache: "1",
      });
      const { data }: {
        data: { result: { metric: Record<string, string>; value: [0, string] }[] };
      } = JSON.parse(text);
      return new Map(
        data.result.map(({ metric, value }) => [keyOf(metric), Number(value[1])] as const),
      );
    },
    async samples(from: number, to: number): Promise<ReadonlyMap<string, readonly Sample[]>> {
      const text = await ask("/api/v1/export", {
        "match[]": "h_bucket",
        start: String(from / 1000),
        end: String(to / 1000),
      });
      return new Map(
        text.trim().split("\n").map((line) => {
          const { metric, values, timestamps }: {
            metric: Record<string, string>;
            values: number[];
            timestamps: number[];
          } = JSON.parse(line);
          const samples = timestamps.map((time, i): Sample => ({ time, value: values[i] ?? NaN }));
          return [keyOf(metric), samples.sort((a, b) => a.time - b.time)] as const;
        }),
      );
    },
  };
}

interface Sample {
  readonly time: number;
  readonly value: number;
}

Deno.test({
  ...namedUnless(
    missing("VICTORIAMETRICS"),
    "--scrape's deltas add up to what PromQL calls the increase, over restarts, gaps, series and buckets that come and go",
  ),
  async fn() {
    await inDirectory(async (directory) => {
      const store = await startStore(directory);
      await using _ = store.process;
      let compared = 0;
      for (const [run, seed] of [3, 14, 159].entries()) {
        const scrapes = record(seeded(seed));
        const start = Date.UTC(2026, 0, 1 + run);
        const end = start + READINGS * STEP_MS;
        for (const { at, text } of scrapes) await store.store(start + at * STEP_MS, text);
        const theirs = await store.increases(start, end);
        const samples = await store.samples(start, end);
        const ours = increasesOfDeltas(scrapes);
        const isIn = (series: string) => scrapes[0]?.text.includes(`series="${series}"`) ?? false;
        assert.ok(theirs.size >= 20, `${theirs.size} buckets`);
        for (const [key, theirIncrease] of theirs) {
          const values = samples.get(key) ?? assert.fail(key);
          const isOld = values[0]?.time === start;
          const exact = increaseOf(values.map(({ value }) => value), isOld);
          assert.equal(theirIncrease, exact, `${seed} ${key}: VictoriaMetrics, and its samples`);
          assert.equal(ours.get(key) ?? 0, exact, `${seed} ${key}`);
          compared += exact;
        }
        assert.ok(isIn("always") && !isIn("appears"));
      }
      assert.ok(compared > 10_000);
      console.log(`${compared} values in the buckets of 3 recordings: all equal`);
    });
  },
});
