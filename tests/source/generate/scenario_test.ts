import assert from "node:assert/strict";
import type { Attributes } from "../../../src/aggregate/measurement.ts";
import { seededRandom } from "../../../src/source/generate/random.ts";
import { picker } from "../../../src/source/generate/picker.ts";
import { phaseAt, type Scenario, ScenarioTraffic } from "../../../src/source/generate/scenario.ts";
import { parseScenario } from "../../../src/source/generate/scenario_file.ts";

const ENTRY = { distribution: "constant(1)" };
const METRIC = { name: "m", unit: "ms", mix: [ENTRY] };

const example = (name: string) =>
  Deno.readTextFileSync(new URL(`../../../examples/${name}.json`, import.meta.url));

function scenarioOf(file: unknown): Scenario {
  const parsed = parseScenario(JSON.stringify(file));
  assert.ok("scenario" in parsed, "problems" in parsed ? parsed.problems.join("\n") : "");
  return parsed.scenario;
}

/** Number of equal measurements of each metric, by their text. */
function counted(scenario: Scenario, count: number, elapsed = 0, seed = "s") {
  const totals = scenario.metrics.map(() => new Map<string, number>());
  for (
    const batches of new ScenarioTraffic(scenario, seededRandom(seed)).batches(count, () => elapsed)
  ) {
    batches.forEach((batch, metric) => {
      for (const { value, attributes } of batch) {
        const text = JSON.stringify([value, attributes]);
        totals[metric]?.set(text, (totals[metric]?.get(text) ?? 0) + 1);
      }
    });
  }
  return totals.map((total) => Object.fromEntries(total));
}

function total(counts: Readonly<Record<string, number>> | undefined): number {
  return Object.values(counts ?? {}).reduce((sum, n) => sum + n, 0);
}

/** Within four standard deviations of a binomial distribution. */
function about(is: number | undefined, share: number, of: number): void {
  const spread = 4 * Math.sqrt(of * share * (1 - share));
  assert.ok(
    Math.abs((is ?? 0) - of * share) <= spread,
    `${is} instead of ${of * share} ± ${spread}`,
  );
}

Deno.test("parseScenario() fills in what a small file leaves out", () => {
  const { resource, phases, metrics } = scenarioOf({ metrics: [METRIC] });
  assert.deepEqual([resource, phases], [{}, [{ name: "", seconds: Infinity }]]);
  const [{ mixes = [], ...metric } = {}] = metrics;
  assert.deepEqual(metric, {
    name: "m",
    unit: "ms",
    description: "",
    bounds: undefined,
    weight: 1,
  });
  assert.deepEqual(
    mixes.map((mix) => mix.map(({ weight, attributes }) => ({ weight, attributes }))),
    [
      [{ weight: 1, attributes: [] }],
    ],
  );
});

Deno.test("parseScenario() takes bounds, exponential and resource attributes", () => {
  const { resource, metrics } = scenarioOf({
    resource: { "service.name": "shop" },
    metrics: [{ ...METRIC, buckets: [0, 1.5, 3] }, { ...METRIC, name: "n", exponential: true }],
  });
  assert.deepEqual(resource, { "service.name": "shop" });
  assert.deepEqual(metrics.map(({ bounds }) => bounds), [[0, 1.5, 3], "exponential"]);
});

const withMetric = (change: object) => ({ metrics: [METRIC, { ...METRIC, name: "n", ...change }] });
const withEntry = (change: object) => withMetric({ mix: [ENTRY, { ...ENTRY, ...change }] });
/** A change of the second metric, and its problem; the path of the problem begins there. */
const inMetric = (what: string, change: object, problem: string) =>
  [what, withMetric(change), `metrics[1].${problem}`] as const;
/** A change of the second entry of its mix, in the same way. */
const inEntry = (what: string, change: object, problem: string) =>
  [what, withEntry(change), `metrics[1].mix[1].${problem}`] as const;
const PHASES = [{ name: "calm", seconds: 60 }, { name: "storm", seconds: 10 }];
const NAME =
  "an OpenTelemetry instrument name: a letter, then up to 254 letters, digits or any of _ . - /";
