/** Watcher of a run, which reports a run that is stuck. */
export interface Pulse {
  /** Called at each turn of the loop. */
  turned(): void;
  /** Passes work on that may take its time. */
  waiting<Result>(work: Promise<Result>): Promise<Result>;
}

/** Pulse of a run that nobody watches. */
export const NO_PULSE: Pulse = { turned() {}, waiting: (work) => work };
