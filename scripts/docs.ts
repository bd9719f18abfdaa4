import { manPage } from "./man_page.ts";
import { meaningPage, rulesPage } from "./rules_page.ts";
import { envExampleProblems, settingsPage } from "./settings_page.ts";

/** Pages that are generated from tables of the program, by path. */
const PAGES: Readonly<Record<string, () => string>> = {
  "docs/dynatrace-rules.md": rulesPage,
  "docs/meaning-rules.md": meaningPage,
  "docs/settings.md": settingsPage,
  "docs/otlp-histogram.1": manPage,
};

/**
 * Writes the pages below `root`. With `--check` it only reports whether they are current and `.env.example` is
 * complete. Resolves to the exit code.
 */
export async function main(args: readonly string[], root: URL): Promise<number> {
  const problems: string[] = [];
  for (const [name, page] of Object.entries(PAGES)) {
    const file = new URL(name, root);
    const expected = page();
    if (!args.includes("--check")) await Deno.writeTextFile(file, expected);
    else if (await Deno.readTextFile(file).catch(() => "") !== expected) {
      problems.push(`${name} is not current: run \`deno task docs\` and commit it`);
    }
  }
  problems.push(...envExampleProblems(await Deno.readTextFile(new URL(".env.example", root))));
  for (const problem of problems) console.error(problem);
  return problems.length === 0 ? 0 : 1;
}

if (import.meta.main) Deno.exitCode = await main(Deno.args, new URL("../", import.meta.url));
