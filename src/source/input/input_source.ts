import type { Clock } from "../../platform/clock.ts";
import { counted } from "../../console/plural.ts";
import type { Input } from "./input.ts";
import { InputError } from "./input_error.ts";
import type { InputWords } from "./input_words.ts";
import type { Place } from "./place.ts";
import type { Batch, InputProgress } from "./sink.ts";
import type { Filled, LiveSource, RecordFamilies, Records, SourceStatus } from "../source.ts";

/** Optional parts of a source that reads an input. */
export interface InputExtras {
  /** Writer of the messages about it. */
  readonly words?: InputWords | undefined;
  /** Path of a followed file. */
  readonly path?: string | undefined;
  /** Only a signal ends it, so that a signal cuts nothing short. */
  readonly isEndless?: boolean | undefined;
}

/**
 * Source of an input's measurements. The input is read all the time, also during a send, and recorded as it comes;
 * after `hold(true)`, or when the recorder is full, reading stops until there is room.
 */
export class InputSource implements LiveSource {
  readonly kind = "live";
  readonly #input: Input;
  readonly #clock: Clock;
  readonly #recordFamilies: RecordFamilies;
  readonly #words: InputWords | undefined;
  readonly #path: string | undefined;
  readonly #isEndless: boolean;
  #started = false;
  #closed = false;
  #held = false;
  #recorded = 0;
  /** Lines up to the last one that was recorded. */
  #lines = 0;
  /** Findings up to there. */
  #findings = 0;
  #ended = false;
  #broken: string | undefined;
  #failure: { readonly error: unknown } | undefined;
  #arrived = () => {};
  #place: Place | undefined;
  #room: PromiseWithResolvers<void> | undefined;

  constructor(
    input: Input,
    clock: Clock,
    recordFamilies: RecordFamilies,
    { words, path, isEndless = false }: InputExtras = {},
  ) {
    this.#input = input;
    this.#clock = clock;
    this.#recordFamilies = recordFamilies;
    this.#words = words;
    this.#path = path;
    this.#isEndless = isEndless;
    this.#place = input.place;
  }

  get status(): SourceStatus {
    const { invalid, skipped, matchesNothing, isWhole } = this.#input.progress;
    const checkpoint = this.#path === undefined || this.#place === undefined
      ? undefined
      : { id: this.#path, value: this.#place };
    const unfinished = isWhole || this.#isEndless
      ? undefined
      : `${counted(this.#linesRead, "line of the input was", "lines of the input were")} read`;
    return { invalid, skipped, matchesNothing, broken: this.#broken, checkpoint, unfinished };
  }

  hold(waiting: boolean): void {
    this.#held = waiting;
    this.#readOn();
  }

  close(): void {
    this.#closed = true;
    this.#readOn();
  }

  async fill(
    recorder: Records,
    until: number | undefined,
    stop: AbortSignal,
  ): Promise<Filled> {
    if (!this.#started) this.#read(recorder);
    this.#started = true;
    this.#readOn();
    const enough = () =>
      this.#ended || (recorder.isFull && !this.#held) ||
      (until === undefined ? this.#recorded > 0 : this.#clock.monotonic() >= until);
    while (!enough() && !stop.aborted) {
      const wake = new AbortController();
      this.#arrived = () => enough() && wake.abort();
      const left = until === undefined ? Infinity : until - this.#clock.monotonic();
      await this.#clock.sleep(left, AbortSignal.any([stop, wake.signal]));
    }
    // A UsageError (a CSV without the column) or a fault of this program: no data that broke off.
    if (this.#failure !== undefined) throw this.#failure.error;
    this.#words?.more();
    const measurements = this.#recorded;
    this.#recorded = 0;
    return { measurements, ended: this.#ended };
  }

  #readOn(): void {
    this.#room?.resolve();
    this.#room = undefined;
  }

  /** Reads to the end, and keeps the reason when that comes early. */
  async #read(recorder: Records): Promise<void> {
    try {
      await this.#readAll(recorder);
    } catch (error) {
      if (error instanceof InputError) this.#broken = error.message;
      else this.#failure = { error };
    }
    this.#ended = true;
    this.#arrived();
  }

  async #readAll(recorder: Records): Promise<void> {
    const turn = new EventTurn(this.#clock);
    try {
      for await (const batch of this.#input) {
        if (this.#closed) return;
        this.#words?.read(this.#input);
        this.#record(batch, recorder);
        this.#arrived();
        await turn.due();
        while ((this.#held || recorder.isFull) && !this.#closed) {
          this.#room ??= Promise.withResolvers();
          await this.#room.promise;
        }
        if (this.#closed) return;
      }
    } finally {
      this.#words?.end(this.#input);
    }
  }

  /** Lines behind the last one that was recorded count when none of them is to be recorded. */
  get #linesRead(): number {
    const { progress } = this.#input;
    return findingsOf(progress) === this.#findings ? progress.lines : this.#lines;
  }

  #record({ measurements, histograms, exposed, place }: Batch, recorder: Records): void {
    const [first] = measurements;
    if (first?.time !== undefined) this.#words?.time(first.time);
    recorder.add(measurements);
    recorder.addHistograms(histograms);
    this.#recorded += histograms.reduce((sum, { count }) => sum + count, measurements.length);
    if (exposed.length > 0) this.#recorded += this.#recordFamilies(recorder, exposed);
    this.#place = place;
    this.#lines = this.#input.progress.lines;
    this.#findings = findingsOf(this.#input.progress);
  }
}

function findingsOf({ measurements, histograms }: InputProgress): number {
  return measurements + histograms;
}

/** Time in ms for which reading may keep signals, timers and answers waiting. */
const LONGEST_TURN_MS = 50;

/** A stretch of work in the event loop, which is to end from time to time: a file is read without any waiting. */
class EventTurn {
  readonly #clock: Clock;
  readonly #never = new AbortController().signal;
  #began: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#began = clock.monotonic();
  }

  /** Lets everything else have its turn when it is time. */
  async due(): Promise<void> {
    if (this.#clock.monotonic() - this.#began < LONGEST_TURN_MS) return;
    await this.#clock.sleep(1, this.#never);
    this.#began = this.#clock.monotonic();
  }
}
