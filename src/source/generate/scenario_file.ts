import { quoteClipped } from "../../redact/clip.ts";
import * as v from "valibot";
import { messageOf } from "../../platform/errors.ts";
import { METRIC_NAME } from "../../settings/metric_name.ts";
import { type Distribution, parseDistribution } from "./distribution.ts";
import { nanosecondsOf } from "../input/duration.ts";
import { countCombinations, defaultPrefix, type MixAttribute } from "./mix_attribute.ts";
import { totalWeight } from "./picker.ts";
import type { MixEntry, Phase, Scenario, ScenarioMetric } from "./scenario.ts";
import { SCENARIO_PARTS, type ScenarioPartName, unknownKeyText } from "./scenario_keys.ts";

/** A scenario, or everything that is wrong with the file, each with its path in it. */
export type ParsedScenario =
  | { readonly scenario: Scenario }
  | { readonly problems: readonly string[] };

/** Each combination of attribute values is a series; a receiver bears no more. */
const MOST_COMBINATIONS = 100_000;

const number = (expected: string, inRange: (n: number) => boolean) =>
  v.pipe(v.number(expected), v.check((n) => Number.isFinite(n) && inRange(n), expected));
const weight = number("a number from 0 to 1e9", (n) => n >= 0 && n <= 1e9);
const text = v.string("a string");
const filled = v.pipe(text, v.nonEmpty("a string that is not empty"));

/** To the schema library a list is an object too. */
const object = (expected: string) =>
  v.custom<Readonly<Record<string, unknown>>>(
    (input) => typeof input === "object" && input !== null && !Array.isArray(input),
    expected,
  );
/** An object with the keys that the table has for it, and no other. */
const strict = <Part extends ScenarioPartName, const T extends EntriesOf<Part>>(
  part: Part,
  entries: T,
) =>
  v.pipe(
    object("an object"),
    v.looseObject(entries),
    // A strict object would name the first unknown key alone.
    v.rawCheck(({ dataset: { value: input }, addIssue }) => {
      if (typeof input !== "object" || input === null) return;
      for (const [key, value] of Object.entries(input)) {
        if (Object.hasOwn(entries, key)) continue;
        const path = { type: "object", origin: "key", input: { ...input }, key, value } as const;
        addIssue({ message: unknownKeyText(part, key), path: [path] });
      }
    }),
  );
type EntriesOf<Part extends ScenarioPartName> = {
  readonly [Key in keyof (typeof SCENARIO_PARTS)[Part]["keys"]]: v.GenericSchema;
};
const record = <const T extends v.GenericSchema>(
  key: v.GenericSchema<string, string>,
  value: T,
  expected: string,
) => v.pipe(object(expected), v.record(key, value));

const distribution = v.pipe(
  v.string('a distribution, for example "lognormal(40,400)"'),
  v.rawTransform(({ dataset, addIssue, NEVER }): Distribution => {
    const parsed = parseDistribution(dataset.value);
    if ("draw" in parsed) return parsed.draw;
    addIssue({ message: parsed.expected });
    return NEVER;
  }),
);

const ATTRIBUTE =
  'a string, number or boolean, a list of {"value": …, "weight": …}, or {"values": N}';
const scalar = (expected: string) =>
  v.union([v.string(), number(expected, () => true), v.boolean()], expected);
