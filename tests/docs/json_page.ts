import { fileOf } from "./markdown.ts";

/** Key of a line of JSON, as docs/json.md documents it. */
interface DocumentedKey {
  readonly types: readonly string[];
  readonly isOptional: boolean;
}

/** Reads docs/json.md: keys of each kind of line, by the words in the heading, such as `send summary`. */
export async function documentedLines(): Promise<
  ReadonlyMap<string, ReadonlyMap<string, DocumentedKey>>
> {
  const text = await Deno.readTextFile(fileOf("docs/json.md"));
  const lines = new Map<string, ReadonlyMap<string, DocumentedKey>>();
  for (const section of text.split(/^### Keys of /m).slice(1)) {
    const [heading = ""] = section.split("\n");
    const [body = ""] = section.split(/^#/m);
    const keys = new Map<string, DocumentedKey>();
    for (const [, key = "", types = ""] of body.matchAll(/^\| `([^`]+)` \| ([^|]+) \|/gm)) {
      const isOptional = types.includes("optional");
      keys.set(key, { types: types.replace(", optional", "").trim().split(" or "), isOptional });
    }
    for (const [, name = ""] of heading.matchAll(/`([^`]+)`/g)) lines.set(name, keys);
  }
  return lines;
}

/** Compares a printed line with the page; returns what is wrong. */
export function problemsOf(
  line: Readonly<Record<string, unknown>>,
  documented: ReadonlyMap<string, DocumentedKey>,
  further: readonly string[] = [],
): readonly string[] {
  const problems: string[] = [];
  for (const [key, { types, isOptional }] of documented) {
    const value = valueAt(line, key);
    if (value === undefined) {
      if (!isOptional) problems.push(`${key} is not printed`);
    } else if (!types.includes("any") && !types.includes(typeOf(value))) {
      problems.push(`${key} is ${typeOf(value)}, not ${types.join(" or ")}`);
    }
  }
  const unknown = Object.keys(line).filter((key) => !documented.has(key) && !further.includes(key));
  return [...problems, ...unknown.map((key) => `${key} is not documented`)];
}

function valueAt(line: unknown, path: string): unknown {
  return path.split(".").reduce<unknown>(
    (value, key) =>
      typeof value === "object" && value !== null ? Reflect.get(value, key) : undefined,
    line,
  );
}

function typeOf(value: unknown): string {
  if (value === null) return "null";
  return Array.isArray(value) ? "array" : typeof value;
}
