import type { Attributes, Measurement } from "../../aggregate/measurement.ts";

/** The predecessor's five: method, status code, and the range (ms) its uniform value is drawn from. */
const SAMPLE = [
  ["GET", 200, 10, 150],
  ["GET", 200, 15, 120],
  ["POST", 201, 20, 100],
  ["GET", 200, 25, 180],
  ["PUT", 200, 30, 90],
] as const;

/** Attributes of the samples. They are shared by all sends: a recorder recognises a series by its object. */
const ATTRIBUTES: readonly Attributes[] = SAMPLE.map(([method, statusCode]) => ({
  "http.method": method,
  "http.status_code": statusCode,
}));

/** Makes the sample measurements of one send, in ms. */
export function sampleBatch(random: () => number): readonly Measurement[] {
  return SAMPLE.map(([, , low, high], i) => ({
    value: low + (high - low) * random(),
    attributes: ATTRIBUTES[i] ?? {},
  }));
}
