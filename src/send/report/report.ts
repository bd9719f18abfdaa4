import type { OutputConfig } from "../../config/output_config.ts";
import type { SendConfig } from "../../config/send_config.ts";
import type { Overflow } from "../../histogram/overflow.ts";
import { localTime } from "../../base/local_time.ts";
import { redactSecrets } from "../../base/redact.ts";
import type { RunEvent, SendReport } from "../loop.ts";

/** Lines for standard output and standard error, without their ends. */
export interface Lines {
  readonly out: readonly string[];
  readonly err: readonly string[];
}

const NONE: Lines = { out: [], err: [] };

/** What of the configuration the words depend on. */
export interface Reported {
  readonly output: OutputConfig;
  readonly metrics: readonly string[];
  readonly url: string;
  readonly loop: boolean;
  /** Only what the spool holds is sent. */
  readonly spoolOnly: boolean;
  /** The sample measurements are sent, none of the user's own. */
  readonly samples: boolean;
  readonly intervalMs: number;
  readonly insecure: boolean;
  readonly spool: string | undefined;
}

export function reported(
  { output, destination, schedule, keep, source }: SendConfig,
  metrics: readonly string[],
): Reported {
  return {
    output,
    metrics,
    url: destination.endpoint.shown,
    loop: schedule.loop,
    spoolOnly: source.kind === "spool",
    samples: source.kind === "sample",
    intervalMs: schedule.intervalMs,
    insecure: destination.tls.insecure,
    spool: keep.spool?.value,
  };
}

/** What can be told of a receiver whose rules are known. */
export interface Explanations {
  explain(message: string): readonly string[];
  readonly whereToLook: readonly string[];
}

/** What happened -> lines. `secrets` are hidden wherever a receiver repeats them. */
export function reporter(
  config: Reported,
  secrets: readonly string[],
  explanations?: Explanations,
): { start(): Lines; event(event: RunEvent): Lines } {
  const { format, level } = config.output;
  const hide = (lines: readonly string[]) => lines.map((line) => redactSecrets(line, secrets));
  const shown = ({ out, err }: Lines): Lines => ({
    out: level === "quiet" && format === "text" ? [] : hide(out),
    err: hide(err),
  });
  return {
    start: () => shown(startLines(config)),
    event(event) {
      const { out, err } = format === "json" ? jsonLines(event, config) : textLines(event, config);
      const explained = explain(event, explanations).map((line) =>
        format === "json" ? JSON.stringify({ type: "explanation", message: line }) : `  ${line}`
      );
      const look = format === "text" ? lookLines(event, config, explanations) : [];
      return shown({ out: [...out, ...look], err: [...err, ...explained] });
    },
  };
}

/** What the reasons in a refusal mean. */
function explain(event: RunEvent, explanations: Explanations | undefined): readonly string[] {
  const result = event.type === "send" ? event : event.type === "late" ? event.result : undefined;
  if (!result?.message || result.outcome === "failed") return [];
  return explanations?.explain(result.message) ?? [];
}

/** After a success, once: where to look for it. */
function lookLines(
  event: RunEvent,
  { loop }: Reported,
  explanations: Explanations | undefined,
): readonly string[] {
  if (explanations === undefined) return [];
  const isEnd = loop
    ? event.type === "summary" && event.delivered > 0
    : event.type === "send" && event.outcome === "accepted";
  return isEnd
    ? ["", "Where to look in Dynatrace:", ...explanations.whereToLook.map((line) => `  ${line}`)]
    : [];
}

function startLines(config: Reported): Lines {
  const warning = "SSL verification disabled (INSECURE_SSL=true)";
  const err = config.insecure ? warningLines(config.output.format, warning) : [];
  if (config.output.format === "json") return { out: [], err };
  const out = [`Sending histogram metrics to: ${config.url}`];
  if (config.loop) {
    out.push(
      `Running in loop mode (sending every ${config.intervalMs / 1000} seconds)`,
      "Press Ctrl+C to stop...",
      "",
    );
  }
  return { out, err };
}

/** A warning on standard error, in the form of the output. */
export function warningLines(format: OutputConfig["format"], message: string): readonly string[] {
  return [
    format === "json" ? JSON.stringify({ type: "warning", message }) : `WARNING: ${message}`,
  ];
}

