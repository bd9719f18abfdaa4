import { escapeJson } from "../../../console/escape.ts";
import type { OutputConfig } from "../../../settings/output_config.ts";
import { errorLines, escapedLines, warningLines } from "../../../console/lines.ts";
import { counted, plural } from "../../../console/plural.ts";
import type { Result } from "../../../delivery/result.ts";
import { cutShortText, dataFindingTexts } from "../../findings.ts";
import type { RunEvent } from "../run_event.ts";
import type { SendReport } from "../send_report.ts";
import { origin } from "./text.ts";
import type { ReportContext } from "./report_context.ts";

/** Lines for standard error, in either form of the output. */
export function troubleLines(event: RunEvent, config: ReportContext): readonly string[] {
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
        `attempt ${attempts}: ${
          counted(request.points, "data point")
        }, ${request.body.length} bytes` +
        `${request.encoding === "gzip" ? " (gzip)" : ""} -> ${status ?? "no response"} in ${
          event.durationMs.toFixed(1)
        } ms${message === null ? "" : `: ${message}`}`;
      return format === "json"
        ? [escapeJson({ type: "debug", message: text })]
        : escapedLines(text);
    }
    case "retry":
      return warn(
        `attempt ${event.pending.attempts} failed: ${event.result.message}; retrying in ${
          (event.inMs / 1000).toFixed(1)
        } s`,
      );
    case "split":
      return warn(`${event.result.message}: resending it in two halves`);
    case "dropped":
      return errorLines(
        format,
        `${counted(event.pending.request.measurements, "measurement")} of ${
          origin(event.pending.iteration)
        } not delivered and lost: ${event.reason}`,
      );
    case "overflow":
    case "unequal-bounds":
    case "split-intervals":
    case "meaning":
    case "end-bucket":
      return dataFindingTexts(event, config).flatMap(warn);
    case "broken":
      return errorLines(
        format,
        config.scrape
          ? event.reason
          : `could not read the rest of the input: ${event.reason}; everything before that was sent`,
      );
    case "cut-short":
      return errorLines(format, cutShortText(event.progress));
    case "missed":
      return warn(
        `the previous send took longer than --interval: ${
          counted(event.sends, "send was", "sends were")
        } skipped`,
      );
    case "undelivered":
      return errorLines(
        format,
        event.spooled
          ? `${
            counted(event.measurements, "measurement")
          } not delivered, kept in ${config.spool}: the next start sends ${
            event.measurements === 1 ? "it" : "them"
          } (${event.reason})`
          : `${counted(event.measurements, "measurement")} not delivered and lost: ${event.reason}`,
        config.explainer?.hint(event.trouble, config.endpoint),
      );
    case "send":
      return [
        ...sendTrouble(event, event.pending, config),
        ...duplicateWarning(event.possiblyDuplicated, format),
      ];
    case "late": {
      const { result } = event;
      const what = `${counted(event.measurements, "measurement")} of ${origin(event.iteration)}`;
      return [
        ...outcomeTrouble(what, result, config),
        ...duplicateWarning(event.possiblyDuplicated, format),
      ];
    }
    default:
      return [];
  }
}

/** Warning, printed once per process, about responses whose bodies do not say whether everything was accepted. */
export function unseenLines(
  { status, message, unseen }: Result,
  { output: { format }, endpoint, loop }: ReportContext,
): readonly string[] {
  const once = loop ? " (later responses like this are not reported)" : "";
  const remedy = unseen === "not-otlp" ? `; check that ${endpoint.shown} is an OTLP receiver` : "";
  return warningLines(
    format,
    `accepted with status ${status}, but ${message}${remedy}${once}`,
  );
}

function sendTrouble(
  send: SendReport,
  pending: number,
  config: ReportContext,
): readonly string[] {
  const { output, loop, endpoint, explainer } = config;
  if (send.outcome === "failed") {
    // A single send is followed by the end, which says the same for good.
    if (!loop) return [];
    const others = pending - send.measurements;
    const more = others > 0 ? ` (${others} more ${plural(others, "is", "are")} unsent)` : "";
    return errorLines(
      output.format,
      `${counted(send.measurements, "measurement")} not delivered yet: ${send.message}${more}`,
      explainer?.hint(send.trouble, endpoint, send.message ?? ""),
    );
  }
  return outcomeTrouble(counted(send.measurements, "measurement"), send, config);
}

function outcomeTrouble(
  what: string,
  { outcome, message, unseen, trouble }: Pick<
    SendReport,
    "outcome" | "message" | "unseen" | "trouble"
  >,
  { output: { format }, endpoint, explainer }: ReportContext,
): readonly string[] {
  const hint = explainer?.hint(trouble, endpoint, message ?? "");
  switch (outcome) {
    case "accepted":
      // An unseen partial success has its own warning, once.
      return message === null || unseen !== undefined
        ? []
        : warningLines(format, `the receiver reports: ${message}`);
    case "partial":
      return errorLines(format, `${what} only partly accepted: ${message}`, hint);
    case "rejected":
      return errorLines(format, `${what} not delivered: ${message}`, hint);
    case "failed":
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
      "possibly duplicated: an attempt got no response and was retried, so the receiver may have counted the data twice",
    )
    : [];
}
