import assert from "node:assert/strict";
import fc from "fast-check";
import { readHistograms, type ScrapeReading } from "../../../src/source/prometheus/cumulative.ts";
import { type Gain, ScrapeDeltas } from "../../../src/source/prometheus/deltas.ts";

/** One series in short: `0.1=3 +Inf=5 sum=2 created=7`; in front, if any, its label `s`. */
function lines(short: string): string {
  const words = short.split(" ");
  const series = words[0]?.includes("=") ? "" : words.shift() ?? "";
  const label = series === "" ? "" : `s="${series}"`;
  return words.map((word) => {
    const [le, value] = word.split("=");
    return le === "sum" || le === "count" || le === "created"
      ? `h_${le}{${label}} ${value}\n`
      : `h_bucket{${label},le="${le}"} ${value}\n`.replace("{,", "{");
  }).join("");
}

function reading(...series: readonly string[]): ScrapeReading {
  const text = `# TYPE h histogram\n${series.map(lines).join("")}`;
  const histograms = readHistograms(text);
  assert.ok(typeof histograms !== "string");
  return histograms;
}

/** Gains in short: `a 0.1=3 +Inf=2 sum=7`, each bucket's own count, without those of nothing. */
function shorten({ deltas }: Gain): readonly string[] {
  return deltas.map(({ attributes, bounds, counts, count, sum }) => {
    assert.equal(counts.reduce((all, one) => all + one, 0), count);
    assert.equal(counts.length, bounds.length + 1);
    const buckets = counts.map((own, i) => own === 0 ? "" : `${bounds[i] ?? "+Inf"}=${own}`);
    const words = [attributes["s"], ...buckets, sum === undefined ? "" : `sum=${sum}`];
    return words.filter((word) => word !== "" && word !== undefined).join(" ");
  });
}

/** Gains of each of the readings, one second after the other. */
function gains(...readings: readonly ScrapeReading[]): readonly Gain[] {
  const deltas = new ScrapeDeltas(99);
  return readings.map((next, i) => deltas.next(next, (i - 1) * 1000));
}

/** Two readings of one series, and what the second gains. */
const PAIRS: readonly (readonly [name: string, first: string, second: string, gained: string])[] = [
  ["what was added", "1=1 +Inf=3 sum=9", "1=2 +Inf=6 sum=21", "1=1 +Inf=2 sum=12"],
  ["nothing that was added", "1=1 +Inf=3 sum=9", "1=1 +Inf=3 sum=9", ""],
  ["a bucket that appears", "25=500 +Inf=1000", "10=1 25=501 +Inf=1001", "10=1"],
  ["a bucket between others that appears", "1=5 9=7 +Inf=9", "1=5 4=6 9=8 +Inf=10", "4=1"],
  ["the first bounds at all", "+Inf=3", "1=1 2=3 +Inf=7", "1=1 2=2 +Inf=1"],
  [
    "a reading made while it counted",
    "0.1=100 0.5=151 +Inf=200",
    "0.1=101 0.5=151 +Inf=201",
    "0.1=1",
  ],
  ["an own count that fell alone", "1=1 2=9 +Inf=9", "1=5 2=9 +Inf=13", "1=4"],
  ["a count that fell", "1=5 +Inf=10 sum=50", "1=2 +Inf=3 sum=4", "1=2 +Inf=1 sum=4"],
  ["a count that fell, with other bounds", "1=5 +Inf=10", "2=2 +Inf=3", "2=2 +Inf=1"],
  ["a cumulative value that fell", "1=5 +Inf=10", "1=2 +Inf=12", "1=2 +Inf=10"],
  ["a start that moved", "1=1 +Inf=2 created=1", "1=2 +Inf=4 created=2", "1=2 +Inf=2"],
  [
    "a start that moved, with other bounds",
    "1=1 +Inf=2 created=1",
    "3=2 +Inf=4 created=2",
    "3=2 +Inf=2",
  ],
  ["a start that moved back", "1=1 +Inf=2 created=2", "1=2 +Inf=4 created=1", "1=1 +Inf=1"],
  ["a start that appears", "1=1 +Inf=2", "1=2 +Inf=4 created=1", "1=1 +Inf=1"],
  ["a bound that is gone", "1=1 2=2 +Inf=2", "1=3 +Inf=4", ""],
  ["a sum that is gone", "1=1 +Inf=2 sum=3", "1=3 +Inf=4", ""],
  ["a count that contradicts itself", "1=1 +Inf=2", "1=3 +Inf=4 count=5", ""],
  ["negative values", "1=1 +Inf=2 sum=5", "1=1 +Inf=4 sum=3", "+Inf=2"],
  ["a sum that is not a number", "1=1 +Inf=2 sum=5", "1=1 +Inf=4 sum=NaN", "+Inf=2"],
  ["a native histogram", "+Inf=2", "+Inf=4", ""],
];