const VALUE = 'a string, number or boolean, a list of {"value": …, "weight": …}, or {"values": N}';
const SCENARIO_KEYS = "Keys of a scenario: description, resource, phases, metrics";

for (
  const [what, file, ...problems] of [
    ["a list", [], "(file): expected an object, but it is []"],
    ["null", null, "(file): expected an object, but it is null"],
    [
      "a list of metrics that is an object",
      { metrics: {} },
      "metrics: expected a list, but it is {}",
    ],
    ["no metrics", {}, "metrics: is missing"],
    [
      "an empty list of metrics",
      { metrics: [] },
      "metrics: expected a list that is not empty, but it is []",
    ],
    [
      "an unknown key",
      { metrics: [METRIC], metric: 1 },
      `metric: unknown key. Did you mean metrics? ${SCENARIO_KEYS}`,
    ],
    [
      "an unknown key in depth",
      withEntry({ "colour of": 1 }),
      'metrics[1].mix[1]["colour of"]: unknown key. ' +
      "Keys of an entry of mix: weight, distribution, attributes, during",
    ],
    inMetric("no name", { name: undefined }, "name: is missing"),
    inMetric("a bad name", { name: "1x" }, `name: expected ${NAME}, but it is "1x"`),
    inMetric("a name that comes twice", { name: "M" }, "name: is the same as metrics[0].name"),
    inMetric("a unit that is no text", { unit: 1 }, "unit: expected a string, but it is 1"),
    inMetric("no mix", { mix: undefined }, "mix: is missing"),
    inMetric("an empty mix", { mix: [] }, "mix: expected a list that is not empty, but it is []"),
    inMetric("a mix that is no list", { mix: {} }, "mix: expected a list, but it is {}"),
    inMetric("an entry that is no object", { mix: [1] }, "mix[0]: expected an object, but it is 1"),
    inMetric(
      "unsorted buckets",
      { buckets: [1, 3, 3] },
      "buckets: expected numbers in strictly increasing order, but it is [1,3,3]",
    ),
    inMetric(
      "a bucket that is no number",
      { buckets: [1, "2"] },
      'buckets[1]: expected a number, but it is "2"',
    ),
    inMetric(
      "buckets and exponential",
      { buckets: [1], exponential: true },
      "exponential: cannot be used with metrics[1].buckets: remove one of them",
    ),
    inEntry("no distribution", { distribution: undefined }, "distribution: is missing"),
    inEntry(
      "a distribution that is none",
      { distribution: "lognormal(400,40)" },
      'distribution: expected lognormal(median,p99) with 0 < median ≤ p99, but it is "lognormal(400,40)"',
    ),
    inEntry(
      "a distribution that is no text",
      { distribution: 5 },
      'distribution: expected a distribution, for example "lognormal(40,400)", but it is 5',
    ),
    inEntry(
      "a negative weight",
      { weight: -1 },
      "weight: expected a number from 0 to 1e9, but it is -1",
    ),
    inEntry(
      "an attribute that is an empty object",
      { attributes: { "http.route": {} } },
      'attributes["http.route"].values: is missing',
    ),
    inEntry(
      "an attribute that is null",
      { attributes: { a: null } },
      `attributes.a: expected ${VALUE}, but it is null`,
    ),
    inEntry(
      "attributes that are a list",
      { attributes: ["x"] },
      'attributes: expected an object of attributes, but it is ["x"]',
    ),
    inEntry(
      "a choice without a value",
      { attributes: { a: [{ weight: 1 }] } },
      "attributes.a[0].value: is missing",
    ),
    inEntry(
      "a choice that is a plain value",
      { attributes: { a: ["x"] } },
      'attributes.a[0]: expected an object, but it is "x"',
    ),
    inEntry(
      "choices without weight",
      { attributes: { a: [{ value: 1, weight: 0 }] } },
      'attributes.a: expected at least one value with a weight above 0, but it is [{"value":1,"weight":0}]',
    ),
    inEntry(
      "an attribute without a key",
      { attributes: { "": 1 } },
      'attributes[""]: expected a string that is not empty, but it is ""',
    ),
    [
      "a resource attribute that is no text",
      { resource: { a: 1 }, metrics: [METRIC] },
      "resource.a: expected a string, but it is 1",
    ],
    [
      "a phase without an end",
      { phases: [{ name: "p", seconds: 0 }], metrics: [METRIC] },
      "phases[0].seconds: expected a number of seconds above 0, but it is 0",
    ],
    [
      "phases of the same name",
      { phases: [...PHASES, PHASES[0]], metrics: [METRIC] },
      "phases[2].name: is the same as phases[0].name",
    ],
    [
      "a phase that there is not",
      { phases: PHASES, ...withEntry({ during: { strom: {} } }) },
      "metrics[1].mix[1].during.strom: no phase has this name; known are calm, storm",
    ],
    inEntry(
      "a phase where there are none",
      { during: { storm: {} } },
      "during.storm: no phase has this name",
    ),
    [
      "an error in a phase's change",
      { phases: PHASES, ...withEntry({ during: { storm: { distribution: "x" } } }) },
      'metrics[1].mix[1].during.storm.distribution: expected constant(x), uniform(a,b), normal(mean,stddev), lognormal(median,p99), exponential(mean), for example lognormal(40,400), but it is "x"',
    ],
    ["no weight at all", { metrics: [{ ...METRIC, weight: 0 }] }, "metrics: every weight is 0"],
    [
      "no weight in a phase",
      {
        phases: PHASES,
        metrics: [{ ...METRIC, mix: [{ ...ENTRY, during: { storm: { weight: 0 } } }] }],
      },
      "phases[1]: every weight is 0 in this phase",
    ],
    inEntry("too many combinations", {
      attributes: Object.fromEntries(
        ["a", "b", "c", "d", "e", "f"].map((
          k,
        ) => [k, [1, 2, 3, 4, 5, 6, 7].map((value) => ({ value }))]),
      ),
    }, "attributes: 117649 combinations, but the maximum is 100000"),
    inEntry("too many combinations of generated values", {
      attributes: { a: { values: 1000 }, b: { values: 101 } },
    }, "attributes: 101000 combinations, but the maximum is 100000"),
    [
      "several errors",
      { metrics: [{ name: "a", mix: [{}] }], x: 1 },
      "metrics[0].unit: is missing",
      "metrics[0].mix[0].distribution: is missing",
      `x: unknown key. ${SCENARIO_KEYS}`,
    ],
  ] as const
) {
  Deno.test(`parseScenario() names the path when the file has ${what}`, () => {
    const parsed = parseScenario(JSON.stringify(file));
    assert.deepEqual(parsed, { problems });
  });
}

