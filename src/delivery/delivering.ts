import type { Checkpoint } from "./checkpoint.ts";
import type { EncodedRequest } from "../otlp/request.ts";
import type { Result } from "./result.ts";

/** A request that is not settled: nobody has taken it or refused it for good. */
export interface Pending {
  readonly request: EncodedRequest;
  /** Which iteration recorded it; null when an earlier process left it in the spool. */
  readonly iteration: number | null;
  /** When it was recorded, ms since 1970. */
  readonly recordedAt: number;
  /** When it was recorded, on the monotonic clock: its age does not jump when the wall clock does. */
  readonly bornAt: number;
  /** Its name in the store, when it is kept there. */
  readonly stored: string | undefined;
  readonly attempts: number;
  /** Whether an attempt got no answer after the request may have arrived: it may be counted already. */
  readonly mayHaveArrived: boolean;
  /** Whether such an attempt was followed by another. */
  readonly possiblyDuplicated: boolean;
  /** Whether the next start reads its lines again if no store has it. */
  readonly readAgain?: boolean;
  /** The last time that the receiver denied it. */
  readonly denied?: Denial;
}

/** Time at which the receiver denied a request. */
export interface Denial {
  /** The send in which it was denied, as its window numbers it. */
  readonly send: number;
  /** How many requests the receiver had accepted by then. */
  readonly accepted: number;
}

/** Event of a delivery: an attempt, or a step of a request on its way to being settled. */
export type DeliveryEvent =
  | {
    readonly type: "attempt";
    readonly pending: Pending;
    readonly result: Result;
    readonly durationMs: number;
  }
  | {
    readonly type: "retry";
    readonly pending: Pending;
    readonly result: Result;
    readonly inMs: number;
  }
  /** It was too large for the receiver: its halves take its place. */
  | { readonly type: "split"; readonly pending: Pending; readonly result: Result }
  | {
    readonly type: "settled";
    readonly pending: Pending;
    readonly result: Result;
  }
  /** It was denied and stays pending for the next send; others are still tried in this one. */
  | { readonly type: "denied"; readonly pending: Pending; readonly result: Result }
  /** Nothing more is tried for now; `pending` and all behind it stay pending. */
  | { readonly type: "held"; readonly pending: Pending; readonly result: Result }
  | { readonly type: "dropped"; readonly pending: Pending; readonly reason: string }
  | { readonly type: "warning"; readonly message: string };

/** Measurements by their outcome: recorded = delivered + rejected + dropped + pending, always. */
export interface Ledger {
  readonly recorded: number;
  readonly delivered: number;
  readonly rejected: number;
  readonly dropped: number;
  readonly pending: number;
}

/** Keeps requests where they outlive the process. */
export interface Store {
  /** Keeps requests that were recorded together: all of them, or none. */
  save(pending: readonly Pending[], extras?: SaveExtras): Promise<Saved>;
  /** Removes a request; returns a warning when it could not be removed. */
  forget(name: string): Promise<string | undefined>;
  /** Whether the request is there: somebody may have removed it. */
  holds(name: string, request: EncodedRequest): Promise<boolean>;
  /** Marks a request of which no attempt can have arrived, when the process ends. */
  markUnsent(name: string): Promise<void>;
}

/** Extras of requests that are kept. */
export interface SaveExtras {
  /** Half of the request whose name it still has; as long as the whole is there, halves do not count. */
  readonly half?: 1 | 2;
  /** Point up to which the requests' source was read, kept with them. */
  readonly checkpoint?: Checkpoint;
}

/** The name that a store gave, or undefined and, when it is news, a warning. */
export interface Saved {
  readonly stored: string | undefined;
  readonly warning: string | undefined;
}

/** Takes requests and sends them, until each is settled. */
export interface Delivering {
  /** Delivery of each connection; without several, this one alone. */
  readonly lanes: readonly Delivering[];
  readonly ledger: Ledger;
  /** Requests that are not settled. */
  readonly pending: readonly Pending[];
  readonly pendingBytes: number;
  /** Largest size, in bytes before compression, that new requests should have. */
  readonly largestRequest: number;
  /** Takes over the requests that an earlier process left; they count as recorded here. */
  adopt(left: readonly Pending[]): void;
  /** Takes new requests, stores them before they are first sent, and makes room for them. */
  add(
    requests: readonly EncodedRequest[],
    iteration: number,
    recordedAt: number,
    checkpoint?: Checkpoint,
  ): AsyncGenerator<DeliveryEvent, readonly Pending[]>;
  /** Sends pending requests, oldest first, until nothing is left or the window closes. */
  flush(window: Window): AsyncGenerator<DeliveryEvent>;
  /** Ends the delivery with the process: requests that no store keeps are lost, and reported as lost. */
  end(reason: string): AsyncGenerator<DeliveryEvent>;
}

/** How long one flush goes on; times on the monotonic clock. Its first attempt is always made. */
export interface Window {
  /** Number of the send that it belongs to: a request that was denied in a send is not tried again in it. */
  readonly send: number;
  /** How long a failed attempt is followed by others, in ms from the start of the flush. */
  readonly retryForMs: number;
  /** Time at or after which no attempt starts. */
  readonly until: number;
  /** Signal that ends waiting, and lets an attempt under way finish. */
  readonly stop: AbortSignal;
  /** Signal that ends an attempt under way as well. */
  readonly abort: AbortSignal;
  /** The process ends after this flush: a failed attempt is not followed by another. */
  readonly last: boolean;
}
