import { backoffMs } from "../../delivery/backoff.ts";
import type { Clock } from "../../platform/clock.ts";
import type { KeepConfig } from "../../delivery/keep_config.ts";
import type { ScheduleConfig } from "../../settings/schedule_config.ts";
import type {
  Delivering,
  DeliveryEvent,
  Ledger,
  Pending,
  Result,
  Window,
} from "../../delivery/delivery.ts";
import type { Source } from "../../source/source.ts";
import type { Overflow } from "../../aggregate/overflow.ts";
import type { RequestLimits } from "../../otlp/request.ts";
import type { Interval } from "../../otlp/interval.ts";
import type { Collected, EndBucket, Recorder } from "../../otlp/recorder.ts";
import { type Figures, RequestFigures } from "./request_figures.ts";
import { type Due, nextSlot, stepOf } from "./schedule.ts";
import { type SendReport, SendTotals } from "./send_report.ts";

export type { SendReport } from "./send_report.ts";

export interface LateReport {
  readonly time: number;
  /** Null when an earlier process recorded it. */
  readonly iteration: number | null;
  readonly measurements: number;
  readonly points: number;
  readonly attempts: number;
  readonly possiblyDuplicated: boolean;
  readonly result: Result;
}

export interface Summary extends Ledger, Figures {
  readonly invalid: number;
  readonly skipped: number;
  readonly rejectedPoints: number;
  readonly sends: number;
  readonly exitCode: number;
}

export type RunEvent =
  | Extract<DeliveryEvent, { type: "attempt" | "retry" | "split" | "dropped" | "warning" }>
  /** The first send waits a while, so that processes that were started together do not send together. */
  | { readonly type: "delayed"; readonly inMs: number }
  | { readonly type: "recording"; readonly iteration: number; readonly time: number }
  | { readonly type: "recorded" }
  | ({ readonly type: "send"; readonly pending: number } & SendReport)
  | ({ readonly type: "late" } & LateReport)
  /** Sends were due while another one was under way, and were left out. */
  | { readonly type: "missed"; readonly sends: number }
  /** There were more series than --max-series: these share one data point. */
  | { readonly type: "overflow"; readonly overflow: Overflow }
  /** Attribute sets that have more than one data point, since their histograms had unequal bounds. */
  | { readonly type: "unequal-bounds"; readonly series: number }
  /** Intervals of event time that are sent in more than one delta. */
  | { readonly type: "split-intervals"; readonly closedEarly: number; readonly reopened: number }
  /** So far all values of a metric fell into one bucket at an end. */
  | { readonly type: "end-bucket"; readonly endBucket: EndBucket }
  /** The input ended with an error; what came before it was recorded. */
  | { readonly type: "broken"; readonly reason: string }
  | { readonly type: "stopping" }
  /** The end: what is not delivered, and is lost or in the spool. */
  | {
    readonly type: "undelivered";
    readonly measurements: number;
    readonly spooled: boolean;
    readonly reason: string;
    readonly trouble: Result["trouble"];
  }
  | ({ readonly type: "summary" } & Summary);

export interface RunDependencies {
  readonly source: Source;
  readonly recorder: Recorder;
  readonly delivery: Delivering;
  readonly clock: Clock;
  readonly random: () => number;
  readonly schedule: ScheduleConfig;
  /** How long the first send waits, in ms. */
  readonly startDelayMs?: number;
  /** What is counted of requests; by default for the summary alone. */
  readonly figures?: RequestFigures;
  /** Told of each turn of the loop, and of waiting that may take however long. */
  readonly pulse?: Pulse;
  readonly keep: Pick<KeepConfig, "retryForMs" | "maxPendingBytes">;
  /** What a request may hold for now. */
  readonly limits: () => RequestLimits;
  readonly compression: "gzip" | "none";
  readonly timeoutMs: number;
  /** Looks at what is to be sent; what it throws before anything is sent, `isFirst`, ends the run. */
  readonly review: (collected: Collected, isFirst: boolean) => Promise<void>;
  /** No new iteration; what was recorded gets one more try. */
  readonly stop: AbortSignal;
  /** Ends at once. */
  readonly kill: AbortSignal;
  /** Takes what gives the last events where the process has to be ended by force; undefined after the summary. */
  readonly forced?: (lastEvents: ((why: string) => readonly RunEvent[]) | undefined) => void;
}

