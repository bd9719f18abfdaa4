import type { Clock } from "../../platform/clock.ts";
import { sampleBatch } from "../../source/generate/sample.ts";
import type { Identity } from "../../aggregate/identity.ts";
import type { Instrument } from "../../aggregate/instrument.ts";
import { DeltaRecorder } from "../../aggregate/recorder.ts";
import { attributeEncoder, Encoder } from "../../otlp/encoder.ts";
import { type EncodedRequest, ONE_REQUEST } from "../../otlp/request.ts";

/** Request with one sample measurement. */
export interface Canary {
  readonly request: EncodedRequest;
  /** Keys of its attributes. */
  readonly dimensions: readonly string[];
}

/** Encodes one sample measurement as `send` would send it. */
export async function canary(
  metric: Instrument & Identity,
  compression: "gzip" | "none",
  clock: Clock,
  random: () => number,
): Promise<Canary> {
  const recorder = new DeltaRecorder(
    { instruments: [metric], maxSeries: Infinity, attributeEncoder },
    clock,
  );
  const sample = sampleBatch(random).slice(0, 1);
  recorder.add(sample);
  const [request] = await new Encoder(metric)
    .encode(recorder.take(), { limits: ONE_REQUEST, compression });
  if (request === undefined) throw new Error("The sample measurement was not recorded");
  const dimensions = Object.keys({ ...sample[0]?.attributes, ...metric.attributes });
  return { request, dimensions };
}
