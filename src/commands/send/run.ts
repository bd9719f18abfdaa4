import { backoffMs } from "../../delivery/backoff.ts";
import type { Records, Source } from "../../source/source.ts";
import type { RequestProducer } from "../../otlp/producer.ts";
import { RequestFigures } from "./request_figures.ts";
import { SendBatch } from "./batch.ts";
import { NO_PULSE, type Pulse } from "./pulse.ts";
import type { RunEvent } from "./run_event.ts";
import { Schedule } from "./schedule.ts";
import type { ScheduleConfig } from "../../settings/schedule_config.ts";
import { Sending, type SendingDependencies } from "./sending.ts";
import { Shutdown, type ShutdownOptions } from "./shutdown.ts";

/** Everything that a run is made of; the settings are those of the command. */
export interface RunDependencies
  extends
    Omit<SendingDependencies, "batch" | "figures" | "shutdown" | "cutShort">,
    ShutdownOptions {
  readonly source: Source;
  readonly records: Records;
  readonly requests: RequestProducer;
  readonly random: () => number;
  readonly schedule: ScheduleConfig;
  /** How long the first send waits, in ms. */
  readonly startDelayMs?: number;
  /** Counts requests; by default for the summary alone. */
  readonly figures?: RequestFigures;
  readonly pulse?: Pulse;
  /** Takes what gives the last events where the process has to be ended by force; undefined after the summary. */
  readonly forced?: (lastEvents: ((why: string) => readonly RunEvent[]) | undefined) => void;
}

/** Measures, sends and reports, tick by tick; the last event is the summary. */
export function run(dependencies: RunDependencies): AsyncGenerator<RunEvent> {
  return new Run(dependencies).events();
}

/** One run of `send`, from the first measurement to the summary. */
class Run {
  readonly #deps: RunDependencies;
  readonly #pulse: Pulse;
  readonly #figures: RequestFigures;
  readonly #batch: SendBatch;
  readonly #sending: Sending;
  /** Intervals that have ended, whether or not there was something to send in them. */
  #intervals = 0;
  /** Sends in a row that were given up. */
  #failures = 0;
  /** The schedule of a loop is over: a signal that comes now cuts nothing short. */
  #isOver = false;

  constructor(dependencies: RunDependencies) {
    this.#deps = dependencies;
    const { clock, pulse = NO_PULSE, figures = new RequestFigures(clock) } = dependencies;
    this.#pulse = pulse;
    this.#figures = figures;
    this.#batch = new SendBatch({ ...dependencies, pulse });
    const shutdown = new Shutdown(dependencies);
    this.#sending = new Sending({
      ...dependencies,
      batch: this.#batch,
      figures,
      shutdown,
      cutShort: () => this.#cutShort(),
    });
  }

  async *events(): AsyncGenerator<RunEvent> {
    const { source, clock, stop, startDelayMs = 0, forced = () => {} } = this.#deps;
    forced((why) => this.#sending.forcedEnd(why));
    if (startDelayMs > 0 && !stop.aborted) {
      yield { type: "delayed", inMs: startDelayMs };
      await this.#sleep(startDelayMs);
    }
    this.#figures.start();
    const start = clock.monotonic();
    if (source.kind === "paced") source.begin(start, start + this.#deps.schedule.durationMs);
    const schedule = new Schedule(this.#deps.schedule, source.kind, start);
    let isOver = stop.aborted;
    while (!isOver) isOver = !(yield* this.#tick(schedule)) || stop.aborted;
    yield* this.#drain(schedule);
    yield* this.#sending.end();
    const { broken } = source.status;
    const progress = this.#cutShort();
    if (broken !== undefined) yield { type: "broken", reason: broken };
    else if (progress !== undefined) yield { type: "cut-short", progress };
    yield* this.#sending.undelivered();
    forced(undefined);
    yield { type: "summary", ...this.#sending.summary() };
  }

  /** One turn of the loop; returns whether another one follows. */
  async *#tick(schedule: Schedule): AsyncGenerator<RunEvent, boolean> {
    const { source, clock, stop } = this.#deps;
    const sending = this.#sending;
    const batch = this.#batch;
    this.#pulse.turned();
    if (schedule.isWaiting) {
      await this.#sleep(schedule.due - clock.monotonic());
      if (stop.aborted) return false;
    }
    const time = clock.wall();
    const { ended } = await batch.fill(schedule.fillUntil);
    this.#intervals++;
    const now = clock.monotonic();
    const isAtEnd = schedule.isLast(now, this.#intervals);
    this.#isOver = isAtEnd && this.#deps.schedule.loop && !stop.aborted;
    const isLast = ended || stop.aborted || isAtEnd;
    const due = schedule.takeDue(now, sending.sends);
    if (isLast) batch.endAfterThis();
    const until = isLast || schedule.isImmediate ? Infinity : schedule.nextDue(now);
    if (batch.isDue && (isLast || sending.hasRoom)) {
      sending.isDue(due);
      yield* sending.begin(source.kind === "pull" ? time : clock.wall(), isLast);
      yield* sending.deliver(until);
    } else {
      // Nothing new came, or it stays in the recorder until there is room.
      yield* sending.pendingOnly(until);
    }
    return !isLast && (yield* this.#advance(schedule));
  }

  /** Goes on to the next tick; returns whether there is one. */
  async *#advance(schedule: Schedule): AsyncGenerator<RunEvent, boolean> {
    const { source, clock, stop, random } = this.#deps;
    if (source.kind === "live") source.hold(!this.#sending.hasRoom);
    const { missed, isOver } = schedule.advance(clock.monotonic());
    if (missed > 0 && !stop.aborted) yield { type: "missed", sends: missed };
    if (isOver) {
      this.#isOver = !stop.aborted;
      return false;
    }
    this.#failures = this.#sending.isHeld ? this.#failures + 1 : 0;
    if (schedule.isImmediate && this.#failures > 0) {
      const backoff = backoffMs(this.#failures, random);
      await this.#sleep(Math.min(backoff, schedule.leftMs(clock.monotonic())));
    }
    return true;
  }

  /** Keeps the measurements that came during the last send, before anything is tried for the last time. */
  async *#drain(schedule: Schedule): AsyncGenerator<RunEvent> {
    const { clock } = this.#deps;
    const sending = this.#sending;
    await this.#batch.drain(clock.monotonic());
    if (!this.#batch.isDue) return;
    sending.isDue(schedule.takeDueUntil(clock.monotonic(), sending.sends));
    yield* sending.begin(clock.wall(), true);
    yield* sending.deliver(Infinity);
  }

  #cutShort(): string | undefined {
    const { source, stop, schedule: { loop } } = this.#deps;
    if (!stop.aborted || this.#isOver) return undefined;
    const hasBegun = loop || this.#intervals > 0;
    return source.status.unfinished ?? (hasBegun ? undefined : "nothing was recorded");
  }

  async #sleep(ms: number): Promise<void> {
    const { clock, stop } = this.#deps;
    await this.#pulse.waiting(clock.sleep(ms, stop));
  }
}