/** An error on standard error, in the form of the output. */
export function errorLines(
  format: OutputConfig["format"],
  message: string,
  hint?: string,
): readonly string[] {
  if (format === "json") {
    return [
      JSON.stringify({ type: "error", message: hint ? `${message}. Hint: ${hint}` : message }),
    ];
  }
  return [`ERROR: ${message}`, ...hint ? [`  Hint: ${hint}`] : []];
}

export function overflowText({ measurements: count, series, more }: Overflow): string {
  return `${measurements(count)} of ${series}${
    more ? " or more" : ""
  } series share one data point ` +
    "(otel.metric.overflow=true): there are more series than --max-series";
}

/** Both forms have these in common: what goes to standard error. */
function troubleLines(event: RunEvent, config: Reported): readonly string[] {
  const { format, level } = config.output;
  const warn = (message: string) => warningLines(format, message);
  switch (event.type) {
    case "warning":
      return warn(event.message);
    case "attempt": {
      if (level !== "verbose") return [];
      const { request, attempts } = event.pending;
      const { status, message } = event.result;
      const text =
        `attempt ${attempts}: ${request.points} data points, ${request.body.length} bytes` +
        `${request.encoding === "gzip" ? " (gzip)" : ""} -> ${status ?? "no answer"} in ${
          event.durationMs.toFixed(1)
        } ms${message === null ? "" : `: ${message}`}`;
      return [format === "json" ? JSON.stringify({ type: "debug", message: text }) : text];
    }
    case "retry":
      if (event.result.status === 413) {
        return warn(`${event.result.message}: sending it again in two halves`);
      }
      return warn(
        `attempt ${event.pending.attempts} failed: ${event.result.message}; trying again in ${
          (event.inMs / 1000).toFixed(1)
        } s`,
      );
    case "dropped":
      return errorLines(
        format,
        `${measurements(event.pending.request.measurements)} of ${
          origin(event.pending.iteration)
        } dropped, not delivered: ${event.reason}`,
      );
    case "overflow":
      return warn(overflowText(event.overflow));
    case "broken":
      return errorLines(
        format,
        `the input broke off: ${event.reason}; what came before it was sent`,
      );
    case "missed":
      return warn(
        `the send before took longer than the interval: ${event.sends} ${
          event.sends === 1 ? "send was" : "sends were"
        } left out`,
      );
    case "undelivered":
      return errorLines(
        format,
        event.spooled
          ? `${
            measurements(event.measurements)
          } not delivered, kept in ${config.spool}: the next start sends them (${event.reason})`
          : `${measurements(event.measurements)} not delivered and lost: ${event.reason}`,
        event.hint,
      );
    case "send":
      return [
        ...sendTrouble(event, event.pending, config),
        ...duplicateWarning(event.possiblyDuplicated, format),
      ];
    case "late": {
      const { result } = event;
      const what = `${measurements(event.measurements)} of ${origin(event.iteration)}`;
      return [
        ...outcomeTrouble(what, result, format),
        ...duplicateWarning(event.possiblyDuplicated, format),
      ];
    }
    default:
      return [];
  }
}

function duplicateWarning(
  possiblyDuplicated: boolean,
  format: OutputConfig["format"],
): readonly string[] {
  return possiblyDuplicated
    ? warningLines(
      format,
      "possibly duplicated: an attempt got no answer and was repeated, so the receiver may have counted it twice",
    )
    : [];
}

function sendTrouble(
  send: SendReport,
  pending: number,
  { output, loop }: Reported,
): readonly string[] {
  if (send.outcome === "failed") {
    // A single send is followed by the end, which says the same for good.
    if (!loop) return [];
    const others = pending - send.measurements;
    const more = others > 0 ? ` (${others} more are pending)` : "";
    return errorLines(
      output.format,
      `${measurements(send.measurements)} not delivered yet: ${send.message}${more}`,
      send.hint,
    );
  }
  return outcomeTrouble(measurements(send.measurements), send, output.format);
}

function outcomeTrouble(
  what: string,
  { outcome, message, hint }: Pick<SendReport, "outcome" | "message" | "hint">,
  format: OutputConfig["format"],
): readonly string[] {
  switch (outcome) {
    case "accepted":
      return message === null ? [] : warningLines(format, `the receiver says: ${message}`);
    case "partial":
      return errorLines(format, `${what} taken only in part: ${message}`, hint);
    case "rejected":
      return errorLines(format, `${what} not delivered: ${message}`, hint);
    case "failed":
      return [];
  }
}

