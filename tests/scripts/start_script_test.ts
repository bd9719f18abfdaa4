import assert from "node:assert/strict";
import { bundle } from "../../scripts/compile.ts";
import { compileStart } from "../../scripts/start_script.ts";

const MODULES = {
  "main.ts": `import { shared } from "./shared.ts";
    export async function main([, url = ""]: readonly string[]) {
      if (url !== "") await (await fetch(url, { method: "POST" })).body?.cancel();
      const { later } = await import("./later.ts");
      const { isIP } = await import("node:net");
      console.log(shared.name, later(), isIP("127.0.0.1"));
      return 0;
    }`,
  "shared.ts": `export const shared = { name: "shared" };`,
  "later.ts": `import { shared } from "./shared.ts";
    export function later() { return shared.name = "later"; }`,
};

Deno.test("a start script does what its modules do, and V8 takes what it compiled before", async () => {
  await using folder = await fixture();
  await compileStart(folder.path, run);
  const again = `${folder.path}/again.js`;
  await Deno.writeTextFile(
    again,
    `import { main, script } from "./start.js"; await main([]); console.log(script.cachedDataRejected);`,
  );
  assert.deepEqual(await deno(again), { code: 0, stdout: "shared later 4\nfalse\n", stderr: "" });
  const { stdout } = await deno(again, "", "--v8-flags=--no-opt");
  assert.equal(stdout, "shared later 4\ntrue\n", "of other flags: compiled anew");
});

for (
  const [what, code, said] of [
    ["fails", "function m(){return 1}export{m as main};", "the send ended with 1"],
    [
      "takes the place of a global",
      "function URL(){}function m(){return 0}export{m as main};",
      "the start script replaces URL",
    ],
  ] as const
) {
  Deno.test(`no start script is made of a first send that ${what}`, async () => {
    await using folder = await fixture();
    await Deno.writeTextFile(`${folder.path}/start.js`, code);
    await assert.rejects(compileStart(folder.path, run), new RegExp(said));
  });
}

async function run(module: string, argument: string): Promise<void> {
  const { code, stderr } = await deno(module, argument);
  if (code !== 0) throw new Error(stderr);
}

async function fixture() {
  const path = await Deno.makeTempDir();
  for (const [name, text] of Object.entries(MODULES)) {
    await Deno.writeTextFile(`${path}/${name}`, text);
  }
  await bundle(`${path}/main.ts`, `${path}/bundle`);
  return {
    path: `${path}/bundle`,
    [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }),
  };
}

async function deno(module: string, argument = "", ...flags: readonly string[]) {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-config", "--no-lock", "-A", ...flags, module, argument],
    env: { NO_COLOR: "1" },
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, stdout: text(stdout), stderr: text(stderr) };
}
