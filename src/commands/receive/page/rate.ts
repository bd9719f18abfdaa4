const SECONDS = 10;

interface Second {
  second: number;
  requests: number;
  points: number;
}

/** Requests and data points per second, over the last ten seconds. */
export class Rate {
  readonly #seconds: Second[] = [];
  #first: number | undefined;

  add(time: number, points: number): void {
    const second = Math.floor(time / 1000);
    this.#first ??= second;
    let last = this.#seconds.at(-1);
    if (last === undefined || last.second < second) {
      last = { second, requests: 0, points: 0 };
      this.#seconds.push(last);
      if (this.#seconds.length > 2 * SECONDS) this.#seconds.splice(0, SECONDS);
    }
    last.requests++;
    last.points += points;
  }

  /** Returns the rates. The current second is not over, and does not count. */
  at(now: number): { readonly requestRate: number; readonly pointRate: number } {
    const second = Math.floor(now / 1000);
    const from = Math.max(second - SECONDS, this.#first ?? second);
    const length = Math.max(1, second - from);
    let requests = 0;
    let points = 0;
    for (const counts of this.#seconds) {
      if (counts.second < from || counts.second >= second) continue;
      requests += counts.requests;
      points += counts.points;
    }
    return { requestRate: requests / length, pointRate: points / length };
  }
}
