/** Source file: its path below the root, and its text in the format of `deno fmt`. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
}

/** Files that a program writes. */
const GENERATED = /^src\/otlp\/gen\/|\/(assets|json_scanner_wasm)\.ts$/;

const FUNCTION = /^(?:async )?function\*? (\w+)/;
const EXPORT =
  /^export (?:async |abstract |declare )*(?:function\*?|class|interface|type|const|let|enum) (\w+)/;

const RE_EXPORT = /^export (?:type )?[{*].*/;

/** First words of a comment that leave out the thing it is about: "Of the last request", "What was sent". */
const NO_SUBJECT = /^(?:Of|What|Who|Whose|As|Those|So many|The same)\b/;

/** Finds violations of "one name, one meaning" and of the rules for comments, one line each. */
export function nameProblems(files: readonly SourceFile[]): readonly string[] {
  return [
    ...repeatedNames(files.filter(({ path }) => path.startsWith("src/"))),
    ...files.flatMap(reExports),
    ...files.flatMap(commentProblems),
  ];
}

/** Finds names that two files export, and functions that two files define, exported or not. */
function repeatedNames(files: readonly SourceFile[]): string[] {
  const places = new Map<string, { paths: Set<string>; exports: number }>();
  for (const { path, text } of files) {
    for (const line of text.split("\n")) {
      const name = EXPORT.exec(line)?.[1] ?? FUNCTION.exec(line)?.[1];
      if (name === undefined) continue;
      const place = places.get(name) ?? { paths: new Set(), exports: 0 };
      // Overloads, and a type beside its value, repeat a name within their file.
      if (line.startsWith("export ") && !place.paths.has(path)) place.exports++;
      place.paths.add(path);
      places.set(name, place);
    }
  }
  return [...places].flatMap(([name, { paths, exports }]) => {
    if (paths.size < 2) return [];
    return `${exports > 1 ? "exported" : "defined"} twice: ${name} in ${[...paths].join(", ")}`;
  });
}

/** Finds names that a file exports again: each is imported from where it is defined. */
function reExports({ path, text }: SourceFile): string[] {
  return text.split("\n").flatMap((line, i) =>
    RE_EXPORT.test(line) ? [`exported again: ${line} at ${path}:${i + 1}`] : []
  );
}

/** Finds exported symbols without a doc comment, and comments without a subject. */
function commentProblems({ path, text }: SourceFile): string[] {
  const problems: string[] = [];
  const lines = text.split("\n");
  let documented: string | undefined;
  lines.forEach((line, i) => {
    const exported = EXPORT.exec(line)?.[1];
    if (exported !== undefined) {
      if (exported !== documented && !lines[i - 1]?.trimEnd().endsWith("*/")) {
        problems.push(`no doc comment: ${exported} at ${path}:${i + 1}`);
      }
      documented = exported;
    }
    const [words] = NO_SUBJECT.exec(firstWords(lines, i)) ?? [];
    if (words !== undefined) problems.push(`no subject: "${words} …" at ${path}:${i + 1}`);
  });
  return problems;
}

/** Returns the beginning of the comment that starts at a line: a doc comment, or a block of line comments. */
function firstWords(lines: readonly string[], at: number): string {
  const line = lines[at] ?? "";
  const opening = /^\s*\/\*\*\s*(.*)/.exec(line)?.[1];
  if (opening === "") return (lines[at + 1] ?? "").replace(/^[\s*]+/, "");
  if (opening !== undefined) return opening;
  const isContinued = /^\s*\/\//.test(lines[at - 1] ?? "");
  return isContinued ? "" : /^\s*\/\/ (.*)/.exec(line)?.[1] ?? "";
}

/** Reads the TypeScript files below a directory, in the order of their paths, without generated ones. */
async function* sourceFiles(root: URL, directory: string): AsyncGenerator<SourceFile> {
  const entries = await Array.fromAsync(Deno.readDir(new URL(directory, root)));
  for (const { name, isDirectory } of entries.toSorted((a, b) => a.name < b.name ? -1 : 1)) {
    const path = directory + name;
    if (isDirectory) yield* sourceFiles(root, `${path}/`);
    else if (name.endsWith(".ts") && !GENERATED.test(path)) {
      yield { path, text: await Deno.readTextFile(new URL(path, root)) };
    }
  }
}

if (import.meta.main) {
  const root = new URL("../", import.meta.url);
  const files = [{ path: "main.ts", text: await Deno.readTextFile(new URL("main.ts", root)) }];
  for (const directory of ["src/", "scripts/", "bench/"]) {
    for await (const file of sourceFiles(root, directory)) files.push(file);
  }
  const problems = nameProblems(files);
  for (const problem of problems) console.error(problem);
  if (problems.length > 0) Deno.exitCode = 1;
}
