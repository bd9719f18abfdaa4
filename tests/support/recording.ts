import { SAMPLE_IDENTITY } from "../../src/aggregate/identity.ts";
import type { Instrument } from "../../src/aggregate/instrument.ts";
import type { Interval } from "../../src/aggregate/interval.ts";
import type {
  Attributes,
  MeasuredHistogram,
  Measurement,
} from "../../src/aggregate/measurement.ts";
import { NO_OVERFLOW } from "../../src/aggregate/overflow.ts";
import { DeltaRecorder, type Recorder } from "../../src/aggregate/recorder.ts";
import type { DataFinding, EndBucket } from "../../src/aggregate/snapshot.ts";
import { attributeEncoder, Encoder } from "../../src/otlp/encoder.ts";
import { RecordedRequests } from "../../src/otlp/producer.ts";
import type { RequestLimits } from "../../src/otlp/request.ts";
import type { Clock } from "../../src/platform/clock.ts";

/** Settings of a recorder and its requests in a test. */
export interface RecordingConfig {
  readonly resource: Attributes;
  readonly instruments: readonly Instrument[];
  readonly maxSeries: number;
}

/** A recorder with the requests that are made of it. */
export class EncodedRecorder<Kind extends Recorder = Recorder> {
  readonly recorder: Kind;
  readonly requests: RecordedRequests;

  constructor(recorder: Kind, resource: Attributes = {}) {
    this.recorder = recorder;
    const encoder = new Encoder({ resource, scope: SAMPLE_IDENTITY.scope });
    this.requests = new RecordedRequests(recorder, encoder);
  }

  add(batch: readonly Measurement[], instrument?: number): void {
    this.recorder.add(batch, instrument);
  }

  addHistograms(batch: readonly MeasuredHistogram[], instrument?: number): void {
    this.recorder.addHistograms(batch, instrument);
  }

  addInstrument(instrument: Instrument): number {
    return this.recorder.addInstrument(instrument);
  }

  get isDue(): boolean {
    return this.recorder.isDue;
  }

  get isFull(): boolean {
    return this.recorder.isFull;
  }

  finish(): void {
    this.recorder.finish();
  }

  /** Data that are due, as requests, with each kind of finding by its name. */
  async collect(limits: RequestLimits, compression: "gzip" | "none", interval?: Interval) {
    const { requests, findings, measured } = await this.requests.produce(
      { limits, compression },
      interval,
    );
    return { requests, measured, ...figuresOf(findings) };
  }
}

function figuresOf(findings: readonly DataFinding[]) {
  let overflow = NO_OVERFLOW;
  let unequalBounds = 0;
  let [closedEarly, reopened] = [0, 0];
  const endBuckets: EndBucket[] = [];
  for (const finding of findings) {
    switch (finding.type) {
      case "overflow":
        overflow = finding.overflow;
        break;
      case "unequal-bounds":
        unequalBounds = finding.series;
        break;
      case "split-intervals":
        ({ closedEarly, reopened } = finding);
        break;
      case "end-bucket":
        endBuckets.push(finding.endBucket);
    }
  }
  return { overflow, unequalBounds, closedEarly, reopened, endBuckets };
}

/** A recorder of what happens now, as most sources use it. */
export function recordingOf(
  { resource, ...config }: RecordingConfig,
  clock: Clock,
): EncodedRecorder<DeltaRecorder> {
  return new EncodedRecorder(new DeltaRecorder({ ...config, attributeEncoder }, clock), resource);
}
