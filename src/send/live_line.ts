import type { System } from "../base/system.ts";
import type { Ledger } from "../delivery/delivery.ts";
import type { RunEvent } from "./loop.ts";
import { liveText } from "./report/load_text.ts";
import type { RequestFigures } from "./request_figures.ts";

const EVERY_MS = 1000;
const CLEAR_LINE = "\r\x1b[K";

/** A line at the foot of a terminal that tells how a loop is doing. */
export interface LiveLine {
  event(event: RunEvent): void;
  /** Takes the line away, so that something else can be printed. */
  clear(): void;
  close(): void;
}

/** Draws the line on standard error, which must be a terminal, every second. */
export function liveLine(
  figures: RequestFigures,
  ledger: () => Ledger,
  { stderr, clock }: Pick<System, "stderr" | "clock">,
): LiveLine {
  let failures = 0;
  let before = figures.soFar;
  let isShown = false;
  const clear = () => {
    if (isShown) stderr(CLEAR_LINE);
    isShown = false;
  };
  const draw = () => {
    const now = figures.soFar;
    const seconds = (now.elapsedMs - before.elapsedMs) / 1000;
    const pointsPerSecond = seconds > 0 ? (now.points - before.points) / seconds : 0;
    before = now;
    const { elapsedMs } = now;
    const { p99 } = figures.latency;
    stderr(CLEAR_LINE + liveText({ elapsedMs, pointsPerSecond, failures, p99 }, ledger()));
    isShown = true;
  };
  const closed = new AbortController();
  (async () => {
    for (;;) {
      await clock.sleep(EVERY_MS, closed.signal);
      if (closed.signal.aborted) return;
      draw();
    }
  })();
  return {
    event(event) {
      if (event.type === "attempt" && event.result.outcome !== "accepted") failures++;
    },
    clear,
    close() {
      closed.abort();
      clear();
    },
  };
}
