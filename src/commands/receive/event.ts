import type { ExportMetricsServiceRequest } from "../../otlp/gen/opentelemetry/proto/collector/metrics/v1/metrics_service_pb.ts";
import type { Hide } from "../../redact/secrets.ts";
import type { DataPoint } from "../../otlp/data_points.ts";
import type { Problem } from "../../receivers/problem.ts";

/** Result of a request. `unanswered`: a scripted hang, or a client that left before its request was complete. */
export type Outcome = "accepted" | "partial" | "rejected" | "unanswered";

/** Problem as it is reported. */
export interface ReportedProblem extends Problem {
  /** Set if `--ignore` names its rule: it is shown, and the gate does not count it. */
  readonly ignored?: true;
}

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
  readonly problems: readonly ReportedProblem[];
  /** Data points of the request that were rejected, unless all of them were. */
  readonly rejected: ReadonlySet<DataPoint>;
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

/** Totals of a run; points and measurements are those of requests answered with 200, or accepted. */
export interface ReceiveSummary {
  readonly requests: number;
  readonly points: number;
  readonly measurements: number;
  readonly rejectedPoints: number;
  /** Number of requests for traces, logs and profiles, which are discarded. */
  readonly otherSignals: number;
}
