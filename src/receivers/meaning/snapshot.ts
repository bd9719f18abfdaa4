import type { SnapshotJudge } from "../../otlp/producer.ts";
import { MeaningWatch } from "./watch.ts";

/** Makes the function that finds the rules of meaning that recorded data break, over all snapshots of a run. */
export function snapshotMeaning(): SnapshotJudge {
  const watch = new MeaningWatch();
  return ({ parts }) => {
    for (const { metrics } of parts) {
      for (const { instrument: { name, unit }, intervals } of metrics) {
        for (const { points } of intervals) {
          for (const { kind, histogram } of points) {
            const { count, sum } = histogram;
            const { bounds, counts } = kind === "explicit"
              ? histogram
              : { bounds: undefined, counts: [] };
            watch.add(name, unit, { bounds, counts, count, sum });
          }
        }
      }
    }
    return watch.take().map(({ rule, metric, message }) => ({
      type: "meaning",
      rule,
      metric,
      message,
    }));
  };
}
