import { plural } from "../../console/plural.ts";
import { isStaleMarker, pointCount } from "../../otlp/data_points.ts";
import type { DataPoint } from "../../otlp/data_points.ts";
import type { KeyValue } from "../../otlp/gen/opentelemetry/proto/common/v1/common_pb.ts";
import type { Metric } from "../../otlp/gen/opentelemetry/proto/metrics/v1/metrics_pb.ts";
import { decimal } from "../../platform/number.ts";
import { clip } from "../../redact/clip.ts";
import type { Hide } from "../../redact/secrets.ts";
import { identityOf } from "../../otlp/attribute_identity.ts";
import { attributeValues, type ComparedValue } from "./attribute_text.ts";
import type { Comparison, Expectation, PointCondition } from "./expectation.ts";
import { temporalityOf } from "./metric_list.ts";

/** Metric as it came: with its resource and the request that held it. */
export interface ArrivedMetric {
  readonly metric: Metric;
  readonly resource: readonly KeyValue[];
  /** Identity of its resource and scope; call it only for a cumulative series. */
  readonly origin: () => string;
  /** Number of its request in the run, from 1. */
  readonly request: number;
  /** Whether a data point of the metric was accepted. */
  readonly isAccepted: (point: DataPoint) => boolean;
  /** Why data points of the metric were rejected: rules, or a status. */
  readonly reasons: readonly string[];
}

/** Result of an expectation at the end of a run. */
export interface ExpectationResult {
  /** Expectation as the user wrote it. */
  readonly text: string;
  readonly isMet: boolean;
  /** Request that met it, or the nearest miss. */
  readonly detail: string;
}

/** Data points that failed a condition, summed up. */
interface Failures {
  points: number;
  missing: number;
  /** Points that lack the attribute while their resource, or the other way round the point, has it. */
  elsewhere: number;
  /** A few of the values that came instead, and whether there were others. */
  readonly values: Set<string>;
  hasOthers: boolean;
}

const MOST_VALUES = 3;
const LONGEST_VALUE = 100;

/** Condition that every expectation begins with: the data point was accepted. */
const ACCEPTED = "accepted";
type Demand = PointCondition | typeof ACCEPTED;

/** Search for the data points that meet one expectation, over a run. */
export class ExpectationMatch {
  readonly #expectation: Expectation;
  readonly #hide: Hide;
  readonly #demands: readonly Demand[];
  readonly #failures: ReadonlyMap<Demand, Failures>;
  #points = 0;
  #staleMarkers = 0;
  #hasCome = false;
  /** Demands that the nearest data point so far fails. */
  #nearest: readonly Demand[] | undefined;
  readonly #reasons = new Set<string>();
  /** Last request with a data point that meets all conditions. */
  #matched: number | undefined;
  #firstMatch: number | undefined;
  #hasCount = false;
  #deltas = 0n;
  readonly #cumulative = new Map<string, { readonly count: bigint; readonly time: bigint }>();
  #cumulativeTotal = 0n;

