/** Text that a person reads, and where it comes from. */
interface Passage {
  readonly kind: "document" | "comment" | "message";
  readonly text: string;
  /** Number of the line on which it starts. */
  readonly line: number;
  /** Whether it consists of sentences; headings and table rows do not. */
  readonly hasSentences: boolean;
}

/** A pattern of the guide for prose. Its name and its remedy are all that a finding says. */
interface ProseRule {
  readonly name: string;
  readonly kinds: readonly Passage["kind"][];
  /** Finds the places where a passage breaks the rule, as offsets in its text. */
  readonly find: (passage: Passage) => readonly number[];
}

const EVERYWHERE = ["document", "comment", "message"] as const;

/** Words that measurements are counted in, before "a second": one rule for "10 requests a second", not for "wait a second". */
const COUNTED =
  "measurements?|points?|requests?|lines?|bytes|values|samples|objects?|sends?|series|buckets|errors|spans|events";
const UNITS = "second|minute|hour|day|line|request|send|series|point|process|pod|worker|core";

const RULES: readonly ProseRule[] = [
  {
    name: 'name the subject instead of starting with "What", "Who" or "Whose"',
    kinds: EVERYWHERE,
    find: (passage) =>
      sentences(passage).flatMap(({ text, at }) =>
        /^(?:What|Who|Whose)\s/.test(text) && !text.includes("?") ? [at] : []
      ),
  },
  {
    name: 'write "is not a" instead of "is no"',
    kinds: EVERYWHERE,
    find: matches(
      /(?<!\bthere\s(?:still\s)?)\b(?:is|are|was|were)\s+no\s+(?!(?:longer|more|less|fewer|better|worse|smaller|larger|greater|higher|lower|one)\b)/gi,
    ),
  },
  {
    name: 'name what the reader sees, such as a warning, instead of "is said"',
    kinds: EVERYWHERE,
    find: matches(/\b(?:and\s+that|which|it|that)\s+is\s+said\b|\bis\s+said(?=[.,;]|$)/gi),
  },
  {
    name: 'write "per" instead of "a"',
    kinds: EVERYWHERE,
    find: matches(
      new RegExp(
        `\\b(?:${COUNTED})\\s+an?\\s+(?:${UNITS})(?=[.,;:)]|\\s+and\\b|$)`,
        "gi",
      ),
    ),
  },
  {
    name: "shorten this sentence to 35 words or fewer",
    kinds: ["document"],
    find: (passage) =>
      sentences(passage).flatMap(({ text, at }) => wordCount(text) > MOST_WORDS ? [at] : []),
  },
  {
    name: "describe the present; history belongs in CHANGELOG.md, docs/decisions or bench/NOTES.md",
    kinds: ["document"],
    find: matches(/\bno\s+longer\b|\b(?:it|they|which|program)\s+used\s+to\b|\bthrown\s+away\b/gi),
  },
  {
    name: 'write "again", "forever" or nothing instead of an archaic word',
    kinds: EVERYWHERE,
    find: matches(/\banew\b|\bfor\s+ever\b|\btruthfully\b/gi),
  },
  {
    name: 'write "also" before the verb instead of ", too"',
    kinds: EVERYWHERE,
    find: matches(/,\s+too(?=[.,;:)]|$)/gi),
  },
  {
    name: 'use the word of the guide: "exit code", "directory"',
    kinds: ["document", "message"],
    find: matches(/\bexit\s+status\b|\bfolders?\b/gi),
  },
  {
    name: "write a remedy as an instruction instead of a question",
    kinds: ["message"],
    find: matches(/[:;,]\s+(?:is|are|does|do|has|have|was|were)\s[^.?]*\?$/gi),
  },
  {
    name: 'name the subject instead of starting with "Of"',
    kinds: ["comment"],
    find: ({ text }) => /^Of\s/.test(text) ? [0] : [],
  },
];

const MOST_WORDS = 35;

function matches(pattern: RegExp): ProseRule["find"] {
  return ({ text }) => Array.from(text.matchAll(pattern), ({ index }) => index);
}

