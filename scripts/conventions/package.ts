import { byName, replacementIn } from "./checkout.ts";
import type { ConventionExtract, ConventionRow } from "./metric.ts";

/**
 * Reads the histograms from an unpacked `opentelemetry-semantic-conventions` of PyPI. The package has names, units,
 * old names and which metrics are stable; the advised bounds, and the old names that it has forgotten, come from
 * `before`, the last extract of a checkout.
 */
export async function extractFromPackage(
  folder: URL,
  before: ConventionExtract,
): Promise<ConventionExtract> {
  const known = new Map(before.metrics.map((row) => [row.name, row]));
  const rows = new Map(known);
  const semconv = new URL("opentelemetry/semconv/", folder);
  const stable = new Set(
    constantsIn(await modules(new URL("metrics/", semconv))).map(([, { name }]) => name),
  );
  for (const row of packageRows(await modules(new URL("_incubating/metrics/", semconv)))) {
    const { bounds = null, renamedTo = null, stability } = known.get(row.name) ?? {};
    rows.set(row.name, {
      ...row,
      // The package calls a release candidate incubating.
      stability: stable.has(row.name)
        ? "stable"
        : row.stability === "development" && stability === "release_candidate"
        ? stability
        : row.stability,
      bounds,
      renamedTo: row.renamedTo ?? renamedTo,
    });
  }
  const schemas = await Deno.readTextFile(new URL("schemas.py", semconv));
  const version = [...schemas.matchAll(/opentelemetry\.io\/schemas\/([\d.]+)"/g)].at(-1)?.[1];
  if (version === undefined) {
    throw new Error(`There is no version in ${semconv.pathname}schemas.py`);
  }
  return { version, metrics: byName(rows.values()) };
}

const CONSTANT = /^(\w+): Final = "([^"]+)"\n"""\n([\s\S]*?)\n"""/gm;
const HISTOGRAM =
  /return meter\.create_histogram\(\s*name=(\w+),\s*description="(?:[^"\\]|\\.)*",\s*unit="([^"]*)"/g;

/** Finds the histograms in a Python module of the package: constants, and the functions that create them. */
export function packageRows(text: string): readonly ConventionRow[] {
  const constants = new Map(constantsIn(text));
  return [...text.matchAll(HISTOGRAM)].map(([, key = "", unit = ""]) => {
    const constant = constants.get(key);
    if (constant === undefined) throw new Error(`The package has no constant ${key}`);
    const { name, about } = constant;
    // "Deprecated in favor of stable …" is the same name in another module.
    const isOld = about.startsWith("Deprecated: ");
    return {
      name,
      unit,
      stability: isOld ? "deprecated" : "development",
      bounds: null,
      renamedTo: isOld ? replacementIn("", about) : null,
    };
  });
}

function constantsIn(text: string): [string, { readonly name: string; readonly about: string }][] {
  return [...text.matchAll(CONSTANT)].map((
    [, key = "", name = "", about = ""],
  ) => [key, { name, about }]);
}

async function modules(folder: URL): Promise<string> {
  const texts: string[] = [];
  for await (const { name } of Deno.readDir(folder)) {
    if (name.endsWith("_metrics.py")) texts.push(await Deno.readTextFile(new URL(name, folder)));
  }
  return texts.join("\n");
}
