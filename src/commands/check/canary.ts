import type { Clock } from "../../platform/clock.ts";
import { sampleBatch } from "../../source/generate/sample.ts";
import type { Attributes } from "../../aggregate/measurement.ts";
import { type Instrument, recorder } from "../../otlp/recorder.ts";
import { type EncodedRequest, ONE_REQUEST } from "../../otlp/request.ts";

/** Request with one sample measurement. */
export interface Canary {
  readonly request: EncodedRequest;
  /** Keys of its attributes. */
  readonly dimensions: readonly string[];
}

/** Encodes one sample measurement as `send` would send it. */
export async function canary(
  metric: Instrument & { readonly resource: Attributes },
  compression: "gzip" | "none",
  clock: Clock,
  random: () => number,
): Promise<Canary> {
  const recording = recorder(
    { resource: metric.resource, instruments: [metric], maxSeries: Infinity },
    clock,
  );
  const sample = sampleBatch(random).slice(0, 1);
  recording.record(sample);
  const { requests: [request] } = await recording.collect(ONE_REQUEST, compression);
  if (request === undefined) throw new Error("The sample measurement was not recorded");
  const dimensions = Object.keys({ ...sample[0]?.attributes, ...metric.attributes });
  return { request, dimensions };
}
