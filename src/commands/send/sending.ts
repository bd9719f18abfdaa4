import type { SendBatch } from "./batch.ts";
import type { Clock } from "../../platform/clock.ts";
import type { Delivering, DeliveryEvent, Pending, Window } from "../../delivery/delivering.ts";
import { FindingFilter } from "../findings.ts";
import type { KeepConfig } from "../../delivery/keep_config.ts";
import type { Produced } from "../../otlp/producer.ts";
import type { RequestFigures } from "./request_figures.ts";
import type { RequestFormat } from "../../otlp/request.ts";
import type { Result } from "../../delivery/result.ts";
import type { RunEvent, Summary } from "./run_event.ts";
import type { Due } from "./schedule.ts";
import { SendTotals } from "./send_report.ts";
import type { Shutdown } from "./shutdown.ts";
import type { Source } from "../../source/source.ts";

/** Parts of a run that its sends need: delivery, batch, figures and clock. */
export interface SendingDependencies {
  readonly source: Source;
  readonly batch: SendBatch;
  readonly delivery: Delivering;
  readonly clock: Clock;
  readonly figures: RequestFigures;
  readonly keep: KeepConfig;
  /** How requests are encoded for now. */
  readonly format: () => RequestFormat;
  /** Checks the requests before they are sent; an error before the first send, `isFirst`, ends the run. */
  readonly review: (produced: Produced, isFirst: boolean) => Promise<void>;
  readonly shutdown: Shutdown;
  /** How far the source came when a signal cut it short; undefined when nothing is missing. */
  readonly cutShort: () => string | undefined;
  /** Name of a scenario's current phase. */
  readonly phase?: (() => string | undefined) | undefined;
}

/** A send that has begun and is not reported yet. */
interface OpenSend {
  readonly totals: SendTotals;
  /** When it was recorded, ms since 1970. */
  readonly time: number;
  /** On the monotonic clock. */
  readonly began: number;
  readonly iteration: number;
  /** Phase of its latest measurements, if their scenario has phases. */
  readonly phase: string | undefined;
  /** Whether nothing is recorded after this send. */
  readonly isLast: boolean;
}

/** Runs the delivery, and assigns its events to the send that is open, or reports them as late. */
export class Sending {
  readonly #deps: SendingDependencies;
  /** Open sends, oldest first. More than one only at the end, when a signal came while one was under way. */
  #open: readonly OpenSend[] = [];
  readonly #findings = new FindingFilter();
  #sends = 0;
  #rejectedPoints = 0;
  /** Size of the largest send so far: the next one may be as large. */
  #mostBytes = 0;
  /** A request was not delivered: one of empty histograms has no measurement that the ledger could miss. */
  #isIncomplete = false;
  /** Last failure of a request of this send. */
  #lastFailure: Result | undefined;
  /** Whether nothing more is tried in this send. */
  #isHeld = false;
  /** Number of sends, and of turns without one: the delivery numbers its windows by it. */
  #turns = 0;
  /** Measurements that were taken from the batch so far. */
  #measurements = 0;

  constructor(dependencies: SendingDependencies) {
    this.#deps = dependencies;
  }

  get sends(): number {
    return this.#sends;
  }

