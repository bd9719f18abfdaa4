/** Formats a table in Markdown; a cell may contain a bar. */
export function table(
  heads: readonly string[],
  rows: readonly (readonly string[])[],
): string {
  return [heads, heads.map(() => "---"), ...rows]
    .map((cells) => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`)
    .join("\n");
}

/** Formats a list of links to headings. Headings may hold no punctuation but `:` and `'`. */
export function contents(headings: readonly string[]): string {
  const anchor = (heading: string) =>
    heading.toLowerCase().replaceAll(/[:',]/g, "").replaceAll(" ", "-");
  return headings.map((heading) => `- [${heading}](#${anchor(heading)})`).join("\n");
}