/**
 * After a signal no request is under way for longer, in ms, whatever its timeout: Docker kills after 10 s, and what is not
 * delivered is to be kept and named before.
 */
const LAST_TRY_MS = 6000;

/** Tells whoever watches that a loop is not stuck. */
export interface Pulse {
  turned(): void;
  /** The work may take its time. */
  waiting<Result>(work: Promise<Result>): Promise<Result>;
}

const NO_PULSE: Pulse = { turned() {}, waiting: (work) => work };

/** Pace -> measure -> collect -> deliver, and says what happened; the last event is the summary. */
export async function* run(deps: RunDependencies): AsyncGenerator<RunEvent> {
  const { source, recorder, clock, random, schedule, stop } = deps;
  const { startDelayMs = 0, pulse = NO_PULSE } = deps;
  const { overTime } = source;
  const figures = deps.figures ?? new RequestFigures(clock);
  const sending = new Sending(deps, figures);
  const { forced = () => {} } = deps;
  /** When what is in the recorder was measured, where the source knows. */
  let measuredIn: Interval | undefined;
  /** Measurements in the recorder. */
  let unsent = 0;
  const stored = () => {
    unsent = 0;
  };
  forced((why) => sending.forcedEnd(unsent, why));
  if (startDelayMs > 0 && !stop.aborted) {
    yield { type: "delayed", inMs: startDelayMs };
    await pulse.waiting(clock.sleep(startDelayMs, stop));
  }
  figures.start();
  const start = clock.monotonic();
  source.begin?.(start);
  const over = start + schedule.durationMs;
  /** Sends that were due and had nothing of this process's in them. */
  let others = 0;
  const fill = async (until: number | undefined) => {
    const { measurements, ended, interval, isOthers = false } = await pulse.waiting(
      source.fill(recorder, until, stop),
    );
    unsent += measurements;
    measuredIn = joined(measuredIn, interval);
    if (isOthers) others++;
    if (source.isBehind) figures.fellBehind();
    return { ended, isOthers };
  };
  let dueBefore = overTime ? start : start - schedule.intervalMs;
  /** What is sent now was due up to `last`. */
  const dueUntil = (last: number): Due | undefined => {
    const since = dueBefore;
    dueBefore = last;
    const averageMs = (since - start) / Math.max(1, sending.sends);
    const stepMs = stepOf(schedule, source.isPaced ?? false, averageMs);
    return stepMs === undefined ? undefined : { since, last, stepMs };
  };
  const takeInterval = () => {
    const interval = measuredIn;
    measuredIn = undefined;
    return interval;
  };
  // What comes over time is sent at the end of its interval, everything else at the beginning.
  let slot = overTime ? 1 : 0;
  /** Sends in a row that were given up. */
  let failures = 0;
  while (!stop.aborted) {
    pulse.turned();
    const due = Math.min(start + slot * schedule.intervalMs, over);
    if (!overTime && slot > 0 && schedule.intervalMs > 0) {
      await pulse.waiting(clock.sleep(due - clock.monotonic(), stop));
      if (stop.aborted) break;
    }
    const time = clock.wall();
    const fillUntil = !schedule.loop ? Infinity : schedule.intervalMs === 0 ? undefined : due;
    const { ended, isOthers } = await fill(fillUntil);
    const nextDue = schedule.intervalMs === 0
      ? clock.monotonic()
      : start + (slot + 1) * schedule.intervalMs;
    const isLast = !schedule.loop || ended || stop.aborted ||
      sending.sends + others + (isOthers ? 0 : 1) >= schedule.iterations ||
      (overTime ? clock.monotonic() : nextDue) >= over;
    const now = clock.monotonic();
    const sendDue = dueUntil(schedule.intervalMs === 0 ? now : Math.min(due, now));
    /** The recorder was full before all had come that belongs to this send. */
    let isPart = recorder.isFull && !ended && !stop.aborted;
    const finishLast = () => {
      if (!isLast || isPart) return;
      source.close();
      recorder.finish();
    };
    finishLast();
    const until = isLast || schedule.intervalMs === 0 ? Infinity : nextDue;
    if (recorder.isDue && (isLast || sending.hasRoom)) {
      sending.isDue(sendDue);
      yield* sending.begin(overTime ? clock.wall() : time, {
        interval: takeInterval(),
        isLast,
        stored,
        async next() {
          if (!isPart) return undefined;
          const { ended: hasEnded } = await fill(fillUntil);
          isPart = recorder.isFull && !hasEnded && !stop.aborted;
          finishLast();
          return { interval: takeInterval() };
        },
      });
      yield* sending.deliver(until);
    } else {
      // Nothing new came, or it stays in the recorder until there is room.
      yield* sending.pendingOnly(until);
    }
    if (isLast) break;

    source.hold(!sending.hasRoom);
    const next = nextSlot(start, schedule.intervalMs, slot, clock.monotonic());
    if (next.missed > 0 && !overTime && !stop.aborted) yield { type: "missed", sends: next.missed };
    slot = next.slot;
    if (!overTime && next.due >= over) break;
    failures = sending.isHeld ? failures + 1 : 0;
    if (schedule.intervalMs === 0 && failures > 0) {
      const backoff = Math.min(backoffMs(failures, random), over - clock.monotonic());
      await pulse.waiting(clock.sleep(backoff, stop));
    }
  }
  source.close();
  // What came while the last send was under way is kept before anything is tried for the last time.
  if (overTime) await fill(clock.monotonic());
  recorder.finish();
  if (recorder.isDue) {
    sending.isDue(dueUntil(clock.monotonic()));
    yield* sending.begin(clock.wall(), {
      interval: takeInterval(),
      isLast: true,
      stored,
      next: () => Promise.resolve(undefined),
    });
    yield* sending.deliver(Infinity);
  }
  yield* sending.end();
  if (source.broken !== undefined) yield { type: "broken", reason: source.broken };
  yield* sending.undelivered();
  forced(undefined);
  yield { type: "summary", ...sending.summary() };
}

