import type { DeliveryEvent, Window } from "../../../delivery/delivering.ts";
import type { Result } from "../../../delivery/result.ts";
import type { EncodedRequest } from "../../../otlp/request.ts";
import { steady } from "../../../source/generate/pace.ts";
import type { PointLoad } from "../../../source/generate/point_lanes.ts";
import { carriedAtStart, PointSchedule } from "../../../source/generate/point_schedule.ts";
import { seriesIn } from "../../../source/generate/share.ts";
import { FindingFilter } from "../../findings.ts";
import { NO_PULSE } from "../pulse.ts";
import { RequestFigures } from "../request_figures.ts";
import type { RunDependencies } from "../run.ts";
import type { RunEvent, Summary } from "../run_event.ts";
import { endDelivery, forcedEvents, isLoss, reportable } from "../sending.ts";
import { Shutdown } from "../shutdown.ts";
import { capacityOf } from "./capacity.ts";
import { CapacitySearch, type SearchPhase } from "./capacity_search.ts";
import { DueTimes } from "./due_times.ts";
import type { Lane, Stretch } from "./lane.ts";
import { OpenSeconds } from "./open_seconds.ts";
import { givenUpText, troubleOf, unsentText, unsentTrouble } from "./troubles.ts";

// Only --point-rate needs it: import this module dynamically.

/** Sends data points at a rate and reports; the last event is the summary. */
export function pointRun(load: PointLoad, dependencies: RunDependencies): AsyncGenerator<RunEvent> {
  return new PointRun(load, dependencies).events();
}

/** Requests that are sent within this time, in ms, belong to the second in which they were due. */
const PROMPT_MS = 1000;
/** A request that could not be sent for so long after it was due, in ms, is trouble of its own. Pauses are shorter. */
const UNSENT_MS = 3000;

/** One run of `send` with `--point-rate`: an open loop in which the time alone decides when a request is due. */
class PointRun {
  readonly #load: PointLoad;
  readonly #deps: RunDependencies;
  readonly #figures: RequestFigures;
  readonly #shutdown: Shutdown;
  readonly #lanes: readonly Lane[];
  /** Part of all data points that this process sends. */
  readonly #ownPart: number;
  readonly #search: CapacitySearch | undefined;
  readonly #findings = new FindingFilter();
  readonly #dueTimes: DueTimes;
  readonly #dues = new WeakMap<EncodedRequest, number>();
  #seconds: OpenSeconds;
  #events: RunEvent[] = [];
  #news = Promise.withResolvers<void>();
  #measurements = 0;
  /** Points of all processes that were due in earlier stretches. */
  #dueBefore = 0;
  #isFirst = true;
  #isBehind = false;
  /** Data points that were due but are given up. */
  #unsent = 0;
  #isIncomplete = false;
  #lastFailure: Result | undefined;

