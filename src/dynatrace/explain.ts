import { allRules, type RuleText, SOURCES, storedMetricKey } from "./rules.ts";

/** For each reason of Dynatrace's in a receiver's message: what it means and what to do, a line each. */
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
  return lines;
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
  return /Reason: (\w+)/.exec(answer ?? "")?.[1];
}

function detailsOf({ answer }: RuleText): string | undefined {
  return /details: '([^']+)'/.exec(answer ?? "")?.[1];
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

/** Where to look for a metric in Dynatrace, a line each: the query to paste, the key in Classic, what was refused. */
export function whereToLook({ metric, dimensions, exponential }: Shown): readonly string[] {
  const stored = storedMetricKey(metric);
  const key = identifier(stored);
  const figures = exponential
    ? `min(${key}), avg(${key}), max(${key})`
    : `p50 = percentile(${key}, 50), p99 = percentile(${key}, 99)`;
  const by = dimensions.length === 0 ? "" : `, by: {${dimensions.map(identifier).join(", ")}}`;
  return [
    `the metric ${stored}, within a minute or two, in a notebook or dashboard with this DQL query:`,
    `timeseries ${figures}${by}, from: -30m`,
    `in Dynatrace Classic's Data Explorer: ${stored}.histogram`,
    "what was refused, and why: timeseries sum(dt.sfm.active_gate.metrics.ingest.otlp.datapoints.rejected), by: {reason}",
  ];
}

/** DQL wants backticks around what is not made of letters, digits, _ and dots. */
function identifier(key: string): string {
  return /^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*$/.test(key) ? key : `\`${key}\``;
}
