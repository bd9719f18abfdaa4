import type { Endpoint } from "../../http/endpoint.ts";
import { type ExplainedResponse, explainTrouble, type Meanings } from "../otlp/explain.ts";
import type { Explainer, StoredMetric } from "../profile.ts";
import { type RuleText, SOURCES } from "./rule.ts";
import { allRules, histogramKey, storedDimensionKey, storedMetricKey } from "./rules.ts";
import { explainMisplaced } from "./urls.ts";

const MEANINGS: Meanings = { explainMisplaced, status: statusMeaning };

/** Explanations of Dynatrace's responses. */
export const EXPLAINER: Explainer = {
  hint: (trouble, endpoint, words = "") => explainTrouble(trouble, endpoint, words, MEANINGS),
  reasons,
  whereToLook,
};

/** Explains a status by the rules that it says are broken; by one of them when the message is that rule's. */
function statusMeaning(
  { status, headers, endpoint: { url }, words }: ExplainedResponse,
): string | undefined {
  const known = allRules().filter(({ statuses }) => statuses?.includes(status));
  const named = known.filter((rule) => isDetailed(rule, words));
  const rules = named.length > 0 ? named : known;
  if (rules.length === 0) return undefined;
  const more = status === 404
    ? `this request went to ${url.pathname}`
    : status === 429
    ? rateLimitText(headers)
    : undefined;
  return `${rules.map(({ effect }) => effect).join(", or ")}: ${
    [...rules.map(({ remedy }) => remedy), ...more === undefined ? [] : [more]].join("; ")
  }`;
}

/**
 * Says what the X-RateLimit headers of a 429 hold; undefined without one that can be read. The documents disagree on
 * whether ingest sends them. -Reset is in microseconds since 1970: fewer than 16 digits would be another unit.
 */
function rateLimitText(headers: Headers): string | undefined {
  const whole = (name: string, digits: RegExp) => {
    const text = headers.get(`X-RateLimit-${name}`) ?? "";
    return digits.test(text) ? Number(text) : undefined;
  };
  const limit = whole("Limit", /^\d{1,15}$/);
  const left = whole("Remaining", /^\d{1,15}$/);
  const reset = whole("Reset", /^\d{16}$/);
  const parts = [
    ...limit === undefined ? [] : [`${limit} requests are allowed`],
    ...left === undefined ? [] : [`${left} are left`],
    ...reset === undefined ? [] : [`the limit resets at ${new Date(reset / 1000).toISOString()}`],
  ];
  return parts.length === 0 ? undefined : `the rate is limited: ${parts.join(", ")}`;
}

function reasons(message: string): readonly string[] {
  const known = allRules().filter(({ answer }) => answer !== undefined);
  const lines: string[] = [];
  for (const reason of reasonsIn(message)) {
    const named = known.filter((rule) => reasonOf(rule) === reason);
    const detailed = named.filter((rule) => isDetailed(rule, message));
    const rules = detailed.length > 0 ? detailed : named;
    lines.push(...rules.map((rule) => explanation(reason, rule)));
    if (rules.length === 0 && isCalledReason(reason, message)) {
      lines.push(`${reason}: not a documented reason; see ${SOURCES.rejections}`);
    }
  }
  for (const rule of known) {
    if (reasonOf(rule) === undefined && isDetailed(rule, message)) {
      lines.push(explanation(detailsOf(rule) ?? rule.id, rule));
    }
  }
  if (lines.length > 0 && isList(message)) {
    lines.push("Dynatrace's list may be incomplete: other data points may be affected");
  }
  return lines;
}

/** Tells whether a message is of a partial success, or of a refusal of everything. */
function isList(message: string): boolean {
  return message.includes("issues were encountered while ingesting OTLP metrics") ||
    message.includes("All metric data points were rejected");
}

function explanation(name: string, { checks, effect, remedy }: RuleText): string {
  return `${name}: ${effect}. Rule: ${lowerFirst(checks)}. Remedy: ${remedy}`;
}

/** Finds words in capitals with underscores, in their order, each once. */
function reasonsIn(message: string): readonly string[] {
  return [...new Set(message.match(/\b[A-Z]+(?:_[A-Z]+)+\b/g) ?? [])];
}

function isCalledReason(reason: string, message: string): boolean {
  return message.includes(`Reason: ${reason}`);
}

function reasonOf({ answer }: RuleText): string | undefined {
  return /Reason: (\w+)/.exec(answer?.line ?? "")?.[1];
}

/** Finds the part that tells responses with one reason, or with none, apart: the details, or else the whole line. */
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

/**
 * Says where to look for metrics: a query for each, and the command that looks itself. Managed and ActiveGates have
 * metric selectors in place of DQL. Dynatrace has no percentiles of an exponential histogram, and DQL's count() is of
 * series, not of measurements.
 */
function whereToLook(metrics: readonly StoredMetric[], { url }: Pick<Endpoint, "url">) {
  const query = /^\/e\//.test(url.pathname) ? metricSelector : dqlQuery;
  return [...new Set(metrics.map(query)), "otlp-histogram verify"];
}

function metricSelector({ metric, exponential }: StoredMetric): string {
  const stored = storedMetricKey(metric);
  return exponential ? `${stored}:avg` : `${histogramKey(stored)}:percentile(50)`;
}

function dqlQuery({ metric, dimensions, exponential, ageMs = 0 }: StoredMetric): string {
  const key = identifier(storedMetricKey(metric));
  const keys = [...new Set(dimensions.map(storedDimensionKey))];
  const by = keys.length === 0 ? "" : `, by: {${keys.map(identifier).join(", ")}}`;
  const figures = exponential
    ? `min(${key}), avg(${key}), max(${key})`
    : `p50 = percentile(${key}, 50), p99 = percentile(${key}, 99)`;
  return `timeseries ${figures}${by}, from: -${periodOf(ageMs)}`;
}

const MINUTE_MS = 60_000;
/** Time for reading the query and pasting it, in minutes. */
const SLACK_MIN = 30;

/** Finds a period of DQL, in minutes or else whole hours, that reaches back to an age and leaves some time to look. */
function periodOf(ageMs: number): string {
  const minutes = Math.ceil(Math.max(0, ageMs) / MINUTE_MS) + SLACK_MIN;
  return minutes <= 120 ? `${minutes}m` : `${Math.ceil(minutes / 60)}h`;
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
