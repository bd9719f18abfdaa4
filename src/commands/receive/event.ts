import type { ExportMetricsServiceRequest } from "../../otlp/gen/opentelemetry/proto/collector/metrics/v1/metrics_service_pb.ts";
import type { Hide } from "../../redact/secrets.ts";
import type { Problem } from "../../receivers/otlp/problem.ts";

/** `unanswered`: a scripted hang, or a client that went away before its request was complete. */
export type Outcome = "accepted" | "partial" | "rejected" | "unanswered";

/** One request and what became of it. */
export interface RequestEvent {
  /** Wall clock, milliseconds since 1970. */
  readonly time: number;
  readonly method: string;
  /** Without its query. */
  readonly path: string;
  readonly status: number | null;
  readonly outcome: Outcome;
  readonly points: number;
  readonly measurements: number;
  readonly rejectedPoints: number;
  /** Length of the body as it came, compressed or not. */
  readonly bytes: number;
  readonly problems: readonly Problem[];
  /** What was sent, where it could be decoded. */
  readonly request: ExportMetricsServiceRequest | undefined;
}

/** The event without the secrets that its texts repeat; those in `request` stay, and are for who shows it to hide. */
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

/** Everything that was received; points and measurements are those of requests answered with 200. */
export interface ReceiveSummary {
  readonly requests: number;
  readonly points: number;
  readonly measurements: number;
  readonly rejectedPoints: number;
}
