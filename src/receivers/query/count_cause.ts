import { counted } from "../../console/plural.ts";
import type { Cause, SentRun, ShownHistogram } from "../backend.ts";

/** Finds the cause of a count that differs from what was sent; undefined if it does not. `shows` names the backend. */
export function countCause(
  { count: sent }: Pick<SentRun, "count">,
  { count }: Pick<ShownHistogram, "count">,
  shows: string,
): Cause | undefined {
  if (count === undefined || count === sent) return undefined;
  return count < sent
    ? {
      id: "measurements-missing",
      message: `${counted(sent - count, "measurement")} of ${sent} did not arrive`,
      remedy:
        "look for a filter or sampling processor before the backend, and for dropped data in its log; fresh data " +
        "can be incomplete, so try a longer --wait as well",
    }
    : {
      id: "measurements-repeated",
      message: `${shows} counts ${count} measurements, but ${sent} were sent`,
      remedy:
        "look for two pipelines that export the same data, and for retries of requests that had arrived",
    };
}
