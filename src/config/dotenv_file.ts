import { parseDotenv } from "./dotenv.ts";
import { messageOf, UsageError } from "../base/errors.ts";
import type { System } from "../base/system.ts";
import { resolvePath } from "../base/paths.ts";
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
    const missing = thrown instanceof Deno.errors.NotFound;
    if (!missing || envFile !== undefined) {
      const why = missing ? "it does not exist" : messageOf(thrown);
      throw new UsageError(
        `Cannot read ${
          envFile === undefined ? '".env"' : `the file of --env-file, "${envFile}"`
        }: ${why}`,
      );
    }
  }
  return variables(system.env, parseDotenv(text), name);
}
