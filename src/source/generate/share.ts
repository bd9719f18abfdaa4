/** One of several processes that send together what one would: of the series 0, 1, … it has index, index + of, … */
export interface Share {
  /** From 0. */
  readonly index: number;
  readonly of: number;
}

/** All of it. */
export const WHOLE: Share = { index: 0, of: 1 };

/** How many of so many series are in a share. */
export function seriesIn({ index, of }: Share, count: number): number {
  return Math.max(0, Math.ceil((count - index) / of));
}
