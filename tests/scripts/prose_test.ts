import assert from "node:assert/strict";
import { proseFindings } from "../../scripts/prose.ts";

/** Lines of a document or a source that break a rule, each with a word of the finding. */
const BROKEN: readonly (readonly [path: string, text: string, finding: RegExp])[] = [
  ["docs/a.md", "What is dropped is counted.", /^docs\/a\.md:1: name the subject/],
  ["docs/a.md", "# A\n\nGood. Who wants more reads on.", /^docs\/a\.md:3: name the subject/],
  ["docs/a.md", "This is no request.", /"is not a"/],
  ["docs/a.md", "It comes late, and that is said.", /"is said"/],
  ["docs/a.md", "It prints one object a line.", /"per"/],
  ["docs/a.md", `${"word ".repeat(36)}.`, /35 words/],
  ["docs/a.md", "The flag no longer exists.", /history/],
  ["docs/a.md", "It reads the file anew.", /archaic/],
  ["docs/a.md", "It works for files, too.", /"also"/],
  ["docs/a.md", "It ends with exit status 2.", /"exit code"/],
  ["src/a.ts", 'warn("nothing listens there: is the port right?");', /instruction/],
  ["src/a.ts", "/** Of the last request. */", /^src\/a\.ts:1: .*"Of"/],
  ["tests/a.ts", "// What is left is lost.", /^tests\/a\.ts:1: name the subject/],
  ["src/a.ts", "/**\n * Reads.\n * What is left\n * is lost.\n */", /^src\/a\.ts:3: name/],
];

for (const [path, text, finding] of BROKEN) {
  Deno.test(`proseFindings() finds ${JSON.stringify(text.slice(0, 60))}`, () => {
    const found = proseFindings(path, text);
    assert.equal(found.length, 1, found.join("\n"));
    assert.match(found[0] ?? "", finding);
  });
}

Deno.test("proseFindings() accepts headings, questions, code, and proper uses", () => {
  const fine = [
    "## What you need\n",
    "| What you see | What to do |\n| --- | --- |\n",
    "What does it cost? There is no limit.\n",
    "```sh\nWhat is no code, too.\n```\n",
    "Send a request per minute, and wait a second. `is no` is code.\n",
  ].join("\n");
  assert.deepEqual(proseFindings("docs/a.md", fine), []);
  assert.deepEqual(proseFindings("tests/a.ts", 'test("What is left is lost");'), []);
  assert.deepEqual(proseFindings("src/a.ts", 'usage("Unknown flag. Did you mean --a?");'), []);
});
