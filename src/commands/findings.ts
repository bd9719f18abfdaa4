import type { Overflow } from "../aggregate/overflow.ts";
import type { DataFinding, EndBucket } from "../aggregate/snapshot.ts";
import { counted, plural } from "../console/plural.ts";

/** How many values are waited for, while more may come, before all of them in one bucket at an end are reported. */
const MANY_VALUES = 100;
/** Fewer values than these prove nothing, unless they are FAR times as far away as the bound. */
const FEW_VALUES = 10;
const FAR = 5;

/** Chooses the findings of a run that are worth reporting: an end bucket once, when there are enough values in it. */
export class FindingFilter {
  readonly #endBuckets = new Set<string>();

  /** `values`: how many were taken so far; `isLast`: no more come. */
  *worthReporting(
    findings: readonly DataFinding[],
    values: number,
    isLast: boolean,
  ): Generator<DataFinding> {
    for (const finding of findings) {
      // The rule says the same of all values in one bucket, with its figures.
      if (finding.type === "meaning" && finding.rule === "one-bucket") {
        this.#endBuckets.add(finding.metric);
      }
      if (finding.type === "end-bucket") {
        const { endBucket } = finding;
        if (this.#endBuckets.has(endBucket.metric)) continue;
        if ((!isLast && values < MANY_VALUES) || !isTelling(endBucket, values)) continue;
        this.#endBuckets.add(endBucket.metric);
      }
      yield finding;
    }
  }
}

function isTelling({ bucket, nearest, bound }: EndBucket, values: number): boolean {
  return values >= FEW_VALUES ||
    (bucket === "first" ? nearest * FAR < bound : nearest > bound * FAR);
}

/** Puts a finding into sentences; one about a unit only if `input`: values were read, and not made for the bounds. */
export function dataFindingTexts(
  finding: DataFinding,
  { input }: { readonly input: boolean },
): readonly string[] {
  switch (finding.type) {
    case "overflow":
      return [overflowText(finding.overflow)];
    case "unequal-bounds":
      return [
        `${
          counted(finding.series, "series has", "series have")
        } more than one data point, because the histograms have unequal bounds`,
      ];
    case "split-intervals":
      return splitTexts(finding);
    case "meaning":
      return [`rule ${finding.rule}: ${finding.metric}: ${finding.message}`];
    case "end-bucket":
      return input ? [endBucketText(finding.endBucket)] : [];
  }
}

/** Says that a source was stopped before its end, and how far it came. */
export function cutShortText(progress: string): string {
  return `stopped before the end: ${progress}`;
}

/** Sentence about series that were merged into one data point. */
function overflowText({ measurements: count, series, more }: Overflow): string {
  return `${counted(count, "measurement")} of ${series}${more ? " or more" : ""} series ${
    plural(count, "was", "were")
  } merged into one data point ` +
    "(otel.metric.overflow=true): there are more series than --max-series";
}

function splitTexts(
  { closedEarly, reopened }: { readonly closedEarly: number; readonly reopened: number },
): readonly string[] {
  const intervals = (count: number) => counted(count, "interval was", "intervals were");
  return [
    ...closedEarly > 0
      ? [
        `${intervals(closedEarly)} sent before ${
          plural(closedEarly, "it was", "they were")
        } complete, because more data points were open than ` +
        "--max-series. Later lines are sent as additional data points",
      ]
      : [],
    ...reopened > 0
      ? [
        `${intervals(reopened)} reopened by late lines, which are sent as additional data points ` +
        "(--lateness waits longer)",
      ]
      : [],
  ];
}

function endBucketText({ metric, bucket, bound }: EndBucket): string {
  const where = bucket === "first"
    ? `the first bucket (up to ${bound})`
    : `the last bucket (above ${bound})`;
  return `every value of ${metric} so far is in ${where}. If the values are in a different unit from the bounds, ` +
    "convert them with --scale, or set --unit or --buckets to match";
}
