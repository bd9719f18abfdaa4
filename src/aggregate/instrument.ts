import type { Attributes } from "./measurement.ts";
import type { CardinalityLimit } from "./cardinality_limit.ts";
import type { Buckets } from "./aggregation.ts";
import type { Identity } from "./identity.ts";
import { type EncodeAttributes, SeriesTable } from "./series_table.ts";

/** A histogram instrument: how a metric is named, and how its values are counted. */
export interface Instrument {
  readonly name: string;
  readonly unit: string;
  readonly description: string;
  /** Attributes on every data point; they override a measurement's own. */
  readonly attributes: Attributes;
  readonly bounds: Buckets;
  /** Identity of its data; missing: that of the run. Instruments of one identity share the object. */
  readonly identity?: Identity;
  /** Phase of a scenario in which it measures; missing: any. */
  readonly phase?: string;
  /** Notes on where the metric came from, as OTLP's `Metric.metadata`. */
  readonly metadata?: Attributes;
}

/** Instruments of a recorder, with their common limit and encoder. */
export interface RecorderConfig {
  readonly instruments: readonly Instrument[];
  /** The most data points that wait to be taken; Infinity for no limit. */
  readonly maxSeries: number;
  /** Makes the encoder of one instrument's attributes. */
  readonly attributeEncoder: () => EncodeAttributes;
}

/** The series of an instrument, within the limit that all share. */
export function tableOf(
  { bounds, attributes }: Instrument,
  { attributeEncoder }: Pick<RecorderConfig, "attributeEncoder">,
  cardinality: CardinalityLimit,
  mayFold?: () => boolean,
): SeriesTable {
  return new SeriesTable({
    buckets: bounds,
    fixed: attributes,
    cardinality,
    encode: attributeEncoder(),
    ...mayFold && { mayFold },
  });
}
