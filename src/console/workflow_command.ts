/**
 * A text with no line that GitHub Actions takes for a workflow command. It does so with `::`, whatever blanks stand before
 * it, and with `##[` anywhere (actions/runner, ActionCommand.cs). Azure Pipelines knows `##[` and `##vso[`. The escapes are
 * those of JSON, so that an object stays the same object.
 */
export function withoutCommands(text: string): string {
  return text.includes("##") || text.includes("::")
    ? text.replace(/##(?=\[|vso\[)/g, "\\u0023#").replace(/^([^\S\n]*):(?=:)/gm, "$1\\u003a")
    : text;
}
