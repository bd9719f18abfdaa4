import type { System } from "../../platform/system.ts";
import { escapeText } from "../../console/escape.ts";
import type { Console } from "../../console/console.ts";
import type { Ledger } from "../../delivery/delivering.ts";
import type { RunEvent } from "./run_event.ts";
import { liveText } from "./report/load_text.ts";
import type { RequestFigures } from "./request_figures.ts";

const EVERY_MS = 1000;

/** State of a run that the line shows beside the figures of its requests. */
export interface LiveState {
  readonly ledger: () => Ledger;
  /** Name of a scenario's current phase. */
  readonly phase?: (() => string | undefined) | undefined;
}

/** Status line of a loop at the foot of a terminal. */
export interface LiveLine {
  event(event: RunEvent): void;
  close(): void;
}

/** Shows the line every second. */
export function liveLine(
  figures: RequestFigures,
  { ledger, phase }: LiveState,
  console: Pick<Console, "status" | "clear">,
  { clock }: Pick<System, "clock">,
): LiveLine {
  let failures = 0;
  let before = figures.soFar;
  const draw = () => {
    const now = figures.soFar;
    const seconds = (now.elapsedMs - before.elapsedMs) / 1000;
    const pointsPerSecond = seconds > 0 ? (now.points - before.points) / seconds : 0;
    before = now;
    const { elapsedMs } = now;
    const { p99 } = figures.latency;
    const shownPhase = escapeText(phase?.() ?? "") || undefined;
    console.status(
      liveText({ elapsedMs, pointsPerSecond, failures, p99, phase: shownPhase }, ledger()),
    );
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
    close() {
      closed.abort();
      console.clear();
    },
  };
}
