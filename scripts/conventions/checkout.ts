import { parse } from "yaml";
import type { ConventionExtract, ConventionRow } from "./metric.ts";

/** Reads the histograms from a checkout of github.com/open-telemetry/semantic-conventions. */
export async function extractFromCheckout(folder: URL): Promise<ConventionExtract> {
  const advised = new Map<string, readonly number[]>();
  for await (const { text } of filesBelow(new URL("docs/", folder), ".md")) {
    for (const [name, bounds] of advisedBounds(text)) advised.set(name, bounds);
  }
  const rows = new Map<string, ConventionRow>();
  for await (const { text } of filesBelow(new URL("model/", folder), ".yaml")) {
    for (const row of modelRows(parse(text), advised)) rows.set(row.name, row);
  }
  const { version, text } = await newestSchema(new URL("schemas/", folder));
  for (const [name, renamedTo] of renamedMetrics(parse(text))) {
    if (rows.has(name) || !rows.has(renamedTo)) continue;
    rows.set(name, { name, unit: null, stability: "deprecated", bounds: null, renamedTo });
  }
  return { version, metrics: byName(rows.values()) };
}

/** Sorts rows by name, whatever the language of the machine. */
export function byName(rows: Iterable<ConventionRow>): readonly ConventionRow[] {
  return [...rows].sort((a, b) => a.name < b.name ? -1 : 1);
}

/**
 * Finds the bounds that a page advises, by metric: a sentence below the heading of the metric, with
 * `ExplicitBucketBoundaries` and either a list in brackets or "no boundaries".
 */
export function advisedBounds(page: string): ReadonlyMap<string, readonly number[]> {
  const found = new Map<string, readonly number[]>();
  for (const section of page.split(/^#+ Metric: /m).slice(1)) {
    const name = /^`([^`]+)`/.exec(section)?.[1];
    // The table that follows may quote other metrics.
    const before = section.split("<!-- semconv")[0] ?? "";
    const sentence = /ExplicitBucketBoundaries[\s\S]*/.exec(before)?.[0];
    if (name === undefined || sentence === undefined) continue;
    const list = /\bof\s+`?\[([\d.,\s]+)\]/.exec(sentence)?.[1];
    if (list !== undefined) found.set(name, list.split(",").map(Number));
    else if (sentence.includes("no boundaries")) found.set(name, []);
    else throw new Error(`The advised bounds of ${name} cannot be read: ${sentence.slice(0, 200)}`);
  }
  return found;
}

/** Finds the histograms in a file of the model. */
export function modelRows(
  file: unknown,
  advised: ReadonlyMap<string, readonly number[]>,
): readonly ConventionRow[] {
  // The second format of the model lists metrics by themselves.
  const groups = [...list(field(file, "groups")), ...list(field(file, "metrics"))];
  return groups.flatMap((group) => {
    if (field(group, "instrument") !== "histogram") return [];
    const name = String(field(group, "metric_name") ?? field(group, "name"));
    const deprecated = field(group, "deprecated");
    return {
      name,
      unit: String(field(group, "unit")),
      stability: stabilityOf(deprecated === undefined ? field(group, "stability") : "deprecated"),
      bounds: advised.get(name) ?? null,
      renamedTo: replacementIn(
        String(field(deprecated, "renamed_to") ?? ""),
        String(field(deprecated, "note") ?? ""),
      ),
    };
  });
}

/** Returns the name that a deprecation gives, as a field or within its note. */
export function replacementIn(renamedTo: string, note: string): string | null {
  return renamedTo || (/Replaced by `([^`]+)`/.exec(note)?.[1] ?? null);
}

function stabilityOf(text: unknown): ConventionRow["stability"] {
  switch (text) {
    case "stable":
    case "release_candidate":
    case "development":
    case "deprecated":
      return text;
    default:
      throw new Error(`Unknown stability: ${text}`);
  }
}

/** Finds the metrics that a schema file has renamed, with the name that they have now. */
export function renamedMetrics(schema: unknown): ReadonlyMap<string, string> {
  const renamed = new Map<string, string>();
  // Newest version first, so that the next name of an older one is already known.
  for (const version of Object.values(Object(field(schema, "versions")))) {
    for (const change of list(field(field(version, "metrics"), "changes"))) {
      const names = Object.entries(Object(field(change, "rename_metrics")));
      for (const [from, to] of names) {
        if (!renamed.has(from)) renamed.set(from, renamed.get(String(to)) ?? String(to));
      }
    }
  }
  return renamed;
}

function field(of: unknown, name: string): unknown {
  return typeof of === "object" && of !== null ? Reflect.get(of, name) : undefined;
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

async function* filesBelow(folder: URL, end: string): AsyncGenerator<{ readonly text: string }> {
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    if (isDirectory) yield* filesBelow(new URL(`${name}/`, folder), end);
    else if (name.endsWith(end)) yield { text: await Deno.readTextFile(new URL(name, folder)) };
  }
}

/** Reads the schema file with the highest version. */
async function newestSchema(
  folder: URL,
): Promise<{ readonly version: string; readonly text: string }> {
  const versions: string[] = [];
  for await (const { name } of Deno.readDir(folder)) versions.push(name);
  const version = versions.sort((a, b) => a.localeCompare(b, "en", { numeric: true })).at(-1);
  if (version === undefined) throw new Error(`There is no schema file in ${folder.pathname}`);
  return { version, text: await Deno.readTextFile(new URL(version, folder)) };
}
