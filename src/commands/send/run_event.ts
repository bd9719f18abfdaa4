import type { DataFinding } from "../../aggregate/snapshot.ts";
import type { DeliveryEvent, Ledger } from "../../delivery/delivering.ts";
import type { Result } from "../../delivery/result.ts";
import type { Figures } from "./request_figures.ts";
import type { SendReport } from "./send_report.ts";

/** Outcome of a request that was pending when its own send was reported. */
export interface LateReport {
  readonly time: number;
  /** Null when an earlier process recorded it. */
  readonly iteration: number | null;
  readonly measurements: number;
  readonly points: number;
  readonly attempts: number;
  readonly possiblyDuplicated: boolean;
  readonly result: Result;
}

/** Result of `--point-rate FROM..TO`: figures of the rate that held, 0 or null without one. */
export interface Capacity {
  readonly pointsPerSecond: number;
  readonly requestsPerSecond: number;
  readonly p99Ms: number | null;
  /** First thing that failed while the rate rose. */
  readonly limitedBy: "status" | "latency" | "failure" | "none";
  readonly p50Ms: number | null;
  readonly points: number;
  readonly requests: number;
  /** All of it in one sentence. */
  readonly message: string;
}

/** Figures of a whole run. */
export interface Summary extends Ledger, Figures {
  readonly invalid: number;
  readonly skipped: number;
  readonly rejectedPoints: number;
  readonly sends: number;
  readonly exitCode: number;
  /** Undefined unless a capacity was searched for. */
  readonly capacity?: Capacity;
}

/** Something that happened in a run, in the order in which it happened; the last one is the summary. */
export type RunEvent =
  | Extract<DeliveryEvent, { type: "attempt" | "retry" | "split" | "dropped" | "warning" }>
  /** The first send waits a while, so that processes that were started together do not send together. */
  | { readonly type: "delayed"; readonly inMs: number }
  | { readonly type: "recording"; readonly iteration: number; readonly time: number }
  | { readonly type: "recorded" }
  | ({
    readonly type: "send";
    readonly pending: number;
    /** When its outcome was known, ms since 1970. */
    readonly reportedAt: number;
    /** A signal came before everything was read that belongs to it. */
    readonly isCutShort: boolean;
  } & SendReport)
  | ({ readonly type: "late" } & LateReport)
  /** Sends were due while another one was under way, and were left out. */
  | { readonly type: "missed"; readonly sends: number }
  | DataFinding
  /** The input ended with an error; what came before it was recorded. */
  | { readonly type: "broken"; readonly reason: string }
  /** A signal came before the source was at its end; what came before it was recorded. */
  | { readonly type: "cut-short"; readonly progress: string }
  | { readonly type: "stopping" }
  /** The end: requests that are not delivered, and are lost or in the spool. */
  | {
    readonly type: "undelivered";
    readonly measurements: number;
    readonly spooled: boolean;
    readonly reason: string;
    readonly trouble: Result["trouble"];
  }
  | ({ readonly type: "summary" } & Summary);
