/** Lets tests wait for something to become true, woken by what changes it: no polling, no sleeping. */
export class Changes {
  readonly #waiting = new Set<() => void>();

  notify(): void {
    for (const check of [...this.#waiting]) check();
  }

  /** Rejects when `condition` throws, or with what `explain` says once `timeoutMs` have passed. */
  until(condition: () => boolean, timeoutMs: number, explain: () => string): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = (end: () => void) => {
        clearTimeout(timer);
        this.#waiting.delete(check);
        end();
      };
      const check = () => {
        try {
          if (condition()) settle(resolve);
        } catch (thrown) {
          settle(() => reject(thrown));
        }
      };
      const timer = setTimeout(
        () => settle(() => reject(new Error(`Waited ${timeoutMs} ms: ${explain()}`))),
        timeoutMs,
      );
      this.#waiting.add(check);
      check();
    });
  }
}
