import type { Attributes } from "../../aggregate/measurement.ts";
import { exposedNumber, type Exposition } from "./exposition.ts";

/** What a classic histogram has counted since its process began. */
export interface CumulativeHistogram {
  /** The metric family. */
  readonly name: string;
  /** Its labels without `le`. */
  readonly attributes: Attributes;
  /** Upper bounds, strictly increasing, without the infinite one. */
  readonly bounds: readonly number[];
  /** One more than bounds; each bucket's own, not added up as `le` has them. */
  readonly counts: readonly number[];
  readonly count: number;
  readonly sum: number | undefined;
  /** When it began to count, ms since 1970, where the target says so (OpenMetrics `_created`). */
  readonly created: number | undefined;
}

/** A metric family of the target's. */
export interface Family {
  readonly name: string;
  readonly unit: string;
  readonly description: string;
}

export interface Histograms {
  readonly histograms: readonly CumulativeHistogram[];
  readonly families: readonly Family[];
  /** What looks like a histogram and contradicts itself, a sentence each. */
  readonly problems: readonly string[];
}

interface Parts {
  readonly family: string;
  readonly attributes: Attributes;
  readonly buckets: Map<number, number>;
  sum: number | undefined;
  count: number | undefined;
  created: number | undefined;
}

/** The classic histograms of an exposition: those whose type it names as `histogram`. */
export function histogramsOf(exposition: Exposition): Histograms {
  const parts = new Map<string, Parts>();
  const problems: string[] = exposition.problems.map(({ line, reason }) =>
    `line ${line}: ${reason}`
  );
  for (const { name, labels, value } of exposition.samples) {
    const found = /^(.*)_(bucket|sum|count|created)$/s.exec(name);
    const [, family = "", role] = found ?? [];
    if (exposition.types.get(family) !== "histogram") continue;
    const { le, ...attributes } = labels;
    const key = JSON.stringify([
      family,
      Object.entries(attributes).sort(([a], [b]) => a < b ? -1 : 1),
    ]);
    const own = parts.get(key) ??
      {
        family,
        attributes,
        buckets: new Map(),
        sum: undefined,
        count: undefined,
        created: undefined,
      };
    parts.set(key, own);
    if (role === "sum") own.sum = value;
    else if (role === "count") own.count = value;
    else if (role === "created") own.created = value * 1000;
    else {
      const bound = typeof le === "string" ? exposedNumber(le) : undefined;
      if (bound === undefined) problems.push(`${family}: a bucket without a bound in its label le`);
      else own.buckets.set(bound, value);
    }
  }
  const histograms: CumulativeHistogram[] = [];
  for (const own of parts.values()) {
    const whole = wholeHistogram(own);
    if (typeof whole === "string") problems.push(`${own.family}${shown(own.attributes)}: ${whole}`);
    else histograms.push(whole);
  }
  const families = [...new Set(histograms.map(({ name }) => name))].map((name) => ({
    name,
    unit: unitOf(name, exposition.units.get(name)),
    description: exposition.helps.get(name) ?? "",
  }));
  return { histograms, families, problems };
}

function wholeHistogram(
  { family, attributes, buckets, sum, count, created }: Parts,
): CumulativeHistogram | string {
  const sorted = [...buckets].sort(([a], [b]) => a - b);
  const total = buckets.get(Infinity);
  if (total === undefined) return 'it has no bucket with le="+Inf"';
  if (count !== undefined && count !== total) {
    return `its count is ${count}, but its last bucket holds ${total}`;
  }
  const counts: number[] = [];
  let before = 0;
  for (const [bound, below] of sorted) {
    if (!Number.isSafeInteger(below) || below < 0) {
      return `its bucket le="${bound}" holds ${below}, no whole number`;
    }
    if (below < before) {
      return `its bucket le="${bound}" holds ${below}, fewer than the one before, ${before}`;
    }
    counts.push(below - before);
    before = below;
  }
  const bounds = sorted.map(([bound]) => bound).slice(0, -1);
  const first = bounds[0] ?? 0;
  if (Number.isNaN(first) || first === -Infinity) return "a bound is no finite number";
  return {
    name: family,
    attributes,
    bounds,
    counts,
    count: total,
    sum: sum === undefined || !Number.isFinite(sum) ? undefined : sum,
    created,
  };
}

function shown(attributes: Attributes): string {
  const pairs = Object.entries(attributes).map(([key, value]) => `${key}=${JSON.stringify(value)}`);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

/** Base units of Prometheus ("Metric and label naming") as UCUM has them. */
const UNITS: ReadonlyMap<string, string> = new Map([
  ["seconds", "s"],
  ["milliseconds", "ms"],
  ["microseconds", "us"],
  ["nanoseconds", "ns"],
  ["bytes", "By"],
  ["ratio", "1"],
  ["meters", "m"],
  ["celsius", "Cel"],
  ["volts", "V"],
  ["amperes", "A"],
  ["joules", "J"],
  ["grams", "g"],
]);

/** The unit that OpenMetrics names, or the one that the family's name ends in; empty when there is none. */
function unitOf(family: string, named: string | undefined): string {
  const word = named ?? /_([a-z]+)$/.exec(family)?.[1] ?? "";
  return UNITS.get(word) ?? named ?? "";
}
