/** A receiver's answer to one request, whatever its status. */
export interface Reply {
  readonly kind: "reply";
  readonly status: number;
  readonly headers: Headers;
  /** At most LARGEST_REPLY bytes. */
  readonly body: Uint8Array;
  /** The answer was longer than LARGEST_REPLY; the rest was not read. */
  readonly tooLarge: boolean;
}

/** OTLP over HTTP: a client reads at most 4 MiB of an answer. */
export const LARGEST_REPLY = 4 * 2 ** 20;

/** Why there was no answer. */
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

/** Why a request was not accepted, as far as a hint can be made of it. */
export type Trouble = Failure | Pick<Reply, "kind" | "status" | "headers">;

/** Sends one request's bytes; never rejects for what a network or a receiver can do. */
export type Post = (
  body: Uint8Array<ArrayBuffer>,
  encoding: "gzip" | "identity",
  signal: AbortSignal,
) => Promise<Reply | Failure>;
