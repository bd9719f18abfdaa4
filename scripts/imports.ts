import { bundle } from "./compile.ts";
import { type ModuleGraph, moduleGraph } from "./module_graph.ts";

/** Finds import cycles in a graph, each as the chain of modules from its first one back to it. */
export function cycles(graph: ModuleGraph): readonly (readonly string[])[] {
  const found: string[][] = [];
  const done = new Set<string>();
  const visit = (module: string, chain: readonly string[]) => {
    const seen = chain.indexOf(module);
    if (seen >= 0) {
      found.push([...chain.slice(seen), module]);
      return;
    }
    if (done.has(module)) return;
    for (const { target } of graph.get(module) ?? []) visit(target, [...chain, module]);
    done.add(module);
  };
  for (const module of graph.keys()) visit(module, []);
  return found;
}

/** Directories of src/ from the top down: each imports only from those below it (ARCHITECTURE.md). */
export const LAYERS: readonly string[] = [
  "cli",
  "commands",
  "source",
  "draw",
  "receivers",
  "delivery",
  "otlp",
  "aggregate",
  "http",
  "settings",
  "console",
  "platform",
  "redact",
];

/** Commands that are made of others; every other command imports none of its neighbours. */
const COMPOSED = ["demo", "exec"];
const COMMANDS = [
  ...["send", "exec", "check", "verify", "receive", "plot", "diff", "merge_summaries", "demo"],
];

/** Directory of the OTLP schema, which costs a send 12 ms to load. */
const SCHEMA = "src/otlp/gen/";

/**
 * Maximum amount of code that a plain send loads, in bytes as shipped. A kilobyte costs a send 20 µs, used or not:
 * import what only some sends need where it is used.
 */
const MOST_AT_START = 195_000;

/** Violations of the rules for imports among our own modules, one line each; names are relative to `root`. */
export function importProblems(graph: ModuleGraph, root: URL): readonly string[] {
  const name = (module: string) =>
    module.startsWith(root.href) ? module.slice(root.href.length) : module;
  const own = (module: string) => module.startsWith(root.href);
  const problems = cycles(ownPart(graph, own)).map((chain) =>
    `cycle: ${chain.map(name).join(" -> ")}`
  );
  for (const [module, dependencies] of graph) {
    if (!own(module)) continue;
    for (const { target, dynamic, typeOnly } of dependencies) {
      const edge = `${name(module)} -> ${name(target)}`;
      // One static import of a built-in module costs 15 ms or more at every start.
      if (target.startsWith("node:") && !dynamic && !typeOnly) {
        problems.push(`static import: ${edge}`);
      }
      if (own(target)) problems.push(...layerProblems(name(module), name(target), edge));
    }
  }
  return [...problems, ...startProblems(graph, root).map(name)];
}

function layerProblems(from: string, to: string, edge: string): string[] {
  if (!to.startsWith("src/")) return [];
  if (from === "main.ts") {
    return to === "src/cli/main.ts" ? [] : [`main.ts imports cli/ alone: ${edge}`];
  }
  const [above, below] = [heightOf(from), heightOf(to)];
  if (above < 0) return [`no layer of ARCHITECTURE.md: ${from}`];
  if (below < 0) return [`no layer of ARCHITECTURE.md: ${to}`];
  if (above > below) return [`upwards: ${edge}`];
  return isSideways(commandOf(from), commandOf(to)) ? [`sideways: ${edge}`] : [];
}

/** Returns the index in LAYERS of a module's directory below src/; -1 if it has none. */
function heightOf(module: string): number {
  return LAYERS.findIndex((layer) => module.startsWith(`src/${layer}/`));
}

/** Returns the command to which a module belongs; undefined for modules that several commands share. */
function commandOf(module: string): string | undefined {
  return /^src\/commands\/(\w+)(?:\/|\.ts$)/.exec(module)?.[1];
}

function isSideways(from: string | undefined, to: string | undefined): boolean {
  return from !== undefined && to !== undefined && from !== to && !COMPOSED.includes(from) &&
    COMMANDS.includes(to);
}

/** Finds modules that `send` would load at every start and must not: packages, built-in modules, the schema. */
function startProblems(graph: ModuleGraph, root: URL): string[] {
  const problems: string[] = [];
  const loaded = new Set<string>();
  const load = (module: string) => {
    if (loaded.has(module)) return;
    loaded.add(module);
    for (const { target, dynamic, typeOnly } of graph.get(module) ?? []) {
      if (dynamic || typeOnly || !target.includes(":")) continue;
      const isOurs = target.startsWith(root.href) && !target.startsWith(root.href + SCHEMA);
      if (isOurs) load(target);
      else if (!target.startsWith("node:")) {
        const shown = [module, target].map((url) => url.replace(root.href, "")).join(" -> ");
        problems.push(`a plain send loads what it does not need: ${shown}`);
      }
    }
  };
  load(new URL("main.ts", root).href);
  return problems;
}

/** Returns the size of the files that a bundle loads at its start. */
export function bytesAtStart(
  graph: ModuleGraph,
  entry: string,
  sizeOf: (file: string) => number,
): number {
  const loaded = new Set<string>();
  const load = (file: string) => {
    if (loaded.has(file)) return;
    loaded.add(file);
    for (const { target, dynamic } of graph.get(file) ?? []) if (!dynamic) load(target);
  };
  load(entry);
  return [...loaded].reduce((sum, file) => sum + sizeOf(file), 0);
}

/** Compiles the bundle and reports whether it is too large. */
async function sizeProblems(): Promise<readonly string[]> {
  const folder = await Deno.makeTempDir({ prefix: "otlp-histogram-" });
  try {
    const entry = new URL(`file://${await bundle("main.ts", folder)}`);
    const graph = await moduleGraph(entry.href, "--no-config", "--no-lock");
    const bytes = bytesAtStart(graph, entry.href, (file) => Deno.statSync(new URL(file)).size);
    return bytes <= MOST_AT_START
      ? []
      : [`a plain send loads ${bytes} bytes of code: ${MOST_AT_START} at most (MOST_AT_START)`];
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function ownPart(graph: ModuleGraph, own: (module: string) => boolean): ModuleGraph {
  return new Map(
    [...graph].filter(([module]) => own(module)).map(([module, dependencies]) => [
      module,
      dependencies.filter(({ target }) => own(target)),
    ]),
  );
}

/** Lists the URLs of the TypeScript files below a directory. */
async function* typescript(folder: URL): AsyncGenerator<string> {
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    if (isDirectory) yield* typescript(new URL(`${name}/`, folder));
    else if (name.endsWith(".ts")) yield new URL(name, folder).href;
  }
}

/**
 * Builds the graph below the entry and below every file of src/, so that the rules also apply to modules that only
 * tests import.
 */
async function ownGraph(entry: string, root: URL): Promise<ModuleGraph> {
  const graph = new Map(await moduleGraph(entry, "--frozen"));
  for await (const file of typescript(new URL("src/", root))) {
    if (graph.has(file)) continue;
    for (const [module, dependencies] of await moduleGraph(file, "--frozen")) {
      graph.set(module, dependencies);
    }
  }
  return graph;
}

if (import.meta.main) {
  const root = new URL("../", import.meta.url);
  const entry = new URL(Deno.args[0] ?? "main.ts", root).href;
  const problems = await ownGraph(entry, root).then(
    async (graph) => [
      ...importProblems(graph, root),
      ...await sizeProblems(),
    ],
    (thrown: Error) => [thrown.message],
  );
  for (const problem of problems) console.error(problem);
  if (problems.length > 0) Deno.exitCode = 1;
}
