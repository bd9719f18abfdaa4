import { escapeText } from "../../../console/escape.ts";
import { MEANING_RULES } from "../../../receivers/meaning/rules.ts";
import { VERSION } from "../../../platform/version.ts";
import type { RequestEvent } from "../event.ts";
import { estimates } from "./columns.ts";
import type { History } from "./history.ts";
import type { Hello, RequestRow, SeriesFigures, SeriesRow, Update } from "./protocol.ts";
import { problemRow, ProblemTotals } from "./problem_totals.ts";
import type { RefusedSeries } from "./refused_series.ts";
import { Rate } from "./rate.ts";
import type { SeriesHistory } from "./series_history.ts";

const MOST_REQUESTS = 200;
const MOST_PROBLEMS = 20;
/** Interval between updates of the list of series, in ms: its figures cost more than everything else. */
const LIST_MS = 1000;

/** Position of one reader of the feed. */
export interface Cursor {
  request: number;
  series: number;
  /** Number of the last request whose refused series it knows. */
  refused: number;
  listedMs: number;
  /** Arrival of the newest data point that it knows; those of the same millisecond are sent again. */
  seenMs: number;
}

/** Remembers requests, and turns what a reader does not know yet into events. */
export class Feed {
  readonly #history: History;
  readonly #startedMs: number;
  readonly #rules: string;
  readonly #refused: RefusedSeries;
  readonly #kept: RequestRow[] = [];
  readonly #rate = new Rate();
  readonly #problems = new ProblemTotals();
  readonly #totals = {
    requests: 0,
    points: 0,
    measurements: 0,
    rejectedPoints: 0,
    errors: 0,
    warnings: 0,
  };

  constructor(
    history: History,
    startedMs: number,
    rules: string,
    refused: RefusedSeries,
  ) {
    this.#history = history;
    this.#startedMs = startedMs;
    this.#rules = rules;
    this.#refused = refused;
  }

  add(received: RequestEvent): void {
    const { request, ...event } = received;
    const totals = this.#totals;
    totals.requests++;
    totals.rejectedPoints += event.rejectedPoints;
    const isTaken = event.outcome === "accepted" || event.outcome === "partial";
    let { measurements } = event;
    if (isTaken && request !== undefined) {
      measurements = this.#history.add(request, event.time, event.rejected);
      totals.measurements += measurements;
    }
    this.#refused.add(received, totals.requests);
    if (isTaken || event.status === 200) totals.points += event.points;
    for (const { level } of event.problems) {
      if (level === "error") totals.errors++;
      else totals.warnings++;
    }
    this.#problems.add(event.problems, totals.requests);
    this.#rate.add(event.time, event.points);
    // Twice as many are kept as are shown, so that they move only now and then.
    if (this.#kept.push(requestRow(totals.requests, event, measurements)) >= 2 * MOST_REQUESTS) {
      this.#kept.splice(0, MOST_REQUESTS);
    }
  }

  hello(): Hello {
    return {
      startedMs: this.#startedMs,
      version: VERSION,
      rules: this.#rules,
      meaning: MEANING_RULES.map(({ id }) => id),
    };
  }

  begin(): Cursor {
    return { request: 0, series: 0, refused: 0, listedMs: -Infinity, seenMs: -Infinity };
  }

  /** Whether there is something that the reader does not know. */
  isNew(cursor: Cursor): boolean {
    return cursor.request !== this.#totals.requests;
  }

  /** Returns what the reader does not know yet, and moves its cursor. */
  next(cursor: Cursor, now: number): Update {
    const { series, sliceMs, leftOut, forgottenBefore } = this.#history;
    const requests = this.#kept.slice(-MOST_REQUESTS).filter(({ id }) => id > cursor.request);
    const problems = this.#problems.since(cursor.request);
    const newSeries = series.slice(cursor.series).map(seriesRow);
    const isListed = newSeries.length > 0 || now - cursor.listedMs >= LIST_MS ||
      now < cursor.listedMs;
    const changed = isListed ? series.filter(({ seen }) => seen >= cursor.seenMs) : [];
    const refused = isListed ? this.#refused.since(cursor.refused) : [];
    cursor.request = this.#totals.requests;
    cursor.series = series.length;
    if (isListed) {
      cursor.listedMs = now;
      cursor.refused = cursor.request;
      for (const { seen } of changed) if (seen > cursor.seenMs) cursor.seenMs = seen;
    }
    return {
      now,
      totals: this.#totals,
      ...this.#rate.at(now),
      sliceMs,
      leftOut,
      forgottenBefore: forgottenBefore ?? null,
      requests,
      problems,
      moreProblems: this.#problems.more,
      refused,
      moreRefused: this.#refused.more,
      newSeries,
      figures: changed.map(seriesFigures),
    };
  }
}

/** Row of a request. Only the row is kept, because the texts of a request may be large. */
function requestRow(
  id: number,
  event: Omit<RequestEvent, "request">,
  measurements: number,
): RequestRow {
  const { time, method, path, status, outcome, bytes, points, rejectedPoints, problems } = event;
  return {
    id,
    time,
    method: escapeText(method),
    path: escapeText(path),
    status,
    outcome,
    bytes,
    points,
    measurements,
    rejectedPoints,
    problems: problems.slice(0, MOST_PROBLEMS).map(problemRow),
    moreProblems: Math.max(0, problems.length - MOST_PROBLEMS),
  };
}

function seriesRow({ id, group, names, numbers }: SeriesHistory): SeriesRow {
  return { id, group, ...names, kind: numbers ?? "histogram" };
}

function seriesFigures(series: SeriesHistory): SeriesFigures {
  const { id, count, numbers, totals, min, max, seen } = series;
  if (numbers !== undefined) return [id, count, null, null, totals[0] ?? null, seen, false];
  const [p50, p99] = estimates([0.5, 0.99], series.bounds, totals, { min, max });
  const isAbove = p99?.above !== undefined;
  const last = isAbove ? p99.above : p99?.held.value;
  return [id, count, p50?.held.value ?? null, last ?? null, null, seen, isAbove];
}
