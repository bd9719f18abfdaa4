import assert from "node:assert/strict";
import {
  SCENARIO_PARTS,
  type ScenarioKey,
  type ScenarioPartName,
} from "../../../src/source/generate/scenario_keys.ts";
import { parseScenario } from "../../../src/source/generate/scenario_file.ts";
import { BUILT_IN_SCENARIOS } from "../../../src/source/generate/built_in_scenario.ts";
import { SETTINGS } from "../../../src/settings/settings_table.ts";
import { atLeastOne, each } from "../../support/cases.ts";

/** Values of a key: those that are accepted, and one that is not, with what is said about it. */
interface KeyCase {
  readonly valid: readonly unknown[];
  readonly invalid: unknown;
  /** Path below the key's own, if the mistake is deeper. */
  readonly at?: string;
  readonly problem: string;
}

type CasesOf<Part extends ScenarioPartName> = {
  readonly [Key in keyof (typeof SCENARIO_PARTS)[Part]["keys"]]: KeyCase;
};

const weight = {
  valid: [0.5, 1e9],
  invalid: 2e9,
  problem: "expected a number from 0 to 1e9, but it is 2000000000",
};
const distribution = {
  valid: ["constant(1)", " LogNormal( 4, 40 ) "],
  invalid: "normal(1)",
  problem: 'expected normal(mean,stddev) with mean and stddev of 0 or more, but it is "normal(1)"',
};
const attributes = {
  valid: [{}, { a: "x", b: 1.5, c: false, d: [{ value: 1 }], e: { values: 3 } }],
  invalid: { a: null },
  at: ".a",
  problem:
    'expected a string, number or boolean, a list of {"value": …, "weight": …}, or {"values": N}, but it is null',
};
const ENTRY = { distribution: "constant(1)" };
const METRIC = { name: "m", unit: "ms", mix: [ENTRY] };

const CASES: { readonly [Part in ScenarioPartName]: CasesOf<Part> } = {
  scenario: {
    description: { valid: ["", "x"], invalid: 1, problem: "expected a string, but it is 1" },
    resource: {
      valid: [{}, { "service.name": "shop" }],
      invalid: { tier: 1 },
      at: ".tier",
      problem: "expected a string, but it is 1",
    },
    phases: {
      valid: [[{ name: "p", seconds: 0.1 }]],
      invalid: [],
      problem: "expected a list that is not empty, but it is []",
    },
    metrics: {
      valid: [[METRIC, { ...METRIC, name: "n" }]],
      invalid: {},
      problem: "expected a list, but it is {}",
    },
  },
  phase: {
    name: {
      valid: ["peak hour"],
      invalid: "",
      problem: 'expected a string that is not empty, but it is ""',
    },
    seconds: {
      valid: [0.5, 86_400],
      invalid: "5m",
      problem: 'expected a number of seconds above 0, but it is "5m"',
    },
  },
  metric: {
    name: {
      valid: ["a.b/c_d-e"],
      invalid: "a b",
      problem:
        'expected an OpenTelemetry instrument name: a letter, then up to 254 letters, digits or any of _ . - /, but it is "a b"',
    },
    unit: { valid: ["", "s"], invalid: null, problem: "expected a string, but it is null" },
    description: { valid: ["", "x"], invalid: {}, problem: "expected a string, but it is {}" },
    buckets: {
      valid: [[1], [0, 0.5, 3]],
      invalid: [1, 1],
      problem: "expected numbers in strictly increasing order, but it is [1,1]",
    },
    exponential: {
      valid: [true, false],
      invalid: "yes",
      problem: 'expected true or false, but it is "yes"',
    },
    weight,
    mix: {
      valid: [[ENTRY, ENTRY]],
      invalid: [],
      problem: "expected a list that is not empty, but it is []",
    },
  },
  entry: {
    weight,
    distribution,
    attributes,
    during: {
      valid: [{}, { p: {} }],
      invalid: [],
      problem: "expected an object of phase names, but it is []",
    },
  },
  change: { weight, distribution, attributes },
  choice: {
    value: {
      valid: ["", "x", 0, -1.5, true],
      invalid: [1],
      problem: "expected a string, number or boolean, but it is [1]",
    },
    weight,
  },
  generated: {
    values: {
      valid: [1, 100_000],
      invalid: 1.5,
      problem: "expected a whole number from 1 to 100000, but it is 1.5",
    },
    prefix: { valid: ["", "/r/"], invalid: 1, problem: "expected a string, but it is 1" },
    churn: {
      valid: ["10m", "1s", "1h30m"],
      invalid: "10",
      problem: 'expected a duration of 1s or more, for example "10m", but it is "10"',
    },
  },
};

type Fields = Readonly<Record<string, unknown>>;

/** A scenario with an object in its place, the path of that place, and what the object needs besides. */
const PLACES: {
  readonly [Part in ScenarioPartName]: {
    readonly path: string;
    readonly needs: Fields;
    readonly file: (object: Fields) => Fields;
  };
} = {
  scenario: { path: "", needs: { metrics: [METRIC] }, file: (object) => object },
  phase: {
    path: "phases[0].",
    needs: { name: "p", seconds: 1 },
    file: (object) => ({ phases: [object], metrics: [METRIC] }),
  },
  metric: { path: "metrics[0].", needs: METRIC, file: (object) => ({ metrics: [object] }) },
  entry: { path: "metrics[0].mix[0].", needs: ENTRY, file: (object) => withEntry(object) },
  change: {
    path: "metrics[0].mix[0].during.p.",
    needs: {},
    file: (object) => withEntry({ ...ENTRY, during: { p: object } }),
  },
  choice: {
    path: "metrics[0].mix[0].attributes.k[0].",
    needs: { value: 1 },
    file: (object) => withEntry({ ...ENTRY, attributes: { k: [object] } }),
  },
  generated: {
    path: "metrics[0].mix[0].attributes.k.",
    needs: { values: 2 },
    file: (object) => withEntry({ ...ENTRY, attributes: { k: object } }),
  },
};

