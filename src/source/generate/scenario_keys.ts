import { findNearest } from "../../platform/nearest.ts";

/** Key of a scenario file, as docs/scenarios.md lists it. */
export interface ScenarioKey {
  readonly type: string;
  /** Unit of its numbers; undefined where it has none. */
  readonly unit?: string;
  /** Value without the key; undefined: the key is required. */
  readonly default?: string;
  readonly meaning: string;
}

/** Object of a scenario file, and the keys that it may have. */
interface ScenarioPart {
  /** Name of the object in messages and headings. */
  readonly name: string;
  readonly keys: Readonly<Record<string, ScenarioKey>>;
}

const WEIGHT_TYPE = "number, 0 to 1e9";
const DISTRIBUTION_TYPE = "distribution";
const ATTRIBUTES_TYPE = "object of attributes";

/** Objects of a scenario file, from the outside in, each with its keys. */
export const SCENARIO_PARTS = {
  scenario: {
    name: "a scenario",
    keys: {
      description: {
        type: "string",
        default: "none",
        meaning: "Says what the scenario is for. It is not sent.",
      },
      resource: {
        type: "object of strings",
        default: "none",
        meaning:
          "Resource attributes, added to `service.name=my-service` and `deployment.environment=prod`. " +
          "`--service` and `--resource` override them.",
      },
      phases: {
        type: "list of phases",
        default: "one phase without an end",
        meaning: "Phases, one after the other. After the last one the first begins again.",
      },
      metrics: { type: "list of metrics", meaning: "The metrics, at least one." },
    },
  },
  phase: {
    name: "a phase",
    keys: {
      name: {
        type: "string",
        meaning: "Name that `during` refers to. Each phase has a name of its own.",
      },
      seconds: {
        type: "number above 0",
        unit: "seconds",
        meaning: "How long the phase lasts each time.",
      },
    },
  },
  metric: {
    name: "a metric",
    keys: {
      name: {
        type: "string",
        meaning: "OpenTelemetry instrument name. Each metric has a name of its own.",
      },
      unit: {
        type: "string",
        meaning: "Unit of the values, buckets and distributions, for example `s`, `ms` or `By`.",
      },
      description: { type: "string", default: "none", meaning: "Description that is sent." },
      buckets: {
        type: "list of rising numbers",
        unit: "the metric's unit",
        default: "those that the semantic conventions advise for the name, else those of the unit",
        meaning: "Upper bounds of the buckets, without the infinite one.",
      },
      exponential: {
        type: "true or false",
        default: "`false`",
        meaning: "Sends an exponential histogram. It excludes `buckets`.",
      },
      weight: {
        type: WEIGHT_TYPE,
        default: "`1`",
        meaning: "The metric's share of all measurements, in proportion to the other metrics.",
      },
      mix: {
        type: "list of entries",
        meaning: "Kinds of measurements that the metric has, at least one.",
      },
    },
  },
  entry: {
    name: "an entry of mix",
    keys: {
      weight: {
        type: WEIGHT_TYPE,
        default: "`1`",
        meaning: "The entry's share of its metric, in proportion to the other entries.",
      },
      distribution: {
        type: DISTRIBUTION_TYPE,
        unit: "the metric's unit",
        meaning: "Distribution of the values, written as for `--distribution`.",
      },
      attributes: {
        type: ATTRIBUTES_TYPE,
        default: "none",
        meaning: "Attributes of the measurements. `--attr` overrides them.",
      },
      during: {
        type: "object of changes",
        default: "none",
        meaning:
          "Changes in a phase, under the phase's name. A change keeps everything that it does not name.",
      },
    },
  },
  change: {
    name: "a change in during",
    keys: {
      weight: {
        type: WEIGHT_TYPE,
        default: "the entry's",
        meaning: "The entry's weight in this phase. `0` leaves the entry out.",
      },
      distribution: {
        type: DISTRIBUTION_TYPE,
        unit: "the metric's unit",
        default: "the entry's",
        meaning: "Distribution of the values in this phase.",
      },
      attributes: {
        type: ATTRIBUTES_TYPE,
        default: "none",
        meaning: "Attributes that this phase adds, or that replace those of the same key.",
      },
    },
  },
  choice: {
    name: "a weighted value",
    keys: {
      value: { type: "string, number or boolean", meaning: "Value of the attribute." },
      weight: {
        type: WEIGHT_TYPE,
        default: "`1`",
        meaning: "How often the value is drawn, in proportion to the others.",
      },
    },
  },
  generated: {
    name: "generated values",
    keys: {
      values: {
        type: "whole number, 1 to 100000",
        meaning: "How many values the attribute has at a time.",
      },
      prefix: {
        type: "string",
        default: "from the key",
        meaning:
          "Text before the number of each value. Values of `http.route` are `route-1`, `route-2`, …, " +
          "those of `k8s.pod.name` are `pod-1`, `pod-2`, … by default.",
      },
      churn: {
        type: "duration, 1s or more",
        default: "values stay",
        meaning: "How long a value lives before a new one replaces it, for example `10m`.",
      },
    },
  },
} as const satisfies Readonly<Record<string, ScenarioPart>>;

/** Names the objects of a scenario file. */
export type ScenarioPartName = keyof typeof SCENARIO_PARTS;

/** Says that an object has no such key, what was probably meant, and which keys it has. */
export function unknownKeyText(part: ScenarioPartName, key: string): string {
  const parts: readonly ScenarioPart[] = Object.values(SCENARIO_PARTS);
  const { name, keys } = SCENARIO_PARTS[part];
  const known = Object.keys(keys);
  const nearest = findNearest(key, known);
  const homes = parts.filter(({ keys }) => Object.hasOwn(keys, key)).map(({ name }) => name);
  const hint = nearest !== undefined
    ? ` Did you mean ${nearest}?`
    : homes.length > 0
    ? ` It is a key of ${homes.join(", or of ")}.`
    : "";
  return `unknown key.${hint} Keys of ${name}: ${known.join(", ")}`;
}
