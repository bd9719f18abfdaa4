/** In the order of the help. */
export const COMMAND_NAMES = [
  "send",
  "check",
  "receive",
  "demo",
  "help",
  "version",
  "completions",
] as const;

export type Command = (typeof COMMAND_NAMES)[number];
