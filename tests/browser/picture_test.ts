import assert from "node:assert/strict";
import { browserTest } from "./browser.ts";
import {
  openPicture,
  PICTURE_TEXTS,
  pictureFile,
  PICTURES,
  SCHEMES,
  startIncidentPage,
  textsOf,
} from "./incident_page.ts";

const README = new URL("../../README.md", import.meta.url);
const LARGEST_BYTES = 150_000;

browserTest("the pictures of the README show the page as it is now", async (browser) => {
  const expected = await Deno.readTextFile(PICTURE_TEXTS);
  await using receiver = await startIncidentPage();
  for (const scheme of SCHEMES) {
    const page = await openPicture(browser, receiver.url, scheme);
    assert.equal(
      await textsOf(page),
      expected,
      "the page has changed: run `deno task screenshot`, and look at docs/images/",
    );
    await page.close();
  }
});

Deno.test("the README shows a picture per color scheme, and its text names what is in it", async () => {
  const readme = await Deno.readTextFile(README);
  const texts = await Deno.readTextFile(PICTURE_TEXTS);
  const [, alternative = ""] = /<img alt="([^"]+)"/.exec(readme) ?? [];
  for (const scheme of SCHEMES) {
    const file = pictureFile(scheme);
    const name = file.href.slice(PICTURES.href.length);
    assert.match(readme, new RegExp(`docs/images/${name.replace(".", "\\.")}`));
    assert.ok((await Deno.stat(file)).size <= LARGEST_BYTES, `${name} is too large`);
  }
  const named = alternative.match(/\b(?:http\.server\.request\.duration|p50|p90|p99|12:\d\d)\b/g) ??
    [];
  assert.ok(named.length >= 4, alternative);
  for (const word of named) assert.ok(texts.includes(word), `${word} is not on the page`);
});
