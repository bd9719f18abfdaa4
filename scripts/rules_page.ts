import { type Answer, type RuleText, SOURCES } from "../src/receivers/dynatrace/rule.ts";
import { RULES } from "../src/receivers/dynatrace/rules.ts";
import { MEANING_RULES } from "../src/receivers/meaning/rules.ts";
import { sdkViews } from "../src/aggregate/sdk_view.ts";
import { contents, table } from "./markdown.ts";

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
  service: "Rules that only Dynatrace can check",
};

/** Heading of the table of responses. */
const RESPONSES = "Responses and sources";

/** Writes the page of Dynatrace's rules in Markdown. */
export function rulesPage(): string {
  const parts = [
    "# Dynatrace's rules for OTLP metrics",
    "<!-- Written by `deno task docs` from src/receivers/dynatrace/rules.ts: change it there. -->",
    "Each table names the rules that `otlp-histogram` knows, what Dynatrace does when one is broken, and what to do. " +
    "An **error** loses data points or the whole request. A **warning** loses or changes a part of what is stored.",
    "`send` checks the rules before it sends to Dynatrace, `receive --rules dynatrace` judges by them, and both explain " +
    "Dynatrace's responses with them. The limits are the default ones; other limits hold where Advanced OTLP metric " +
    "dimensions are turned on.",
    contents([...Object.values(HEADINGS), RESPONSES]),
  ];
  for (const [kind, heading] of Object.entries(HEADINGS)) {
    const rules: readonly RuleText[] = Object.entries(RULES).find(([name]) => name === kind)?.[1] ??
      [];
    parts.push(`## ${heading}`, rulesTable(rules));
  }
  parts.push(
    `## ${RESPONSES}`,
    "A response is one line of Dynatrace's message, in which `NAME` stands for the metric. The word beside it says where " +
      "the wording or the status is from. A rule that is not in the table has no response: Dynatrace says nothing.",
    [
      "- *documented*: a document of Dynatrace has it.",
      "- *seen*: somebody has published such a response.",
      "- *reason*: the reason in capitals was seen; the words around it are ours.",
      "- *ours*: `receive --rules dynatrace` has to answer something, and answers this.",
    ].join("\n"),
    "`200 or 400` is 400 when all data points of the request are rejected.",
    responsesTable(Object.values(RULES).flat()),
    "Each rule is from a document or an observation:",
    sourcesTable(Object.values(RULES).flat()),
    documents(),
  );
  return `${parts.join("\n\n")}\n`;
}

/** Advice of bounds in the API of each SDK. */
const ADVICE: readonly (readonly [sdk: string, code: string])[] = [
  [
    "Python",
    'meter.create_histogram("job.duration", unit="s", explicit_bucket_boundaries_advisory=[0.1, 1, 10])',
  ],
  [
    "JavaScript",
    'meter.createHistogram("job.duration", { unit: "s", advice: { explicitBucketBoundaries: [0.1, 1, 10] } })',
  ],
  [
    "Java",
    'meter.histogramBuilder("job.duration").setUnit("s").setExplicitBucketBoundariesAdvice(List.of(0.1, 1.0, 10.0)).build()',
  ],
  [
    "Go",
    'meter.Float64Histogram("job.duration", metric.WithUnit("s"), metric.WithExplicitBucketBoundaries(0.1, 1, 10))',
  ],
  [
    ".NET",
    'meter.CreateHistogram("job.duration", unit: "s", advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.1, 1, 10] })',
  ],
];

/** Writes the page of the rules of meaning in Markdown. */
export function meaningPage(): string {
  const rows = MEANING_RULES.map(({ id, checks, effect, remedy }) => [
    `\`${id}\``,
    checks,
    effect,
    remedy,
  ]);
  return [
    "# Rules of meaning",
    "<!-- Written by `deno task docs` from src/receivers/meaning/rules.ts: change it there. -->",
    "These rules find data that is well-formed and misleading. Seconds recorded into buckets for milliseconds, for " +
    "example, make every percentile wrong, and no receiver complains. `receive` judges by these rules under " +
    "`--rules otlp` and `--rules dynatrace` alike, `send` checks them before each send, and `plot` after it has read " +
    "its input. Each broken rule is a **warning**: it rejects nothing and does not end a send with `--strict`, but " +
    "`receive --fail-on warning` counts it.",
    "The rules count accepted data points over the whole run, per metric name, unit and bounds. A cumulative data " +
    "point counts for what it gained since the one before. Each rule is reported once per metric name, with the " +
    "request that broke it. Exponential histograms choose their buckets by the values, so only `convention-unit` " +
    "applies to them.",
    "Up to 8 MiB of metrics are counted, about 12,000 names with 15 bounds each, and 16 MiB of cumulative series. Metrics beyond that " +
    "are not judged.",
    table(["rule", "what is checked", "otherwise", "remedy"], rows),
    "## Set bounds in an SDK",
    "Where you create the instrument, give the bounds as advice:",
    table(["SDK", "advice"], ADVICE.map(([sdk, code]) => [sdk, `\`${code}\``])),
    "Where you set up the SDK, add a view; it overrides the advice. `otlp-histogram plot --suggest-buckets` prints these " +
    "views with bounds that suit your values, and `receive` prints them for the metrics of `bounds-unit`.",
    ...sdkViews([{ name: "job.duration", bounds: [0.1, 1, 10] }]).flatMap((
      { title, lines },
    ) => [`${title}:`, ["```", ...lines, "```"].join("\n")]),
  ].join("\n\n") + "\n";
}

function rulesTable(rules: readonly RuleText[]): string {
  return table(
    ["rule", "what Dynatrace does otherwise", "what to do"],
    rules.map(({ id, level, checks, effect, remedy }) => [
      `\`${id}\` (${level}): ${checks}`,
      effect,
      remedy,
    ]),
  );
}

function responsesTable(rules: readonly RuleText[]): string {
  return table(
    ["rule", "response", "status"],
    rules.flatMap(({ id, answer }) =>
      answer === undefined
        ? []
        : [[`\`${id}\``, `\`${answer.line}\` (${answer.wording})`, statusCell(answer)]]
    ),
  );
}

function sourcesTable(rules: readonly RuleText[]): string {
  const sources = [...new Set(rules.map(({ source }) => source))];
  return table(
    ["source", "rules"],
    sources.map((source) => [
      `[${source}]`,
      rules.filter((rule) => rule.source === source).map(({ id }) => `\`${id}\``).join(", "),
    ]),
  );
}

function statusCell({ status, statusFrom }: Answer): string {
  return `${status} (${statusFrom})`;
}

function documents(): string {
  return Object.entries(SOURCES).map(([name, url]) => `[${name}]: ${url}`).join("\n");
}
