/** Single value of an attribute, of a type that OpenTelemetry allows. */
export type AttributeValue = string | number | boolean;
/** Attributes of a measurement, by key. */
export type Attributes = Readonly<Record<string, AttributeValue>>;

/** One measured value with its attributes. */
export interface Measurement {
  readonly value: number;
  readonly attributes: Attributes;
  /** When it happened, in ms since 1970; missing: now. */
  readonly time?: number;
  /** Index of its instrument, on all measurements of a batch or on none: then the recorder is told it. */
  readonly instrument?: number;
}

/** Divides a batch by instrument, in the order of its measurements; those that name none belong to `instrument`. */
export function byInstrument(
  batch: readonly Measurement[],
  instrument: number,
): Iterable<readonly [instrument: number, part: readonly Measurement[]]> {
  return batch[0]?.instrument === undefined
    ? [[instrument, batch]]
    : Map.groupBy(batch, (measurement) => measurement.instrument ?? instrument);
}

/** Histogram that was counted elsewhere, whose figures agree with each other. */
export interface MeasuredHistogram {
  /** Upper bounds, inclusive, finite and strictly increasing. */
  readonly bounds: readonly number[];
  /** One more than bounds. */
  readonly counts: readonly number[];
  /** The sum of the counts. */
  readonly count: number;
  readonly sum: number | undefined;
  readonly min: number | undefined;
  readonly max: number | undefined;
  readonly attributes: Attributes;
  /** When it was measured, ms since 1970. */
  readonly time?: number;
}