Deno.test("ScrapeDeltas compares a reading with the one before", () => {
  for (const [name, first, second, gained] of PAIRS) {
    const [, gain] = gains(reading(first), reading(second));
    assert.ok(gain);
    assert.deepEqual(shorten(gain), gained === "" ? [] : [gained], name);
  }
});

/** Readings of several series, and what each of them gains. */
const SEQUENCES: Readonly<Record<string, readonly (readonly [ScrapeReading, ...string[]])[]>> = {
  "A bucket that was missing once brings all with the next reading": [
    [reading("1=1 2=2 +Inf=3")],
    [reading("1=3 +Inf=6")],
    [reading("1=4 2=5 +Inf=8"), "1=3 +Inf=2"],
  ],
  "A contradiction between two readings is skipped": [
    [reading("1=1 +Inf=3")],
    [reading("1=9 +Inf=8")],
    [reading("1=2 +Inf=5"), "1=1 +Inf=1"],
  ],
  "A contradiction in the first reading makes the next one the base line": [
    [reading("1=900 +Inf=800")],
    [reading("1=901 +Inf=1000")],
    [reading("1=902 +Inf=1002"), "1=1 +Inf=1"],
  ],
  "A contradiction in the first reading of a series that appears loses nothing": [
    [reading("a 1=1 +Inf=1")],
    [reading("a 1=1 +Inf=1", "b 1=2 +Inf=1")],
    [reading("a 1=1 +Inf=1", "b 1=2 +Inf=3"), "b 1=2 +Inf=1"],
  ],
  "A series that is missing for a while goes on where it was": [
    [reading("a 1=1 +Inf=1", "b 1=5 +Inf=9")],
    [reading("a 1=2 +Inf=2"), "a 1=1"],
    [reading("a 1=2 +Inf=2", "b 1=6 +Inf=11"), "b 1=1 +Inf=1"],
  ],
  "A first reading that may lack a series is not the base line of one that appears": [
    [reading("a 1=1 +Inf=1 sum")],
    [reading("a 1=1 +Inf=1", "b 1=700 +Inf=900")],
    [reading("a 1=1 +Inf=1", "b 1=701 +Inf=901", "c 1=4 +Inf=4"), "b 1=1", "c 1=4"],
  ],
  "Bounds that appear after readings of a single bucket bring what that had counted": [
    [reading("+Inf=3")],
    [reading("+Inf=5")],
    [reading("1=1 +Inf=7"), "1=1 +Inf=3"],
    [reading("1=1 +Inf=8"), "+Inf=1"],
  ],
  "A restart is counted once": [
    [reading("1=5 +Inf=9")],
    [reading("1=2 +Inf=3"), "1=2 +Inf=1"],
    [reading("1=2 +Inf=4"), "+Inf=1"],
  ],
};

for (const [name, steps] of Object.entries(SEQUENCES)) {
  Deno.test(`ScrapeDeltas: ${name}`, () => {
    assert.ok(steps.length > 0);
    assert.deepEqual(
      gains(...steps.map(([next]) => next)).map(shorten),
      steps.map(([, ...gained]) => gained),
    );
  });
}

Deno.test("ScrapeDeltas names the series whose counts it does not use as they are", () => {
  const [, incomplete, torn, whole] = gains(
    reading("a 1=1 2=2 +Inf=3"),
    reading("a 2=4 +Inf=6"),
    reading("a 1=3 2=3 +Inf=7"),
    reading("a 1=3 2=3 +Inf=7"),
  );
  assert.deepEqual(incomplete?.skipped, ['h{s="a"}: it lacks le="1", which it had before']);
  assert.match(torn?.remarks.join() ?? "", /^h\{s="a"\} was read while it changed/);
  assert.deepEqual([whole?.skipped, whole?.remarks], [[], []]);
});

