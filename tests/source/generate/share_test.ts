import assert from "node:assert/strict";
import fc from "fast-check";
import { seededRandom } from "../../../src/source/generate/random.ts";
import { type Scenario, ScenarioTraffic, seriesOf } from "../../../src/source/generate/scenario.ts";
import { parseScenario } from "../../../src/source/generate/scenario_file.ts";
import { seriesIn, type Share } from "../../../src/source/generate/share.ts";
import { seriesAttributes, Synthetic } from "../../../src/source/generate/synthetic.ts";
import type { Measurement } from "../../../src/aggregate/measurement.ts";

const SHARES = fc.integer({ min: 1, max: 12 });
const SERIES = fc.integer({ min: 1, max: 30 });
const COUNTS = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 8 });

function shares(of: number): readonly Share[] {
  return Array.from({ length: of }, (_, index) => ({ index, of }));
}

/** How many of each series, by send. */
function counted(sends: readonly (readonly Measurement[])[]) {
  return sends.map((send) => {
    const counts = new Map<string, number>();
    for (const { attributes } of send) {
      const key = JSON.stringify(attributes);
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    return Object.fromEntries([...counts].sort(([a], [b]) => a < b ? -1 : 1));
  });
}

/** Measurements of all shares together in each send. */
function together(parts: readonly (readonly (readonly Measurement[])[])[]) {
  return (parts[0] ?? []).map((_, send) => parts.flatMap((part) => part[send] ?? []));
}

const inOrder = (measurements: readonly Measurement[]) =>
  measurements.map((each) => JSON.stringify(each)).sort();

Deno.test("seriesIn() is how many series a share has, and all shares have all", () => {
  fc.assert(fc.property(SHARES, fc.integer({ min: 0, max: 40 }), (of, count) => {
    const each = shares(of).map((share) => seriesIn(share, count));
    assert.equal(each.reduce((sum, n) => sum + n, 0), count);
    assert.ok(Math.max(...each) - Math.min(...each) <= 1);
    each.forEach((n, index) => assert.equal(seriesAttributes(count, { index, of }).length, n));
  }));
});

for (const isSeeded of [true, false]) {
  const kind = isSeeded ? "exactly the measurements" : "the series and counts";
  Deno.test(`Synthetic in shares makes ${kind} of one, whatever the numbers`, () => {
    fc.assert(
      fc.property(SHARES, SERIES, COUNTS, (of, series, counts) => {
        // Normal distributions draw again what is negative: the stream has no fixed step.
        const draw = (random: () => number) => {
          for (;;) {
            const value = random();
            if (value > 0.3) return value;
          }
        };
        const sends = (share?: Share) => {
          const synthetic = new Synthetic(
            series,
            draw,
            seededRandom(isSeeded ? "same" : `own ${share?.index}`),
            share,
            isSeeded,
          );
          // A batch is good until the next one is asked for.
          return counts.map((count) =>
            Array.from(synthetic.batches(count), (batch) => batch.map((each) => ({ ...each })))
              .flat()
          );
        };
        const one = sends();
        const all = together(shares(of).map(sends));
        assert.deepEqual(counted(all), counted(one));
        if (isSeeded) assert.deepEqual(all.map(inOrder), one.map(inOrder));
      }),
    );
  });

  Deno.test(`ScenarioTraffic in shares makes ${kind} of one, each series in one share`, () => {
    const scenario = example("latency-incident");
    const counts = [50, 9000, 1];
    const sends = (share?: Share) => {
      const traffic = new ScenarioTraffic(
        scenario,
        seededRandom(isSeeded ? "same" : `own ${share?.index}`),
        { ...share && { share }, ...!isSeeded && { picks: seededRandom("shared") } },
      );
      // Every ten seconds a measurement: a batch goes through several phases.
      return counts.map((count) =>
        [...traffic.batches(count, (place) => place * 10)].flatMap((batches) =>
          batches.flatMap((batch, metric) =>
            batch.map(({ value, attributes }) => ({ value, attributes: { ...attributes, metric } }))
          )
        )
      );
    };
    const one = sends();
    for (const count of [1, 3, 8, 60]) {
      const parts = shares(count).map(sends);
      const all = together(parts);
      assert.deepEqual(counted(all), counted(one));
      if (isSeeded) assert.deepEqual(all.map(inOrder), one.map(inOrder));
      const owners = new Map<string, number>();
      parts.forEach((part, index) => {
        for (const { attributes } of part.flat()) {
          const key = JSON.stringify(attributes);
          assert.equal(owners.get(key) ?? index, index, `${key} is in two shares`);
          owners.set(key, index);
        }
      });
      assert.ok(owners.size <= seriesOf(scenario));
      // A share may have none: which one a series is in, its attributes say.
      const some = new Set(owners.values()).size;
      assert.ok(count === 1 ? some === 1 : some > 1, `${some} of ${count} have any`);
    }
  });
}

Deno.test("ScenarioTraffic changes the phase with the measurement that is due in it", () => {
  const scenario = scenarioOf({
    phases: [{ name: "a", seconds: 1 }, { name: "b", seconds: 1 }],
    metrics: [{
      name: "m",
      unit: "ms",
      buckets: [1],
      mix: [{ distribution: "constant(1)", during: { b: { distribution: "constant(2)" } } }],
    }],
  });
  const traffic = new ScenarioTraffic(scenario, seededRandom("s"));
  const values = [...traffic.batches(30_000, (place) => place / 5000)].flatMap(([batch = []]) =>
    batch.map(({ value }) => value)
  );
  const expected = Array.from({ length: 30_000 }, (_, i) => Math.floor(i / 5000) % 2 + 1);
  assert.deepEqual(values, expected);
});

function example(name: string): Scenario {
  const file = new URL(`../../../examples/${name}.json`, import.meta.url);
  return scenarioOf(JSON.parse(Deno.readTextFileSync(file)));
}

function scenarioOf(file: unknown): Scenario {
  const parsed = parseScenario(JSON.stringify(file));
  assert.ok("scenario" in parsed, "problems" in parsed ? parsed.problems.join("\n") : "");
  return parsed.scenario;
}
