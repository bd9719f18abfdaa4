import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { namedUnless, noPosix } from "../support/tools.ts";

const script = fileURLToPath(new URL("../../run.sh", import.meta.url));
const project = fileURLToPath(new URL("../../deno.json", import.meta.url));

/** Runs run.sh in a folder of its own, whose name has blanks; `setup` puts a deno into its bin/, first on PATH. */
async function runScript(args: readonly string[], setup: (folder: string) => Promise<void>) {
  const folder = await Deno.makeTempDir({ prefix: "otlp histogram " });
  try {
    await Deno.mkdir(`${folder}/bin`);
    await setup(folder);
    const { code, stdout, stderr } = await new Deno.Command(script, {
      args: [...args],
      cwd: folder,
      env: { PATH: `${folder}/bin:${Deno.env.get("PATH") ?? ""}`, NO_COLOR: "1" },
    }).output();
    const text = new TextDecoder();
    return { code, stdout: text.decode(stdout), stderr: text.decode(stderr) };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test({
  ...namedUnless(
    noPosix,
    "run.sh passes every argument on as it is when some have blanks, quotes or nothing",
  ),
  async fn() {
    const args = ["a  b", "", "it's", '"q"', "$HOME", "*", "back\\slash", "new\nline", "--loop"];
    const { code, stdout } = await runScript(args, async (folder) => {
      await Deno.writeTextFile(`${folder}/bin/deno`, '#!/bin/sh\nprintf "%s\\0" "$@"\nexit 7\n', {
        mode: 0o755,
      });
    });
    const expected = ["task", "--quiet", "--config", project, "run", ...args];
    assert.deepEqual(stdout.split("\0").slice(0, -1), expected);
    assert.equal(code, 7);
  },
});

Deno.test({
  ...namedUnless(
    noPosix,
    "run.sh reads .env and relative paths where it was called when that is another folder",
  ),
  async fn() {
    const { code, stderr } = await runScript(["--token-file", "a token"], async (folder) => {
      await Deno.symlink(Deno.execPath(), `${folder}/bin/deno`);
      await Deno.writeTextFile(`${folder}/.env`, "DT_ENDPOINT=http://127.0.0.1:9\n");
      await Deno.writeTextFile(`${folder}/a token`, "no token\n");
    });
    // Found the endpoint in .env, and the file: what it complains of is the text in it.
    assert.match(stderr, /Invalid token in the file of --token-file \*\*\*/);
    assert.equal(code, 2);
  },
});
