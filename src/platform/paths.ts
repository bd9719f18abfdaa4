import { messageOf, quotesRemedy, UsageError } from "./errors.ts";
import type { System } from "./system.ts";

/** Resolves a path that the user gave against the directory where the command was given. */
export function resolvePath(cwd: string, path: string): string {
  return /^([/\\]|[a-z]:[/\\])/i.test(path) ? path : `${cwd}/${path}`;
}

/**
 * Reads the text of the file that a setting names, or throws a UsageError with the reason. `signal` ends the wait for
 * a file without an end, such as a pipe.
 */
export async function readFileOf(
  setting: string,
  path: string,
  system: Pick<System, "cwd" | "readTextFile">,
  signal?: AbortSignal,
): Promise<string> {
  try {
    return await system.readTextFile(resolvePath(system.cwd, path), signal);
  } catch (thrown) {
    throw unreadable(
      fileOf(setting, path),
      signal?.aborted ? new Error("it did not end") : thrown,
      { remedy: quotesRemedy(path, setting.endsWith("(environment)") ? "environment" : "") },
    );
  }
}

/** Names the file of a setting in a message. */
export function fileOf(setting: string, path: string): string {
  return `the file of ${setting}, "${path}"`;
}

/**
 * Creates the UsageError for a file that cannot be read. `remedy` follows the reason, `stdin` is how its setting names
 * standard input.
 */
export function unreadable(
  file: string,
  thrown: unknown,
  { remedy = "", stdin }: { readonly remedy?: string; readonly stdin?: string | undefined } = {},
): UsageError {
  return new UsageError(`Cannot read ${file}: ${reason(thrown, stdin)}${remedy}`);
}

function reason(thrown: unknown, stdin: string | undefined): string {
  if (thrown instanceof Deno.errors.NotFound) return "it does not exist";
  if (thrown instanceof Deno.errors.PermissionDenied) return "permission denied";
  if (thrown instanceof Deno.errors.NotCapable) {
    return `${messageOf(thrown)}. ${
      stdin === undefined ? "Use a regular file" : `For standard input use ${stdin}`
    }`;
  }
  return messageOf(thrown);
}