const choices = v.pipe(
  v.array(
    strict("choice", {
      value: scalar("a string, number or boolean"),
      weight: v.optional(weight, 1),
    }),
    ATTRIBUTE,
  ),
  v.check((list) => totalWeight(list) > 0, "at least one value with a weight above 0"),
);
/** Receivers do not take more series than so many of one kind. */
const MOST_VALUES = MOST_COMBINATIONS;
const CHURN = 'a duration of 1s or more, for example "10m"';
const LEAST_CHURN_SECONDS = 1;
const generated = strict("generated", {
  values: number(
    `a whole number from 1 to ${MOST_VALUES}`,
    (n) => Number.isInteger(n) && n >= 1 && n <= MOST_VALUES,
  ),
  prefix: v.optional(text),
  churn: v.optional(v.pipe(
    v.string(CHURN),
    v.check((duration) => {
      const seconds = secondsOf(duration);
      return seconds >= LEAST_CHURN_SECONDS && seconds < Infinity;
    }, CHURN),
    v.transform(secondsOf),
  )),
});
const plainValue = scalar(ATTRIBUTE);
const attributeValue = v.lazy((input) =>
  Array.isArray(input)
    ? choices
    : typeof input === "object" && input !== null
    ? generated
    : plainValue
);
const attributes = record(filled, attributeValue, "an object of attributes");

const change = strict("change", {
  weight: v.optional(weight),
  distribution: v.optional(distribution),
  attributes: v.optional(attributes, {}),
});

const mixEntry = strict("entry", {
  weight: v.optional(weight, 1),
  distribution,
  attributes: v.optional(attributes, {}),
  during: v.optional(record(text, change, "an object of phase names"), {}),
});

const BUCKETS = "numbers in strictly increasing order";
const buckets = v.pipe(
  v.array(number("a number", () => true), BUCKETS),
  v.nonEmpty(BUCKETS),
  v.check((list) => list.every((bound, i) => i === 0 || bound > (list[i - 1] ?? NaN)), BUCKETS),
);

const metric = strict("metric", {
  name: v.pipe(
    text,
    v.regex(
      METRIC_NAME,
      "an OpenTelemetry instrument name: a letter, then up to 254 letters, digits or any of _ . - /",
    ),
  ),
  unit: text,
  description: v.optional(text, ""),
  buckets: v.optional(buckets),
  exponential: v.optional(v.boolean("true or false"), false),
  weight: v.optional(weight, 1),
  mix: v.pipe(v.array(mixEntry, "a list"), v.nonEmpty("a list that is not empty")),
});

const phase = strict("phase", {
  name: filled,
  seconds: number("a number of seconds above 0", (n) => n > 0),
});

const file = strict("scenario", {
  description: v.optional(text),
  resource: v.optional(record(filled, text, "an object of strings"), {}),
  phases: v.optional(v.pipe(v.array(phase, "a list"), v.nonEmpty("a list that is not empty"))),
  metrics: v.pipe(v.array(metric, "a list"), v.nonEmpty("a list that is not empty")),
});

type ScenarioFile = v.InferOutput<typeof file>;
type MetricInFile = ScenarioFile["metrics"][number];
type EntryInFile = MetricInFile["mix"][number];
type AttributesInFile = EntryInFile["attributes"];

/** Parses the text of a scenario file. */
export function parseScenario(text: string): ParsedScenario {
  let json: unknown;
  try {
    // Editors on Windows begin a file with a byte order mark.
    json = JSON.parse(text.replace(/^\ufeff/, ""));
  } catch (error) {
    return { problems: [`this is not JSON: ${messageOf(error)}`] };
  }
  const parsed = v.safeParse(file, json);
  if (!parsed.success) return { problems: parsed.issues.map(problemOf) };
  const phases = parsed.output.phases ?? [{ name: "", seconds: Infinity }];
  const problems = [...contradictions(parsed.output, phases)];
  if (problems.length > 0) return { problems };
  const { resource, metrics } = parsed.output;
  return { scenario: { resource, phases, metrics: metrics.map((m) => metricOf(m, phases)) } };
}

function secondsOf(duration: string): number {
  return nanosecondsOf(duration) / 1e9;
}

function problemOf(issue: v.BaseIssue<unknown>): string {
  const path = (issue.path ?? []).map(({ key }) => key);
  const at = pathText(path);
  const received = issue.received === "undefined" ? "nothing" : quoteClipped(issue.input, 60);
  if (issue.type === "raw_check") return `${at}: ${issue.message}`;
  if (issue.type === "loose_object" && issue.received === "undefined") return `${at}: is missing`;
  return `${at}: expected ${issue.message}, but it is ${received}`;
}

