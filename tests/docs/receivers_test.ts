import assert from "node:assert/strict";
import { TOKEN } from "../support/fixture.ts";
import { runProgram } from "../support/program.ts";
import { fileOf } from "./markdown.ts";

Deno.test("each receiver of the README can be set as its table says", async () => {
  const page = await Deno.readTextFile(fileOf("README.md"));
  const rows = [...page.matchAll(/^\| ([\w. ]+?) +\| `(http\S+)` +\| `(\w+)` +\|$/gm)];
  assert.equal(rows.length, 5);
  for (const [, receiver = "", url = "", variable = ""] of rows) {
    const value = url.replace(/ENV|HOST|DOMAIN/g, (name) => name === "ENV" ? "abc12345" : "h");
    const token = url.includes("/api/v2/otlp") ? { DT_API_TOKEN: TOKEN } : {};
    for (
      const { args, env } of [
        { args: ["--endpoint", value], env: token },
        { args: [], env: { [variable]: value, ...token } },
      ]
    ) {
      const { status, stderr } = await runProgram({
        args: ["--value", "1", "--dry-run", ...args],
        env,
      });
      assert.equal(status, 0, `${receiver}: ${stderr}`);
    }
  }
});
