import { CardinalityLimit } from "../histogram/cardinality_limit.ts";
import type { Clock } from "../base/clock.ts";
import type { MetricConfig } from "../config/metric_config.ts";
import { ExplicitHistogram } from "../histogram/explicit.ts";
import { ExponentialHistogram } from "../histogram/exponential.ts";
import { addOverflow, NO_OVERFLOW, type Overflow } from "../histogram/overflow.ts";
import { intervals } from "./interval.ts";
import type { Attributes, Measurement } from "../measurements/measurement.ts";
import { encodeCollection, type MetricData } from "./encode.ts";
import { gzip } from "./gzip.ts";
import { EXPLICIT_ATTRIBUTES, EXPONENTIAL_ATTRIBUTES } from "./points.ts";
import type { EncodedRequest, RequestLimits } from "./request.ts";
import { attributeFields } from "./wire.ts";
import { type Drained, type Histogram, SeriesTable } from "../histogram/series.ts";

/** A histogram instrument: a MetricConfig is one with explicit bounds. */
export interface Instrument
  extends Pick<MetricConfig, "name" | "unit" | "description" | "attributes"> {
  /** Upper bounds of its buckets, finite and strictly increasing; or none to choose, with base-2 exponential ones. */
  readonly bounds: readonly number[] | "exponential";
}

export interface RecorderConfig {
  readonly resource: Attributes;
  readonly instruments: readonly Instrument[];
  /** Data points a collection at most; Infinity for no limit. */
  readonly maxSeries: number;
}

/** One interval's data, encoded: a delta exists only once. */
export interface Collected {
  readonly requests: readonly EncodedRequest[];
  /** What shares one data point because of `maxSeries`. */
  readonly overflow: Overflow;
  /** Measurements that no histogram can hold: negative, infinite or no number. They are in no request. */
  readonly refused: number;
}

/** Records measurements and gives each delta away once: after `collect()` it is forgotten here. */
export interface Recorder {
  /** `instrument` is the index of one of those it was made with. Attributes must not be changed afterwards. */
  record(batch: readonly Measurement[], instrument?: number): void;
  /** What is recorded while it resolves belongs to the next interval. */
  collect(limits: RequestLimits, compression: "gzip" | "none"): Promise<Collected>;
}

/** The instrumentation scope, as the predecessor named it. */
const SCOPE = { name: "example-meter", version: "1.0.0" } as const;

export function recorder(config: RecorderConfig, clock: Clock): Recorder {
  const cardinality = new CardinalityLimit(config.maxSeries, config.instruments.length);
  const instruments = config.instruments.map((instrument) => series(instrument, cardinality));
  const interval = intervals(clock);
  return {
    record(batch, instrument = 0) {
      const recording = instruments[instrument];
      if (recording === undefined) throw new RangeError(`There is no instrument ${instrument}`);
      recording.record(batch);
    },
    async collect(limits, compression) {
      const drained = instruments.map((instrument) => instrument.drain());
      const plain = encodeCollection({
        resource: config.resource,
        scope: SCOPE,
        interval: interval(),
        metrics: drained.map(({ data }) => data).filter((data) => data.series.length > 0),
      }, limits);
      cardinality.next();
      const requests: EncodedRequest[] = [];
      for (const request of plain) {
        requests.push(
          compression === "gzip"
            ? { ...request, body: await gzip(request.body), encoding: "gzip" }
            : { ...request, encoding: "identity" },
        );
      }
      return {
        requests,
        overflow: drained.reduce((sum, { overflow }) => addOverflow(sum, overflow), NO_OVERFLOW),
        refused: drained.reduce((sum, { refused }) => sum + refused, 0),
      };
    },
  };
}

/** The series of one instrument, whatever kind of histogram they have. */
interface Recording {
  record(batch: readonly Measurement[]): void;
  drain(): { readonly data: MetricData } & Pick<Drained<Histogram>, "overflow" | "refused">;
}

function series(instrument: Instrument, cardinality: CardinalityLimit): Recording {
  const { name, unit, description, attributes, bounds } = instrument;
  if (bounds === "exponential") {
    const table = new SeriesTable(
      {
        histogram: () => new ExponentialHistogram(),
        encode: (all) => attributeFields(EXPONENTIAL_ATTRIBUTES, all),
      },
      attributes,
      cardinality,
    );
    return {
      record: (batch) => table.record(batch),
      drain() {
        const { series, overflow, refused } = table.drain();
        return { data: { kind: bounds, name, unit, description, series }, overflow, refused };
      },
    };
  }
  const table = new SeriesTable(
    {
      histogram: () => new ExplicitHistogram(bounds),
      encode: (all) => attributeFields(EXPLICIT_ATTRIBUTES, all),
    },
    attributes,
    cardinality,
  );
  return {
    record: (batch) => table.record(batch),
    drain() {
      const { series, overflow, refused } = table.drain();
      return {
        data: { kind: "explicit", bounds, name, unit, description, series },
        overflow,
        refused,
      };
    },
  };
}