/** `metrics[1].mix[0].attributes["http.route"]`; the file itself is `(file)`. */
function pathText(path: readonly unknown[]): string {
  const [first, ...rest] = path.map((key) =>
    typeof key === "number"
      ? `[${key}]`
      : /^[a-z_]\w*$/i.test(String(key))
      ? `.${String(key)}`
      : `[${JSON.stringify(key)}]`
  );
  return first === undefined ? "(file)" : [first.replace(/^\./, ""), ...rest].join("");
}

/** Yields the contradictions between values, which no single one shows. */
function* contradictions(
  { metrics }: ScenarioFile,
  phases: readonly Phase[],
): Generator<string> {
  yield* twice(phases.map(({ name }) => name), (i) => `phases[${i}].name`);
  // Instrument names are case-insensitive (OpenTelemetry API).
  yield* twice(metrics.map(({ name }) => name.toLowerCase()), (i) => `metrics[${i}].name`);
  for (const [i, { buckets, exponential, mix }] of metrics.entries()) {
    if (exponential && buckets !== undefined) {
      yield `metrics[${i}].exponential: cannot be used with metrics[${i}].buckets: remove one of them`;
    }
    for (const [j, entry] of mix.entries()) {
      for (const name of Object.keys(entry.during)) {
        if (phases.some((known) => known.name === name)) continue;
        const at = pathText(["metrics", i, "mix", j, "during", name]);
        yield `${at}: no phase has this name${
          phases.some((p) => p.name !== "")
            ? `; known are ${phases.map((p) => p.name).join(", ")}`
            : ""
        }`;
      }
      for (const { name } of phases) {
        const count = countCombinations(entryIn(entry, name).attributes);
        if (count <= MOST_COMBINATIONS) continue;
        yield `metrics[${i}].mix[${j}].attributes: ${count} combinations, but the maximum is ${MOST_COMBINATIONS}`;
        break;
      }
    }
  }
  for (const [k, { name }] of phases.entries()) {
    const weights = metrics.map((m) => m.weight * totalWeight(m.mix.map((e) => entryIn(e, name))));
    if (weights.every((w) => w === 0)) {
      yield name === ""
        ? "metrics: every weight is 0"
        : `phases[${k}]: every weight is 0 in this phase`;
    }
  }
}

function* twice(names: readonly string[], at: (index: number) => string): Generator<string> {
  for (const [i, name] of names.entries()) {
    const first = names.indexOf(name);
    if (first < i) yield `${at(i)}: is the same as ${at(first)}`;
  }
}

function metricOf(
  { name, unit, description, buckets, exponential, weight, mix }: MetricInFile,
  phases: readonly Phase[],
): ScenarioMetric {
  const bounds = exponential ? "exponential" : buckets;
  const mixes = phases.map((phase) => mix.map((entry) => entryIn(entry, phase.name)));
  return { name, unit, description, bounds, weight, mixes };
}

/** An entry as it is during a phase: what the phase does not change stays. */
function entryIn(entry: EntryInFile, phase: string): MixEntry {
  const change = Object.hasOwn(entry.during, phase) ? entry.during[phase] : undefined;
  return {
    weight: change?.weight ?? entry.weight,
    draw: change?.distribution ?? entry.distribution,
    attributes: mixAttributes({ ...entry.attributes, ...change?.attributes }),
  };
}

function mixAttributes(attributes: AttributesInFile): readonly MixAttribute[] {
  return Object.entries(attributes).map(([key, value]): MixAttribute => {
    if (typeof value !== "object") return { key, choices: [{ value, weight: 1 }] };
    if (Array.isArray(value)) return { key, choices: value };
    const { values, prefix = defaultPrefix(key), churn = Infinity } = value;
    return { key, values, prefix, churnSeconds: churn };
  });
}
