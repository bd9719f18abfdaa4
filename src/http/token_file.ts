import { UsageError } from "../platform/errors.ts";
import { readFileOf } from "../platform/paths.ts";
import type { System } from "../platform/system.ts";
import { tokenValue } from "./authorization.ts";
import type { Setting } from "../settings/setting.ts";

/** Reads the token in the file that a setting names and returns its Authorization value, or throws a UsageError. */
export async function readTokenFile(
  { name, source, value: path }: Setting,
  system: Pick<System, "cwd" | "readTextFile">,
  signal?: AbortSignal,
): Promise<string> {
  const text = await readFileOf(`${name} (${source})`, path, system, signal);
  if (text.trim() === "") throw new UsageError(`The token file of ${name}, "${path}", is empty`);
  return tokenValue({ name: `token in the file of ${name}`, source: path, value: text });
}
