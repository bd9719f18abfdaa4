import { UsageError } from "../platform/errors.ts";
import { readFileOf } from "../platform/paths.ts";
import type { System } from "../platform/system.ts";
import type { Setting } from "../settings/setting.ts";
import type { TokenFormat } from "./profile.ts";

/** Reads the Authorization value of the token in the file that a setting names; throws a UsageError without one. */
export async function readTokenFile(
  { name, source, value: path }: Setting,
  tokens: TokenFormat,
  system: Pick<System, "cwd" | "readTextFile">,
  signal?: AbortSignal,
): Promise<string> {
  const text = await readFileOf(`${name} (${source})`, path, system, signal);
  if (text.trim() === "") throw new UsageError(`The token file of ${name}, "${path}", is empty`);
  return tokens.authorization({ name: `token in the file of ${name}`, source: path, value: text });
}
