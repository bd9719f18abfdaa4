import type { Checkpoint } from "../../delivery/checkpoint.ts";
import type { Interval } from "../../aggregate/interval.ts";
import type { Produced, RequestProducer } from "../../otlp/producer.ts";
import type { Filled, Records, Source } from "../../source/source.ts";
import type { Pulse } from "./pulse.ts";
import type { RequestFormat } from "../../otlp/request.ts";

/** A source, what it records into, and the requests that are made of that. */
export interface BatchParts {
  readonly source: Source;
  readonly records: Records;
  readonly requests: RequestProducer;
  readonly stop: AbortSignal;
  readonly pulse: Pulse;
}

/** Requests of a batch, with the checkpoint of exactly what is in them. */
export interface ProducedBatch extends Produced {
  readonly checkpoint: Checkpoint | undefined;
}

/** Data of the next send: filled from the source, then given away as requests, in one or several parts. */
export class SendBatch {
  readonly #parts: BatchParts;
  #unstored = 0;
  /** When it was measured, where the source knows. */
  #measuredIn: Interval | undefined;
  #until: number | undefined;
  /** There was no room for all that belongs to this send. */
  #isPart = false;
  #isLast = false;

  constructor(parts: BatchParts) {
    this.#parts = parts;
  }

  /** Measurements that are recorded and not handed to the delivery yet. */
  get unstored(): number {
    return this.#unstored;
  }

  get isDue(): boolean {
    return this.#parts.requests.isDue;
  }

  /** Fills the batch with what belongs to it until `until`, on the monotonic clock; undefined: until there is some. */
  async fill(until: number | undefined): Promise<Filled> {
    const { source, records, requests, stop, pulse } = this.#parts;
    this.#until = until;
    const filled = await pulse.waiting(source.fill(records, until, stop));
    this.#unstored += filled.measurements;
    this.#measuredIn = fromTo(this.#measuredIn, filled.interval);
    this.#isPart = requests.isFull && !filled.ended && !stop.aborted;
    return filled;
  }

  /** Ends the data: nothing is recorded after this send, once all its parts are there. */
  endAfterThis(): void {
    this.#isLast = true;
    this.#endWhenWhole();
  }

  /** Fills the batch with the next part of the same send; false when there is none. */
  async fillNextPart(): Promise<boolean> {
    if (!this.#isPart) return false;
    await this.fill(this.#until);
    this.#endWhenWhole();
    return true;
  }

  /** Closes the source and fills the batch with what it had until `now`: it is the last part of the last send. */
  async drain(now: number): Promise<Filled | undefined> {
    const { source, requests } = this.#parts;
    source.close();
    const filled = source.kind === "pull" ? undefined : await this.fill(now);
    this.#isPart = false;
    requests.finish();
    return filled;
  }

  /** Gives away what is due as requests. */
  async produce(format: RequestFormat): Promise<ProducedBatch> {
    const { source, requests } = this.#parts;
    const interval = this.#measuredIn;
    this.#measuredIn = undefined;
    // Asked in the turn in which the recorder gives away what it has: both are of the same lines.
    const { checkpoint } = source.status;
    return { ...await requests.produce(format, interval), checkpoint };
  }

  /** Forgets what was given away: the delivery has it. */
  markStored(): void {
    this.#unstored = 0;
  }

  #endWhenWhole(): void {
    if (!this.#isLast || this.#isPart) return;
    this.#parts.source.close();
    this.#parts.requests.finish();
  }
}

/** The interval from the start of the one to the end of the other. */
function fromTo(a: Interval | undefined, b: Interval | undefined): Interval | undefined {
  return a === undefined || b === undefined ? b ?? a : { start: a.start, end: b.end };
}