Deno.test("parseScenario() reads a file that begins with a byte order mark", () => {
  const text = '{"metrics":[{"name":"m","unit":"s","mix":[{"distribution":"uniform(1,2)"}]}]}';
  assert.ok("scenario" in parseScenario(`\ufeff${text}`));
});

Deno.test("parseScenario() says what is wrong when the file is no JSON", () => {
  const parsed = parseScenario('{\n "metrics": [,]\n}');
  assert.ok("problems" in parsed && parsed.problems.length === 1);
  assert.match(parsed.problems[0] ?? "", /^this is not JSON: .*,/);
});

Deno.test("picker() picks by weight, and never what has none", () => {
  const pick = picker([{ weight: 0 }, { weight: 1 }, { weight: 0 }, { weight: 3 }, { weight: 0 }]);
  assert.deepEqual([0, 0.2499, 0.25, 0.9999, 1 - 2 ** -53].map(pick), [1, 1, 3, 3, 3]);
  // Ten tenths do not add up to 1.
  const tenths = picker([...Array.from({ length: 10 }, () => ({ weight: 0.1 })), { weight: 0 }]);
  assert.equal(tenths(1 - 2 ** -53), 9);
});

Deno.test("phaseAt() goes through the phases in turn, and begins again", () => {
  const at = (seconds: number) => {
    const { index, end } = phaseAt(PHASES, seconds);
    return [index, end];
  };
  assert.deepEqual([0, 59.9, 60, 69.9, 70, 129.9, 130, 139.9, 7_000_060].map(at), [
    [0, 60],
    [0, 60],
    [1, 70],
    [1, 70],
    [0, 130],
    [0, 130],
    [1, 140],
    [1, 140],
    [1, 7_000_070],
  ]);
  assert.deepEqual(phaseAt([{ name: "", seconds: Infinity }], 1e12), { index: 0, end: Infinity });
});

