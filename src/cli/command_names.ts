/** Names of the commands, in the order of the help. */
export const COMMAND_NAMES = [
  "send",
  "exec",
  "check",
  "verify",
  "receive",
  "plot",
  "diff",
  "demo",
  "merge-summaries",
  "help",
  "version",
  "completions",
] as const;

/** Name of a command. */
export type Command = (typeof COMMAND_NAMES)[number];
