/** Each `import("./…")` in src/, as a module's URL. */
function* lazyModules(directory = new URL("../../src/", import.meta.url)): Generator<string> {
  for (const { name, isDirectory } of Deno.readDirSync(directory)) {
    if (isDirectory) yield* lazyModules(new URL(`${name}/`, directory));
    else if (name.endsWith(".ts")) {
      const file = new URL(name, directory);
      for (
        const [, path = ""] of Deno.readTextFileSync(file).matchAll(/\bimport\(\s*"(\.[^"]+)"/g)
      ) {
        yield new URL(path, file).href;
      }
    }
  }
}

let loading: Promise<unknown> | undefined;

/**
 * Loads every module that src/ loads when it is needed. From then on such an import takes no longer than anything else
 * that waits for no clock: simulated time would otherwise run on while a module is read from disk.
 */
export async function loadLazyModules(): Promise<void> {
  loading ??= Promise.all([...new Set(lazyModules())].map(loadModule));
  await loading;
}

async function loadModule(module: string): Promise<unknown> {
  return module.endsWith(".json")
    ? await import(module, { with: { type: "json" } })
    : await import(module);
}
