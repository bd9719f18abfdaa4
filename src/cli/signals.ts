/** Time after a first signal, in ms, at which the process ends whatever hangs: Docker kills after 10 s. */
const ALL_OVER_MS = 7250;
/** Time after a second signal, in ms: enough to report losses, not to wait for anything. */
const AT_ONCE_MS = 500;

/**
 * Handles SIGINT and SIGTERM: the first asks to finish, the second to end at once. `force` is called with the reason
 * when that takes too long, and for a third.
 */
export class Signals {
  readonly #stop = new AbortController();
  readonly #kill = new AbortController();
  readonly stop = this.#stop.signal;
  readonly kill = this.#kill.signal;
  readonly #force: (why: string) => void;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #count = 0;

  constructor(force: (why: string) => void) {
    this.#force = force;
  }

  readonly #received = () => {
    this.#count++;
    if (this.#count === 1) {
      const seconds = Math.round(ALL_OVER_MS / 1000);
      this.#forceAfter(
        ALL_OVER_MS,
        `what was under way did not end within ${seconds} s of a signal`,
      );
      this.#stop.abort();
    } else if (this.#count === 2) {
      this.#forceAfter(AT_ONCE_MS, "ended by a second signal");
      this.#kill.abort();
    } else {
      this.#forceAfter(0, "ended by a third signal");
    }
  };

  listen(): void {
    const signals = Deno.build.os === "windows"
      ? ["SIGINT", "SIGBREAK"] as const
      : ["SIGINT", "SIGTERM"] as const;
    for (const signal of signals) Deno.addSignalListener(signal, this.#received);
  }

  /** Ends as after a signal when nobody reads standard output any more. */
  outputClosed(): void {
    this.#stop.abort();
  }

  #forceAfter(ms: number, why: string): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#force(why), ms);
  }
}
