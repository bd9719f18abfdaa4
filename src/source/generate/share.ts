/** One of several processes that send together what one would: of the series 0, 1, … it has index, index + of, … */
export interface Share {
  /** Index of the process, from 0. */
  readonly index: number;
  readonly of: number;
}

/** Share of a single process: everything. */
export const WHOLE: Share = { index: 0, of: 1 };

/** Counts the series that a share has of `count`. */
export function seriesIn({ index, of }: Share, count: number): number {
  return Math.max(0, Math.ceil((count - index) / of));
}
