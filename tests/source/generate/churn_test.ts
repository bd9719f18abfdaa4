import assert from "node:assert/strict";
import fc from "fast-check";
import type { Attributes } from "../../../src/aggregate/measurement.ts";
import { seededRandom } from "../../../src/source/generate/random.ts";
import {
  cardinalityOf,
  type Scenario,
  ScenarioTraffic,
  seriesOf,
} from "../../../src/source/generate/scenario.ts";
import { parseScenario } from "../../../src/source/generate/scenario_file.ts";
import type { Share } from "../../../src/source/generate/share.ts";
import { each } from "../../support/cases.ts";

type Fields = Readonly<Record<string, unknown>>;

/** A scenario of one metric with one entry. */
function scenarioOf(attributes: Fields, more: Fields = {}, file: Fields = {}): Scenario {
  const entry = { distribution: "lognormal(40,400)", attributes, ...more };
  const metrics = [{ name: "m", unit: "ms", mix: [entry] }];
  const parsed = parseScenario(JSON.stringify({ ...file, metrics }));
  assert.ok("scenario" in parsed, "problems" in parsed ? parsed.problems.join("\n") : "");
  return parsed.scenario;
}

/** The attributes of the next measurements, all of which are due at one time. */
function attributesAt(traffic: ScenarioTraffic, seconds: number, count: number): Attributes[] {
  return [...traffic.batches(count, () => seconds)].flatMap(([batch = []]) =>
    batch.map(({ attributes }) => attributes)
  );
}

const numberOf = (value: unknown) => Number(String(value).replace(/^.*-/, ""));
const POD = "k8s.pod.name";
const ROUTES_AND_PODS = { "http.route": { values: 40 }, [POD]: { values: 50, churn: "10m" } };

Deno.test("generated attributes fill every combination once before any comes again", () => {
  const traffic = new ScenarioTraffic(scenarioOf(ROUTES_AND_PODS), seededRandom("s"));
  for (const _ of [1, 2]) {
    const sets = attributesAt(traffic, 0, 2000);
    assert.equal(new Set(sets.map((set) => `${set["http.route"]} ${set[POD]}`)).size, 2000);
    assert.equal(new Set(sets.map((set) => set["http.route"])).size, 40);
  }
  assert.deepEqual(attributesAt(traffic, 0, 1), [{ "http.route": "route-1", [POD]: "pod-1" }]);
});

Deno.test("generated values have the prefix that the scenario says", () => {
  const scenario = scenarioOf({
    route: { values: 2, prefix: "/v" },
    id: { values: 1, prefix: "" },
  });
  const traffic = new ScenarioTraffic(scenario, seededRandom("s"));
  assert.deepEqual(attributesAt(traffic, 0, 3).map(({ route, id }) => [route, id]), [
    ["/v1", "1"],
    ["/v2", "1"],
    ["/v1", "1"],
  ]);
});

Deno.test("churn replaces one of 50 values every 12 s when each lives for 10 minutes", () => {
  const traffic = new ScenarioTraffic(scenarioOf(ROUTES_AND_PODS), seededRandom("s"));
  const windowAt = (seconds: number) => {
    const alive = [...new Set(attributesAt(traffic, seconds, 2000).map((set) => set[POD]))];
    const numbers = alive.map(numberOf).sort((a, b) => a - b);
    assert.equal(numbers.length, 50);
    return [numbers.at(0), numbers.at(-1)];
  };
  const times = [0, 11.9, 12, 23.9, 24, 600, 3600, 86_400];
  assert.deepEqual(times.map(windowAt), [
    [1, 50],
    [1, 50],
    [2, 51],
    [2, 51],
    [3, 52],
    [51, 100],
    [301, 350],
    [7201, 7250],
  ]);
});

Deno.test("churn lets every value live as long as it says, and none return", () => {
  const churning = fc.record({
    values: fc.integer({ min: 1, max: 20 }),
    churn: fc.integer({ min: 1, max: 40 }),
  });
  fc.assert(fc.property(churning, ({ values, churn }) => {
    const scenario = scenarioOf({ pod: { values, churn: `${churn}s` } });
    const traffic = new ScenarioTraffic(scenario, seededRandom("s"));
    const step = churn / values;
    const seen = new Map<unknown, { first: number; last: number }>();
    // Halfway between two replacements, so that rounding decides nothing.
    for (let k = 0; k < 4 * values; k++) {
      for (const { pod } of attributesAt(traffic, (k + 0.5) * step, values)) {
        const { first, last } = seen.get(pod) ?? { first: k, last: k - 1 };
        assert.ok(last >= k - 1, `${pod} came back`);
        seen.set(pod, { first, last: k });
      }
    }
    const lives = [...seen].filter(([, { first, last }]) => first > 0 && last < 4 * values - 1);
    assert.ok(lives.length > 0);
    for (const [pod, { first, last }] of lives) {
      assert.equal(last - first + 1, values, `${pod} lived too short or too long`);
    }
  }));
});