/** A send that has begun and is not reported yet. */
interface Open {
  readonly totals: SendTotals;
  /** When it was recorded, ms since 1970. */
  readonly time: number;
  /** On the monotonic clock. */
  readonly began: number;
  readonly iteration: number;
  readonly given: Sendable;
}

/** From the start of the one to the end of the other. */
function joined(a: Interval | undefined, b: Interval | undefined): Interval | undefined {
  return a === undefined || b === undefined ? b ?? a : { start: a.start, end: b.end };
}

/** What one send consists of, besides what is in the recorder. */
interface Sendable {
  /** When it was measured; undefined: since the last send. */
  readonly interval: Interval | undefined;
  /** Nothing is recorded after this send. */
  readonly isLast: boolean;
  /** What was in the recorder is stored. */
  readonly stored: () => void;
  /** Fills the recorder with the next part; undefined when there is none. */
  readonly next: () => Promise<{ readonly interval: Interval | undefined } | undefined>;
}

/** So many values in one bucket at an end are said while more may come. */
const MANY_VALUES = 100;
/** Fewer values than these prove nothing, unless the bound is so many times as far away. */
const FEW_VALUES = 10;
const FAR = 5;

function isTelling({ bucket, nearest, bound }: EndBucket, values: number): boolean {
  return values >= FEW_VALUES ||
    (bucket === "first" ? nearest * FAR < bound : nearest > bound * FAR);
}

