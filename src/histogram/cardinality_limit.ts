/**
 * How many data points all instruments have together in one interval. What is folded takes the place of an instrument's
 * latest series; an instrument that has none yet needs one more, which is kept back for all but one.
 */
export class CardinalityLimit {
  /** Attribute sets that get a data point of their own. */
  readonly most: number;
  #interval = 0;
  #used = 0;

  constructor(limit: number, instruments = 1) {
    this.most = Math.max(1, limit - (instruments - 1));
  }

  /** The current interval; they are numbered. */
  get interval(): number {
    return this.#interval;
  }

  /** Whether there is room for one more attribute set in this interval; reserves it if so. */
  reserve(): boolean {
    if (this.#used >= this.most) return false;
    this.#used++;
    return true;
  }

  next(): void {
    this.#interval++;
    this.#used = 0;
  }
}
