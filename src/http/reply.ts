/** Response to one request, whatever its status. It stands as soon as the status has come, however its body ends. */
export interface Reply {
  readonly kind: "reply";
  readonly status: number;
  readonly headers: Headers;
  /** At most 4 MiB, decompressed. With `unread`, whatever came. */
  readonly body: Uint8Array;
  /** Why the body could not be read, as the end of a sentence: "was cut off". Undefined when all of it was. */
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

/** No answer came. */
export interface Failure {
  readonly kind: "failure";
  readonly cause: FailureCause;
  /** In the words of the system or of the TLS library. */
  readonly message: string;
  /** What to do, where only the connection knows it. */
  readonly hint?: string;
  /** The request may have reached the receiver, which may have counted it. */
  readonly mayHaveArrived: boolean;
}

/** Nothing of a request can have arrived: there never was a connection for it. */
export class NotSent extends Error {}

/** Why a request was not accepted, as far as a hint can be made of it. */
export type Trouble = Failure | Pick<Reply, "kind" | "status" | "headers">;

/** Sends one request's bytes; never rejects for what a network or a receiver can do. */
export type Post = (
  body: Uint8Array<ArrayBuffer>,
  encoding: "gzip" | "identity",
  signal: AbortSignal,
) => Promise<Reply | Failure>;
