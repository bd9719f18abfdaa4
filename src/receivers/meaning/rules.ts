import { conventionOf } from "../../aggregate/conventions.ts";
import { defaultBounds } from "../../aggregate/default_bounds.ts";
import { explicitBuckets, quantile } from "../../aggregate/quantile.ts";
import { clip } from "../../redact/clip.ts";

/** Values of a metric, counted over a run in one layout of buckets. */
export interface CountedMetric {
  readonly name: string;
  readonly unit: string;
  /** Finite upper bounds; empty for a histogram without bounds, and for an exponential one. */
  readonly bounds: readonly number[];
  /** Counts of the buckets, one more than bounds; empty without bounds. */
  readonly counts: readonly number[];
  readonly count: number;
  /** Sum of the values; NaN if it is unknown. */
  readonly sum: number;
}

/** Rule of meaning: a request may be well-formed and still not say what its sender means. Breaking one is a warning. */
export interface MeaningRule {
  readonly id: "bounds-unit" | "one-bucket" | "overflow-bucket" | "convention-unit";
  /** Condition that holds for sound data, for the documentation. */
  readonly checks: string;
  readonly effect: string;
  /** Remedy in an SDK, and in the flags of this program. */
  readonly remedy: string;
  /** Says what was seen and what a backend shows because of it; undefined if the rule is kept. */
  broken(metric: CountedMetric): string | undefined;
}

/** Default bounds of the SDKs, now and before 2022 (metrics SDK specification, "Explicit Bucket Histogram Aggregation"). */
const SDK_MILLISECONDS: readonly (readonly number[])[] = [
  [0, 5, 10, 25, 50, 75, 100, 250, 500, 750, 1000, 2500, 5000, 7500, 10000],
  [0, 5, 10, 25, 50, 75, 100, 250, 500, 1000],
];
/** Number of values that are enough to say that one bucket holds them all. */
const MANY_VALUES = 20;
/** Number of values that are enough to judge p99, and the share of them that decides it. */
const VALUES_FOR_P99 = 100;
const MOST_ABOVE = 0.01;

const SECONDS = defaultBounds("s").join();
const VIEWS = "https://opentelemetry.io/docs/specs/otel/metrics/sdk/#view";
const BOUNDS_IN_SDK =
  'with the explicit_bucket_boundaries advice of the instrument, with a view, or under "views" of the ' +
  `declarative configuration (${VIEWS})`;
