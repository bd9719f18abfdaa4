import type { Pace } from "./pace.ts";
import { seriesIn, type Share } from "./share.ts";

/** Request of a point load: its data points, and when it is due, in seconds since the start of the schedule. */
export interface DueRequest {
  readonly points: number;
  readonly dueSeconds: number;
}

/** Pace, series and connection that a schedule of requests follows from. */
export interface PointScheduleOptions {
  /** When data points are due, of all connections and processes together. */
  readonly pace: Pace;
  /** How long they are due. */
  readonly seconds: number;
  /** Number of series, each of which is due in turn. */
  readonly series: number;
  /** Part of the series that one connection sends. */
  readonly share: Share;
  readonly pointsPerRequest: number;
  /**
   * Points of the first request that were due before the schedule began. With them, all requests have the same size, and
   * what is left at the end belongs to the next schedule; without, the points of all requests are exactly those due.
   */
  readonly carried?: number | undefined;
  /** Points of all that were due before the schedule began, with a fraction. */
  readonly before?: number;
}

/** A product of times and rates may miss a whole number by its last digits. */
const ROUNDING = 1e-6;

/**
 * Requests of one connection: how many data points each has, and when. A request is due with its last data point, so
 * that connections and processes together send exactly the points of one. Arithmetic alone: the caller has the clock.
 */
export class PointSchedule {
  readonly #options: PointScheduleOptions;
  readonly #own: number;
  readonly #total: number;
  readonly #most: number;
  readonly #before: number;
  readonly #ownBefore: number;
  /** Points due in the schedule that were given away. */
  #made = 0;

  constructor(options: PointScheduleOptions) {
    this.#options = options;
    const { seconds, series, share, pointsPerRequest } = options;
    this.#own = seriesIn(share, series);
    this.#most = Math.min(pointsPerRequest, this.#own);
    this.#before = options.before ?? 0;
    this.#ownBefore = this.#ownOf(Math.floor(this.#before + ROUNDING));
    this.#total = this.#dueAt(seconds);
  }

  /** Points that are due and not given away. */
  get left(): number {
    return this.#total - this.#made;
  }

  /** The next request; undefined when no more are due. */
  next(): DueRequest | undefined {
    const { pace, seconds, carried } = this.#options;
    const { left } = this;
    const size = this.#made === 0 ? this.#most - this.#carried : this.#most;
    const due = carried === undefined ? Math.min(size, left) : size;
    if (due <= 0 || due > left) return undefined;
    this.#made += due;
    const dueSeconds = pace.secondsOf(this.#placeOf(this.#made - 1) - this.#before);
    return {
      points: carried === undefined ? due : this.#most,
      dueSeconds: Math.min(dueSeconds, seconds),
    };
  }

  /** Points of the next request that are due after so many seconds. */
  carriedAt(seconds: number): number {
    return (this.#carried + this.#dueAt(seconds)) % this.#most;
  }

  get #carried(): number {
    const { share, carried } = this.#options;
    return carried ?? carriedAtStart(share, this.#most);
  }

  /** Returns how many of the first `count` points of all are this connection's. */
  #ownOf(count: number): number {
    const { series, share } = this.#options;
    return Math.floor(count / series) * this.#own + seriesIn(share, count % series);
  }

  /** Returns how many of its own points are due by then. */
  #dueAt(seconds: number): number {
    const due = Math.floor(this.#before + this.#options.pace.due(seconds) + ROUNDING);
    return Number.isFinite(due) ? this.#ownOf(due) - this.#ownBefore : Infinity;
  }

  /** Returns the place of its own point of that number in the schedule among the points of all, from 0. */
  #placeOf(point: number): number {
    const { series, share } = this.#options;
    const own = this.#ownBefore + point;
    return Math.floor(own / this.#own) * series + own % this.#own * share.of + share.index;
  }
}

/** Points of a connection's first request that count as due, so that connections send by turns and not all at once. */
export function carriedAtStart({ index, of }: Share, pointsPerRequest: number): number {
  return Math.floor(pointsPerRequest * (of - 1 - index) / of);
}
