import { type ModuleGraph, moduleGraph } from "./module_graph.ts";

/** Import cycles of a graph, each as the chain of modules from its first one back to it. */
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

/** What breaks the rules for imports among our own modules, a line each; names are relative to `root`. */
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
      // One static import of a built-in module costs 15 ms or more at every start.
      if (target.startsWith("node:") && !dynamic && !typeOnly) {
        problems.push(`static import: ${name(module)} -> ${target}`);
      }
      if (name(target) === "src/cli/main.ts" && name(module) !== "main.ts") {
        problems.push(
          `only main.ts may import src/cli/main.ts: ${name(module)} -> src/cli/main.ts`,
        );
      }
    }
  }
  return problems;
}

function ownPart(graph: ModuleGraph, own: (module: string) => boolean): ModuleGraph {
  return new Map(
    [...graph].filter(([module]) => own(module)).map(([module, dependencies]) => [
      module,
      dependencies.filter(({ target }) => own(target)),
    ]),
  );
}

/** The URLs of the TypeScript files below a folder. */
async function* typescript(folder: URL): AsyncGenerator<string> {
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    if (isDirectory) yield* typescript(new URL(`${name}/`, folder));
    else if (name.endsWith(".ts")) yield new URL(name, folder).href;
  }
}

/** The graph below the entry and below every file of src/: one that only a test imports keeps the rules too. */
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
    (graph) => importProblems(graph, root),
    (thrown: Error) => [thrown.message],
  );
  for (const problem of problems) console.error(problem);
  if (problems.length > 0) Deno.exitCode = 1;
}