/** Runs the delivery and tells its events apart: of a send that is open, or late. */
class Sending {
  readonly #deps: RunDependencies;
  /** Oldest first. More than one only at the end, when a signal came while one was under way. */
  #open: readonly Open[] = [];
  readonly #figures: RequestFigures;
  #sends = 0;
  #rejectedPoints = 0;
  /** Of the largest send so far: the next one may be as large. */
  #mostBytes = 0;
  /** A request was not delivered: one of empty histograms has no measurement that the ledger could miss. */
  #isIncomplete = false;
  /** What last kept a request of this send from being delivered. */
  #lastFailure: Result | undefined;
  /** Nothing more is tried in this send. */
  #isHeld = false;
  /** Sends and turns without one, by which the delivery tells them apart. */
  #turns = 0;
  /** Collected so far. */
  #measurements = 0;
  /** Metrics of which it was said that all values fell into a bucket at an end. */
  readonly #endBuckets = new Set<string>();
  /** When the stop signal came, on the monotonic clock. */
  #stoppedAt: number | undefined;
  /** Aborted when no request may be under way any longer. */
  readonly #abort: AbortSignal;
  readonly #ended = new AbortController();
  #hasEnded = false;

  constructor(deps: RunDependencies, figures: RequestFigures) {
    this.#deps = deps;
    this.#figures = figures;
    const { clock, stop, kill } = deps;
    const timeUp = new AbortController();
    this.#abort = AbortSignal.any([kill, timeUp.signal]);
    const stopped = () => {
      this.#stoppedAt = clock.monotonic();
      if (this.#hasEnded) return;
      const until = AbortSignal.any([kill, this.#ended.signal]);
      clock.sleep(LAST_TRY_MS, until).then(() => timeUp.abort());
    };
    if (stop.aborted) stopped();
    else stop.addEventListener("abort", stopped, { once: true });
  }

  get sends(): number {
    return this.#sends;
  }

  /** When the next send was due. */
  isDue(due: Due | undefined): void {
    if (due !== undefined) this.#figures.due(this.#sends + 1, due, this.#deps.delivery.pending);
  }

  /** A source that can wait does so rather than have something thrown away. */
  get hasRoom(): boolean {
    const { source, delivery, keep } = this.#deps;
    const { pendingBytes } = delivery;
    // What is alone has room, however large it is.
    return !source.canWait || pendingBytes === 0 ||
      pendingBytes + this.#mostBytes <= keep.maxPendingBytes;
  }

  /** Sends what is pending, from earlier iterations or an earlier process. */
  async *pendingOnly(until: number): AsyncGenerator<RunEvent> {
    const { delivery, stop } = this.#deps;
    this.#turn();
    if (delivery.pending.length > 0 && !stop.aborted) yield* this.#flush(this.#window(until));
  }

  /** What was not delivered before is tried again. */
  #turn(): void {
    this.#turns++;
    this.#isHeld = false;
  }

  /** The last send was given up before all was tried. */
  get isHeld(): boolean {
    return this.#isHeld;
  }

  /** Collects what was recorded and stores it, to be sent after what is pending. `time`: ms since 1970. */
  async *begin(time: number, given: Sendable): AsyncGenerator<RunEvent> {
    const iteration = ++this.#sends;
    const began = this.#deps.clock.monotonic();
    yield { type: "recording", iteration, time };
    this.#turn();
    this.#lastFailure = undefined;
    const open = { totals: new SendTotals(iteration), iteration, time, began, given };
    this.#open = [...this.#open, open];
    yield* this.#collect(open, given, true);
    yield { type: "recorded" };
  }

  /** One part of a send. */
  async *#collect(
    { totals, iteration, time, given }: Open,
    { interval }: Pick<Sendable, "interval">,
    isFirst: boolean,
  ): AsyncGenerator<RunEvent> {
    const { recorder, delivery, source, limits, compression, review } = this.#deps;
    // Asked in the same turn in which the recorder gives away what it has: both are of the same lines.
    const { followed } = source;
    const collected = await recorder.collect(limits(), compression, interval);
    const { requests } = collected;
    totals.add(requests);
    this.#measurements += requests.reduce((sum, { measurements }) => sum + measurements, 0);
    yield* this.#said(collected, given.isLast);
    await review(collected, isFirst && iteration === 1);
    const bytes = requests.reduce((sum, { body }) => sum + body.length, 0);
    this.#mostBytes = Math.max(this.#mostBytes, bytes);
    for await (const event of delivery.add(requests, iteration, time, followed)) yield* pass(event);
    given.stored();
  }

  /** Sends it, in however many parts it comes, and reports it once; after a signal at the end alone. */
  async *deliver(until: number): AsyncGenerator<RunEvent> {
    const { stop } = this.#deps;
    const open = this.#open.at(-1);
    let parts = 1;
    for (;;) {
      // A receiver that did not take one part within its time is asked again when all parts are there.
      if (!this.#isHeld) yield* this.#flush(this.#window(until));
      const part = await open?.given.next();
      if (open === undefined || part === undefined) break;
      parts++;
      yield* this.#collect(open, part, false);
    }
    if (parts > 1 && this.#isHeld && !stop.aborted) {
      yield* this.#flush(this.#window(until));
    }
    if (!stop.aborted) yield* this.#report();
  }

  /** What is odd about the data, each end bucket once. */
  *#said(collected: Collected, isLast: boolean): Generator<RunEvent> {
    const { overflow, unequalBounds, closedEarly, reopened, endBuckets } = collected;
    if (overflow.measurements > 0) yield { type: "overflow", overflow };
    if (unequalBounds > 0) yield { type: "unequal-bounds", series: unequalBounds };
    if (closedEarly + reopened > 0) yield { type: "split-intervals", closedEarly, reopened };
    if (!isLast && this.#measurements < MANY_VALUES) return;
    for (const endBucket of endBuckets) {
      const isNew = !this.#endBuckets.has(endBucket.metric);
      if (!isNew || !isTelling(endBucket, this.#measurements)) continue;
      this.#endBuckets.add(endBucket.metric);
      yield { type: "end-bucket", endBucket };
    }
  }

  /** What is still pending gets its last try when a signal ends the run. */
  async *end(): AsyncGenerator<RunEvent> {
    if (this.#deps.stop.aborted) yield* this.#lastTry();
    yield* this.#report();
  }

  /** Names what is not delivered, and whether the store has it. */
  async *undelivered(): AsyncGenerator<RunEvent> {
    this.#hasEnded = true;
    // Aborting takes a millisecond, and without a signal nothing waits for it.
    if (this.#stoppedAt !== undefined) this.#ended.abort();
    const { delivery, kill } = this.#deps;
    let lost = 0;
    for await (const event of delivery.end("the program ended before the receiver took them")) {
      if (event.type === "dropped") lost += event.pending.request.measurements;
      else yield* pass(event);
      if (isLoss(event)) this.#isIncomplete = true;
    }
    if (delivery.pending.length > 0) this.#isIncomplete = true;
    const why = kill.aborted ? { reason: SECOND_SIGNAL, trouble: undefined } : {
      reason: this.#lastFailure?.message ?? "the program ended before they were sent",
      trouble: this.#lastFailure?.trouble,
    };
    yield* undelivered(lost, delivery.ledger.pending, why);
  }

  summary(): Summary {
    const { delivery: { ledger }, source } = this.#deps;
    const { invalid, skipped = 0, broken, matchesNothing = false } = source;
    const failed = this.#isIncomplete || broken !== undefined || matchesNothing ||
      ledger.rejected + ledger.dropped + ledger.pending + invalid > 0;
    return {
      ...ledger,
      invalid,
      skipped,
      rejectedPoints: this.#rejectedPoints,
      sends: this.#sends,
      ...this.#figures.figures,
      exitCode: failed ? 1 : this.#rejectedPoints > 0 ? 3 : 0,
    };
  }

  /**
   * The last events where nothing can be waited for; `unsent`: measurements that are not in a request yet. What the store
   * has is what it was given.
   */
  forcedEnd(unsent: number, why: string): readonly RunEvent[] {
    const { delivery } = this.#deps;
    const kept = delivery.pending.filter(({ stored }) => stored !== undefined)
      .reduce((sum, { request }) => sum + request.measurements, 0);
    const { recorded, dropped, pending, ...rest } = this.summary();
    const lost = pending - kept + unsent;
    return [
      ...undelivered(lost, kept, { reason: why, trouble: this.#lastFailure?.trouble }),
      {
        ...rest,
        type: "summary",
        recorded: recorded + unsent,
        dropped: dropped + lost,
        pending: kept,
        exitCode: 1,
      },
    ];
  }

  #window(until: number): Window {
    const { keep: { retryForMs }, stop } = this.#deps;
    return { send: this.#turns, retryForMs, until, stop, abort: this.#abort, last: false };
  }

  /** One bounded try after a signal, within the timeout of a request from the signal on; none follows that failed. */
  async *#lastTry(): AsyncGenerator<RunEvent> {
    const { delivery, clock, timeoutMs, stop, kill } = this.#deps;
    yield { type: "stopping" };
    const until = (this.#stoppedAt ?? clock.monotonic()) + Math.min(timeoutMs, LAST_TRY_MS);
    const left = until - clock.monotonic();
    if (left <= 0 || delivery.pending.length === 0 || kill.aborted) return;
    const timeUp = new AbortController();
    const done = new AbortController();
    clock.sleep(left, AbortSignal.any([kill, done.signal])).then(() => timeUp.abort());
    const abort = AbortSignal.any([this.#abort, timeUp.signal]);
    this.#turn();
    yield* this.#flush({ send: this.#turns, retryForMs: left, until, stop, abort, last: true });
    done.abort();
  }

  /** What belongs to a send that is open is reported with it, anything else is late. */
  async *#flush(window: Window): AsyncGenerator<RunEvent> {
    for await (const event of this.#deps.delivery.flush(window)) {
      const own = this.#open.some(({ totals }) => totals.apply(event));
      this.#figures.event(event);
      if (event.type === "held" || event.type === "denied") this.#lastFailure = event.result;
      if (event.type === "held") this.#isHeld = true;
      if (isLoss(event)) this.#isIncomplete = true;
      yield* pass(event);
      if (event.type === "settled" && !own) yield* this.#late(event.pending, event.result);
    }
  }

  *#report(): Generator<RunEvent> {
    const { clock, delivery } = this.#deps;
    const reported = this.#open;
    this.#open = [];
    for (const { totals, time, began } of reported) {
      const report = totals.report(this.#lastFailure);
      this.#rejectedPoints += report.rejectedPoints;
      yield {
        type: "send",
        ...report,
        time,
        durationMs: clock.monotonic() - began,
        pending: delivery.ledger.pending,
      };
    }
  }

  *#late(pending: Pending, result: Result): Generator<RunEvent> {
    this.#rejectedPoints += result.rejectedPoints;
    const { measurements, points } = pending.request;
    yield {
      type: "late",
      time: this.#deps.clock.wall(),
      iteration: pending.iteration,
      measurements,
      points,
      attempts: pending.attempts,
      possiblyDuplicated: pending.possiblyDuplicated,
      result,
    };
  }
}

function isLoss(event: DeliveryEvent): boolean {
  return event.type === "dropped" ||
    (event.type === "settled" && event.result.outcome === "rejected");
}

function* pass(event: DeliveryEvent): Generator<RunEvent> {
  if (event.type !== "settled" && event.type !== "held" && event.type !== "denied") yield event;
}

const SECOND_SIGNAL = "ended by a second signal";

function* undelivered(
  lost: number,
  kept: number,
  why: Pick<Extract<RunEvent, { type: "undelivered" }>, "reason" | "trouble">,
): Generator<RunEvent> {
  if (lost > 0) yield { type: "undelivered", measurements: lost, spooled: false, ...why };
  if (kept > 0) yield { type: "undelivered", measurements: kept, spooled: true, ...why };
}
