import { pathToFileURL } from "node:url";
import { extractFromCheckout } from "./conventions/checkout.ts";
import type { ConventionExtract, ConventionRow } from "./conventions/metric.ts";
import { extractFromPackage } from "./conventions/package.ts";

const EXTRACT = "scripts/conventions/extract.json";
const TABLE = "src/aggregate/convention_table.ts";

/**
 * Makes the table of the semantic conventions that the program carries. Without arguments it writes the table from the
 * checked-in extract, and with `--check` it only compares them.
 *
 * `--from CHECKOUT…` makes the extract again from one checkout or more of github.com/open-telemetry/semantic-conventions,
 * newest first; the older ones supply advised bounds of metrics that have since moved elsewhere. `--from-pypi` takes the
 * package `opentelemetry-semantic-conventions` with pip, when only registries can be reached.
 */
export async function main(args: readonly string[], root: URL): Promise<number> {
  const extractFile = new URL(EXTRACT, root);
  const tableFile = new URL(TABLE, root);
  const before: ConventionExtract = JSON.parse(await Deno.readTextFile(extractFile));
  if (args[0] === "--check") {
    if (await Deno.readTextFile(tableFile) === tableText(before)) return 0;
    console.error(`${TABLE} is not current: run \`deno task conventions\` and commit it`);
    return 1;
  }
  const extract = await extractOf(args, before);
  await Deno.writeTextFile(extractFile, extractText(extract));
  await Deno.writeTextFile(tableFile, tableText(extract));
  const unadvised = extract.metrics.filter(({ bounds, stability }) =>
    bounds === null && stability !== "deprecated"
  );
  console.log(`Version ${extract.version}: ${extract.metrics.length} histograms`);
  console.log(`Without advised bounds: ${unadvised.map(({ name }) => name).join(", ")}`);
  return 0;
}

async function extractOf(
  [from, ...checkouts]: readonly string[],
  before: ConventionExtract,
): Promise<ConventionExtract> {
  if (from === undefined) return before;
  if (from === "--from-pypi") return await extractFromPypi(before);
  const [newest, ...older] = await Promise.all(
    checkouts.map((path) => extractFromCheckout(pathToFileURL(`${path}/`))),
  );
  if (from !== "--from" || newest === undefined) {
    throw new Error("Usage: deno task conventions [--check | --from CHECKOUT… | --from-pypi]");
  }
  return { ...newest, metrics: newest.metrics.map((row) => withBoundsOf(row, older)) };
}

function withBoundsOf(row: ConventionRow, older: readonly ConventionExtract[]): ConventionRow {
  const found = older.flatMap(({ metrics }) => metrics).find(({ name, unit, bounds }) =>
    name === row.name && unit === row.unit && bounds !== null
  );
  return { ...row, bounds: row.bounds ?? found?.bounds ?? null };
}

/** Fetches the package with pip and unpacks it into a temporary directory. */
async function extractFromPypi(before: ConventionExtract): Promise<ConventionExtract> {
  const folder = await Deno.makeTempDir({ prefix: "otlp-histogram-" });
  try {
    const name = "opentelemetry-semantic-conventions";
    const args = ["-m", "pip", "install", "--quiet", "--no-deps", "--target", folder, name];
    const { success } = await new Deno.Command("python3", { args, stdout: "inherit" }).spawn()
      .status;
    if (!success) throw new Error(`pip could not fetch ${name}: check its index and your network`);
    return await extractFromPackage(pathToFileURL(`${folder}/`), before);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Writes an extract with one line per metric, so that a change can be read. */
export function extractText({ version, metrics }: ConventionExtract): string {
  const rows = metrics.map((row) => `    ${JSON.stringify(row)}`).join(",\n");
  return `{\n  "version": ${JSON.stringify(version)},\n  "metrics": [\n${rows}\n  ]\n}\n`;
}

/** Writes the module of the table: lists of bounds once, and a line of words per metric. */
export function tableText({ version, metrics }: ConventionExtract): string {
  const lists: string[] = [];
  const lines = metrics.map(({ name, unit, stability, bounds, renamedTo }) => {
    const list = bounds?.join(",");
    if (list !== undefined && !lists.includes(list)) lists.push(list);
    const at = list === undefined ? "-" : lists.indexOf(list);
    const words = [name, unit ?? "-", stability, at, renamedTo ?? "-"];
    if (words.some((word) => /[\s`\\$]/.test(String(word)))) {
      throw new Error(`A field of ${name} cannot be written: ${words.join(" | ")}`);
    }
    return words.join(" ");
  });
  return `// Written by scripts/conventions.ts from ${EXTRACT}: run \`deno task conventions\`.

/** Version of OpenTelemetry's semantic conventions in the table. */
export const CONVENTIONS_VERSION = "${version}";

/** Lists of advised upper bounds; the table refers to them by index. */
export const CONVENTION_BOUNDS: readonly (readonly number[])[] = [
${lists.map((list) => `  [${list.replaceAll(",", ", ")}],`).join("\n")}
];

/** Histograms, one per line: name, unit, stability, index of the bounds, new name. A dash stands for none. */
export const CONVENTION_ROWS = \`\\
${lines.join("\n")}\`;
`;
}

if (import.meta.main) Deno.exitCode = await main(Deno.args, new URL("../", import.meta.url));
