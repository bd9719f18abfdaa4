import { escapeJson } from "../../../console/escape.ts";
import { escapedLines, type Lines, NONE, warningLines } from "../../../console/lines.ts";
import type { Advice } from "../../../receivers/profile.ts";
import type { RunEvent } from "../run_event.ts";
import { jsonObject } from "./json.ts";
import type { Reported } from "./reported.ts";
import { eventText, samplesText, startText } from "./text.ts";
import { troubleLines, unseenLines } from "./trouble.ts";

/** What happened -> lines. */
export function reporter(
  initial: Reported,
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
  const shown = ({ out, err }: Lines): Lines => ({
    out: level === "quiet" && format === "text" ? [] : out,
    err,
  });
  let wasUnseen = false;
  return {
    start: () => shown(startLines(config)),
    /** Probes and metrics are served there. */
    serving: (url) =>
      format === "json"
        ? { out: [], err: [JSON.stringify({ type: "health", url })] }
        : shown({ out: [`Health and metrics: ${url}/metrics`], err: [] }),
    async prepare(event) {
      if (config.explainer !== undefined || event.type !== "attempt") return;
      if (event.result.message === null) return;
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
      if (event.type !== "attempt" || event.result.unseen === undefined || wasUnseen) {
        return shown({ out, err: trouble });
      }
      wasUnseen = true;
      return shown({ out, err: [...trouble, ...unseenLines(event.result, config)] });
    },
  };
}

function startLines(config: Reported): Lines {
  const { output: { format, level }, insecure, samples } = config;
  const warning = "SSL verification disabled (INSECURE_SSL=true)";
  const warnings = insecure ? warningLines(format, warning) : NONE.err;
  if (format === "text") return { out: startText(config).flatMap(escapedLines), err: warnings };
  const isTold = samples && level !== "quiet";
  return {
    out: NONE.out,
    err: isTold ? [...warnings, ...warningLines(format, samplesText(config))] : warnings,
  };
}

function jsonLines(event: RunEvent, { output: { level } }: Reported): readonly string[] {
  if (level === "quiet" && event.type !== "summary") return [];
  const object = jsonObject(event);
  return object === undefined ? [] : [escapeJson(object)];
}

/** What the reasons in a refusal mean, where no hint says it already. */
function explain(
  event: RunEvent,
  { endpoint, explainer }: Reported,
): readonly string[] {
  const result = event.type === "send" ? event : event.type === "late" ? event.result : undefined;
  if (!result?.message || result.outcome === "failed") return [];
  if (explainer === undefined) return [];
  if (explainer.hint(result.trouble, endpoint, result.message) !== undefined) return [];
  return explainer.reasons(result.message);
}

/** After a success, once: where to look for it. */
function lookLines(
  event: RunEvent,
  { loop, endpoint: { profile } }: Reported,
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
