/**
 * How many data points all instruments have together in one interval. Each instrument may need one for what it
 * folds; as in the SDK, a limit of N leaves N - 1 attribute sets to a single instrument.
 */
export class Cardinality {
  /** Attribute sets that get a data point of their own. */
  readonly most: number;
  #interval = 0;
  #used = 0;

  constructor(limit: number, instruments = 1) {
    this.most = Math.max(0, limit - instruments);
  }

  /** The current interval; they are numbered. */
  get interval(): number {
    return this.#interval;
  }

  /** Whether there is room for one more attribute set in this interval; takes it if so. */
  take(): boolean {
    if (this.#used >= this.most) return false;
    this.#used++;
    return true;
  }

  next(): void {
    this.#interval++;
    this.#used = 0;
  }
}
