import { type Share, WHOLE } from "../measurements/generate/share.ts";

/** How many send together, and what is measured of it. */
export interface LoadConfig {
  /** Connections, with a request under way on each. */
  readonly workers: number;
  /** Which one of several processes this is. */
  readonly share: Share;
  /** What the 99th percentile of the latency of requests may be, in ms; undefined: anything. */
  readonly sloMs: number | undefined;
}

/** One connection, and no other process. */
export const ONE_PROCESS: LoadConfig = { workers: 1, share: WHOLE, sloMs: undefined };
