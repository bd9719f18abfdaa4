import { RULES, type RuleText, SOURCES } from "../src/dynatrace/rules.ts";

/** What each kind of rule is about, as a heading. */
const HEADINGS: Readonly<Record<keyof typeof RULES, string>> = {
  endpoint: "The URL",
  token: "The token",
  request: "A request",
  metric: "A metric",
  bounds: "The bounds of a histogram",
  buckets: "The buckets of a histogram",
  point: "A data point",
  dimensions: "The dimensions of a data point",
  dimension: "A dimension: an attribute of data point, scope or resource",
  service: "What only Dynatrace can tell",
};

/** The page of Dynatrace's rules, in Markdown. */
export function rulesPage(): string {
  const parts = [
    "# Dynatrace's rules for OTLP metrics",
    "<!-- Written by `deno task docs` from src/dynatrace/rules.ts: change it there. -->",
    "The rules that `otlp-histogram` knows. Before it sends to Dynatrace it says which of them the configuration and " +
    "the data break; `receive --rules dynatrace` judges by them; and what Dynatrace answers is explained with them. " +
    "An **error** loses data points or the whole request; a **warning** loses or changes a part of what is stored.",
  ];
  for (const [kind, heading] of Object.entries(HEADINGS)) {
    const rules: readonly RuleText[] = Object.entries(RULES).find(([name]) => name === kind)?.[1] ??
      [];
    parts.push(`## ${heading}`, table(rules));
  }
  parts.push("## Documents", documents());
  return `${parts.join("\n\n")}\n`;
}

function table(rules: readonly RuleText[]): string {
  return [
    "| rule | level | what is checked | otherwise | remedy | Dynatrace's answer | from |",
    "| --- | --- | --- | --- | --- | --- | --- |",
    ...rules.map(({ id, level, checks, effect, remedy, answer, source }) =>
      row([
        `\`${id}\``,
        level,
        checks,
        effect,
        remedy,
        answer === undefined ? "" : `\`${answer}\``,
        `[${source}]`,
      ])
    ),
  ].join("\n");
}

function row(cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
}

function documents(): string {
  return Object.entries(SOURCES).map(([name, url]) => `[${name}]: ${url}`).join("\n");
}

/** Writes the page, or with `--check` only tells whether it is current; resolves to the exit status. */
export async function main(args: readonly string[], page: URL): Promise<number> {
  const wanted = rulesPage();
  if (!args.includes("--check")) {
    await Deno.writeTextFile(page, wanted);
    return 0;
  }
  const found = await Deno.readTextFile(page).catch(() => "");
  if (found === wanted) return 0;
  console.error("docs/dynatrace-rules.md is not current: run `deno task docs` and commit it");
  return 1;
}

if (import.meta.main) {
  Deno.exitCode = await main(Deno.args, new URL("../docs/dynatrace-rules.md", import.meta.url));
}
