import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { manPage } from "../../scripts/man_page.ts";
import { COMMAND_NAMES } from "../../src/cli/command_names.ts";
import { flagName, rowOf, SETTING_KEYS } from "../../src/settings/settings.ts";
import { inDirectory } from "../support/directory.ts";
import { namedUnless } from "../support/tools.ts";

const reason = await whyNot();

/** Why it cannot be rendered here. */
async function whyNot(): Promise<string | undefined> {
  try {
    const { success } = await new Deno.Command("man", { args: ["--version"] }).output();
    return success ? undefined : "man --version fails";
  } catch (thrown) {
    if (thrown instanceof Deno.errors.NotFound) return "man is not installed";
    throw thrown;
  }
}

/** Runs `man` as in a terminal of 80 columns; gives the page and all warnings. */
async function rendered(file: string) {
  const { code, stdout, stderr } = await new Deno.Command("man", {
    args: ["--warnings", "--local-file", file],
    env: { LC_ALL: "C.UTF-8", MANWIDTH: "80" },
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  return { code, stderr: decoder.decode(stderr), text: decoder.decode(stdout) };
}

Deno.test({
  ...namedUnless(reason, "man renders docs/otlp-histogram.1 without a warning, in 80 columns"),
  async fn() {
    const page = fileURLToPath(new URL("../../docs/otlp-histogram.1", import.meta.url));
    const { code, stderr, text } = await rendered(page);
    assert.deepEqual({ code, stderr }, { code: 0, stderr: "" });
    assert.deepEqual(text.split("\n").filter((line) => [...line].length > 80), []);
    assert.deepEqual(text.match(/^[A-Z][A-Z ]+$/gm), [
      ...["NAME", "SYNOPSIS", "DESCRIPTION", "COMMANDS", "OPTIONS", "ENVIRONMENT", "FILES"],
      ...["EXIT STATUS", "EXAMPLES", "SEE ALSO"],
    ]);
    for (const name of COMMAND_NAMES) assert.match(text, new RegExp(`^       ${name}\\b`, "m"));
    const words = text.replaceAll(/\s+/g, " ");
    for (const key of SETTING_KEYS) {
      const { flag, variables = [], default: value } = rowOf(key);
      if (flag !== false) assert.ok(text.includes(`       ${flagName(key)}`), flagName(key));
      for (const name of variables) assert.ok(text.includes(name), name);
      if (value !== undefined) {
        assert.match(words, new RegExp(`Default: ${RegExp.escape(value)}[.;]`), flagName(key));
      }
    }
  },
});

Deno.test({
  ...namedUnless(reason, "man finds a warning in a page that is wrong"),
  async fn() {
    await inDirectory(async (directory) => {
      const file = `${directory}/wrong.1`;
      await Deno.writeTextFile(file, `${manPage()}.nosuchrequest\n`);
      assert.match((await rendered(file)).stderr, /nosuchrequest/);
    });
  },
});

Deno.test("the man page is ASCII, and no line of text is a request by accident", () => {
  const lines = manPage().split("\n");
  assert.deepEqual(lines.filter((line) => /[^\x20-\x7e]/.test(line)), []);
  assert.deepEqual(
    lines.filter((line) => /^[.']/.test(line) && !/^\.(\\"|[a-zA-Z]{2}\b)/.test(line)),
    [],
  );
});
