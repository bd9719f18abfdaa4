import { attributeKey } from "../../aggregate/attribute_key.ts";
import type { Attributes } from "../../aggregate/measurement.ts";
import { clip, quoteClipped } from "../../redact/clip.ts";
import {
  exposedNumber,
  type Exposition,
  readExposition,
  type Sample,
  VMRANGE,
} from "./exposition.ts";
import { unitOf } from "./units.ts";

/** Classic histogram in one reading: all that it has counted since its process began. */
export interface CumulativeHistogram {
  /** The metric family. */
  readonly name: string;
  /** Its labels without `le`. */
  readonly attributes: Attributes;
  /** Tells the series apart from all others. */
  readonly key: string;
  /** Upper bounds, strictly increasing, without the infinite one. */
  readonly bounds: readonly number[];
  /** How many values each bound has at or below it; one more than bounds, and the last is the count of all. */
  readonly below: readonly number[];
  /** Not finite when a value was not; undefined when the target gives none. */
  readonly sum: number | undefined;
  /** When it began to count, ms since 1970, where the target says so (OpenMetrics `_created`). */
  readonly created: number | undefined;
}

/** Histogram that a reading has in a form that cannot be counted. */
export interface UnusableHistogram {
  readonly key: string;
  /** A sentence that names the histogram and what is wrong with it. */
  readonly problem: string;
}

/** Metric family of a target. */
export interface Family {
  readonly name: string;
  readonly unit: string;
  readonly description: string;
}

/** Histograms of one exposition. */
export interface ScrapeReading {
  readonly histograms: readonly CumulativeHistogram[];
  readonly unusable: readonly UnusableHistogram[];
  /**
   * Families without a single bound, as native histograms appear in text, and whether one has counted anything. They are
   * among the histograms too, as a target may show a bucket only once it was hit.
   */
  readonly native: ReadonlyMap<string, boolean>;
  readonly families: readonly Family[];
  /** Labels of each series of `target_info`. */
  readonly targets: readonly Attributes[];
  readonly untyped: Exposition["untyped"];
  readonly unreadable: Exposition["unreadable"];
  /** Whether a series that it lacks is known not to be there. */
  readonly isWhole: boolean;
}

interface Parts {
  readonly family: string;
  readonly attributes: Attributes;
  readonly key: string;
  readonly bounds: number[];
  readonly below: number[];
  sum: number | undefined;
  count: number | undefined;
  created: number | undefined;
  problem: string | undefined;
}

/** Histograms and labels of an exposition that are kept at most: about 150 MB. */
const MOST_PARTS = 500_000;

/** Reads the histograms of an exposition; returns why not when it has more than fit. */
export function readHistograms(text: string, firstLine = 1): ScrapeReading | string {
  const all = new Map<string, Parts>();
  const native = new Map<string, boolean>();
  const targets: Attributes[] = [];
  let size = 0;
  const exposition = readExposition(text, (sample) => {
    if (sample.role === "composite") {
      native.set(sample.family, true);
      return true;
    }
    if (sample.role === "target") {
      targets.push(sample.labels);
      size += 1 + Object.keys(sample.labels).length;
      return size <= MOST_PARTS;
    }
    const key = `${sample.family.length}:${sample.family}${attributeKey(sample.labels)}`;
    let parts = all.get(key);
    if (parts === undefined) {
      parts = emptyParts(sample, key);
      all.set(key, parts);
      size += 1 + Object.keys(sample.labels).length;
    }
    addSample(parts, sample);
    return size <= MOST_PARTS;
  }, firstLine);
  if (size > MOST_PARTS) return "it has more than 500,000 histograms and labels";
  const histograms: CumulativeHistogram[] = [];
  const unusable: UnusableHistogram[] = [];
  for (const parts of all.values()) {
    const whole = parts.problem ?? wholeHistogram(parts);
    if (typeof whole === "string") {
      const problem = `${describeSeries(parts.family, parts.attributes)}: ${whole}`;
      unusable.push({ key: parts.key, problem });
    } else histograms.push(whole);
  }
  const byFamily = Map.groupBy(histograms, ({ name }) => name);
  for (const [family, series] of byFamily) {
    const hasValues = native.has(family) || series.some(({ below: [count = 0] }) => count > 0);
    if (series.some(({ bounds }) => bounds.length > 0)) native.delete(family);
    else native.set(family, hasValues);
  }
  return {
    histograms,
    unusable,
    native,
    families: [...byFamily.keys()].map((name) => ({
      name,
      unit: unitOf(name, exposition.units.get(name)),
      description: exposition.helps.get(name) ?? "",
    })),
    targets,
    untyped: exposition.untyped,
    unreadable: exposition.unreadable,
    isWhole: exposition.isWhole,
  };
}