Deno.test("ScenarioTraffic makes as many measurements as it is asked for, by weight", () => {
  const scenario = scenarioOf({
    metrics: [
      {
        ...METRIC,
        weight: 3,
        mix: [
          { weight: 6, distribution: "constant(1)", attributes: { route: "/" } },
          { weight: 2, distribution: "constant(2)" },
          { weight: 0, distribution: "constant(3)" },
        ],
      },
      {
        ...METRIC,
        name: "n",
        mix: [{
          distribution: "constant(4)",
          attributes: { code: [{ value: 200, weight: 9 }, { value: "500" }], ok: true },
        }],
      },
    ],
  });
  const count = 40_000;
  const [first, second] = counted(scenario, count);
  assert.equal(total(first) + total(second), count);
  about(first?.['[1,{"route":"/"}]'], 9 / 16, count);
  about(first?.["[2,{}]"], 3 / 16, count);
  about(second?.['[4,{"code":200,"ok":true}]'], 0.225, count);
  about(second?.['[4,{"code":"500","ok":true}]'], 0.025, count);
  assert.equal(Object.keys({ ...first }).length + Object.keys({ ...second }).length, 4);
});

Deno.test("ScenarioTraffic changes weights, distributions and attributes with the phase, and nothing else", () => {
  const scenario = scenarioOf({
    phases: PHASES,
    metrics: [{
      ...METRIC,
      mix: [
        {
          distribution: "constant(1)",
          attributes: { a: "x", b: [{ value: 1 }, { value: 2 }] },
          during: { storm: { distribution: "constant(9)", attributes: { b: 3, c: true } } },
        },
        { weight: 0, distribution: "constant(5)", during: { storm: { weight: 1 } } },
      ],
    }],
  });
  const [calm] = counted(scenario, 1000, 59);
  about(calm?.['[1,{"a":"x","b":1}]'], 0.5, 1000);
  about(calm?.['[1,{"a":"x","b":2}]'], 0.5, 1000);
  assert.equal(total(calm), 1000);
  const [storm] = counted(scenario, 1000, 60);
  about(storm?.['[9,{"a":"x","b":3,"c":true}]'], 0.5, 1000);
  about(storm?.["[5,{}]"], 0.5, 1000);
  assert.equal(total(storm), 1000);
});

Deno.test("ScenarioTraffic gives the same measurements when the seed is the same", () => {
  const scenario = scenarioOf(JSON.parse(example("web-shop")));
  const all = (
    seed: string,
  ) => [...new ScenarioTraffic(scenario, seededRandom(seed)).batches(500, () => 0)];
  assert.deepEqual(all("a"), all("a"));
  assert.notDeepEqual(all("a"), all("b"));
});

for (const name of ["web-shop", "latency-incident"]) {
  Deno.test(`ScenarioTraffic runs examples/${name}.json in bounded batches with few series`, () => {
    const scenario = scenarioOf(JSON.parse(example(name)));
    const traffic = new ScenarioTraffic(scenario, seededRandom(name));
    for (const { bounds } of scenario.metrics) {
      // Dynatrace stores that many explicit bounds.
      assert.ok(bounds === "exponential" || bounds?.length === 11);
    }
    let start = 0;
    for (const { seconds } of scenario.phases) {
      const series = scenario.metrics.map(() => new Set<Attributes>());
      let count = 0;
      for (const batches of traffic.batches(50_000, () => start)) {
        batches.forEach((batch, metric) => {
          assert.ok(batch.length <= 8192);
          count += batch.length;
          for (const { value, attributes } of batch) {
            assert.ok(value >= 0 && Number.isFinite(value));
            series[metric]?.add(attributes);
          }
        });
      }
      assert.equal(count, 50_000);
      assert.ok(
        series.every(({ size }) => size >= 1 && size < 30),
        series.map((s) => s.size).join(),
      );
      start += seconds;
    }
  });
}