function textLines(event: RunEvent, config: Reported): Lines {
  const err = troubleLines(event, config);
  switch (event.type) {
    case "recording":
      return {
        out: [
          config.loop
            ? `[${localTime(event.time)}] Iteration ${event.iteration}: Recording measurements...`
            : config.samples
            ? "Recording sample measurements..."
            : "Recording measurements...",
        ],
        err,
      };
    case "recorded":
      return config.loop ? NONE : { out: ["Measurements recorded. Waiting for export..."], err };
    case "send":
      if (event.outcome !== "accepted") return { out: [], err };
      if (config.loop) {
        return {
          out: [`[${localTime(event.time)}] ✓ Sent ${event.measurements} measurements`],
          err,
        };
      }
      return {
        out: [
          `✓ Metrics exported successfully! Sent ${event.measurements} measurements.`,
          "",
          `Note: Check Dynatrace UI for the ${config.metrics.length === 1 ? "metric" : "metrics"} ${
            config.metrics.map((name) => `'${name}'`).join(", ")
          }`,
        ],
        err,
      };
    case "late":
      return {
        out: event.result.outcome === "accepted"
          ? [
            `[${localTime(event.time)}] ✓ Sent ${event.measurements} measurements of ${
              origin(event.iteration)
            }`,
          ]
          : [],
        err,
      };
    case "stopping":
      return { out: ["", "", "Stopping... Flushing final metrics..."], err };
    case "summary":
      return {
        out: [
          ...config.loop || event.sends === 0 ? [summaryText(event, config)] : [],
          ...config.loop ? ["Shutdown complete."] : [],
        ],
        err,
      };
    default:
      return { out: [], err };
  }
}

function summaryText(
  summary: Extract<RunEvent, { type: "summary" }>,
  { spoolOnly }: Reported,
): string {
  const { recorded, delivered, rejected, dropped, pending, rejectedPoints, sends } = summary;
  if (recorded === 0 && sends === 0) {
    return spoolOnly
      ? "Nothing to send: the spool is empty."
      : "Nothing to send: no measurement was recorded.";
  }
  const parts = [
    rejected > 0 ? `${rejected} rejected` : "",
    dropped > 0 ? `${dropped} dropped` : "",
    pending > 0 ? `${pending} pending in the spool` : "",
    rejectedPoints > 0 ? `${rejectedPoints} data points rejected` : "",
  ].filter((part) => part !== "");
  const inSends = sends === 0 ? "" : ` in ${sends} ${sends === 1 ? "send" : "sends"}`;
  return `Delivered ${delivered} of ${measurements(recorded)}${inSends}${
    parts.length > 0 ? `; ${parts.join(", ")}` : ""
  }.`;
}

function jsonLines(event: RunEvent, config: Reported): Lines {
  const err = troubleLines(event, config);
  const out = config.output.level === "quiet" && event.type !== "summary"
    ? undefined
    : jsonObject(event);
  return { out: out === undefined ? [] : [JSON.stringify(out)], err };
}

/** The objects of the contract, their keys in its order. */
function jsonObject(event: RunEvent): Readonly<Record<string, unknown>> | undefined {
  switch (event.type) {
    case "send":
      return {
        type: "send",
        time: new Date(event.time).toISOString(),
        iteration: event.iteration,
        measurements: event.measurements,
        points: event.points,
        outcome: event.outcome,
        attempts: event.attempts,
        status: event.status,
        bytes: event.bytes,
        durationMs: Math.round(event.durationMs * 10) / 10,
        rejectedPoints: event.rejectedPoints,
        possiblyDuplicated: event.possiblyDuplicated,
        message: event.message,
      };
    case "late":
      return {
        type: "late",
        time: new Date(event.time).toISOString(),
        iteration: event.iteration,
        points: event.points,
        outcome: event.result.outcome,
        attempts: event.attempts,
        status: event.result.status,
      };
    case "summary": {
      const { recorded, delivered, rejected, dropped, pending, invalid, rejectedPoints } = event;
      return {
        type: "summary",
        recorded,
        delivered,
        rejected,
        dropped,
        pending,
        invalid,
        rejectedPoints,
        sends: event.sends,
        exitCode: event.exitCode,
      };
    }
    default:
      return undefined;
  }
}

function measurements(count: number): string {
  return count === 1 ? "1 measurement" : `${count} measurements`;
}

function origin(iteration: number | null): string {
  return iteration === null ? "an earlier run" : `iteration ${iteration}`;
}