  /** Notes when the next send was due. */
  isDue(due: Due | undefined): void {
    const { figures, delivery } = this.#deps;
    if (due !== undefined) figures.due(this.#sends + 1, due, delivery.pending);
  }

  /** Whether another send may be kept: a live source waits rather than have something thrown away. */
  get hasRoom(): boolean {
    const { source, delivery, keep } = this.#deps;
    const { pendingBytes } = delivery;
    // A single request has room, however large it is.
    return source.kind !== "live" || pendingBytes === 0 ||
      pendingBytes + this.#mostBytes <= keep.maxPendingBytes;
  }

  /** Whether the last send was given up before all was tried. */
  get isHeld(): boolean {
    return this.#isHeld;
  }

  /** Sends the requests that are pending from earlier iterations or an earlier process. */
  async *pendingOnly(until: number): AsyncGenerator<RunEvent> {
    const { delivery, shutdown } = this.#deps;
    this.#turn();
    if (delivery.pending.length > 0 && !shutdown.isStopping) yield* this.#flush(until);
  }

  /** Takes the batch and stores it, to be sent after all pending requests. `time`: ms since 1970. */
  async *begin(time: number, isLast: boolean): AsyncGenerator<RunEvent> {
    const iteration = ++this.#sends;
    const began = this.#deps.clock.monotonic();
    yield { type: "recording", iteration, time };
    this.#turn();
    this.#lastFailure = undefined;
    const phase = this.#deps.phase?.();
    const open = { totals: new SendTotals(iteration), iteration, phase, time, began, isLast };
    this.#open = [...this.#open, open];
    yield* this.#takePart(open, true);
    yield { type: "recorded" };
  }

  /** Sends it, in however many parts it comes, and reports it once; after a signal at the end alone. */
  async *deliver(until: number): AsyncGenerator<RunEvent> {
    const { batch, shutdown } = this.#deps;
    const open = this.#open.at(-1);
    let parts = 1;
    for (;;) {
      // A receiver that did not take one part within its time is asked again when all parts are there.
      if (!this.#isHeld) yield* this.#flush(until);
      if (open === undefined || !await batch.fillNextPart()) break;
      parts++;
      yield* this.#takePart(open, false);
    }
    if (parts > 1 && this.#isHeld && !shutdown.isStopping) yield* this.#flush(until);
    if (!shutdown.isStopping) yield* this.#report();
  }

  /** Tries pending requests for the last time when a signal ends the run. */
  async *end(): AsyncGenerator<RunEvent> {
    if (this.#deps.shutdown.isStopping) yield* this.#lastTry();
    yield* this.#report();
  }

  /** Names undelivered requests, and whether the store has them. */
  async *undelivered(): AsyncGenerator<RunEvent> {
    const { delivery, shutdown } = this.#deps;
    const isWhole = yield* endDelivery(delivery, shutdown, this.#lastFailure);
    if (!isWhole) this.#isIncomplete = true;
  }

  summary(): Summary {
    const { delivery: { ledger }, source, figures, cutShort } = this.#deps;
    const { invalid, skipped, broken, matchesNothing = false } = source.status;
    const failed = this.#isIncomplete || broken !== undefined || matchesNothing ||
      cutShort() !== undefined ||
      ledger.rejected + ledger.dropped + ledger.pending + invalid > 0;
    return {
      ...ledger,
      invalid,
      skipped,
      rejectedPoints: this.#rejectedPoints,
      sends: this.#sends,
      ...figures.figures,
      exitCode: failed ? 1 : this.#rejectedPoints > 0 ? 3 : 0,
    };
  }

  /** The last events where nothing can be waited for. The store keeps only the requests that it was given. */
  forcedEnd(why: string): readonly RunEvent[] {
    const { delivery, batch: { unstored }, cutShort } = this.#deps;
    const progress = cutShort();
    return [
      ...progress === undefined ? [] : [{ type: "cut-short", progress } as const],
      ...forcedEvents(this.summary(), delivery, unstored, {
        reason: why,
        trouble: this.#lastFailure?.trouble,
      }),
    ];
  }

  /** Begins a turn: requests that were not delivered before are tried again. */
  #turn(): void {
    this.#turns++;
    this.#isHeld = false;
  }

  async *#takePart(
    { totals, iteration, time, isLast }: OpenSend,
    isFirst: boolean,
  ): AsyncGenerator<RunEvent> {
    const { batch, delivery, format, review } = this.#deps;
    const produced = await batch.produce(format());
    const { requests, findings, checkpoint } = produced;
    totals.add(requests);
    this.#measurements += requests.reduce((sum, { measurements }) => sum + measurements, 0);
    yield* this.#findings.worthReporting(findings, this.#measurements, isLast);
    await review(produced, isFirst && iteration === 1);
    const bytes = requests.reduce((sum, { body }) => sum + body.length, 0);
    this.#mostBytes = Math.max(this.#mostBytes, bytes);
    for await (const event of delivery.add(requests, iteration, time, checkpoint)) {
      yield* reportable(event);
    }
    batch.markStored();
  }

  /** One bounded try after a signal; none follows that failed. */
  async *#lastTry(): AsyncGenerator<RunEvent> {
    const { delivery, shutdown } = this.#deps;
    yield { type: "stopping" };
    if (delivery.pending.length === 0) return;
    using lastTry = shutdown.lastTry();
    if (lastTry === undefined) return;
    const { until, leftMs, abort } = lastTry;
    this.#turn();
    yield* this.#flush(until, { retryForMs: leftMs, abort, last: true });
  }

  /** Sends what is pending: what belongs to a send that is open is reported with it, anything else is late. */
  async *#flush(until: number, window: Partial<Window> = {}): AsyncGenerator<RunEvent> {
    const { delivery, figures, keep: { retryForMs }, shutdown } = this.#deps;
    const { abort, stop } = shutdown;
    const events = delivery.flush({
      send: this.#turns,
      retryForMs,
      until,
      stop,
      abort,
      last: false,
      ...window,
    });
    for await (const event of events) {
      const isOpen = this.#open.some(({ totals }) => totals.apply(event));
      figures.event(event);
      if (event.type === "held" || event.type === "denied") this.#lastFailure = event.result;
      if (event.type === "held") this.#isHeld = true;
      if (isLoss(event)) this.#isIncomplete = true;
      yield* reportable(event);
      if (event.type === "settled" && !isOpen) yield this.#late(event.pending, event.result);
    }
  }

  *#report(): Generator<RunEvent> {
    const { clock, delivery, cutShort } = this.#deps;
    const open = this.#open;
    this.#open = [];
    for (const { totals, phase, time, began } of open) {
      const report = totals.report(this.#lastFailure);
      this.#rejectedPoints += report.rejectedPoints;
      yield {
        type: "send",
        ...report,
        ...phase !== undefined && { phase },
        time,
        durationMs: clock.monotonic() - began,
        pending: delivery.ledger.pending,
        reportedAt: clock.wall(),
        isCutShort: cutShort() !== undefined,
      };
    }
  }

  #late(pending: Pending, result: Result): RunEvent {
    this.#rejectedPoints += result.rejectedPoints;
    const { measurements, points } = pending.request;
    return {
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

/** Whether a request was lost for good. */
export function isLoss(event: DeliveryEvent): boolean {
  return event.type === "dropped" ||
    (event.type === "settled" && event.result.outcome === "rejected");
}

/** Passes on the events of a delivery that are events of the run. */
export function* reportable(event: DeliveryEvent): Generator<RunEvent> {
  if (event.type !== "settled" && event.type !== "held" && event.type !== "denied") yield event;
}

const SECOND_SIGNAL = "ended by a second signal";

/** Why something was not delivered, for the end of a run. */
type Undelivered = Pick<Extract<RunEvent, { type: "undelivered" }>, "reason" | "trouble">;

/** Ends a delivery with the run, and names what is left; returns whether everything was delivered. */
export async function* endDelivery(
  delivery: Delivering,
  shutdown: Shutdown,
  lastFailure: Result | undefined,
): AsyncGenerator<RunEvent, boolean> {
  shutdown.end();
  let lost = 0;
  let isWhole = true;
  for await (const event of delivery.end("the program ended before the receiver accepted them")) {
    if (event.type === "dropped") lost += event.pending.request.measurements;
    else yield* reportable(event);
    if (isLoss(event)) isWhole = false;
  }
  const why = shutdown.isKilled ? { reason: SECOND_SIGNAL, trouble: undefined } : {
    reason: lastFailure?.message ?? "the program ended before they were sent",
    trouble: lastFailure?.trouble,
  };
  yield* undelivered(lost, delivery.ledger.pending, why);
  return isWhole && delivery.pending.length === 0;
}

/**
 * The last events where nothing can be waited for. The store keeps only the given requests; `unstored`: measurements
 * that are recorded and were not handed to the delivery.
 */
export function forcedEvents(
  summary: Summary,
  delivery: Delivering,
  unstored: number,
  why: Undelivered,
): readonly RunEvent[] {
  const kept = delivery.pending.filter(({ stored }) => stored !== undefined)
    .reduce((sum, { request }) => sum + request.measurements, 0);
  const lost = summary.pending - kept + unstored;
  return [
    ...undelivered(lost, kept, why),
    {
      ...summary,
      type: "summary",
      recorded: summary.recorded + unstored,
      dropped: summary.dropped + lost,
      pending: kept,
      exitCode: 1,
    },
  ];
}

function* undelivered(lost: number, kept: number, why: Undelivered): Generator<RunEvent> {
  if (lost > 0) yield { type: "undelivered", measurements: lost, spooled: false, ...why };
  if (kept > 0) yield { type: "undelivered", measurements: kept, spooled: true, ...why };
}
