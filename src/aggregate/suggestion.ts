import { worstError } from "./accuracy.ts";
import { CutGrid, type GridBuckets, targetsOf } from "./cut_grid.ts";
import type { FineBucket } from "./fine.ts";
import { digitsOf, roundestBetween, roundNumbers } from "./round_number.ts";

/** Suggested bounds, strictly rising, with the greatest relative error of p50, p90 and p99 over all series. */
export interface Suggestion {
  readonly bounds: readonly number[];
  readonly worstError: number;
}

/** How many places for bounds are tried: few first, then more, with what the few have shown to be possible as limit. */
const GRIDS = [100, 400, 1600] as const;
/** A finer grid that would hold more numbers or weigh more percentiles is left out. */
const MOST_NUMBERS = 4_000_000;
const MOST_WEIGHED = 60_000_000;
/** Factor by which the neighbourhood of each bound is searched more finely, and how often. */
const CLOSER = 4;
const CLOSER_LOOKS = 3;
/** Percentiles that are places themselves, as long as they are not too many. */
const MOST_EXACT = 200;
/** Error that rounder and fewer bounds may add, as a share of it. */
const ROUNDING_COST = 0.02;
const AS_GOOD_AS_NONE = 0.001;

/**
 * Finds the `most` bounds (fewer only where doubles end) with the least greatest error. The cost of a bucket depends on
 * its two ends alone, so the best bounds are the best path from end to end of a grid of places, found by dynamic
 * programming. Bounds that are left over divide the fullest buckets. Each bound in `keep`, which are `most` at most, is
 * among them. Never worse than `now`, as long as that keeps them and has no more bounds. Undefined without values.
 */
export function suggestBounds(
  series: readonly (readonly FineBucket[])[],
  most: number,
  now: Suggestion,
  keep: readonly number[] = [],
): Suggestion | undefined {
  const filled = series.filter((fine) => fine.length > 0);
  if (filled.length === 0) return undefined;
  const targets = targetsOf(filled);
  const gridOf = (places: Iterable<number>) =>
    new CutGrid(filled, targets, sortPlaces([...places, ...keep]), keep);
  const isPossible = now.bounds.length <= most && (now.bounds[0] ?? 0) >= 0 &&
    keep.every((bound) => now.bounds.includes(bound));
  const range = rangeOf(filled);
  const fixed = [
    ...range.hasZero ? [0] : [],
    ...isPossible ? now.bounds : [],
    ...targets.length <= MOST_EXACT ? targets.map(({ truth }) => truth) : [],
  ];

  let best: Suggestion = isPossible ? now : { bounds: [], worstError: Infinity };
  let ratio = 1;
  const look = (places: Iterable<number>) => {
    best = leastPath(gridOf(places), most, best.worstError) ?? best;
  };
  for (const size of GRIDS) {
    const isCheap = size * filled.length <= MOST_NUMBERS &&
      size ** 2 / 2 * Math.sqrt(targets.length) <= MOST_WEIGHED;
    if (size > GRIDS[0] && !isCheap) break;
    ratio = Math.exp((Math.log(range.high) - Math.log(range.low)) / (size - 1));
    look([...fixed, ...geometric(range, size)]);
  }
  for (let closer = 0; closer < CLOSER_LOOKS; closer++) {
    look(best.bounds.flatMap((bound) => around(bound, ratio)));
    ratio **= 1 / CLOSER;
  }

  // An error below what the fine histogram leaves open is as good as none, and so is a tenth of a per cent.
  const open = targets.reduce((most, { uncertainty }) => Math.max(most, uncertainty), 0) / 2;
  const limit = Math.max(best.worstError * (1 + ROUNDING_COST), open, AS_GOOD_AS_NONE);
  const rounder = best.bounds.flatMap((bound) => [bound, ...roundNumbers(bound)]);
  const simple = simplest(gridOf(rounder), limit, best.bounds);
  const bounds = filledUp(gridOf([...simple, ...coarse(range)]), simple, most, limit, range);
  const worst = worstError(filled, bounds);
  return isPossible && now.worstError < worst ? now : { bounds, worstError: worst };
}

/** The least and the greatest positive value; 1 where there are only zeros. */
interface Range {
  readonly low: number;
  readonly high: number;
  readonly hasZero: boolean;
}

function rangeOf(series: readonly (readonly FineBucket[])[]): Range {
  let low = Infinity;
  let high = 0;
  let hasZero = false;
  for (const fine of series) {
    const first = fine.find(({ greatest }) => greatest > 0);
    hasZero ||= first !== fine[0];
    low = Math.min(low, first?.least ?? Infinity);
    high = Math.max(high, fine.at(-1)?.greatest ?? 0);
  }
  return high > 0 ? { low, high, hasZero } : { low: 1, high: 1, hasZero };
}

/** Sorts numbers, each once, in strictly rising order, without those that cannot be bounds. */
function sortPlaces(places: Iterable<number>): readonly number[] {
  const unique = [...new Set(places)].filter((place) => place >= 0 && Number.isFinite(place));
  return unique.sort((a, b) => a - b);
}

/** Numbers from low to high, each the same factor above the one before. */
function geometric({ low, high }: Range, size: number): readonly number[] {
  const [from, to] = [Math.log(low), Math.log(high)];
  return Array.from({ length: size }, (_, i) => Math.exp(from + (to - from) * (i / (size - 1))));
}

function around(bound: number, ratio: number): readonly number[] {
  return Array.from(
    { length: 2 * CLOSER + 1 },
    (_, i) => i === CLOSER ? bound : bound * ratio ** ((i - CLOSER) / CLOSER),
  );
}

