import type { DataFinding, EndBucket } from "../../aggregate/snapshot.ts";

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
