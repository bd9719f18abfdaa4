/** Significant digits of a double. */
const MOST_DIGITS = 17;
/** Bounds with more digits are not rounder than any. */
const MOST_ROUND_DIGITS = 4;

/** Finds the number with the fewest significant digits between two positive ones, close to the middle. */
export function roundestBetween(low: number, high: number): number {
  const middle = low + (high - low) / 2;
  for (let digits = 1; digits <= MOST_DIGITS; digits++) {
    const round = Number(middle.toPrecision(digits));
    if (round >= low && round <= high) return round;
  }
  return middle;
}

/** Finds the next numbers below and above a positive one that have one to four significant digits. */
export function roundNumbers(value: number): readonly number[] {
  if (!(value > 0)) return [];
  return Array.from({ length: MOST_ROUND_DIGITS }, (_, i) => i + 1).flatMap((digits) => {
    const nearest = Number(value.toPrecision(digits));
    const step = 10 ** (Math.floor(Math.log10(value)) + 1 - digits);
    const other = Number((nearest + (nearest > value ? -step : step)).toPrecision(digits));
    return [nearest, other].filter((round) => round > 0 && Number.isFinite(round));
  });
}

/** Number of significant digits of a number. */
export function digitsOf(value: number): number {
  return value.toExponential().replace(/e.*$|[.-]/g, "").length;
}
