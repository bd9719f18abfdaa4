import type { RuleText } from "./rule.ts";
import { broken, RULES } from "./rules.ts";
import type { ExportMetricsServiceRequest } from "../../otlp/gen/opentelemetry/proto/collector/metrics/v1/metrics_service_pb.ts";
import { judgeOtlp, OTLP_RULES } from "../otlp/rules.ts";
import type { Judge, Verdict } from "../profile.ts";
import { clip } from "../../redact/clip.ts";
import { type Folding, type Problem, ProblemFold } from "../problem.ts";
import { type Breach, inspect, type Inspection } from "./inspect.ts";

/**
 * Judges by Dynatrace's rules: 400 when every point is refused, otherwise 200 with a partial success, and 413 for too many
 * data points, a status that no document of Dynatrace's names. Some of the words are ours: each rule's `answer` says
 * which. `now` (ms since 1970) is what time stamps are compared with.
 */
export function judgeDynatrace(now: () => number): Judge {
  return (request) => {
    const breaches = new ProblemFold(FOLDING);
    const found = inspect(request, { now: now(), saas: false }, (breach) => breaches.add(breach));
    const ofRequest = broken("request", { points: found.points, bytes: 0 });
    for (const { rule, wrong } of ofRequest) breaches.add({ rule, wrong, metric: "", about: "" });
    const refused = ofRequest.find(({ rule }) => rule.level === "error");
    const ofTable = breaches.problems();
    const problems = [...ofTable, ...otlpProblems(request, ofTable)];
    if (refused !== undefined) {
      const message = issues([answerLine(refused.rule, "")], []);
      return { ...found, problems, rejectedPoints: found.points, status: 413, message };
    }
    const rejectedPoints = found.rejected.size;
    return { ...found, problems, rejectedPoints, ...answer(found, breaches.findings) };
  };
}

function answer(
  { points, rejected }: Inspection,
  breaches: readonly Breach[],
): Pick<Verdict, "status" | "message"> {
  const errors = answerLines(breaches, "error");
  const warnings = answerLines(breaches, "warning");
  if (points > 0 && rejected.size === points) {
    return {
      status: 400,
      message: `All metric data points were rejected. Errors: ${errors.join("\n")}`,
    };
  }
  const silent = errors.length === 0 && warnings.length === 0;
  return { status: 200, message: silent ? "" : issues(errors, warnings) };
}

/** The form is Dynatrace's own; a partial success may hold warnings alone. */
function issues(errors: readonly string[], warnings: readonly string[]): string {
  return [
    "The following issues were encountered while ingesting OTLP metrics:",
    ...errors.length > 0 ? ["Errors:", ...errors] : [],
    ...warnings.length > 0 ? ["Warnings:", ...warnings] : [],
    "",
  ].join("\n");
}

/** A rule's line of the answer, for a metric. */
export function answerLine(rule: RuleText, metric: string): string {
  // A function, since "$&" in a name means something to replace().
  return (rule.answer?.line ?? "").replace("NAME", () => clip(metric, LONGEST_NAME));
}

/** Finds what OTLP itself forbids and the table does not name; Dynatrace does not document its consequence. */
function otlpProblems(
  request: ExportMetricsServiceRequest,
  ofTable: readonly Problem[],
): Problem[] {
  // The table has no rule about the buckets of an exponential histogram, which Dynatrace does not keep.
  const buckets = new Set(
    ofTable.filter(({ rule }) => rule === "bucket-counts").map(({ metric }) => metric),
  );
  return judgeOtlp(request).problems
    .filter(({ rule }) => !IN_THE_TABLE.includes(rule))
    .filter(({ rule, metric }) => rule !== "bucket-sum" || !buckets.has(metric))
    .map((problem) => ({ ...problem, level: "warning" }));
}

/** Rules of OTLP that one of the table says as well. */
const IN_THE_TABLE = [
  "metric-name",
  "temporality",
  "time-missing",
  "not-finite",
  "bounds-order",
  "bounds-infinite",
  "bucket-count",
  // The table has it as dimension-key-twice.
  "attribute-keys",
  // Most of more than a thousand problems are of the table.
  "unlisted",
];

/** Kinds of rules that are about something else than a request. */
const NOT_JUDGED = ["endpoint", "token", "service"];

/** Ids of the rules that the judge may report. */
export const JUDGED_RULES: readonly string[] = [
  ...Object.entries(RULES).flatMap(([kind, rules]) =>
    NOT_JUDGED.includes(kind) ? [] : rules.map(({ id }: RuleText) => id)
  ),
  ...OTLP_RULES.filter((rule) => !IN_THE_TABLE.includes(rule)),
];

const FOLDING: Folding<Breach> = {
  key: ({ rule, metric, about }) => `${rule.id}\n${metric}\n${about}`,
  level: ({ rule }) => rule.level,
  problem({ rule, metric, about, wrong }, times) {
    // An attribute of a resource does not belong to a single metric.
    const where = metric === "" && about !== "" ? `in a ${about.split(" ", 1)[0]}: ` : "";
    return {
      rule: rule.id,
      level: rule.level,
      metric: clip(metric, LONGEST_NAME),
      message: `${where}${wrong}${times > 1 ? ` (${times} times)` : ""}; ` +
        `${rule.effect}. Remedy: ${rule.remedy}`,
    };
  },
};

const MOST_ANSWER_LINES = 50;
const LONGEST_NAME = 300;

/** The lines that Dynatrace's answer would have, each once. */
function answerLines(breaches: readonly Breach[], level: RuleText["level"]): readonly string[] {
  const answered = breaches.filter(({ rule }) => rule.level === level && rule.answer !== undefined);
  const lines = [...new Set(answered.map(({ rule, metric }) => answerLine(rule, metric)))];
  const more = lines.length - MOST_ANSWER_LINES;
  return more <= 0 ? lines : [...lines.slice(0, MOST_ANSWER_LINES), `… and ${more} more`];
}
