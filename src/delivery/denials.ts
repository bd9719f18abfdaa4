import type { Denial, Pending } from "./delivering.ts";
import type { ExportAnswer } from "./export_answer.ts";
import type { Failure } from "../http/reply.ts";
import type { ReceiverState } from "./receiver_state.ts";

/**
 * Denials of one delivery. The receiver answered 401, 403 or with a sign-in page: its credentials may be wrong, or
 * something about the request itself. Which of the two shows when another request is accepted.
 */
export class Denials {
  readonly #receiver: ReceiverState;
  readonly #whenDenied: "wait" | "refuse";
  /** The send under way. */
  #send: number | undefined;
  /** How many requests the receiver had accepted when it last denied one in this send. */
  #deniedAt: number | undefined;

  constructor(receiver: ReceiverState, whenDenied: "wait" | "refuse") {
    this.#receiver = receiver;
    this.#whenDenied = whenDenied;
  }

  /** Begins a send, or goes on with it: a request that was denied in a send is not tried again in it. */
  beginSend(send: number): void {
    if (this.#send !== send) this.#deniedAt = undefined;
    this.#send = send;
  }

  /**
   * Where the next request to try is: the oldest that was not denied in this send. In doubt it is the newest that was
   * never denied, which most likely is as good as any, or else the one that was denied longest ago. -1: there is none.
   */
  next(queue: readonly Pending[]): number {
    const isOpen = ({ denied }: Pending) => denied?.send !== this.#send;
    if (!this.#inDoubt) return queue.findIndex(isOpen);
    const fresh = queue.findLastIndex(({ denied }) => denied === undefined);
    if (fresh >= 0) return fresh;
    const longest = queue.filter(isOpen).reduce<Pending | undefined>(
      (found, each) => found === undefined || sendOf(each) < sendOf(found) ? each : found,
      undefined,
    );
    return longest === undefined ? -1 : queue.indexOf(longest);
  }

  /**
   * How a denied request waits for the next send; undefined when it does not. One that is denied again although another
   * was accepted in between is refused for good: the credentials are right. In doubt it waits, since the credentials may
   * have been revoked meanwhile.
   */
  judge(
    { denied }: Pending,
    answer: ExportAnswer | Failure,
    send: number,
  ): { readonly denial: Denial; readonly isOneOfSeveral: boolean } | undefined {
    const isDenied = answer.kind === "refused" && answer.reason !== undefined;
    if (!isDenied || this.#whenDenied === "refuse") return undefined;
    const { accepted } = this.#receiver;
    const isOneOfSeveral = this.#inDoubt;
    this.#deniedAt = accepted;
    const waits = isOneOfSeveral || denied === undefined || denied.accepted >= accepted;
    return waits ? { denial: { send, accepted }, isOneOfSeveral } : undefined;
  }

  /** A request was denied in this send, and none was accepted since. */
  get #inDoubt(): boolean {
    return this.#deniedAt === this.#receiver.accepted;
  }
}

function sendOf({ denied }: Pending): number {
  return denied?.send ?? -Infinity;
}
