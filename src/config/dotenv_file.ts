import { redactTokens } from "../base/redact.ts";
import type { System } from "../base/system.ts";
import { fileOf, resolvePath, unreadable } from "../base/paths.ts";
import { type Variables, variables } from "./setting.ts";
import { rowOf, SETTING_KEYS } from "./settings.ts";

/** The environment over `.env`, which may be missing, or over the file of `--env-file`, which may not. */
export async function readVariables(
  envFile: string | undefined,
  system: Pick<System, "env" | "cwd" | "readTextFile">,
): Promise<Variables> {
  const name = envFile ?? ".env";
  let text = "";
  try {
    text = await system.readTextFile(resolvePath(system.cwd, name));
  } catch (thrown) {
    if (envFile !== undefined) throw unreadable(fileOf("--env-file", envFile), thrown);
    if (!(thrown instanceof Deno.errors.NotFound)) throw unreadable('".env"', thrown);
  }
  if (text === "") return variables(system.env, new Map(), name);
  const { parseDotenv } = await import("./dotenv.ts");
  const lines: number[] = [];
  const found = parseDotenv(text, lines);
  const warnings = withoutEffect(name, [...found.keys()], lines, system.env);
  return Object.assign(variables(system.env, found, name), { warnings });
}

/** fetch reads them, and in the real environment alone. */
const PROXIES = ["HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY"];
/** More names or lines than these make no message clearer. */
const MOST_NAMED = 10;

/** What of a `.env` file has no effect: names and numbers of lines, never a value. */
function withoutEffect(
  file: string,
  names: readonly string[],
  lines: readonly number[],
  environment: System["env"],
): readonly string[] {
  const isProxy = (name: string) => PROXIES.includes(name.toUpperCase());
  const known = new Set(SETTING_KEYS.flatMap((key) => rowOf(key).variables ?? []));
  const proxies = names.filter((name) => isProxy(name) && !environment(name));
  const unknown = names.filter((name) => !known.has(name) && !isProxy(name));
  const warnings: string[] = [];
  if (proxies.length > 0) {
    warnings.push(
      `${
        listed(proxies)
      } in ${file} has no effect: a proxy is read from the environment alone, so export it`,
    );
  }
  if (unknown.length > 0) {
    warnings.push(`${file} sets what this program does not know: ${listed(unknown)}`);
  }
  if (lines.length > 0) {
    const what = lines.length === 1 ? "line" : "lines";
    warnings.push(`${what} ${listed(lines)} of ${file} cannot be read: expected NAME=VALUE`);
  }
  return warnings;
}

function listed(items: readonly (string | number)[]): string {
  const more = items.length - MOST_NAMED;
  // A token that was pasted in the wrong place can look like a name.
  const shown = items.slice(0, MOST_NAMED).map((item) => redactTokens(String(item))).join(", ");
  return more > 0 ? `${shown} and ${more} more` : shown;
}