Deno.test("ScrapeDeltas takes bounds that stay away for a new base line in the end", () => {
  const before = reading("1=1 +Inf=3");
  const after = (count: number) => reading(`2=1 +Inf=${count}`);
  const all = gains(before, ...Array.from({ length: 12 }, (_, i) => after(10 + i)));
  assert.deepEqual(all.map(shorten), [...Array(11).fill([]), ["+Inf=1"], ["+Inf=1"]]);
  assert.match(all[10]?.remarks.join() ?? "", /^h lost le="1"/);
});

Deno.test("ScrapeDeltas takes a series that appears as new, unless it says that it is older", () => {
  const a = reading("a 1=1 +Inf=1");
  const b = (created: string) => reading("a 1=1 +Inf=1", `b 1=3 +Inf=3${created}`);
  const third = (last: ScrapeReading) => gains(a, a, last)[2] ?? assert.fail();
  assert.deepEqual(shorten(third(b(""))), ["b 1=3"]);
  assert.deepEqual(shorten(third(b(" created=1.5"))), ["b 1=3"]);
  const old = third(b(" created=0.01"));
  assert.deepEqual(shorten(old), []);
  assert.match(old.remarks.join(), /^h\{s="b"\} started counting before it appeared/);
});

Deno.test("ScrapeDeltas forgets what was missing for longest, and still knows it from what is new", () => {
  const deltas = new ScrapeDeltas(2);
  const steps: readonly (readonly [ScrapeReading, ...string[]])[] = [
    [reading("a 1=9 +Inf=9", "b 1=9 +Inf=9")],
    // a is forgotten.
    [reading("b 1=9 +Inf=9", "c 1=10 +Inf=10"), "c 1=10"],
    [reading("b 1=9 +Inf=9", "c 1=10 +Inf=10", "d 1=12 +Inf=12"), "d 1=12"],
    [reading("a 1=10 +Inf=10", "d 1=12 +Inf=12")],
    [reading("a 1=11 +Inf=11", "d 1=13 +Inf=13"), "a 1=1", "d 1=1"],
  ];
  for (const [next, ...gained] of steps) assert.deepEqual(shorten(deltas.next(next, 0)), gained);
});

// A target whose every value is known, and what goes wrong with its readings. The expected deltas follow from the
// values, not from the figures of two readings.

const BOUNDS = [0.1, 0.5, 2.5, 10];
const SERIES = ["a", "b", "c"];

/** How the target shows one series in a reading. */
type Fault = "none" | "absent" | "torn count" | "no bound" | "two values" | "no infinite bucket";
const FAULTS: readonly Fault[] = [
  ...["absent", "torn count", "no bound", "two values", "no infinite bucket"] as const,
  ...Array<"none">(10).fill("none"),
];

interface Step {
  readonly restart: boolean;
  /** For each series. */
  readonly values: readonly (readonly number[])[];
  readonly faults: readonly Fault[];
}

/** One series of the target. */
class Target {
  /** Observed since the process began. */
  #values: number[] = [];
  /** Values that no good reading has shown. */
  #unseen: number[] = [];
  /** The bounds of the last good reading: a bucket is shown once it was hit. */
  #shown: readonly number[] = [];
  #hasBase = false;
  #starts = 1;

  /** Restarts, if at all, with fewer values than it had, as nothing else tells. */
  step(values: readonly number[], restart: boolean): void {
    if (restart && this.#values.length > values.length) {
      this.#values = [];
      this.#unseen = [];
      this.#shown = [];
      this.#starts++;
    }
    this.#values.push(...values);
    this.#unseen.push(...values);
  }

