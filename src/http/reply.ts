/** Response to one request, whatever its status. It stands once the status has arrived, however its body ends. */
export interface Reply {
  readonly kind: "reply";
  readonly status: number;
  readonly headers: Headers;
  /** Body of at most 4 MiB, decompressed; with `unread`, the part that arrived. */
  readonly body: Uint8Array;
  /** Reason why the body could not be read, as the end of a sentence: "was cut off". Undefined if all of it was. */
  readonly unread?: string | undefined;
}

/** How receivers say with another status than 413 that a request is too large; a Collector does so with 400. */
const TOO_LARGE =
  /\brequest\s+body\s+too\s+large|\b(payload|entity|message|request)\s+(is\s+)?too\s+large|OTLP_MESSAGE_MAX_SIZE_EXCEEDED/i;

/** Whether a response says, by its status or in the text of a 4xx, that the request was too large. A 429 is retried. */
export function isTooLarge(status: number, said: string): boolean {
  return status === 413 ||
    (status >= 400 && status < 500 && status !== 429 && TOO_LARGE.test(said));
}

/** Why there was no response. */
export type FailureCause =
  | "dns"
  | "refused"
  | "unreachable"
  | "timeout"
  | "interrupted"
  | "broken"
  | "certificate"
  | "tls"
  | "proxy"
  | "setup";

/** Failure of a request that got no response. */
export interface Failure {
  readonly kind: "failure";
  readonly cause: FailureCause;
  /** Message of the system or the TLS library. */
  readonly message: string;
  /** Remedy, if only the connection knows it. */
  readonly hint?: string;
  /** Whether the request may have reached the receiver, which may have counted it. */
  readonly mayHaveArrived: boolean;
}

/** Error of a request that never had a connection, so that nothing of it can have arrived. */
export class NotSent extends Error {}

/** Response or failure for which there may be a hint. */
export type Trouble = Failure | Pick<Reply, "kind" | "status" | "headers">;

/** Sends one request's bytes; never rejects for anything that a network or a receiver can do. */
export type Post = (
  body: Uint8Array<ArrayBuffer>,
  encoding: "gzip" | "identity",
  signal: AbortSignal,
) => Promise<Reply | Failure>;
