import type { MeasuredHistogram } from "../../aggregate/measurement.ts";
import type { Family } from "./cumulative.ts";
import type { Delta } from "./deltas.ts";

/** Histograms of one metric family that are to be recorded. */
export interface Exposed {
  readonly family: Family;
  readonly histograms: readonly MeasuredHistogram[];
}

/** Groups deltas by their families, in the order of these; a family without any is left out. */
export function exposedOf(
  families: readonly Family[],
  deltas: readonly Delta[],
): readonly Exposed[] {
  const byName = Map.groupBy(deltas, ({ name }) => name);
  return families.flatMap((family) => {
    const histograms = byName.get(family.name);
    return histograms === undefined ? [] : [{ family, histograms }];
  });
}
