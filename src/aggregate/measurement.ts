/** What OpenTelemetry allows as a single attribute value. */
export type AttributeValue = string | number | boolean;
export type Attributes = Readonly<Record<string, AttributeValue>>;

/** One measured value with what tells it apart. */
export interface Measurement {
  readonly value: number;
  readonly attributes: Attributes;
  /** When it happened, in ms since 1970; missing: now. */
  readonly time?: number;
}

/** A histogram that was counted elsewhere: its figures contradict each other nowhere. */
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
