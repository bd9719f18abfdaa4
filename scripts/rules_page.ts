import { type Answer, type RuleText, SOURCES } from "../src/receivers/dynatrace/rule.ts";
import { RULES } from "../src/receivers/dynatrace/rules.ts";
import { table } from "./markdown.ts";

/** Headings of the kinds of rules. */
const HEADINGS: Readonly<Record<keyof typeof RULES, string>> = {
  endpoint: "The URL",
  token: "The token",
  request: "A request",
  metric: "A metric",
  histograms: "The histograms of a request",
  bounds: "The bounds of a histogram",
  buckets: "The buckets of a histogram",
  point: "A data point",
  series: "The series of a metric",
  dimensions: "The dimensions of a data point",
  keys: "The keys of a data point's dimensions",
  dimension: "A dimension: an attribute of data point, scope or resource",
  service: "What only Dynatrace can tell",
};

/** Writes the page of Dynatrace's rules in Markdown. */
export function rulesPage(): string {
  const parts = [
    "# Dynatrace's rules for OTLP metrics",
    "<!-- Written by `deno task docs` from src/receivers/dynatrace/rules.ts: change it there. -->",
    "The rules that `otlp-histogram` knows. Before it sends to Dynatrace it says which of them the configuration and " +
    "the data break; `receive --rules dynatrace` judges by them; and what Dynatrace answers is explained with them. " +
    "An **error** loses data points or the whole request; a **warning** loses or changes a part of what is stored.",
    "An answer is one line of Dynatrace's message; `NAME` stands for the metric. Beside it and beside its status stands " +
    "who says so. *documented*: a document of Dynatrace's. *seen*: an answer that somebody has published. *ours*: nobody; " +
    "`receive --rules dynatrace` answers so because it has to answer something. *reason*: the reason in capitals has been " +
    "seen, the words around it are ours. A rule without an answer: Dynatrace says nothing. `200 or 400` is 400 when all " +
    "data points of the request are refused.",
    "The limits are the default ones: where Advanced OTLP metric dimensions are turned on, others hold.",
  ];
  for (const [kind, heading] of Object.entries(HEADINGS)) {
    const rules: readonly RuleText[] = Object.entries(RULES).find(([name]) => name === kind)?.[1] ??
      [];
    parts.push(`## ${heading}`, rulesTable(rules));
  }
  parts.push("## Documents", documents());
  return `${parts.join("\n\n")}\n`;
}

function rulesTable(rules: readonly RuleText[]): string {
  return table(
    [
      "rule",
      "level",
      "what is checked",
      "otherwise",
      "remedy",
      "Dynatrace's answer",
      "status",
      "from",
    ],
    rules.map(({ id, level, checks, effect, remedy, answer, source }) => [
      `\`${id}\``,
      level,
      checks,
      effect,
      remedy,
      answer === undefined ? "" : `\`${answer.line}\` (${answer.wording})`,
      answer === undefined ? "" : statusCell(answer),
      `[${source}]`,
    ]),
  );
}

function statusCell({ status, statusFrom }: Answer): string {
  return `${status} (${statusFrom})`;
}

function documents(): string {
  return Object.entries(SOURCES).map(([name, url]) => `[${name}]: ${url}`).join("\n");
}
