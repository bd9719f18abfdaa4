/** What OpenTelemetry allows as a single attribute value. */
export type AttributeValue = string | number | boolean;
export type Attributes = Readonly<Record<string, AttributeValue>>;

/** One measured value with what tells it apart. */
export interface Measurement {
  readonly value: number;
  readonly attributes: Attributes;
}