  constructor(load: PointLoad, dependencies: RunDependencies) {
    const { clock, figures = new RequestFigures(clock), delivery, schedule } = dependencies;
    const { series, lanes, pointsPerRequest } = load;
    this.#load = load;
    this.#deps = dependencies;
    this.#figures = figures;
    this.#shutdown = new Shutdown(dependencies);
    this.#dueTimes = new DueTimes(clock);
    this.#seconds = new OpenSeconds(clock.monotonic());
    this.#lanes = lanes.map((lane, at) => ({
      ...lane,
      delivery: delivery.lanes[at] ?? delivery,
      nextDue: Infinity,
      isConnected: false,
      carried: load.isRising ? carriedAtStart(lane.share, pointsPerRequest) : undefined,
      stretch: undefined,
    }));
    const own = lanes.reduce((sum, { share }) => sum + seriesIn(share, series), 0);
    this.#ownPart = own / series;
    if (!load.isRising) return;
    this.#search = new CapacitySearch({
      from: load.from,
      to: load.to,
      seconds: schedule.durationMs / 1000,
      sloMs: load.sloMs ?? Infinity,
      ownPart: this.#ownPart,
      pointsPerRequest,
      isShared: own < series,
    });
  }

  async *events(): AsyncGenerator<RunEvent> {
    const { clock, forced = () => {} } = this.#deps;
    forced((why) => this.#forcedEnd(why));
    this.#figures.start();
    this.#seconds = new OpenSeconds(clock.monotonic());
    const ended = new AbortController();
    let thrown: { readonly error: unknown } | undefined;
    this.#tickSeconds(ended.signal);
    this.#sendAll().catch((error) => thrown = { error }).finally(() => {
      ended.abort();
      this.#news.resolve();
    });
    for (;;) {
      yield* this.#taken();
      if (ended.signal.aborted) break;
      await this.#news.promise;
      this.#news = Promise.withResolvers();
    }
    if (thrown !== undefined) throw thrown.error;
    yield* this.#end();
    forced(undefined);
    yield { type: "summary", ...this.#summary() };
  }

  *#taken(): Generator<RunEvent> {
    for (let event = this.#events.shift(); event !== undefined; event = this.#events.shift()) {
      yield event;
    }
  }

  #tell(event: RunEvent): void {
    this.#events.push(event);
    this.#news.resolve();
  }

  async #sendAll(): Promise<void> {
    const { schedule: { durationMs, iterations }, stop } = this.#deps;
    const search = this.#search;
    if (search !== undefined) {
      let phase: SearchPhase | undefined = search.phase;
      while (phase !== undefined && !stop.aborted) {
        const seconds = await this.#sendStretch(phase, search);
        if (!stop.aborted) phase = search.next(seconds);
      }
      return;
    }
    const seconds = Math.min(durationMs, iterations * 1000) / 1000;
    await this.#sendStretch({ pace: steady(this.#load.to), seconds }, undefined);
    if (this.#unsent > 0) {
      this.#isIncomplete = true;
      const message = givenUpText(this.#unsent, this.#load.to, this.#deps.keep.retryForMs);
      this.#tell({ type: "warning", message });
    }
    for (const lane of this.#lanes) {
      lane.stretch = undefined;
      if (lane.delivery.pending.length > 0 && !stop.aborted) await this.#flush(lane);
    }
  }

  /** Sends what is due in a phase; resolves to the seconds until all was answered. */
  async #sendStretch(phase: Stretch["phase"], search: CapacitySearch | undefined): Promise<number> {
    const { clock, stop } = this.#deps;
    const cut = new AbortController();
    const start = clock.monotonic();
    const stretch: Stretch = {
      phase,
      search,
      start,
      cut,
      cutAfter: undefined,
      making: 0,
      waiting: 0,
    };
    const over = AbortSignal.any([stop, cut.signal]);
    await Promise.all(this.#lanes.map((lane) => this.#sendLane(lane, stretch, over)));
    this.#dueBefore += phase.pace.due(stretch.cutAfter ?? phase.seconds);
    return (clock.monotonic() - start) / 1000;
  }

  async #sendLane(lane: Lane, stretch: Stretch, over: AbortSignal): Promise<void> {
    const { clock } = this.#deps;
    const { phase, search, start, cut } = stretch;
    lane.stretch = stretch;
    const { carried } = lane;
    const before = this.#dueBefore;
    const { share } = lane;
    const schedule = new PointSchedule({ ...this.#load, ...phase, share, carried, before });
    for (let next = schedule.next(); next !== undefined; next = schedule.next()) {
      const due = lane.nextDue = start + next.dueSeconds * 1000;
      await this.#dueTimes.wait(due, over);
      const now = clock.monotonic();
      if (over.aborted) break;
      if (search === undefined && now - start > phase.seconds * 1000 + this.#deps.keep.retryForMs) {
        this.#unsent += next.points + schedule.left;
        break;
      }
      if (search?.isTooLate(now - start, now - due)) {
        search.left(next.points);
        continue;
      }
      if (now - due > this.#mostUnsentMs) this.#fallBehind(stretch, next.dueSeconds, now - due);
      if (!cut.signal.aborted) await this.#send(lane, next.points, due);
    }
    lane.nextDue = Infinity;
    if (search === undefined) return;
    await clock.sleep(start + phase.seconds * 1000 - clock.monotonic(), over);
    lane.carried = schedule.carriedAt(stretch.cutAfter ?? phase.seconds);
  }

  #cutIfBroken(stretch: Stretch): void {
    const { search, cut, start } = stretch;
    if (!search?.isBroken || cut.signal.aborted) return;
    stretch.cutAfter = (this.#deps.clock.monotonic() - start) / 1000;
    cut.abort();
  }

  get #mostUnsentMs(): number {
    return Math.max(UNSENT_MS, this.#load.sloMs ?? 0);
  }

  /** Reports that requests cannot be sent when they are due. */
  #fallBehind(stretch: Stretch, dueSeconds: number, lateMs: number): void {
    const { search, making, waiting } = stretch;
    const isOwnFault = making > waiting;
    if (search !== undefined) {
      search.unsent(dueSeconds, unsentTrouble(isOwnFault, this.#lanes.length));
      this.#cutIfBroken(stretch);
      return;
    }
    if (this.#isBehind) return;
    this.#isBehind = true;
    this.#tell({ type: "warning", message: unsentText(isOwnFault, this.#load.to, lateMs) });
  }

  /** Makes a request of the lane's next series, and sends it. */
  async #send(lane: Lane, points: number, due: number): Promise<void> {
    const { clock, format, review } = this.#deps;
    const { delivery, requests } = lane;
    const began = clock.monotonic();
    const wall = clock.wall();
    const at = began - due < PROMPT_MS ? due : began;
    const second = this.#seconds.enter(at, began, wall);
    try {
      lane.fill(points);
      const produced = await requests.produce(format());
      const isFirst = this.#isFirst;
      this.#isFirst = false;
      for (const request of produced.requests) this.#dues.set(request, due);
      second.totals.add(produced.requests);
      this.#measurements += points;
      for (
        const finding of this.#findings.worthReporting(
          produced.findings,
          this.#measurements,
          false,
        )
      ) this.#tell(finding);
      await review(produced, isFirst);
      for await (const event of delivery.add(produced.requests, second.iteration, wall)) {
        this.#apply(event, lane);
      }
      if (lane.stretch !== undefined) lane.stretch.making += clock.monotonic() - began;
      await this.#flush(lane, { send: second.iteration, until: second.endsAt });
    } finally {
      second.underWay--;
      this.#reportSeconds();
    }
  }

  async #flush(lane: Lane, window: Partial<Window> = {}): Promise<void> {
    const { stop, abort } = this.#shutdown;
    const events = lane.delivery.flush({
      send: Infinity,
      retryForMs: this.#deps.keep.retryForMs,
      until: Infinity,
      stop,
      abort,
      last: false,
      ...window,
    });
    for await (const event of events) this.#apply(event, lane);
  }

  #apply(event: DeliveryEvent, lane: Lane): void {
    const { clock } = this.#deps;
    const now = clock.monotonic();
    const isOpen = this.#seconds.apply(event, now);
    if (event.type === "attempt") this.#attempted(event, now, lane);
    if (event.type === "held" || event.type === "denied") this.#lastFailure = event.result;
    if (isLoss(event)) this.#isIncomplete = true;
    if (event.type === "settled" && !isOpen) this.#tellLate(event);
    // A search drops what was not accepted, which its result and each second's report say.
    if (event.type === "dropped" && this.#search !== undefined) return;
    for (const reported of reportable(event)) this.#tell(reported);
  }

  #attempted(event: Extract<DeliveryEvent, { type: "attempt" }>, now: number, lane: Lane): void {
    const { pending: { request, bornAt }, result, durationMs } = event;
    const due = this.#dues.get(request) ?? bornAt;
    const latencyMs = Math.max(durationMs, now - due);
    this.#figures.event({ ...event, durationMs: latencyMs });
    const { stretch, isConnected } = lane;
    lane.isConnected ||= result.status !== null;
    if (stretch === undefined) return;
    stretch.waiting += durationMs;
    const { search, start } = stretch;
    if (search === undefined || this.#shutdown.isStopping) return;
    const isAccepted = result.outcome === "accepted" || result.outcome === "partial";
    search.answered({
      dueSeconds: (due - start) / 1000,
      latencyMs,
      points: request.points,
      acceptedPoints: isAccepted ? request.points - result.rejectedPoints : 0,
      opensConnection: !isConnected,
      trouble: troubleOf(result),
    });
    this.#cutIfBroken(stretch);
  }

  #tellLate({ pending, result }: Extract<DeliveryEvent, { type: "settled" }>): void {
    this.#seconds.addRejected(result.rejectedPoints);
    const { request: { measurements, points }, iteration, attempts, possiblyDuplicated } = pending;
    const time = this.#deps.clock.wall();
    this.#tell({
      type: "late",
      time,
      iteration,
      measurements,
      points,
      attempts,
      possiblyDuplicated,
      result,
    });
  }

  /** Reports a second when it is over, however little happens. */
  async #tickSeconds(ended: AbortSignal): Promise<void> {
    const { clock, pulse = NO_PULSE } = this.#deps;
    while (!ended.aborted) {
      const now = clock.monotonic();
      await clock.sleep(this.#seconds.endOf(now + 1) - now, ended);
      pulse.turned();
      if (!ended.aborted) this.#reportSeconds();
    }
  }

  #reportSeconds(until = this.#closedUntil): void {
    const { clock, delivery } = this.#deps;
    const end = {
      lastFailure: this.#lastFailure,
      pending: delivery.ledger.pending,
      reportedAt: clock.wall(),
    };
    for (const event of this.#seconds.report(until, end)) this.#tell(event);
  }

  /** Time before which no more requests are due. A lane that is far behind is not waited for. */
  get #closedUntil(): number {
    const now = this.#deps.clock.monotonic();
    const due = this.#lanes.map(({ nextDue }) => nextDue).filter((due) => due <= now);
    return Math.min(now, ...due.map((due) => Math.max(due - 1e-3, now - PROMPT_MS)));
  }

  async *#end(): AsyncGenerator<RunEvent> {
    const { delivery } = this.#deps;
    const shutdown = this.#shutdown;
    if (shutdown.isStopping) {
      yield { type: "stopping" };
      using lastTry = delivery.pending.length > 0 ? shutdown.lastTry() : undefined;
      if (lastTry !== undefined) {
        const { until, leftMs, abort } = lastTry;
        const window = { until, retryForMs: leftMs, abort, last: true };
        for (const lane of this.#lanes) await this.#flush(lane, window);
      }
    }
    this.#reportSeconds(Infinity);
    yield* this.#taken();
    const isWhole = yield* endDelivery(delivery, shutdown, this.#lastFailure);
    if (!isWhole) this.#isIncomplete = true;
  }

  #summary(): Summary {
    const { ledger } = this.#deps.delivery;
    const { rejectedPoints, reported } = this.#seconds;
    const search = this.#search;
    const isIncomplete = this.#isIncomplete ||
      ledger.rejected + ledger.dropped + ledger.pending > 0;
    const exitCode = isIncomplete ? 1 : rejectedPoints > 0 ? 3 : 0;
    return {
      ...ledger,
      invalid: 0,
      skipped: 0,
      rejectedPoints,
      sends: reported,
      ...this.#figures.figures,
      ...search === undefined ? { exitCode } : {
        exitCode: search.held === undefined ? 1 : 0,
        capacity: capacityOf(search, this.#ownPart),
      },
    };
  }

  #forcedEnd(reason: string): readonly RunEvent[] {
    const trouble = this.#lastFailure?.trouble;
    return forcedEvents(this.#summary(), this.#deps.delivery, 0, { reason, trouble });
  }
}
