/** Eleven bounds, since Dynatrace keeps 12 buckets a data point ("About OTLP metrics ingest", Managed). */
const MILLISECONDS = [5, 10, 25, 50, 75, 100, 250, 500, 1000, 2500, 5000] as const;

/** Bounds of other units; also eleven for `s`, without the semantic conventions' 0.075, 0.75 and 7.5. */
const BY_UNIT: ReadonlyMap<string, readonly number[]> = new Map([
  ["s", [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]],
  ["us", MILLISECONDS.map((bound) => bound * 1e3)],
  ["ns", MILLISECONDS.map((bound) => bound * 1e6)],
]);

/** Upper bounds of a metric without `--buckets`, by the metric's unit as UCUM writes it (`us`, not `µs`). */
export function defaultBounds(unit: string): readonly number[] {
  return BY_UNIT.get(unit) ?? MILLISECONDS;
}

/** Bounds for request durations (OpenTelemetry's semantic conventions, http.server.request.duration), in s. */
export const CONVENTIONAL_SECONDS: readonly number[] = [
  0.005,
  0.01,
  0.025,
  0.05,
  0.075,
  0.1,
  0.25,
  0.5,
  0.75,
  1,
  2.5,
  5,
  7.5,
  10,
];