  /** `hide` removes secrets from the values that a miss quotes. */
  constructor(expectation: Expectation, hide: Hide) {
    this.#expectation = expectation;
    this.#hide = hide;
    this.#demands = [ACCEPTED, ...expectation.conditions];
    this.#failures = new Map(
      this.#demands.map((demand) => [
        demand,
        { points: 0, missing: 0, elsewhere: 0, values: new Set(), hasOthers: false },
      ]),
    );
  }

  /** Looks at a metric of the expected name. */
  add(arrived: ArrivedMetric): void {
    this.#hasCome = true;
    for (const point of arrived.metric.data.value?.dataPoints ?? []) {
      if (isStaleMarker(point)) {
        this.#staleMarkers++;
        continue;
      }
      this.#points++;
      const failed = this.#demands.filter((demand) => !this.#meets(demand, arrived, point));
      if (this.#nearest === undefined || failed.length < this.#nearest.length) {
        this.#nearest = failed;
      }
      if (failed.length === 0) this.#match(arrived, point);
    }
  }

  #meets(demand: Demand, arrived: ArrivedMetric, point: DataPoint): boolean {
    const failures = this.#failures.get(demand);
    if (demand === ACCEPTED) {
      if (arrived.isAccepted(point)) return true;
      for (const reason of arrived.reasons) {
        if (this.#reasons.size < MOST_VALUES) this.#reasons.add(reason);
      }
      if (failures !== undefined) failures.points++;
      return false;
    }
    const { comparison, key, subject } = demand;
    const values = subjectValues(demand, arrived, point);
    const isMet = comparison === undefined
      ? values.length > 0
      : values.some((value) => compares(value, comparison));
    if (isMet || failures === undefined) return isMet;
    failures.points++;
    if (values.length === 0) failures.missing++;
    if (values.length === 0 && (subject === "attribute" || subject === "resource")) {
      const other = subject === "attribute" ? arrived.resource : point.attributes;
      if (attributeValues(other, key).length > 0) failures.elsewhere++;
    }
    for (const { text } of values) {
      if (failures.values.size < MOST_VALUES) failures.values.add(text);
      else if (!failures.values.has(text)) failures.hasOthers = true;
    }
    return false;
  }

  #match({ metric, origin, request }: ArrivedMetric, point: DataPoint): void {
    if (this.#expectation.counts.length > 0 && "count" in point) {
      this.#hasCount = true;
      if (temporalityOf(metric) === "delta") this.#deltas += pointCount(point);
      else {
        const { name, unit, data } = metric;
        const series = JSON.stringify([
          ...[origin(), name, unit, data.case, identityOf(point.attributes)],
          // A cumulative series begins again at each start time.
          String(point.startTimeUnixNano),
        ]);
        this.#addCumulative(series, point.count, point.timeUnixNano);
      }
    }
    this.#matched = request;
    if (this.#firstMatch === undefined && this.#countMiss() === undefined) {
      this.#firstMatch = request;
    }
  }

  /** Adds what a cumulative series gained. It began again where its count falls, unless the data point is an old one. */
  #addCumulative(series: string, count: bigint, time: bigint): void {
    const last = this.#cumulative.get(series) ?? { count: 0n, time };
    if (count < last.count && time <= last.time) return;
    this.#cumulativeTotal += count < last.count ? count : count - last.count;
    this.#cumulative.set(series, { count, time });
  }

  get #count(): bigint {
    return this.#deltas + this.#cumulativeTotal;
  }

  #countText(): string {
    return `${this.#count}${
      this.#cumulative.size > 0 ? " (cumulative: the last of each series)" : ""
    }`;
  }

  /** Says which comparison the count fails; undefined if it fails none. */
  #countMiss(): string | undefined {
    for (const comparison of this.#expectation.counts) {
      if (!this.#hasCount) return "the metric is a number, without a count";
      const value = BigInt(comparison.value);
      const isMet = comparison.operator === "=" ? this.#count === value : this.#count >= value;
      if (!isMet) return `count is ${this.#countText()}, expected ${expectedValue(comparison)}`;
    }
    return undefined;
  }

  /** Returns the result. `others` says which metrics came, for an expectation whose metric did not. */
  result(others: (metric: string) => string): ExpectationResult {
    const { text, counts, metric } = this.#expectation;
    const miss = this.#matched === undefined ? this.#miss(() => others(metric)) : this.#countMiss();
    if (miss !== undefined) return { text, isMet: false, detail: miss };
    const count = counts.length === 0 ? "" : `, count ${this.#countText()}`;
    return {
      text,
      isMet: true,
      detail: `met by request ${this.#firstMatch ?? this.#matched}${count}`,
    };
  }

  #miss(others: () => string): string {
    if (!this.#hasCome) return others();
    if (this.#points === 0) {
      return this.#staleMarkers > 0
        ? "the metric arrived with stale markers only, which record nothing"
        : "the metric arrived without data points";
    }
    const nearest = this.#nearest ?? [];
    if (nearest.length === 1 && nearest[0] === ACCEPTED && !this.#isEverywhere(ACCEPTED)) {
      return `the matching data points were rejected: ${this.#why}`;
    }
    const misses = nearest.map((demand) => this.#describe(demand)).join("; ");
    const isEachMet = !this.#demands.some((demand) => this.#isEverywhere(demand));
    return isEachMet ? `no data point meets all conditions; nearest: ${misses}` : misses;
  }

  /** Whether every data point fails a demand. */
  #isEverywhere(demand: Demand): boolean {
    return this.#failures.get(demand)?.points === this.#points;
  }

  get #why(): string {
    return [...this.#reasons].join(", ");
  }

  #describe(demand: Demand): string {
    const failures = this.#failures.get(demand);
    const { points = 0, missing = 0, elsewhere = 0, values = [] } = failures ?? {};
    const share = `${points} of ${this.#points} data ${plural(this.#points, "point")}`;
    const isEverywhere = points === this.#points;
    if (demand === ACCEPTED) {
      return isEverywhere
        ? `the metric arrived, but all its data points were rejected: ${this.#why}`
        : `${share} were rejected: ${this.#why}`;
    }
    const { subject, key, comparison } = demand;
    const name = subject === "resource" ? `resource attribute ${key}` : key;
    if (comparison === undefined || missing === points) {
      const hint = elsewhere === 0
        ? ""
        : subject === "attribute"
        ? ` (the resource has it: write ${key}=VALUE after the braces)`
        : " (data points have it: write it in the braces)";
      return `${name} is missing on ${share}${hint}`;
    }
    const list = [
      ...[...values].map((value) => word(this.#hide(value))),
      ...failures?.hasOthers ? ["another value"] : [],
      ...missing > 0 ? ["missing"] : [],
    ].join(" or ");
    const where = isEverywhere && subject !== "attribute" && subject !== "resource"
      ? ""
      : `, on ${share}`;
    return `${name} is ${list}, expected ${expectedValue(comparison)}${where}`;
  }
}

function subjectValues(
  { subject, key }: PointCondition,
  { metric, resource }: ArrivedMetric,
  point: DataPoint,
): readonly ComparedValue[] {
  const text = (value: string) => ({ text: value, double: undefined });
  switch (subject) {
    case "attribute":
      return attributeValues(point.attributes, key);
    case "resource":
      return attributeValues(resource, key);
    case "unit":
      return [text(metric.unit)];
    case "type":
      return metric.data.case === undefined ? [] : [text(metric.data.case)];
    case "temporality": {
      const temporality = temporalityOf(metric);
      return temporality === null ? [] : [text(temporality)];
    }
  }
}

function compares(
  { text, double }: ComparedValue,
  { operator, value: expected }: Comparison,
): boolean {
  if (operator === ">=") return decimal(text) >= decimal(expected);
  return text === expected || (double !== undefined && double === decimal(expected));
}

function expectedValue({ operator, value }: Comparison): string {
  return operator === ">=" ? `at least ${value}` : word(value);
}

/** Formats a value within a sentence, in quotes where it would run into the words around it. */
function word(value: string): string {
  const text = clip(value, LONGEST_VALUE);
  return /^[^\s",]+$/.test(text) ? text : JSON.stringify(text);
}
