import assert from "node:assert/strict";
import { anchorsOf, fileOf, linkTargets, markdownPages, ROOT } from "./markdown.ts";

Deno.test("every link to a file of the repository leads to a file, and its anchor to a heading", async () => {
  const pages = await markdownPages();
  const anchors = new Map(pages.map((page) => [page.path, anchorsOf(page)]));
  const broken: string[] = [];
  let checked = 0;
  for (const page of pages) {
    for (const target of linkTargets(page)) {
      if (/^[a-z]+:/.test(target)) continue;
      checked++;
      const [path = "", anchor] = target.split("#");
      const url = new URL(path, new URL(page.path, ROOT));
      const found = url.href.slice(ROOT.href.length);
      const exists = path === "" || await Deno.stat(url).then(() => true, () => false);
      const known = anchors.get(path === "" ? page.path : found);
      if (!exists || (anchor !== undefined && known?.has(anchor) !== true)) {
        broken.push(`${page.path}: ${target}`);
      }
    }
  }
  assert.deepEqual(broken, []);
  assert.ok(checked > 100, `${checked} links`);
});

Deno.test("every page of docs/ is linked from the README", async () => {
  const pages = await markdownPages();
  const readme = pages.find(({ path }) => path === "README.md");
  assert.ok(readme !== undefined);
  const linked = new Set(linkTargets(readme).map((target) => target.split("#")[0]));
  const missing = pages.map(({ path }) => path)
    .filter((path) => /^docs\/[^/]+$/.test(path) && !linked.has(path));
  assert.deepEqual(missing, []);
});

Deno.test("a page that is longer than two screens has a list of its contents", async () => {
  const missing = (await markdownPages())
    .filter(({ path, text }) => /^docs\/[^/]+$/.test(path) && text.split("\n").length > 120)
    .filter((page) => linkTargets(page).filter((target) => target.startsWith("#")).length < 3)
    .map(({ path }) => path);
  assert.deepEqual(missing, []);
});

Deno.test("files that pages for developers name in code are there", async () => {
  const missing: string[] = [];
  let checked = 0;
  for (const page of ["ARCHITECTURE.md", "CONTRIBUTING.md", "tests/README.md"]) {
    const text = await Deno.readTextFile(fileOf(page));
    for (const [, path = ""] of text.matchAll(/`((?:src|tests|scripts|bench|docs)\/[\w./-]+)`/g)) {
      checked++;
      try {
        await Deno.stat(fileOf(path));
      } catch (thrown) {
        if (!(thrown instanceof Deno.errors.NotFound)) throw thrown;
        missing.push(`${page}: ${path}`);
      }
    }
  }
  assert.deepEqual(missing, []);
  assert.ok(checked > 30, `${checked} paths`);
});
