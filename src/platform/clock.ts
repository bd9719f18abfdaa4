/** Source of time that is passed in, so that tests do not have to wait. */
export interface Clock {
  /** Wall clock, milliseconds since 1970; may jump. */
  wall(): number;
  /** Milliseconds since an arbitrary start; never jumps. */
  monotonic(): number;
  /** Resolves after `ms`, or at once when `signal` is aborted; never rejects. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

/** Longest delay of `setTimeout`, which fires at once for one that does not fit in 31 bits. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Clock of the machine. */
export const systemClock: Clock = {
  wall: () => Date.now(),
  monotonic: () => performance.now(),
  async sleep(ms, signal) {
    for (let left = ms; left > 0 && !signal.aborted; left -= LONGEST_TIMER_MS) {
      await timer(Math.min(left, LONGEST_TIMER_MS), signal);
    }
  },
};

function timer(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(id);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const id = setTimeout(done, ms);
    signal.addEventListener("abort", done);
  });
}