function emptyParts({ family, labels }: Sample, key: string): Parts {
  return {
    family,
    attributes: labels,
    key,
    bounds: [],
    below: [],
    sum: undefined,
    count: undefined,
    created: undefined,
    problem: undefined,
  };
}

function addSample(parts: Parts, { role, le, value, isCut }: Sample): void {
  // Only a count can be checked: the last bucket is equal to it.
  if (isCut && role !== "count") parts.problem = "its last line is cut off";
  if (role === "bucket") {
    const bound = le === undefined ? undefined : exposedNumber(le);
    if (bound === undefined) {
      parts.problem = "vmrange" in parts.attributes
        ? VMRANGE
        : "a bucket without a bound in its label le";
    } else {
      parts.bounds.push(bound);
      parts.below.push(value);
    }
    return;
  }
  if (role === "composite" || role === "target") return;
  const scaled = role === "created" ? value * 1000 : value;
  const before = parts[role];
  if (before !== undefined && !Object.is(before, scaled)) {
    parts.problem = `it has two values of ${role}, ${before} and ${scaled}`;
  }
  parts[role] = scaled;
}

/** The histogram of these parts, or why they contradict each other. */
function wholeHistogram(parts: Parts): CumulativeHistogram | string {
  const bounds: number[] = [];
  const below: number[] = [];
  for (const i of ascending(parts.bounds)) {
    const bound = parts.bounds[i] ?? NaN;
    const value = parts.below[i] ?? NaN;
    const last = below.at(-1) ?? 0;
    if (bounds.at(-1) === bound) {
      if (value !== last) return `its bucket le="${boundText(bound)}" holds ${last} and ${value}`;
      continue;
    }
    if (!Number.isSafeInteger(value) || value < 0) {
      return `its bucket le="${boundText(bound)}" holds ${value}, not a whole number`;
    }
    if (value < last) {
      return `its bucket le="${
        boundText(bound)
      }" holds ${value}, fewer than the one before, ${last}`;
    }
    bounds.push(bound);
    below.push(value);
  }
  const total = below.at(-1);
  if (total === undefined || bounds.pop() !== Infinity) return 'it has no bucket with le="+Inf"';
  const first = bounds[0] ?? 0;
  if (Number.isNaN(first) || first === -Infinity) return "a bound is not a finite number";
  if (parts.count !== undefined && parts.count !== total) {
    return `its count is ${parts.count}, but its last bucket holds ${total}`;
  }
  const { family, attributes, key, sum, created } = parts;
  return { name: family, attributes, key, bounds, below, sum, created };
}

/** Indices of numbers in their order; NaN comes first. */
function ascending(numbers: readonly number[]): readonly number[] {
  const rank = (i: number) => {
    const number = numbers[i] ?? NaN;
    return Number.isNaN(number) ? -Infinity : number;
  };
  return [...numbers.keys()].sort((a, b) => rank(a) < rank(b) ? -1 : rank(a) > rank(b) ? 1 : 0);
}

/** Formats a bound as Prometheus writes it. */
export function boundText(bound: number): string {
  return bound === Infinity ? "+Inf" : String(bound);
}

/** Labels that a message shows of a series, and characters of each. */
const MOST_LABELS = 20;
const MOST_SHOWN = 80;

/** Formats the family's name, and the labels where it has some, as in an exposition. */
export function describeSeries(name: string, attributes: Attributes): string {
  const pairs = Object.entries(attributes).slice(0, MOST_LABELS)
    .map(([key, value]) => `${clip(key, MOST_SHOWN)}=${quoteClipped(value, MOST_SHOWN)}`);
  const labels = pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
  return `${clip(name, MOST_SHOWN)}${labels}`;
}
