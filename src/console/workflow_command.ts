/**
 * Escapes whatever a CI system would run as a workflow command. GitHub Actions obeys `::` at the start of a line,
 * after any blanks, and `##[` anywhere (actions/runner, ActionCommand.cs). Azure Pipelines obeys `##[` and `##vso[`.
 * The escapes are those of JSON, so an object stays the same object.
 */
export function withoutCommands(text: string): string {
  return text.includes("##") || text.includes("::")
    ? text.replace(/##(?=\[|vso\[)/g, "\\u0023#").replace(/^([^\S\n]*):(?=:)/gm, "$1\\u003a")
    : text;
}