/** All rules of meaning, in the order in which they are reported. */
export const MEANING_RULES: readonly MeaningRule[] = [
  {
    id: "bounds-unit",
    checks: "A histogram in s does not have the SDKs' default bounds, which are for milliseconds",
    effect: "values of less than 5 s share one bucket, so percentiles and heat maps are wrong",
    remedy:
      `In the SDK or client library that records it, set bounds in seconds (${SECONDS}) ${BOUNDS_IN_SDK}. With otlp-histogram, ` +
      "remove --buckets: --unit s brings such bounds. Use --unit ms if the values are milliseconds",
    broken(metric) {
      const { unit, bounds } = metric;
      if (unit !== "s" || !SDK_MILLISECONDS.some((defaults) => areSameBounds(defaults, bounds))) {
        return undefined;
      }
      const seen = `the unit is s, but the bounds are the SDKs' default ones for milliseconds (${
        bounds.slice(0, 3).join(", ")
      } … ${bounds.at(-1)})`;
      const below = (metric.counts[0] ?? 0) + (metric.counts[1] ?? 0);
      const share = `${below} of ${values(metric.count)} ${below === 1 ? "is" : "are"} at most ${
        bounds[1]
      } s`;
      return metric.count === 0 ? seen : `${seen}; ${share}; ${shown(metric)}`;
    },
  },
  {
    id: "one-bucket",
    checks:
      `${MANY_VALUES} values or more of a metric lie in more than one bucket, where there are several`,
    effect: "percentiles depend only on the bounds of that bucket, not on the values",
    remedy:
      `In the SDK or client library that records it, record the values in the metric's unit, or set bounds between them ${BOUNDS_IN_SDK}. ` +
      "With otlp-histogram, set bounds that fit with --buckets (plot --suggest-buckets finds them), name the unit of " +
      "the values with --unit, or multiply them with --scale",
    broken(metric) {
      const { bounds, counts, count } = metric;
      const bucket = counts.findIndex((each) => each > 0);
      if (count < MANY_VALUES || counts.length < 2 || counts[bucket] !== count) return undefined;
      return `all ${count} values lie in one of ${counts.length} buckets, ${
        bucketWords(bounds, bucket)
      }${of(metric)}; ${shown(metric)}, whatever the values are${meanWords(metric)}`;
    },
  },
  {
    id: "overflow-bucket",
    checks:
      `At most 1% of a metric's values lie above its last bound (from ${VALUES_FOR_P99} values on)`,
    effect: "a backend shows the last bound as p99, however large the values are",
    remedy:
      `In the SDK or client library that records it, add larger bounds ${BOUNDS_IN_SDK}. With otlp-histogram, add them to --buckets, ` +
      "or correct --unit or --scale",
    broken(metric) {
      const { bounds, counts, count } = metric;
      const above = counts.at(-1) ?? 0;
      if (counts.length < 2 || count < VALUES_FOR_P99 || above <= MOST_ABOVE * count) {
        return undefined;
      }
      return `${above} of ${count} values (${
        round(100 * above / count)
      }%) lie above the last bound, ${bounds.at(-1)}${of(metric)}; ${
        shown(metric)
      }, however large those values are`;
    },
  },
  {
    id: "convention-unit",
    checks:
      "A histogram that OpenTelemetry's semantic conventions define has the unit that they define",
    effect: "dashboards and alerts that follow the conventions read its values in the wrong unit",
    remedy:
      "In the SDK or client library that records it, create the instrument with the unit of the conventions and record values in it, or " +
      "update the instrumentation (https://opentelemetry.io/docs/specs/semconv/general/metrics/). With " +
      "otlp-histogram, remove --unit, and convert values with --scale",
    broken(metric) {
      const { name, unit } = metric;
      const defined = conventionOf(name);
      if (defined?.unit === undefined || defined.renamedTo !== undefined) return undefined;
      if (unit === "" || isSameUnit(unit, defined.unit)) return undefined;
      const typical = typicalValue(metric);
      const read = typical === undefined
        ? `read its values in ${defined.unit}`
        : `show ${typical}${of(metric)} as ${typical} ${defined.unit}`;
      return `the semantic conventions define this metric in ${defined.unit}, but its unit is ${
        unitWords(unit)
      }; dashboards that follow them ${read}`;
    },
  },
];

function areSameBounds(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((bound, i) => bound === b[i]);
}

/** Units that differ only in UCUM's annotations are the same: `{request}` is `1`. */
function isSameUnit(a: string, b: string): boolean {
  const plain = (unit: string) => unit.replaceAll(/\{[^}]*\}/g, "") || "1";
  return plain(a) === plain(b);
}

const SHOWN = [50, 90, 99] as const;

/** The percentiles that a backend computes from these buckets. */
function shown(metric: CountedMetric): string {
  const buckets = explicitBuckets(metric.bounds, metric.counts);
  const percentiles = SHOWN.flatMap((percent) => {
    const estimate = quantile(percent / 100, buckets, { min: undefined, max: undefined });
    return estimate === undefined ? [] : [`p${percent} ${round(estimate.value)}${of(metric)}`];
  });
  return `a backend shows ${percentiles.join(", ")}`;
}

/** A value to show what a wrong unit does: the mean, or the median where the sum is unknown. */
function typicalValue({ bounds, counts, count, sum }: CountedMetric): string | undefined {
  if (count > 0 && Number.isFinite(sum)) return round(sum / count);
  const median = quantile(0.5, explicitBuckets(bounds, counts), { min: undefined, max: undefined });
  return median === undefined ? undefined : round(median.value);
}

function meanWords(metric: CountedMetric): string {
  const { count, sum } = metric;
  return Number.isFinite(sum) ? ` (their mean is ${round(sum / count)}${of(metric)})` : "";
}

function bucketWords(bounds: readonly number[], bucket: number): string {
  const upper = bounds[bucket];
  return `(${bounds[bucket - 1] ?? "-∞"}, ${upper === undefined ? "+∞)" : `${upper}]`}`;
}

function values(count: number): string {
  return count === 1 ? "1 value" : `${count} values`;
}

/** The unit behind a number. */
function of({ unit }: CountedMetric): string {
  return unit === "" ? "" : ` ${unitWords(unit)}`;
}

const LONGEST_UNIT = 63;

function unitWords(unit: string): string {
  return clip(unit, LONGEST_UNIT);
}

function round(value: number): string {
  return String(Number(value.toPrecision(6)));
}
