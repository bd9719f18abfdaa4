import { fileURLToPath } from "node:url";

export const ROOT = new URL("../../", import.meta.url);

/** Directories whose pages users read, with README.md beside them. */
const PAGE_DIRECTORIES = ["docs/", "docs/decisions/", "k8s/", "bench/", "tests/", ""] as const;

/** Page of the documentation. */
export interface MarkdownPage {
  /** Path below the root of the repository. */
  readonly path: string;
  readonly text: string;
}

/** Fenced block of a page. */
export interface FencedBlock {
  readonly page: string;
  /** Line of its first fence, from 1 on. */
  readonly line: number;
  readonly language: string;
  readonly text: string;
}

/** Reads every page in Markdown of the repository. */
export async function markdownPages(): Promise<readonly MarkdownPage[]> {
  const pages: MarkdownPage[] = [];
  for (const directory of PAGE_DIRECTORIES) {
    for await (const { name, isFile } of Deno.readDir(new URL(directory, ROOT))) {
      if (!isFile || !name.endsWith(".md")) continue;
      const path = `${directory}${name}`;
      pages.push({ path, text: await Deno.readTextFile(new URL(path, ROOT)) });
    }
  }
  return pages.sort((a, b) => a.path < b.path ? -1 : 1);
}

/** Pages whose commands a user types: not those for developers. */
export async function userPages(): Promise<readonly MarkdownPage[]> {
  return (await markdownPages()).filter(({ path }) =>
    /^(README|docs\/[^/]+|k8s\/[^/]+)/.test(path)
  );
}

/** Returns the fenced blocks of a page; those in a list lose its indentation. */
export function fencedBlocks({ path, text }: MarkdownPage): readonly FencedBlock[] {
  const blocks: FencedBlock[] = [];
  let open: { line: number; language: string; indent: number; lines: string[] } | undefined;
  for (const [index, line] of text.split("\n").entries()) {
    const [, indent = "", language = ""] = /^( *)```(.*)$/.exec(line) ?? [];
    const isFence = /^ *```/.test(line);
    if (open === undefined) {
      if (isFence) open = { line: index + 1, language, indent: indent.length, lines: [] };
    } else if (isFence) {
      const { line, language, lines } = open;
      blocks.push({ page: path, line, language, text: lines.join("\n") });
      open = undefined;
    } else open.lines.push(line.slice(open.indent));
  }
  return blocks;
}

/** Returns the anchors that GitHub gives to the headings of a page. */
export function anchorsOf({ text }: MarkdownPage): ReadonlySet<string> {
  const anchors = new Set<string>();
  const counts = new Map<string, number>();
  for (const [, heading = ""] of withoutFences(text).matchAll(/^#+ +(.*)$/gm)) {
    const slug = heading.trim().toLowerCase().replaceAll(/\[([^\]]*)\]\([^)]*\)/g, "$1")
      .replaceAll(/[^\p{L}\p{N}\p{M}_\- ]/gu, "").replaceAll(" ", "-");
    const count = counts.get(slug) ?? 0;
    counts.set(slug, count + 1);
    anchors.add(count === 0 ? slug : `${slug}-${count}`);
  }
  return anchors;
}

/** Returns the targets of a page's links and pictures. */
export function linkTargets({ text }: MarkdownPage): readonly string[] {
  const prose = withoutFences(text).replaceAll(/`[^`]*`/g, "");
  const inline = [...prose.matchAll(/\]\(([^)\s]+)(?: "[^"]*")?\)/g)];
  const defined = [...prose.matchAll(/^\[[^\]]+\]: (\S+)$/gm)];
  const pictures = [...prose.matchAll(/\b(?:src|srcset)="([^"]+)"/g)];
  return [...inline, ...defined, ...pictures].map(([, target = ""]) => target);
}

/** Path of a file of the repository on this machine. */
export function fileOf(path: string): string {
  return fileURLToPath(new URL(path, ROOT));
}

function withoutFences(text: string): string {
  return text.replaceAll(/^ *```[^]*?^ *```$/gm, "");
}
