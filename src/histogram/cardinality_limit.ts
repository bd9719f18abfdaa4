/**
 * How many data points all instruments have together that are not drained yet. What is folded takes the place of an
 * instrument's latest series; an instrument that has none yet needs one more, which is kept back for all but one.
 */
export class CardinalityLimit {
  /** Attribute sets that get a data point of their own. */
  readonly most: number;
  #used = 0;

  constructor(limit: number, instruments = 1) {
    this.most = Math.max(1, limit - (instruments - 1));
  }

  /** Whether there is room for one more attribute set; reserves it if so. */
  reserve(): boolean {
    if (this.#used >= this.most) return false;
    this.#used++;
    return true;
  }

  /** Takes one of those that are kept back. */
  reserveKept(): void {
    this.#used++;
  }

  /** Gives back the room of so many data points. */
  release(points: number): void {
    this.#used -= points;
  }
}
