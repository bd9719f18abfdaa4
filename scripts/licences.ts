import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { bundledPackages } from "./module_graph.ts";

// THIRD-PARTY-LICENSES, from the packages in the bundle as they are installed, and from scripts/licences/parts.txt for
// what is in no package.

const FILE = new URL("../THIRD-PARTY-LICENSES", import.meta.url);
const PARTS = new URL("licences/parts.txt", import.meta.url);
const HEADING = "The otlp-histogram of this release contains the following works of others.";
const RULE = `\n\n${"-".repeat(80)}\n\n`;

/** Directory of an installed package. */
function directoryOf(name: string): URL {
  const entry = pathToFileURL(createRequire(import.meta.url).resolve(name));
  for (let directory = new URL("./", entry); directory.pathname !== "/";) {
    const manifest = textIfPresent(new URL("package.json", directory));
    if (manifest !== undefined && JSON.parse(manifest).name === name) return directory;
    directory = new URL("../", directory);
  }
  throw new Error(`${name} is not installed`);
}

function textIfPresent(file: URL): string | undefined {
  try {
    return Deno.readTextFileSync(file);
  } catch (thrown) {
    if (thrown instanceof Deno.errors.NotFound) return undefined;
    throw thrown;
  }
}

function licenceText(directory: URL): string | undefined {
  return ["LICENSE", "LICENSE.md"].map((name) => textIfPresent(new URL(name, directory)))
    .find((text) => text !== undefined)?.replaceAll(/^\n+|\s+$/g, "");
}

/** Reads the notices with which the modules of a package begin. */
function notices(directory: URL): readonly string[] {
  return [...Deno.readDirSync(directory)].flatMap((entry) => {
    if (entry.isDirectory) return notices(new URL(`${entry.name}/`, directory));
    const text = entry.name.endsWith(".js")
      ? Deno.readTextFileSync(new URL(entry.name, directory))
      : "";
    return /^\/\/ Copyright.*\n(?:\/\/.*\n)*/.exec(text)?.[0].replaceAll(/^\/\/ ?/gm, "").trim() ??
      [];
  });
}

function licenceOf(nameAndVersion: string): string {
  const directory = directoryOf(nameAndVersion.replace(/@[^@]*$/, ""));
  const heads = [...new Set(notices(directory))].sort();
  // Some modules continue their notice with a remark.
  const own = heads.filter((head) => !heads.some((other) => head.startsWith(`${other}\n`)));
  const text = licenceText(directory) ?? own.join("\n\n");
  if (text === "") throw new Error(`${nameAndVersion} has no licence text`);
  return `${nameAndVersion}\n\n${text}`;
}

async function licences(): Promise<string> {
  const packages = (await bundledPackages()).map(licenceOf);
  // Packages under this licence do not all bring its text; this one of the tests does.
  const apache = licenceText(directoryOf("@opentelemetry/api"));
  if (apache === undefined) throw new Error("The text of the Apache License is missing");
  const parts = Deno.readTextFileSync(PARTS).trim();
  return `${[HEADING, ...packages, parts, apache].join(RULE)}\n`;
}

/** Writes the file. With `--check` it only reports whether it is current. Resolves to the exit code. */
export async function main(args: readonly string[]): Promise<number> {
  const text = await licences();
  if (!args.includes("--check")) {
    await Deno.writeTextFile(FILE, text);
    return 0;
  }
  if (textIfPresent(FILE) === text) return 0;
  console.error("THIRD-PARTY-LICENSES is not current: run `deno task licences` and commit it");
  return 1;
}

if (import.meta.main) Deno.exitCode = await main(Deno.args);
