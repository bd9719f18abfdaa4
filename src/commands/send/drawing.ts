import type { DrawingConfig } from "../../settings/output_config.ts";
import type { SendConfig } from "../send_config.ts";
import { drawRequests } from "../../draw/requests.ts";
import { type Canvas, canvasOf } from "../../console/canvas.ts";
import type { System } from "../../platform/system.ts";
import { decodeRequest } from "../../otlp/decode.ts";
import { plainBody } from "../../otlp/gzip.ts";
import type { EncodedRequest } from "../../otlp/request.ts";
import type { RunEvent } from "./run_event.ts";

// Loads the OTLP schema: import this module dynamically.

interface Accepted {
  readonly iteration: number | null;
  readonly request: EncodedRequest;
  /** How many of its data points the receiver rejected; it does not say which. */
  readonly rejectedPoints: number;
}

/** Draws the request of a dry run for standard error. */
export function dryRunPlot(
  request: EncodedRequest,
  { color }: DrawingConfig,
  { stderrIsTerminal, columns, env, secrets }: System,
): Promise<readonly string[]> {
  // Only the width of standard output is known; both streams share one terminal where both have one.
  const screen = { columns: stderrIsTerminal ? columns : undefined, env };
  return drawEncoded([request], canvasOf(screen, { color, hide: secrets.hideInData }));
}

async function drawEncoded(requests: readonly EncodedRequest[], canvas: Canvas) {
  const decoded = await Promise.all(
    requests.map(async (request) => decodeRequest(await plainBody(request))),
  );
  return drawRequests(decoded, canvas);
}

/** Makes the function that draws the accepted data after an event that ends a send; other events draw nothing. */
export function sendPlot(
  { plot, schedule }: Pick<SendConfig, "plot" | "schedule">,
  system: System,
): (event: RunEvent) => Promise<readonly string[]> {
  const color = plot?.color ?? false;
  const hide = system.secrets.hideInData;
  let accepted: readonly Accepted[] = [];
  return async (event) => {
    if (event.type === "attempt") {
      const { pending: { iteration, request }, result: { outcome, rejectedPoints } } = event;
      if (outcome === "accepted" || outcome === "partial") {
        accepted = [...accepted, { iteration, request, rejectedPoints }];
      }
      return [];
    }
    if (event.type !== "send" && event.type !== "late") return [];
    const own = accepted.filter(({ iteration }) => iteration === event.iteration);
    accepted = accepted.filter(({ iteration }) => iteration !== event.iteration);
    if (own.length === 0) return [];
    const requests = own.map(({ request }) => request);
    const rejected = own.reduce((sum, { rejectedPoints }) => sum + rejectedPoints, 0);
    return [
      // A single send ends with a note, which is not about the drawing.
      ...schedule.loop ? [] : [""],
      ...await drawEncoded(requests, canvasOf(system, { color, hide })),
      ...rejected === 0
        ? []
        : [`  (the receiver rejected ${rejected} of these data points without naming them)`],
    ];
  };
}
