import { parseDotenv } from "./dotenv.ts";
import type { System } from "../base/system.ts";
import { fileOf, resolvePath, unreadable } from "../base/paths.ts";
import { type Variables, variables } from "./setting.ts";

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
  return variables(system.env, parseDotenv(text), name);
}
