import {
  allRules,
  histogramKey,
  type RuleText,
  SOURCES,
  storedDimensionKey,
  storedMetricKey,
} from "./rules.ts";

/** What the message of a receiver's answer means and what to do, a line each. */
export function explain(message: string): readonly string[] {
  const known = allRules().filter(({ answer }) => answer !== undefined);
  const lines: string[] = [];
  for (const reason of reasonsIn(message)) {
    const named = known.filter((rule) => reasonOf(rule) === reason);
    const detailed = named.filter((rule) => isDetailed(rule, message));
    const rules = detailed.length > 0 ? detailed : named;
    lines.push(...rules.map((rule) => explanation(reason, rule)));
    if (rules.length === 0 && isSaidToBeReason(reason, message)) {
      lines.push(`${reason}: not a documented reason; see ${SOURCES.rejections}`);
    }
  }
  for (const rule of known) {
    if (reasonOf(rule) === undefined && isDetailed(rule, message)) {
      lines.push(explanation(detailsOf(rule) ?? rule.id, rule));
    }
  }
  if (lines.length > 0 && isList(message)) {
    lines.push("Dynatrace's list may be cut: other data points may be meant as well");
  }
  return lines;
}

/** A partial success, or a refusal of everything. */
function isList(message: string): boolean {
  return message.includes("issues were encountered while ingesting OTLP metrics") ||
    message.includes("All metric data points were rejected");
}

function explanation(what: string, { checks, effect, remedy }: RuleText): string {
  return `${what}: ${effect}. The rule: ${lowerFirst(checks)}. Remedy: ${remedy}`;
}

/** Words in capitals with underscores, in the order in which they come, each once. */
function reasonsIn(message: string): readonly string[] {
  return [...new Set(message.match(/\b[A-Z]+(?:_[A-Z]+)+\b/g) ?? [])];
}

function isSaidToBeReason(reason: string, message: string): boolean {
  return message.includes(`Reason: ${reason}`);
}

function reasonOf({ answer }: RuleText): string | undefined {
  return /Reason: (\w+)/.exec(answer?.line ?? "")?.[1];
}

/** What tells answers of one reason, or of none, apart: the details, or else all of the line. */
function detailsOf({ answer }: RuleText): string | undefined {
  const line = answer?.line ?? "";
  const details = /details: '([^']+)'/.exec(line)?.[1];
  return details ?? (line === "" || line.includes("Reason: ") ? undefined : line);
}

function isDetailed(rule: RuleText, message: string): boolean {
  const details = detailsOf(rule);
  return details !== undefined && message.includes(details);
}

function lowerFirst(text: string): string {
  // "OTLP" and its like stay as they are.
  return /^[A-Z][a-z ]/.test(text) ? text.charAt(0).toLowerCase() + text.slice(1) : text;
}

/** What of a metric the query that shows it depends on. */
export interface Shown {
  readonly metric: string;
  /** Keys of its data points' attributes. */
  readonly dimensions: readonly string[];
  /** Of an exponential histogram Dynatrace has no percentiles. */
  readonly exponential: boolean;
}

const SELF = "active_gate.metrics.ingest.otlp.datapoints";

/**
 * Where to look for a metric in Dynatrace, a line each: a query or a selector to paste stands on a line of its own, after
 * one that says where it belongs.
 */
export function whereToLook({ metric, dimensions, exponential }: Shown): readonly string[] {
  const stored = storedMetricKey(metric);
  const key = identifier(stored);
  const keys = [...new Set(dimensions.map(storedDimensionKey))];
  const by = keys.length === 0 ? "" : `, by: {${keys.map(identifier).join(", ")}}`;
  const query = (figures: string) => `timeseries ${figures}${by}, from: -30m`;
  return [
    `the metric ${stored}, within a minute or two, in a notebook or dashboard with this DQL query:`,
    ...exponential
      ? [
        query(`min(${key}), avg(${key}), max(${key})`),
        "in Managed and Classic, with this metric selector:",
        `${stored}:avg`,
      ]
      : [
        query(`p50 = percentile(${key}, 50), p99 = percentile(${key}, 99)`),
        "if your rate card lacks Metrics powered by Grail, which percentile() needs:",
        query(`avg(${key}), max(${key}), count(${key})`),
        "in Managed, with this metric selector:",
        `${histogramKey(stored)}:percentile(50)`,
        `in Classic, with Settings > Metrics > Histograms > "Ingest complete explicit bucket histograms" on (else ${stored}:avg):`,
        `${stored}_bucket:splitBy("le")`,
      ],
    "what arrived, and what was rejected and why:",
    `timeseries sum(dt.sfm.${SELF}.accepted), from: -30m`,
    `timeseries sum(dt.sfm.${SELF}.rejected), by: {reason}, from: -30m`,
    `(in Managed and Classic: dsfm:${SELF}.accepted and .rejected)`,
    "resource attributes are dimensions only if the allow list has them: Settings > Metrics > OpenTelemetry metrics",
  ];
}

/** DQL's words that name no metric and no dimension unless they stand in backticks. */
const RESERVED = ["true", "false", "null", "mod", "and", "or", "xor", "not"];

/** DQL wants backticks around reserved words and around what is not made of letters, digits, _ and dots. */
function identifier(key: string): string {
  const isPlain = key.split(".").every((part) =>
    /^[A-Za-z_][A-Za-z0-9_]*$/.test(part) && !RESERVED.includes(part.toLowerCase())
  );
  return isPlain ? key : `\`${key}\``;
}