  /** The lines of a reading, and each value's bound that has to be sent for it. */
  show(series: string, fault: Fault, isFirst: boolean): { lines: string; gained: number[] } {
    const bounds = BOUNDS.filter((bound) => this.#values.some((value) => value <= bound));
    const lost = fault === "no bound" ? this.#shown[0] : undefined;
    const below = (bound: number) => this.#values.filter((value) => value <= bound).length;
    const words = bounds.filter((bound) => bound !== lost).map((bound) =>
      `${bound}=${below(bound)}`
    );
    if (fault === "two values") words.push(`+Inf=${this.#values.length + 1}`);
    if (fault !== "no infinite bucket") words.push(`+Inf=${this.#values.length}`);
    words.push(`count=${this.#values.length + (fault === "torn count" ? 1 : 0)}`);
    words.push(`created=${this.#starts}`);
    const isShown = fault !== "absent" && this.#values.length > 0;
    const isGood = fault === "none" || (fault === "no bound" && lost === undefined);
    const text = isShown ? lines(`${series} ${words.join(" ")}`) : "";
    // A series that the first reading lacks has counted nothing.
    if (isFirst && !isShown) this.#hasBase = true;
    if (!isShown || !isGood) return { lines: text, gained: [] };
    const gained = this.#hasBase ? this.#unseen : [];
    this.#unseen = [];
    this.#hasBase = true;
    this.#shown = bounds;
    return {
      lines: text,
      gained: gained.map((value) => bounds.find((bound) => value <= bound) ?? Infinity),
    };
  }
}

Deno.test("ScrapeDeltas sends every value once, whatever a target shows of it", () => {
  const step = fc.record({
    restart: fc.integer({ min: 0, max: 6 }).map((n) => n === 0),
    values: fc.array(
      fc.array(fc.constantFrom(0.05, 0.1, 0.3, 1, 9, 99), { maxLength: 4 }),
      { minLength: SERIES.length, maxLength: SERIES.length },
    ),
    faults: fc.array(fc.constantFrom(...FAULTS), {
      minLength: SERIES.length,
      maxLength: SERIES.length,
    }),
  });
  let compared = 0;
  fc.assert(
    fc.property(fc.array(step, { minLength: 2, maxLength: 12 }), (steps: readonly Step[]) => {
      const deltas = new ScrapeDeltas(99);
      const targets = new Map(SERIES.map((series) => [series, new Target()]));
      // Without a bound below infinity a family looks native.
      const classic = 'h_bucket{s="classic",le="1"} 0\nh_bucket{s="classic",le="+Inf"} 0\n';
      for (const [at, { restart, values, faults }] of steps.entries()) {
        const shown = [...targets].map(([series, target], i) => {
          target.step(values[i] ?? [], restart);
          return { series, ...target.show(series, faults[i] ?? "none", at === 0) };
        });
        const text = `# TYPE h histogram\n${classic}${shown.map(({ lines }) => lines).join("")}`;
        const next = readHistograms(text);
        assert.ok(typeof next !== "string");
        const gain = deltas.next(next, 0);
        const sent = gain.deltas.flatMap(({ attributes, bounds, counts }) =>
          counts.flatMap((count, i) =>
            Array<string>(count).fill(`${attributes["s"]} ${bounds[i] ?? Infinity}`)
          )
        );
        const expected = shown.flatMap(({ series, gained }) =>
          gained.map((bound) => `${series} ${bound}`)
        );
        assert.deepEqual(sent.sort(), expected.sort(), `reading ${at}`);
        compared += expected.length;
      }
    }),
    { seed: 21, numRuns: 1000 },
  );
  assert.ok(compared > 10_000, `${compared} values`);
});

Deno.test("ScrapeDeltas never sends a negative count, nor more than a series has", () => {
  const count = fc.integer({ min: 0, max: 20 });
  const series = fc.dictionary(fc.constantFrom("0.1", "0.5", "2.5"), count).chain((buckets) =>
    count.map((more) => {
      const most = Math.max(0, ...Object.values(buckets)) + more;
      return [...Object.entries(buckets), ["+Inf", most]].map(([le, n]) => `${le}=${n}`).join(" ");
    })
  );
  fc.assert(
    fc.property(fc.array(series, { minLength: 2, maxLength: 8 }), (readings) => {
      for (const [i, gain] of gains(...readings.map((one) => reading(one))).entries()) {
        for (const { counts, count } of gain.deltas) {
          assert.ok(counts.every((own) => own >= 0));
          assert.equal(counts.reduce((all, own) => all + own, 0), count);
          assert.ok(count <= Number(/\+Inf=(\d+)/.exec(readings[i] ?? "")?.[1]));
        }
      }
    }),
    { seed: 22, numRuns: 1000 },
  );
});
