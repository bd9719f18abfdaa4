import type { Interval } from "../aggregate/interval.ts";
import type { Recorder } from "../aggregate/recorder.ts";
import type { Snapshot } from "../aggregate/snapshot.ts";
import type { Encoder } from "./encoder.ts";
import type { EncodedRequest, RequestFormat } from "./request.ts";

/** Encoded requests, and what is known about the data in them. */
export interface Produced extends Pick<Snapshot, "findings" | "measured"> {
  readonly requests: readonly EncodedRequest[];
}

/** Producer of a run's requests: of recorded data, or of a replayed file. */
export interface RequestProducer {
  /** Whether `produce()` gives requests. */
  readonly isDue: boolean;
  /** Whether requests should be produced now, before more data wait for it. */
  readonly isFull: boolean;
  /** Makes everything that waits due: later data do not belong to it. */
  finish(): void;
  /**
   * Gives away the data that are due, each delta once. Data recorded while it resolves belong to the next call. Without
   * `interval`, the data were measured since the last one.
   */
  produce(format: RequestFormat, interval?: Interval): Promise<Produced>;
}

/** Finds more in the data of each snapshot, before they are encoded. */
export type SnapshotJudge = (snapshot: Snapshot) => Snapshot["findings"];

/** Requests made of a recorder's snapshots. */
export class RecordedRequests implements RequestProducer {
  readonly #recorder: Recorder;
  readonly #encoder: Encoder;
  readonly #judge: SnapshotJudge | undefined;

  constructor(recorder: Recorder, encoder: Encoder, judge?: SnapshotJudge) {
    this.#recorder = recorder;
    this.#encoder = encoder;
    this.#judge = judge;
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
    const { measured } = snapshot;
    const findings = [...this.#judge?.(snapshot) ?? [], ...snapshot.findings];
    return { requests: await this.#encoder.encode(snapshot, format), findings, measured };
  }
}
