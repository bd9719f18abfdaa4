/**
 * How many data points all instruments have together that are not drained yet. Merged data takes the place of an
 * instrument's latest series; an instrument that has none yet needs one more, which is kept back for all but one.
 */
export class CardinalityLimit {
  readonly #limit: number;
  #instruments: number;
  #used = 0;

  constructor(limit: number, instruments = 1) {
    this.#limit = limit;
    this.#instruments = instruments;
  }

  /** Attribute sets that get a data point of their own. */
  get most(): number {
    return Math.max(1, this.#limit - Math.max(0, this.#instruments - 1));
  }

  /** Lets one more instrument share the limit. */
  addInstrument(): void {
    this.#instruments++;
  }

  get isReached(): boolean {
    return this.#used >= this.most;
  }

  /** Whether there is room for one more attribute set; reserves it if so. */
  reserve(): boolean {
    if (this.isReached) return false;
    this.#used++;
    return true;
  }

  /** Takes one of those that are kept back. */
  reserveKept(): void {
    this.#used++;
  }

  /** Gives back the room of a number of data points. */
  release(points: number): void {
    this.#used -= points;
  }
}
