import type { Interval } from "../aggregate/interval.ts";
import type { Recorder } from "../aggregate/recorder.ts";
import type { Snapshot } from "../aggregate/snapshot.ts";
import type { Encoder } from "./encoder.ts";
import type { EncodedRequest, RequestFormat } from "./request.ts";

/** Encoded requests, and what is known about the data in them. */
export interface Produced extends Pick<Snapshot, "findings" | "measured"> {
  readonly requests: readonly EncodedRequest[];
}

/** Where a run's requests come from: from what is recorded, or from what somebody kept. */
export interface RequestProducer {
  /** Whether `produce()` gives requests. */
  readonly isDue: boolean;
  /** Whether it is time to produce requests, because what waits for that should not become more. */
  readonly isFull: boolean;
  /** Makes all that waits due: nothing belongs together with what comes later. */
  finish(): void;
  /**
   * Gives away what is due, each delta once. What is recorded while it resolves belongs to the next call. Without
   * `interval`, it was measured since the last one.
   */
  produce(format: RequestFormat, interval?: Interval): Promise<Produced>;
}

/** Requests made of a recorder's snapshots. */
export class RecordedRequests implements RequestProducer {
  readonly #recorder: Recorder;
  readonly #encoder: Encoder;

  constructor(recorder: Recorder, encoder: Encoder) {
    this.#recorder = recorder;
    this.#encoder = encoder;
  }

  get isDue(): boolean {
    return this.#recorder.isDue;
  }

  get isFull(): boolean {
    return this.#recorder.isFull;
  }

  finish(): void {
    this.#recorder.finish();
  }

  async produce(format: RequestFormat, interval?: Interval): Promise<Produced> {
    const snapshot = this.#recorder.take(interval);
    const { findings, measured } = snapshot;
    return { requests: await this.#encoder.encode(snapshot, format), findings, measured };
  }
}
