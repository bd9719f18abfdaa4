import type { Delivering } from "../../../delivery/delivering.ts";
import type { PointLane } from "../../../source/generate/point_lanes.ts";
import type { CapacitySearch, SearchPhase } from "./capacity_search.ts";

/** Connection with its series. */
export interface Lane extends PointLane {
  readonly delivery: Delivering;
  /** When its next request is due, on the monotonic clock; Infinity for none. */
  nextDue: number;
  /** Whether a request was answered on it. */
  isConnected: boolean;
  /** Points of its next request that were due in an earlier phase; undefined unless there are phases. */
  carried: number | undefined;
  /** Stretch that it sends for; undefined when all was made. */
  stretch: Stretch | undefined;
}

/** Part of a run: steady, or a phase of a search. */
export interface Stretch {
  readonly phase: Pick<SearchPhase, "pace" | "seconds">;
  readonly search: CapacitySearch | undefined;
  readonly start: number;
  /** Ends the stretch before its time. */
  readonly cut: AbortController;
  /** Seconds after which it was ended. */
  cutAfter: number | undefined;
  /** Time spent on making requests, and on waiting for answers, in ms. */
  making: number;
  waiting: number;
}
