import assert from "node:assert/strict";
import { main as docs } from "../../scripts/docs.ts";
import { manPage } from "../../scripts/man_page.ts";
import { settingsPage } from "../../scripts/settings_page.ts";
import { rowOf, SETTING_KEYS } from "../../src/settings/settings.ts";

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

Deno.test("the pages of settings have the defaults that single commands have", () => {
  const [page, man] = [settingsPage(), manPage()];
  for (const key of SETTING_KEYS) {
    for (const [command, value] of Object.entries(rowOf(key).defaultOf ?? {})) {
      assert.ok(page.includes(`${command}: \`${value}\``), `${key} of ${command}`);
      const bold = `${command}: \\fB${value.replaceAll("-", "\\-")}\\fR`;
      assert.ok(man.includes(bold), `${bold} in the man page`);
    }
  }
});