function withEntry(entry: Fields): Fields {
  return { phases: [{ name: "p", seconds: 1 }], metrics: [{ ...METRIC, mix: [entry] }] };
}

interface Row {
  readonly part: ScenarioPartName;
  readonly key: string;
  readonly row: ScenarioKey;
}

const NAMES = ["scenario", "phase", "metric", "entry", "change", "choice", "generated"] as const;
const ROWS: readonly Row[] = NAMES.flatMap((part) =>
  Object.entries<ScenarioKey>(SCENARIO_PARTS[part].keys).map(([key, row]) => ({ part, key, row }))
);

function problemsOf(part: ScenarioPartName, change: Fields): readonly string[] {
  const { needs, file } = PLACES[part];
  const parsed = parseScenario(JSON.stringify(file({ ...needs, ...change })));
  return "problems" in parsed ? parsed.problems : [];
}

each(ROWS, ({ part, key }) => `parseScenario() reads the key ${key} of ${part}`, (row) => {
  const { part, key, row: { default: fallback } } = row;
  const cases: Readonly<Record<string, KeyCase>> = CASES[part];
  const { valid, invalid, at = "", problem } = cases[key] ?? assert.fail();
  for (const value of valid) assert.deepEqual(problemsOf(part, { [key]: value }), []);
  const { path } = PLACES[part];
  assert.deepEqual(problemsOf(part, { [key]: invalid }), [`${path}${key}${at}: ${problem}`]);
  const without = problemsOf(part, { [key]: undefined });
  assert.deepEqual(without, fallback === undefined ? [`${path}${key}: is missing`] : []);
});

each(NAMES, (part) => `parseScenario() lists the keys of ${part} when it has another`, (part) => {
  const { name, keys } = SCENARIO_PARTS[part];
  const known = Object.keys(keys).join(", ");
  const path = PLACES[part].path;
  assert.deepEqual(problemsOf(part, { zzzzzz: 1 }), [
    `${path}zzzzzz: unknown key. Keys of ${name}: ${known}`,
  ]);
});

Deno.test("parseScenario() names every unknown key, and every other mistake beside them", () => {
  const problems = problemsOf("metric", { unit: 1, bucket: [], buckts: [] });
  assert.deepEqual(problems.map((problem) => problem.replace(/(?<=key|string).*/, "")), [
    "metrics[0].unit: expected a string",
    "metrics[0].bucket: unknown key",
    "metrics[0].buckts: unknown key",
  ]);
});

each(
  [
    ["metric", "bucket", "Did you mean buckets?"],
    ["metric", "attributes", "It is a key of an entry of mix, or of a change in during."],
    ["generated", "chrun", "Did you mean churn?"],
    ["generated", "value", "Did you mean values?"],
    ["phase", "duration", undefined],
  ] as const,
  ([part, key]) => `parseScenario() says what ${key} of ${part} probably means`,
  ([part, key, hint]) => {
    const [problem, ...others] = problemsOf(part, { [key]: [] });
    assert.deepEqual(others, []);
    const start = `${PLACES[part].path}${key}: unknown key. ${
      hint === undefined ? "" : `${hint} `
    }`;
    assert.ok(problem?.startsWith(`${start}Keys of `), problem);
  },
);

Deno.test("docs/scenarios.md shows a scenario that is accepted", async () => {
  const page = await Deno.readTextFile(new URL("../../../docs/scenarios.md", import.meta.url));
  const [, example = ""] = /^```json\n(.*?)^```$/ms.exec(page) ?? [];
  assert.ok("scenario" in parseScenario(example));
});

Deno.test("every built-in scenario is in the help, in the completions and in docs/scenarios.md", async () => {
  const page = await Deno.readTextFile(new URL("../../../docs/scenarios.md", import.meta.url));
  const { help, words } = SETTINGS.scenario;
  assert.deepEqual([...words], BUILT_IN_SCENARIOS);
  for (const name of atLeastOne(BUILT_IN_SCENARIOS)) {
    assert.ok(help.includes(name), name);
    assert.match(page, new RegExp(`^\\| \`${name}\` `, "m"));
  }
});

Deno.test("docs/scenarios.md lists every key as the table of the code has it", async () => {
  const page = await Deno.readTextFile(new URL("../../../docs/scenarios.md", import.meta.url));
  const documented = NAMES.flatMap((part) => {
    const heading = SCENARIO_PARTS[part].name.replace(/^an? /, "");
    const [, section = ""] = page.split(
      new RegExp(`^### ${heading[0]?.toUpperCase()}${heading.slice(1)}$`, "m"),
    );
    const rows = section.split(/^#/m)[0]?.matchAll(/^\| `(\w+)` *\|(.*)\|$/gm) ?? [];
    return [...rows].map(([, key, cells = ""]) => [
      part,
      key,
      ...cells.split("|").map((cell) => cell.trim()),
    ]);
  });
  const expected = ROWS.map(({ part, key, row }) => [
    part,
    key,
    row.type,
    row.unit ?? "",
    row.default ?? "required",
    row.meaning,
  ]);
  assert.deepEqual(documented, expected);
});
