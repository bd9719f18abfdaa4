import { parseDotenv } from "./dotenv.ts";
import { messageOf, UsageError } from "../base/errors.ts";
import type { Io } from "../base/system.ts";
import { resolvePath } from "../base/paths.ts";
import { type Variables, variables } from "./setting.ts";

/** The environment over `.env`, which may be missing, or over the file of `--env-file`, which may not. */
export async function readVariables(
  envFile: string | undefined,
  io: Pick<Io, "env" | "cwd" | "readTextFile">,
): Promise<Variables> {
  const name = envFile ?? ".env";
  let text = "";
  try {
    text = await io.readTextFile(resolvePath(io.cwd, name));
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
  return variables(io.env, parseDotenv(text), name);
}