/** Round numbers all over the range, about two a per cent of it. */
function coarse(range: Range): readonly number[] {
  const places = geometric(range, 200);
  return places.slice(1).map((place, i) => roundestBetween(places[i] ?? place, place));
}

/** How closely the least error is searched for, as a share of it. */
const PRECISION = 1e-4;

/** The bounds of a grid with the least greatest cost; undefined when all cost more than `limit`. */
function leastPath(grid: CutGrid, most: number, limit: number): Suggestion | undefined {
  const buckets = grid.affordable(limit);
  const one = new Float64Array(grid.end + 1).fill(1);
  const pathWithin = (cost: number): Path | undefined => {
    const path = lightestPath(grid.end, buckets, cost, one);
    return path !== undefined && path.places.length <= most ? path : undefined;
  };
  let path = pathWithin(limit);
  if (path === undefined) return undefined;
  path = pathWithin(0) ?? path;
  for (let low = 0; path.cost - low > path.cost * PRECISION;) {
    const middle = (low + path.cost) / 2;
    const better = pathWithin(middle);
    if (better === undefined) low = middle;
    else path = better;
  }
  return { bounds: boundsOf(grid, path), worstError: path.cost };
}

/** Weight of a bound: one bound less outweighs any number of digits. */
const BOUND_WEIGHT = 10_000;

/** Finds as few bounds with as few digits as the limit allows. */
function simplest(grid: CutGrid, limit: number, otherwise: readonly number[]): readonly number[] {
  const weights = new Float64Array(grid.end + 1);
  for (let place = 1; place < grid.end; place++) {
    weights[place] = BOUND_WEIGHT + digitsOf(grid.valueAt(place));
  }
  const path = lightestPath(grid.end, grid.affordable(limit), limit, weights);
  return path === undefined || path.places.length > otherwise.length
    ? otherwise
    : boundsOf(grid, path);
}

interface Path {
  readonly places: readonly number[];
  /** Cost of its most expensive bucket. */
  readonly cost: number;
}

function boundsOf(grid: CutGrid, { places }: Path): readonly number[] {
  return places.map((place) => grid.valueAt(place));
}

/** The path from 0 to `end` whose places weigh least, of buckets that cost no more than `limit`. */
function lightestPath(
  end: number,
  { starts, from, cost }: GridBuckets,
  limit: number,
  weights: Float64Array,
): Path | undefined {
  const weight = new Float64Array(end + 1).fill(Infinity);
  const worst = new Float64Array(end + 1);
  const before = new Int32Array(end + 1);
  weight[0] = 0;
  for (let to = 1; to <= end; to++) {
    const own = weights[to] ?? 0;
    for (let i = starts[to] ?? 0; i < (starts[to + 1] ?? 0); i++) {
      const price = cost[i] ?? 0;
      const start = from[i] ?? 0;
      const total = (weight[start] ?? 0) + own;
      if (price > limit || total >= (weight[to] ?? 0)) continue;
      weight[to] = total;
      before[to] = start;
      worst[to] = Math.max(price, worst[start] ?? 0);
    }
  }
  if (weight[end] === Infinity) return undefined;
  const places: number[] = [];
  for (let place = before[end] ?? 0; place > 0; place = before[place] ?? 0) places.unshift(place);
  return { places, cost: worst[end] ?? 0 };
}

/**
 * Adds bounds, up to `most`, that cost no more than `limit`: in the fullest buckets, then above all values, and where
 * doubles end there, below them.
 */
function filledUp(
  grid: CutGrid,
  bounds: readonly number[],
  most: number,
  limit: number,
  { low, high }: Range,
): readonly number[] {
  const shares = grid.shares();
  const share = (from: number, to: number) => (shares[to] ?? 0) - (shares[from] ?? 0);
  const places = [0, ...bounds.map((bound) => grid.placeOf(bound)), grid.end];
  while (places.length - 2 < most) {
    let best = { place: 0, share: 0 };
    let next = 1;
    for (let place = 1; place < grid.end; place++) {
      const [from = 0, to = grid.end] = [places[next - 1], places[next]];
      if (place === to) {
        next++;
        continue;
      }
      const smaller = Math.min(share(from, place), share(place, to));
      if (smaller <= best.share) continue;
      const cost = Math.max(grid.cost(from, place, limit), grid.cost(place, to, limit));
      if (cost <= limit) best = { place, share: smaller };
    }
    if (best.place === 0) break;
    places.push(best.place);
    places.sort((a, b) => a - b);
  }
  const inside = places.slice(1, -1).map((place) => grid.valueAt(place));
  const higher = aboveAll(Math.max(high, inside.at(-1) ?? 0), most - inside.length);
  const lower = belowAll(
    Math.min(low, inside[0] ?? Infinity),
    most - inside.length - higher.length,
  );
  return [...lower, ...inside, ...higher];
}

/** Round numbers above the greatest value, about twice as high each, as long as there are some. */
function aboveAll(greatest: number, count: number): readonly number[] {
  const bounds: number[] = [];
  for (let last = greatest; bounds.length < count && last * 2.5 < Infinity;) {
    last = roundestBetween(last * 1.5, last * 2.5);
    bounds.push(last);
  }
  return bounds;
}

/** Round numbers below the least positive value, about half as high each, as long as there are some. */
function belowAll(least: number, count: number): readonly number[] {
  const bounds: number[] = [];
  for (let first = least; bounds.length < count && first / 2.5 > 0;) {
    const next = roundestBetween(first / 2.5, first / 1.5);
    if (next >= first) break;
    first = next;
    bounds.unshift(first);
  }
  return bounds;
}
