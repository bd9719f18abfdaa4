import { UNVERIFIED_WARNING } from "../../../http/tls_config.ts";
import { escapeJson } from "../../../console/escape.ts";
import { escapedLines, type Lines, NONE, warningLines } from "../../../console/lines.ts";
import type { Advice } from "../../../receivers/profile.ts";
import type { RunEvent } from "../run_event.ts";
import { jsonObject } from "./json.ts";
import type { ReportContext } from "./report_context.ts";
import { eventText, rateLines, samplesText, startText } from "./text.ts";
import { troubleLines, unseenLines } from "./trouble.ts";

/** Makes the lines of a report out of the events of a run. */
export function reporter(
  initial: ReportContext,
  advice?: Pick<Advice, "whereToLook">,
): {
  start(): Lines;
  serving(url: string): Lines;
  /** Loads the explanations of responses before the first event that needs them. */
  prepare(event: RunEvent): Promise<void>;
  event(event: RunEvent): Lines;
} {
  let config = initial;
  const { format, level } = config.output;
  const isSilent = level === "quiet" && format === "text";
  const shown = ({ out, err }: Lines): Lines => ({ out: isSilent ? [] : out, err });
  let wasUnseen = false;
  return {
    start: () => shown(startLines(config)),
    /** Probes and metrics are served there. */
    serving: (url) =>
      format === "json"
        ? { out: [], err: [JSON.stringify({ type: "health", url })] }
        : shown({ out: [`Health and metrics: ${url}/metrics`], err: [] }),
    async prepare(event) {
      // A process that has run out of file descriptors can load nothing: a loop loads what it may need before.
      const isNeeded = config.loop || (event.type === "attempt" && event.result.message !== null);
      if (config.explainer !== undefined || !isNeeded) return;
      const explainer = await config.endpoint.profile.explainer();
      config = { ...config, explainer };
    },
    event(event) {
      const explained = explain(event, config).flatMap((line) =>
        format === "json"
          ? escapeJson({ type: "explanation", message: line })
          : escapedLines(`  ${line}`)
      );
      const out = format === "json"
        ? jsonLines(event, config)
        : [...eventText(event, config), ...lookLines(event, config, advice)]
          .flatMap(escapedLines);
      const trouble = [...troubleLines(event, config), ...explained];
      // A search for a capacity has one result, which nothing silences.
      if (isSilent && event.type === "summary" && event.capacity !== undefined) {
        return { out: escapedLines(event.capacity.message), err: trouble };
      }
      if (event.type !== "attempt" || event.result.unseen === undefined || wasUnseen) {
        return shown({ out, err: trouble });
      }
      wasUnseen = true;
      return shown({ out, err: [...trouble, ...unseenLines(event.result, config)] });
    },
  };
}

function startLines(config: ReportContext): Lines {
  const { output: { format, level }, insecure, samples } = config;
  const warnings = insecure ? warningLines(format, UNVERIFIED_WARNING) : NONE.err;
  if (format === "text") return { out: startText(config).flatMap(escapedLines), err: warnings };
  const notes = level === "quiet"
    ? []
    : [...samples ? [samplesText(config)] : [], ...rateLines(config)];
  return {
    out: NONE.out,
    err: [...warnings, ...notes.flatMap((note) => warningLines(format, note))],
  };
}

function jsonLines(event: RunEvent, config: ReportContext): readonly string[] {
  if (config.output.level === "quiet" && event.type !== "summary") return [];
  const object = jsonObject(event, config);
  return object === undefined ? [] : [escapeJson(object)];
}

/** Explains the reasons in a rejection, where no hint explains them already. */
function explain(
  event: RunEvent,
  { endpoint, explainer }: ReportContext,
): readonly string[] {
  const result = event.type === "send" ? event : event.type === "late" ? event.result : undefined;
  if (!result?.message || result.outcome === "failed") return [];
  if (explainer === undefined) return [];
  if (explainer.hint(result.trouble, endpoint, result.message) !== undefined) return [];
  return explainer.reasons(result.message);
}

/** Lines, printed once after a success, on where to look for the data. */
function lookLines(
  event: RunEvent,
  { loop, endpoint: { profile } }: ReportContext,
  advice: Pick<Advice, "whereToLook"> | undefined,
): readonly string[] {
  const isEnd = loop
    ? event.type === "summary" && event.delivered > 0
    : event.type === "send" && event.outcome === "accepted" && !event.isCutShort;
  const lines = isEnd ? advice?.whereToLook() ?? [] : [];
  return lines.length === 0
    ? []
    : ["", `Where to look in ${profile.vendor}:`, ...lines.map((line) => `  ${line}`)];
}
