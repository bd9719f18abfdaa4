import { ProtobufMetricsSerializer } from "@opentelemetry/otlp-transformer";
import { resourceFromAttributes } from "@opentelemetry/resources";
import {
  AggregationTemporality,
  AggregationType,
  MeterProvider,
  MetricReader,
} from "@opentelemetry/sdk-metrics";
import type { Measurement } from "../../src/aggregate/measurement.ts";
import type { RecordingConfig } from "./recording.ts";

/** Times are in milliseconds since 1970. */
export interface SdkRecorder {
  record(batch: readonly Measurement[], instrument?: number): void;
  /** The request that the SDK makes of what was recorded since the last time, and its delta begins again. */
  collect(start: number, end: number): Promise<Uint8Array>;
}

/** Reader of the SDK that collects deltas when it is asked. */
export class DeltaReader extends MetricReader {
  constructor() {
    super({ aggregationTemporalitySelector: () => AggregationTemporality.DELTA });
  }
  protected override onForceFlush(): Promise<void> {
    return Promise.resolve();
  }
  protected override onShutdown(): Promise<void> {
    return Promise.resolve();
  }
}

/** The OpenTelemetry SDK for JavaScript with its own serializer: what the recorder is compared with. */
export function sdkRecorder({ resource, instruments, maxSeries }: RecordingConfig): SdkRecorder {
  const reader = new DeltaReader();
  const provider = new MeterProvider({
    resource: resourceFromAttributes({ ...resource }),
    readers: [reader],
    views: instruments.map(({ name, bounds }) => ({
      instrumentName: name,
      aggregationCardinalityLimit: maxSeries,
      aggregation: bounds === "exponential"
        ? {
          type: AggregationType.EXPONENTIAL_HISTOGRAM,
          options: { maxSize: 160, recordMinMax: true },
        }
        : {
          type: AggregationType.EXPLICIT_BUCKET_HISTOGRAM,
          options: { boundaries: [...bounds], recordMinMax: true },
        },
    })),
  });
  const meter = provider.getMeter("example-meter", "1.0.0");
  const histograms = instruments.map(({ name, unit, description, attributes }) => ({
    histogram: meter.createHistogram(name, { unit, description }),
    attributes,
  }));
  return {
    record(batch, instrument = 0) {
      const into = histograms[instrument];
      if (into === undefined) throw new RangeError(`No instrument ${instrument}`);
      for (const { value, attributes } of batch) {
        into.histogram.record(value, { ...attributes, ...into.attributes });
      }
    },
    async collect(start, end) {
      const { resourceMetrics, errors } = await reader.collect();
      if (errors.length > 0) throw new Error(errors.join("; "));
      const times = { startTime: hrTime(start), endTime: hrTime(end) };
      for (const { metrics } of resourceMetrics.scopeMetrics) {
        for (const { dataPoints } of metrics) {
          for (const point of dataPoints) Object.assign(point, times);
        }
      }
      const bytes = ProtobufMetricsSerializer.serializeRequest(resourceMetrics);
      if (bytes === undefined) throw new Error("The serializer gave no bytes");
      return bytes;
    },
  };
}

/** A time in ms since 1970 as the SDK has it. */
export function hrTime(ms: number): [number, number] {
  return [Math.floor(ms / 1000), Math.round((ms % 1000) * 1e6)];
}
