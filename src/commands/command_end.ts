import type { CommandEnd } from "../platform/command.ts";

/** Says how a command failed, as a sentence without its full stop; undefined if it ended with 0. `name` is its first word. */
export function commandFailure(
  name: string,
  { status, signal, notStarted }: CommandEnd,
): string | undefined {
  if (notStarted !== undefined) return `Cannot run "${name}": ${notStarted}`;
  if (signal !== undefined) return `"${name}" was ended by ${signal}: exit code ${status}`;
  return status === 0 ? undefined : `"${name}" ended with exit code ${status}`;
}
