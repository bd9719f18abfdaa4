/** Time after a first signal, in ms, at which the process ends whatever hangs: Docker kills after 10 s. */
const ALL_OVER_MS = 7250;
/** Time after a second signal, in ms: enough to report losses, not to wait for anything. */
const AT_ONCE_MS = 500;

/** Signals that end a process. A terminal sends some of them to the command as well. */
const ENDING: readonly { readonly signal: Deno.Signal; readonly fromTerminal: boolean }[] =
  Deno.build.os === "windows"
    ? [{ signal: "SIGINT", fromTerminal: true }, { signal: "SIGBREAK", fromTerminal: true }]
    : [
      { signal: "SIGINT", fromTerminal: true },
      { signal: "SIGQUIT", fromTerminal: true },
      { signal: "SIGTERM", fromTerminal: false },
      { signal: "SIGHUP", fromTerminal: false },
    ];
/** Signals that ask this process to finish its own work. */
const HANDLED: readonly Deno.Signal[] = ["SIGINT", "SIGBREAK", "SIGTERM"];

/**
 * Handles SIGINT and SIGTERM: the first asks to finish, the second to end at once. `force` is called with the reason
 * when that takes too long, and for a third. While a command runs, signals are passed on to it instead.
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
      this.#forceSoon();
      this.#stop.abort();
    } else if (this.#count === 2) {
      this.#forceAfter(AT_ONCE_MS, "ended by a second signal");
      this.#kill.abort();
    } else {
      this.#forceAfter(0, "ended by a third signal");
    }
  };

  listen(): void {
    for (const { signal } of ENDING) {
      if (HANDLED.includes(signal)) Deno.addSignalListener(signal, this.#received);
    }
  }

  /**
   * Passes every signal to a command with `kill`, but for those that the command has from the terminal. Call `end`
   * when it has ended: signals are then handled as usual, one that was passed on counts as the first, and the time
   * after it begins. Returns whether there was one.
   */
  passTo(kill: (signal: Deno.Signal) => void): { end(): boolean } {
    const hasTerminal = Deno.stdin.isTerminal();
    let isRunning = true;
    for (const { signal, fromTerminal } of ENDING) {
      Deno.addSignalListener(signal, () => {
        if (!isRunning) return this.#received();
        this.#count = 1;
        if (!(fromTerminal && hasTerminal)) kill(signal);
      });
    }
    return {
      end: () => {
        isRunning = false;
        if (this.#count === 0) return false;
        this.#forceSoon();
        return true;
      },
    };
  }

  /** Ends as after a signal when nobody reads standard output any more. */
  outputClosed(): void {
    this.#stop.abort();
  }

  #forceSoon(): void {
    const seconds = Math.round(ALL_OVER_MS / 1000);
    this.#forceAfter(
      ALL_OVER_MS,
      `requests in progress did not end within ${seconds} s of a signal`,
    );
  }

  #forceAfter(ms: number, why: string): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#force(why), ms);
  }
}
