import { createRequire } from "node:module";
import { gzipSync } from "node:zlib";
import { moduleGraph } from "./module_graph.ts";

// The page of `receive --ui`, from src/commands/receive/page/browser/ to strings in src/commands/receive/page/assets.ts, so that it runs
// from source with nothing to build, and is part of the executable.

const ROOT = new URL("../", import.meta.url);
const BROWSER = new URL("src/commands/receive/page/browser/", ROOT);
const ASSETS = new URL("src/commands/receive/page/assets.ts", ROOT);
const UPLOT_CSS = createRequire(import.meta.url).resolve("uplot/dist/uPlot.min.css");

/** Maximum size of the page that a browser loads, in bytes. */
const MOST_BYTES = 100_000;

/**
 * Hashes everything that the assets are made of: the modules below the entry, the page and its style. The assets
 * themselves would differ between versions of the bundler.
 */
async function hashOfSources(): Promise<string> {
  const graph = await moduleGraph(new URL("main.ts", BROWSER).href, "--frozen");
  const own = [...graph.keys()].filter((module) => module.startsWith("file:")).sort();
  const packages = [...graph.keys()].filter((module) => module.startsWith("npm:")).sort();
  const files = [
    ...own.filter((module) => module.startsWith(ROOT.href)),
    new URL("page.html", BROWSER).href,
    new URL("page.css", BROWSER).href,
  ];
  const texts = await Promise.all(files.map((file) => Deno.readTextFile(new URL(file))));
  const names = files.map((file) => file.slice(ROOT.href.length));
  const all = new TextEncoder().encode(JSON.stringify([names, texts, packages]));
  return new Uint8Array(await crypto.subtle.digest("SHA-256", all)).toHex();
}

async function bundle(): Promise<string> {
  const folder = await Deno.makeTempDir({ prefix: "otlp-histogram-page-" });
  try {
    const output = `${folder}/page.js`;
    const { code, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["bundle", "--quiet", "--frozen", "--platform", "browser", "--minify"]
        .concat("--output", output, new URL("main.ts", BROWSER).href),
      cwd: ROOT,
    }).output();
    if (code !== 0) throw new Error(`Cannot bundle the page: ${new TextDecoder().decode(stderr)}`);
    return await Deno.readTextFile(output);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Removes blanks that mean nothing to a browser. */
function shortened(text: string): string {
  return text.replaceAll(/\n\s*/g, "\n").trim();
}

/** Removes what means nothing in a style sheet, and the rules for parts of uPlot that the page does not show. */
function shortenedStyle(text: string): string {
  return text.replaceAll(/\/\*.*?\*\//gs, "")
    .replaceAll(/[^{}]*\.u-(?:legend|inline|series|title)[^{}]*\{[^{}]*\}/g, "")
    .replaceAll(/\s+/g, " ").replaceAll(/ ?([{};,>]) ?/g, "$1").replaceAll(": ", ":")
    .replaceAll(";}", "}").trim();
}

async function assets(hash: string): Promise<string> {
  const style = (await Deno.readTextFile(UPLOT_CSS)).replaceAll(/font-family:[^;]*;/g, "") +
    await Deno.readTextFile(new URL("page.css", BROWSER));
  const html = await Deno.readTextFile(new URL("page.html", BROWSER));
  const texts = { HTML: shortened(html), CSS: shortenedStyle(style), JS: await bundle() };
  const bytes = Object.values(texts).reduce(
    (sum, text) => sum + new TextEncoder().encode(text).length,
    0,
  );
  if (bytes > MOST_BYTES) throw new Error(`The page has ${bytes} bytes: more than ${MOST_BYTES}`);
  console.log(`${ASSETS.pathname.slice(ROOT.pathname.length)}: ${bytes} bytes`);
  return [
    "// Written by `deno task page` from src/commands/receive/page/browser/: change it there.",
    `// Sources: ${hash}`,
    `export const HTML: string = ${JSON.stringify(texts.HTML)};`,
    `export const CSS: string = ${JSON.stringify(texts.CSS)};`,
    "/** The script, packed with gzip, in Base64: half of its size in the executable. */",
    `export const PACKED_JS: string = "${gzipSync(texts.JS, { level: 9 }).toString("base64")}";`,
    "",
  ].join("\n");
}

/** Writes the assets. With `--check` it only reports whether they are current. Resolves to the exit code. */
export async function main(args: readonly string[]): Promise<number> {
  const hash = await hashOfSources();
  if (!args.includes("--check")) {
    await Deno.writeTextFile(ASSETS, await assets(hash));
    return 0;
  }
  const found = await Deno.readTextFile(ASSETS).catch(() => "");
  if (found.includes(`// Sources: ${hash}\n`)) return 0;
  console.error(
    "src/commands/receive/page/assets.ts is not current: run `deno task page` and commit it",
  );
  return 1;
}

if (import.meta.main) Deno.exitCode = await main(Deno.args);