Deno.test("churn replaces values within a batch, at the measurement that is due then", () => {
  const scenario = scenarioOf({ pod: { values: 1, churn: "1s" } });
  const traffic = new ScenarioTraffic(scenario, seededRandom("s"));
  const pods = [...traffic.batches(5000, (place) => place / 1000)].flatMap(([batch = []]) =>
    batch.map(({ attributes: { pod } }) => numberOf(pod))
  );
  assert.deepEqual(pods, Array.from({ length: 5000 }, (_, i) => Math.floor(i / 1000) + 1));
});

Deno.test("a batch that lasts longer than a cycle goes through every phase", () => {
  const scenario = scenarioOf({ p: "a" }, { during: { b: { attributes: { p: "b" } } } }, {
    phases: [{ name: "a", seconds: 1 }, { name: "b", seconds: 1 }],
  });
  const traffic = new ScenarioTraffic(scenario, seededRandom("s"));
  const phases = [...traffic.batches(9, (place) => place)].flatMap(([batch = []]) =>
    batch.map(({ attributes: { p } }) => p)
  );
  assert.equal(phases.join(""), "ababababa");
});

const PHASES = { phases: [{ name: "calm", seconds: 7 }, { name: "storm", seconds: 5 }] };
/** Scenarios whose series are replaced, in one phase or more. */
const CHURNING = {
  "an attribute that churns": scenarioOf({ pod: { values: 5, churn: "10s" } }),
  "weighted values beside it": scenarioOf({
    ...{ pod: { values: 5, churn: "10s" }, zone: { values: 3, churn: "7s" } },
    code: [{ value: 200, weight: 9 }, { value: 500 }],
  }),
  "more values in a phase": scenarioOf(
    { pod: { values: 5, churn: "10s" } },
    { during: { storm: { attributes: { pod: { values: 11, churn: "10s" } } } } },
    PHASES,
  ),
};

/** Everything that is measured at a steady rate, in sends of different sizes, as texts. */
function measured(scenario: Scenario, share: Share, isSeeded: boolean): readonly string[][] {
  const traffic = new ScenarioTraffic(
    scenario,
    seededRandom(isSeeded ? "same" : `own ${share.index}`),
    { share, ...!isSeeded && { picks: seededRandom("shared") } },
  );
  let due = 0;
  return [1, 700, 3, 2000].map((count) => {
    const first = due;
    due += count;
    return [...traffic.batches(count, (place) => (first + place) / 50)].flatMap(([batch = []]) =>
      batch.map(({ value, attributes }) =>
        JSON.stringify(isSeeded ? [value, attributes] : attributes)
      )
    );
  });
}

each(
  Object.entries(CHURNING).flatMap(([name, scenario]) =>
    [true, false].map((isSeeded) => ({ name, scenario, isSeeded }))
  ),
  ({ name, isSeeded }) =>
    `shares together measure what one does, with ${name} and ${isSeeded ? "a seed" : "no seed"}`,
  ({ scenario, isSeeded }) => {
    const one = measured(scenario, { index: 0, of: 1 }, isSeeded).map((send) => send.sort());
    assert.ok(new Set(one.flat()).size > seriesOf(scenario), "values were replaced");
    for (const shards of [2, 3, 8]) {
      const parts = Array.from(
        { length: shards },
        (_, index) => measured(scenario, { index, of: shards }, isSeeded),
      );
      const all = one.map((_, send) => parts.flatMap((part) => part[send] ?? []).sort());
      assert.deepEqual(all, one);
      const busy = parts.filter((part) => part.flat().length > 0);
      assert.ok(busy.length > 1, "the series are divided");
      const owners = new Map<string, Set<number>>();
      for (const [index, part] of parts.entries()) {
        for (const text of part.flat()) {
          const series = isSeeded ? JSON.stringify(JSON.parse(text)[1]) : text;
          owners.set(series, (owners.get(series) ?? new Set()).add(index));
        }
      }
      // Where phases have other values, a number may come from either.
      const isSplit = [...owners.values()].some(({ size }) => size > 1);
      assert.ok(!isSplit || scenario.phases.length > 1);
    }
  },
);

Deno.test("cardinalityOf() counts combinations, and each set of a phase once", () => {
  const churning = scenarioOf(ROUTES_AND_PODS);
  assert.deepEqual(cardinalityOf(churning), { series: 2000, isGenerated: true });
  // Five pods are replaced in a minute.
  assert.deepEqual(cardinalityOf(churning, 60), { series: 40 * 55, isGenerated: true });
  const during = {
    calm: { weight: 3 },
    storm: { attributes: { pod: { values: 200 } } },
  };
  const attributes = { pod: { values: 50 }, code: [{ value: 200 }, { value: 1, weight: 0 }] };
  assert.deepEqual(cardinalityOf(scenarioOf(attributes, { during }, PHASES), 60), {
    series: 250,
    isGenerated: true,
  });
  assert.deepEqual(cardinalityOf(scenarioOf({ code: 1 })), { series: 1, isGenerated: false });
});
