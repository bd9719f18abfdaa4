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
