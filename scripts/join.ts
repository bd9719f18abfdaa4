/**
 * Joins what a split bundle loads at its start into one file: a file of its own costs the executable 0.1 ms or more, and
 * a module that is also imported dynamically gets one for each combination of those that share it.
 */

/** The name of the joined file. */
export const START = "start.js";
/** One import at the head of a file, as the bundler writes them: of names, or of nothing but the file. */
const IMPORT = /import(?:\{([^}]*)\}from)?"\.\/([^"]+)";/y;
/** What a file gives away, at its end. */
const EXPORT = /export\{([^}]*)\};\s*$/;
const DYNAMIC = /\bimport\("(\.\/[^"]+)"\)/g;

/** Runs `deno bundle` with these arguments. */
export type Bundle = (args: readonly string[]) => Promise<unknown>;

/**
 * Joins `entry` and all that it imports statically, in the order in which it is evaluated; the other files of `folder`
 * import from there what they shared with it, so that each module still exists once.
 */
export async function joinStart(folder: string, entry: string, bundle: Bundle): Promise<void> {
  const files = new Map<string, string>();
  for await (const { name } of Deno.readDir(folder)) {
    files.set(name, await Deno.readTextFile(`${folder}/${name}`));
  }
  const joined = [...staticImports(files, entry), entry];
  const all = joined.map((file) => reexport(file, files.get(file) ?? "", file === entry)).join(
    "\n",
  );
  const names = new Set(
    [...files.values()].flatMap((text) => [...text.matchAll(DYNAMIC)].map(([, name = ""]) => name)),
  );
  const source = `${folder}/all.js`;
  await Deno.writeTextFile(source, all);
  await bundle([
    ...[...names].map((name) => `--external=${name}`),
    "--output",
    `${folder}/${START}`,
    source,
  ]);
  for (const file of [...joined.map((name) => `${folder}/${name}`), source]) {
    await Deno.remove(file);
  }
  for (const [name, text] of files) {
    if (!joined.includes(name)) {
      await Deno.writeTextFile(`${folder}/${name}`, redirected(text, new Set(joined)));
    }
  }
}

/** The text of a joined file without its exports, and what it exports: by name, the name within the file. */
export function splitExports(text: string): { code: string; exports: ReadonlyMap<string, string> } {
  const exports = listed(EXPORT.exec(text)?.[1]).map((item): [string, string] => {
    const [local = "", name = local] = item.split(" as ");
    return [name, local];
  });
  return { code: text.replace(EXPORT, ""), exports: new Map(exports) };
}

interface Head {
  readonly imports: readonly {
    readonly statement: string;
    readonly file: string;
    readonly names: readonly string[];
  }[];
  /** Where they end. */
  readonly end: number;
}

function headOf(text: string): Head {
  const imports = [];
  let end = 0;
  for (;;) {
    IMPORT.lastIndex = end;
    const found = IMPORT.exec(text);
    if (found === null) return { imports, end };
    const [statement, names, file = ""] = found;
    imports.push({ statement, file, names: listed(names) });
    end = IMPORT.lastIndex;
  }
}

function listed(names = ""): readonly string[] {
  return names.split(",").filter((name) => name !== "");
}

/** The files that one imports statically, and those that they import, in the order of its imports. */
function staticImports(files: ReadonlyMap<string, string>, entry: string): readonly string[] {
  const found = new Set<string>();
  const visit = (name: string) => {
    for (const { file } of headOf(files.get(name) ?? "").imports) {
      if (found.has(file)) continue;
      found.add(file);
      visit(file);
    }
  };
  visit(entry);
  return [...found];
}

/** A name that no other file's export has. */
function joinedName(file: string, name: string): string {
  return `${file.replace(/\W/g, "_")}_${name}`;
}

/** What the entry gives away keeps its name. */
function reexport(file: string, text: string, isEntry: boolean): string {
  const names = [...splitExports(text).exports.keys()];
  if (names.length === 0) return `import "./${file}";`;
  return `export { ${
    names.map((name) => isEntry ? name : `${name} as ${joinedName(file, name)}`).join(", ")
  } } from "./${file}";`;
}

/** The text with the joined file in place of those that it was made of. */
function redirected(text: string, joined: ReadonlySet<string>): string {
  const { imports, end } = headOf(text);
  const mine = imports.filter(({ file }) => joined.has(file));
  if (mine.length === 0) return text;
  const names = mine.flatMap(({ file, names }) =>
    names.map((item) => {
      const [name = "", local = name] = item.split(" as ");
      return `${joinedName(file, name)} as ${local}`;
    })
  );
  const others = imports.filter(({ file }) => !joined.has(file)).map(({ statement }) => statement);
  const from = names.length === 0 ? "" : `{${names.join(",")}}from`;
  return `import${from}"./${START}";${others.join("")}${text.slice(end)}`;
}