/** Splits a passage into sentences, with the offset of each. */
function sentences(
  { text, hasSentences }: Passage,
): readonly { readonly text: string; readonly at: number }[] {
  if (!hasSentences) return [];
  const found: { text: string; at: number }[] = [];
  let at = 0;
  for (const part of text.split(/((?<=[.!?:]["”)*_]*)\s+(?=["“(*_`]*[A-Z`]))/)) {
    if (part.trim() !== "") found.push({ text: part.replace(/^[("“*_]+/, ""), at });
    at += part.length;
  }
  return found;
}

/** Counts words; code in backticks is one. */
function wordCount(text: string): number {
  return text.replaceAll(/`[^`]*`/g, "code").split(/\s+/).filter((word) => /\w/.test(word)).length;
}

/** Blanks code and addresses out of a line of Markdown, without moving what follows. */
function plainMarkdown(line: string): string {
  const blank = (found: string) => "x".repeat(found.length);
  return line
    .replaceAll(/`[^`]*`/g, (code) => `\`${blank(code.slice(2))}\``)
    .replaceAll(/\]\([^)]*\)/g, (link) => `]${" ".repeat(link.length - 1)}`)
    .replaceAll(/<[^>]*>/g, (tag) => " ".repeat(tag.length));
}

/** Reads a document: each paragraph, item of a list, heading and row of a table is a passage. */
function documentPassages(text: string): Passage[] {
  const passages: Passage[] = [];
  let isCode = false;
  let open: { lines: string[]; line: number } | undefined;
  const close = () => {
    if (open === undefined) return;
    passages.push({
      kind: "document",
      text: open.lines.join("\n"),
      line: open.line,
      hasSentences: true,
    });
    open = undefined;
  };
  text.split("\n").forEach((raw, i) => {
    if (/^\s*(?:```|~~~)/.test(raw)) {
      close();
      isCode = !isCode;
      return;
    }
    if (isCode || /^\s*<!--/.test(raw)) return close();
    const line = plainMarkdown(raw);
    if (line.trim() === "") return close();
    if (/^\s*[|#]/.test(line)) {
      close();
      passages.push({ kind: "document", text: line, line: i + 1, hasSentences: false });
      return;
    }
    const item = /^\s*(?:[-*+]|\d+\.|>)\s+/.exec(line)?.[0];
    if (item !== undefined) close();
    open ??= { lines: [], line: i + 1 };
    open.lines.push(item === undefined ? line.trim() : line.slice(item.length));
  });
  close();
  return passages;
}

/** Reads a source file: its comments, and its string literals that hold three words or more. */
function sourcePassages(text: string): Passage[] {
  const passages: Passage[] = [];
  let comment: { lines: string[]; line: number } | undefined;
  const close = () => {
    if (comment !== undefined) {
      const words = comment.lines.join("\n").replace(/^\s+/, "");
      passages.push({ kind: "comment", text: words, line: comment.line, hasSentences: true });
    }
    comment = undefined;
  };
  let isBlock = false;
  text.split("\n").forEach((line, i) => {
    const opening = /^\s*\/\*\*?\s?/.exec(line)?.[0];
    if (opening !== undefined) {
      close();
      isBlock = true;
    }
    if (isBlock) {
      const isEnd = line.includes("*/");
      const words = line.slice(opening?.length ?? 0).replace(/^\s*\*(?!\/)\s?/, "")
        .replace(/\s*\*\/.*$/, "");
      comment ??= { lines: [], line: words === "" ? i + 2 : i + 1 };
      if (words !== "" || comment.lines.length > 0) comment.lines.push(words);
      if (isEnd) {
        isBlock = false;
        close();
      }
      return;
    }
    const note = /^\s*\/\/ ?(.*)/.exec(line)?.[1];
    if (note !== undefined) {
      comment ??= { lines: [], line: i + 1 };
      comment.lines.push(note);
      return;
    }
    close();
    for (const [, double, single, template] of line.matchAll(LITERAL)) {
      const words = double ?? single ?? template ?? "";
      if (/\w+\s+\S*\w+\s+\S*\w/.test(words)) {
        passages.push({ kind: "message", text: words, line: i + 1, hasSentences: true });
      }
    }
  });
  close();
  return passages;
}

const LITERAL = /"((?:\\.|[^"\\])*)"|'((?:\\.|[^'\\])*)'|`((?:\\.|[^`\\])*)(?:`|$)/g;

/**
 * Checks the prose of a file against the guide; one line per finding, with its place and the rule. In code that does
 * not ship, the comments alone count.
 */
export function proseFindings(path: string, text: string): readonly string[] {
  const passages = path.endsWith(".md")
    ? documentPassages(text)
    : sourcePassages(text).filter(({ kind }) => path.startsWith("src/") || kind === "comment");
  return passages.flatMap((passage) =>
    RULES.filter(({ kinds }) => kinds.includes(passage.kind)).flatMap(({ name, find }) =>
      find(passage).map((at) => {
        const line = passage.line + passage.text.slice(0, at).split("\n").length - 1;
        const words = passage.text.slice(at).split(/\s+/).slice(0, 8).join(" ");
        return `${path}:${line}: ${name}: ${words}`;
      })
    )
  );
}

/** Files that a program writes, from texts that are checked where they are written. */
const GENERATED =
  /^src\/otlp\/gen\/|\/(?:assets|json_scanner_wasm)\.ts$|^docs\/(?:settings|dynatrace-rules|meaning-rules)\.md$/;
const DOCUMENTS = ["README.md", "CONTRIBUTING.md", "ARCHITECTURE.md", "k8s/README.md"];

/** Lists the files that the check covers: the documents for users and developers, and all code. */
async function* coveredFiles(root: URL): AsyncGenerator<string> {
  yield* DOCUMENTS;
  for await (const { name, isFile } of Deno.readDir(new URL("docs/", root))) {
    if (isFile && name.endsWith(".md")) yield `docs/${name}`;
  }
  const directories = ["src/", "scripts/", "tests/", "bench/"];
  for (let directory; (directory = directories.pop()) !== undefined;) {
    for await (const { name, isDirectory } of Deno.readDir(new URL(directory, root))) {
      if (isDirectory) directories.push(`${directory}${name}/`);
      else if (name.endsWith(".ts")) yield directory + name;
    }
  }
}

if (import.meta.main) {
  const root = new URL("../", import.meta.url);
  const paths = (await Array.fromAsync(coveredFiles(root))).filter((path) => !GENERATED.test(path));
  let count = 0;
  for (const path of paths.toSorted()) {
    for (const finding of proseFindings(path, await Deno.readTextFile(new URL(path, root)))) {
      console.error(finding);
      count++;
    }
  }
  if (count > 0) {
    console.error(`${count} findings. The guide for prose is in CONTRIBUTING.md.`);
    Deno.exitCode = 1;
  }
}
