import assert from "node:assert/strict";
import { main as docs } from "../../scripts/docs.ts";

Deno.test("the generated pages are current, and deno task docs --check sees when one is not", async () => {
  const root = new URL("../../", import.meta.url);
  assert.equal(await docs(["--check"], root), 0);
  const copy = await Deno.makeTempDir({ prefix: "otlp-histogram-docs-" });
  const said: unknown[] = [];
  const error = console.error;
  console.error = (line) => said.push(line);
  try {
    await Deno.mkdir(`${copy}/docs`);
    await Deno.copyFile(new URL(".env.example", root), `${copy}/.env.example`);
    await Deno.copyFile(new URL("docs/settings.md", root), `${copy}/docs/settings.md`);
    assert.equal(await docs(["--check"], new URL(`file://${copy}/`)), 1);
  } finally {
    console.error = error;
    await Deno.remove(copy, { recursive: true });
  }
  assert.match(said.join("\n"), /^docs\/dynatrace-rules\.md .*run `deno task docs`/);
});
