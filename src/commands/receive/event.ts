import type { ExportMetricsServiceRequest } from "../../otlp/gen/opentelemetry/proto/collector/metrics/v1/metrics_service_pb.ts";
import type { Hide } from "../../redact/secrets.ts";
import type { Problem } from "../../receivers/problem.ts";

/** Result of a request. `unanswered`: a scripted hang, or a client that left before its request was complete. */
export type Outcome = "accepted" | "partial" | "rejected" | "unanswered";

/** One request and its result. */
export interface RequestEvent {
  /** Time of arrival, in ms since 1970. */
  readonly time: number;
  readonly method: string;
  /** Path without its query. */
  readonly path: string;
  readonly status: number | null;
  readonly outcome: Outcome;
  readonly points: number;
  readonly measurements: number;
  readonly rejectedPoints: number;
  /** Length of the body as received, compressed or not. */
  readonly bytes: number;
  readonly problems: readonly Problem[];
  /** Decoded request; undefined if it could not be decoded. */
  readonly request: ExportMetricsServiceRequest | undefined;
}

/** Returns the event with secrets hidden in its texts. Those in `request` stay: whoever displays it hides them. */
export function withoutSecrets(event: RequestEvent, hide: Hide): RequestEvent {
  return {
    ...event,
    method: hide(event.method),
    path: hide(event.path),
    problems: event.problems.map((problem) => ({
      ...problem,
      metric: hide(problem.metric),
      message: hide(problem.message),
    })),
  };
}

/** Totals of a run; points and measurements are those of requests answered with 200. */
export interface ReceiveSummary {
  readonly requests: number;
  readonly points: number;
  readonly measurements: number;
  readonly rejectedPoints: number;
}
