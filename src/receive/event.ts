import type { ExportMetricsServiceRequest } from "../otlp/gen/opentelemetry/proto/collector/metrics/v1/metrics_service_pb.ts";
import type { Problem } from "../otlp/problem.ts";

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

/** Everything that was received; points and measurements are those of requests answered with 200. */
export interface Summary {
  readonly requests: number;
  readonly points: number;
  readonly measurements: number;
  readonly rejectedPoints: number;
}
