import { messageOf, UsageError } from "./errors.ts";
import type { System } from "./system.ts";

/** A path as the user gave it, relative to where the command was given. */
export function resolvePath(cwd: string, path: string): string {
  return /^([/\\]|[a-z]:[/\\])/i.test(path) ? path : `${cwd}/${path}`;
}

/** The text of the file that a flag names, or a UsageError that says why it cannot be read. */
export async function readFileOf(
  flag: string,
  path: string,
  system: Pick<System, "cwd" | "readTextFile">,
): Promise<string> {
  try {
    return await system.readTextFile(resolvePath(system.cwd, path));
  } catch (thrown) {
    throw new UsageError(`Cannot read the file of ${flag}, "${path}": ${unreadable(thrown)}`);
  }
}

/** Why a file cannot be read. */
export function unreadable(thrown: unknown): string {
  if (thrown instanceof Deno.errors.NotFound) return "it does not exist";
  if (thrown instanceof Deno.errors.PermissionDenied) return "this user may not read it";
  return messageOf(thrown);
}
