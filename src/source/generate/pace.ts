/** Times at which measurements are due, in seconds since the start. Arithmetic alone: the caller has the clock. */
export interface Pace {
  /** Returns how many measurements are due by then, with a fraction. */
  due(seconds: number): number;
  /** Returns when the measurement of that number, from 0, is due. */
  secondsOf(measurement: number): number;
  /** Returns the measurements per second at that moment. */
  rateAt(seconds: number): number;
  /** The pace as the user wrote it. */
  readonly text: string;
}

/** Makes a pace of constant rate, in measurements per second. */
export function steady(rate: number): Pace {
  return {
    due: (seconds) => seconds * rate,
    secondsOf: (measurement) => (measurement + 1) / rate,
    rateAt: () => rate,
    text: String(rate),
  };
}

/** Makes a pace that rises evenly from one rate to the other in a number of seconds, and stays there. */
export function rising(from: number, to: number, inSeconds: number): Pace {
  const slope = (to - from) / inSeconds;
  const dueAtEnd = (from + to) / 2 * inSeconds;
  return {
    due: (seconds) =>
      seconds < inSeconds
        ? from * seconds + slope * seconds * seconds / 2
        : dueAtEnd + to * (seconds - inSeconds),
    secondsOf(measurement) {
      const due = measurement + 1;
      if (due >= dueAtEnd) return inSeconds + (due - dueAtEnd) / to;
      // The positive root of slope/2 · t² + from · t = due, in the form that loses no digits.
      return 2 * due / (from + Math.sqrt(from * from + 2 * slope * due));
    },
    rateAt: (seconds) => from + slope * Math.min(seconds, inSeconds),
    text: `${from}..${to}`,
  };
}
