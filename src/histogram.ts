import {
  AggregationTemporality,
  AggregationType,
  MeterProvider,
  MetricReader,
  type ResourceMetrics,
} from "@opentelemetry/sdk-metrics";
import { resourceFromAttributes } from "@opentelemetry/resources";
import type { Clock } from "./clock.ts";
import type { MetricConfig } from "./config.ts";
import type { Measurement } from "./measurements/measurement.ts";

/** Records measurements and gives each delta away once: after `collect()` it is forgotten here. */
export interface Recorder {
  record(batch: readonly Measurement[]): void;
  collect(): Promise<ResourceMetrics>;
}

/** The instrumentation scope, as the predecessor named it. */
const SCOPE = { name: "example-meter", version: "1.0.0" } as const;

/** Collects on demand; everything is DELTA, the only temporality that Dynatrace takes. */
class DeltaReader extends MetricReader {
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

/** One histogram instrument of the OpenTelemetry SDK with explicit bounds. */
export function histogramRecorder(metric: MetricConfig, clock: Clock): Recorder {
  const reader = new DeltaReader();
  const provider = new MeterProvider({
    resource: resourceFromAttributes({ ...metric.resource }),
    readers: [reader],
    views: [{
      instrumentName: metric.name,
      aggregation: {
        type: AggregationType.EXPLICIT_BUCKET_HISTOGRAM,
        options: {
          boundaries: metric.bounds === "exponential" ? [] : [...metric.bounds],
          recordMinMax: true,
        },
      },
    }],
  });
  const histogram = provider.getMeter(SCOPE.name, SCOPE.version).createHistogram(metric.name, {
    unit: metric.unit,
    description: metric.description,
  });
  const interval = intervals(clock);
  return {
    record(batch) {
      for (const { value, attributes } of batch) {
        histogram.record(value, { ...attributes, ...metric.attributes });
      }
    },
    async collect() {
      const { resourceMetrics, errors } = await reader.collect();
      if (errors.length > 0) throw new Error(`The SDK could not collect: ${errors.join("; ")}`);
      return withInterval(resourceMetrics, interval());
    },
  };
}

interface Interval {
  readonly start: number;
  readonly end: number;
}

/**
 * Start and end (ms since 1970) of each delta: every interval begins where the one before ended, without gap
 * or overlap (OTLP data model, "Resets and Gaps"). When the wall clock was set back, the interval is placed by the time
 * that really passed, so that its start never lies behind its end.
 */
export function intervals(clock: Clock): () => Interval {
  let end = clock.wall();
  let endedAt = clock.monotonic();
  return () => {
    const now = clock.wall();
    const passed = clock.monotonic() - endedAt;
    const start = now < end ? now - Math.round(passed) : end;
    end = now;
    endedAt += passed;
    return { start, end };
  };
}

/**
 * The SDK starts a series' first delta at its first measurement, and again after an interval without one;
 * here all points of a collection share its interval.
 */
function withInterval(metrics: ResourceMetrics, { start, end }: Interval): ResourceMetrics {
  const startTime = hrTime(start);
  const endTime = hrTime(end);
  for (const { metrics: ofScope } of metrics.scopeMetrics) {
    for (const { dataPoints } of ofScope) {
      for (const point of dataPoints) Object.assign(point, { startTime, endTime });
    }
  }
  return metrics;
}

function hrTime(ms: number): [number, number] {
  return [Math.floor(ms / 1000), Math.round((ms % 1000) * 1e6)];
}
