/** One import statement or `import()` of a module, as resolved by `deno info --json`. */
export interface Dependency {
  /** URL, or `node:…` for a built-in module. */
  readonly target: string;
  readonly dynamic: boolean;
  readonly typeOnly: boolean;
}

/** Modules that were reached, by URL, with their imports. */
export type ModuleGraph = ReadonlyMap<string, readonly Dependency[]>;

/** Builds the graph below one file with the Deno that runs this script; throws if a module is missing. */
export async function moduleGraph(file: string, ...flags: readonly string[]): Promise<ModuleGraph> {
  const info = new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", ...flags, file],
    cwd: new URL("../", import.meta.url),
    env: { NO_COLOR: "1" },
    stderr: "inherit",
  });
  const { code, stdout } = await info.output();
  if (code !== 0) {
    throw new Error(`Cannot read the imports of ${file}: deno info ended with ${code}`);
  }
  return parseGraph(JSON.parse(new TextDecoder().decode(stdout)));
}

/**
 * Lists `NAME@VERSION` of every npm package in the bundle: those that main.ts reaches, and those of the page of
 * `receive --ui`, which the program holds as text.
 */
export async function bundledPackages(): Promise<readonly string[]> {
  const graphs = await Promise.all(
    ["main.ts", "src/commands/receive/page/browser/main.ts"].map((file) =>
      moduleGraph(file, "--frozen")
    ),
  );
  const reached = graphs.flatMap((graph) => [...graph.values()].flat()).map(({ target }) =>
    /^npm:\/?((?:@[^/]+\/)?[^/@]+@[^/]+)/.exec(target)?.[1]
  );
  return [...new Set(reached.filter((name) => name !== undefined))].sort();
}

/** Reads the output of `deno info --json`. Its shape belongs to Deno and is checked. */
export function parseGraph(info: unknown): ModuleGraph {
  const graph = new Map<string, readonly Dependency[]>();
  for (const module of list(field(info, "modules"))) {
    const specifier = field(module, "specifier");
    if (typeof specifier !== "string") {
      throw new Error("deno info named a module without specifier");
    }
    const error = field(module, "error");
    if (typeof error === "string") throw new Error(error);
    graph.set(specifier, list(field(module, "dependencies")).map(parseDependency));
  }
  if (graph.size === 0) throw new Error("deno info named no module");
  return graph;
}

function parseDependency(dependency: unknown): Dependency {
  const code = field(field(dependency, "code"), "specifier");
  const type = field(field(dependency, "type"), "specifier");
  const target = code ?? type;
  if (typeof target !== "string") {
    throw new Error(`Cannot resolve the import of "${String(field(dependency, "specifier"))}"`);
  }
  return {
    target,
    dynamic: field(dependency, "isDynamic") === true,
    typeOnly: code === undefined,
  };
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function field(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
}
