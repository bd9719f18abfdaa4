/** Limits of Dynatrace, from the documents that the rules name. */
export const LIMITS = {
  /** 4 MB, uncompressed. */
  requestBytes: 4_000_000,
  requestPoints: 15_000,
  suggestedPoints: 3000,
  dimensions: 50,
  metricKey: { least: 2, most: 255 },
  dimensionKey: 100,
  dimensionValue: 255,
  unit: 63,
  description: 1023,
  /** Buckets of a data point that Managed stores. */
  buckets: 12,
  /** Tuples of a metric in 30 days: the different combinations of its dimensions' values. */
  tuples: 1_000_000,
  pastMs: 3_600_000,
  futureMs: 600_000,
} as const;

/** Reason in the message about a request that is too large. */
export const TOO_LARGE = "OTLP_MESSAGE_MAX_SIZE_EXCEEDED";
