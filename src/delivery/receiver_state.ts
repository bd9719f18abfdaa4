/** State that all deliveries to one receiver share. */
export interface Shared {
  readonly receiver: ReceiverState;
  /** Bytes that the other deliveries keep, which count towards the limit. */
  readonly elsewhere: () => number;
}

/** Everything that this process has learned about the receiver. */
export class ReceiverState {
  /** End of its Retry-After, on the monotonic clock. */
  notBefore = 0;
  /** How many requests it has accepted, at least in part. */
  accepted = 0;
  /** The size of a request that it takes, in bytes before compression, once it has called one too large. */
  largestRequest = Infinity;
}
