import { counted } from "../../../console/plural.ts";
import { shownMs, shownRate, tenths } from "../../shown_figures.ts";
import type { Capacity } from "../run_event.ts";
import type { CapacitySearch } from "./capacity_search.ts";

const NOTHING_HELD = { rate: 0, seconds: 1, lateSeconds: 0, points: 0, requests: 0 };

/** Makes the result of a search, for a process that has `ownPart` of all points. */
export function capacityOf(
  { held, firstBreak, isOver }: CapacitySearch,
  ownPart: number,
): Capacity {
  const { rate, seconds, lateSeconds, points, requests } = held ?? NOTHING_HELD;
  // How many requests fall into the time is chance. Responses that come after it show that the rate was not quite held.
  const pointsPerSecond = rate * ownPart * seconds / (seconds + lateSeconds);
  const requestsPerSecond = points === 0 ? 0 : pointsPerSecond * requests / points;
  const found = held === undefined
    ? isOver
      ? `No rate was confirmed: none held for 10 s`
      : "No rate was confirmed: the run was interrupted"
    : `Confirmed ${shownRate(pointsPerSecond)} points/s in ${
      shownRate(requestsPerSecond)
    } requests/s for ${seconds} s (${counted(points, "data point")} in ${
      counted(requests, "request")
    }), p50 ${shownMs(held.p50Ms)}, p99 ${shownMs(held.p99Ms)}`;
  const why = firstBreak === undefined
    ? held === undefined ? "" : "; the rate did not rise further"
    : `; at ${shownRate(firstBreak.rate * ownPart)} points/s ${firstBreak.text}`;
  return {
    pointsPerSecond: tenths(pointsPerSecond),
    requestsPerSecond: tenths(requestsPerSecond),
    p99Ms: tenths(held?.p99Ms ?? null),
    limitedBy: firstBreak?.limitedBy ?? "none",
    p50Ms: tenths(held?.p50Ms ?? null),
    points,
    requests,
    message: `${found}${why}`,
  };
}
