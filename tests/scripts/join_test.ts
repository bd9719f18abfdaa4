import assert from "node:assert/strict";
import { bundle } from "../../scripts/compile.ts";

Deno.test("a bundle starts with one file, and each of its modules exists once", async () => {
  const folder = await Deno.makeTempDir();
  const modules = {
    "main.ts": `import { count } from "./shared.ts";
      import { early } from "./early.ts";
      export async function main() {
        count.add("main");
        await (await import("./later.ts")).later();
        await (await import("./other.ts")).other();
        console.log(early, count.seen.join(" "));
      }`,
    "early.ts": `import { count } from "./shared.ts";
      count.add("early");
      export const early = "early";`,
    "shared.ts":
      `export const count = { seen: [] as string[], add(name: string) { this.seen.push(name); } };
      export let changes = 0;
      export function change() { changes++; }
      count.add("shared");`,
    "later.ts": `import { change, changes, count } from "./shared.ts";
      import { both } from "./both.ts";
      import { early } from "./early.ts";
      export function later() { change(); count.add(early + "later" + changes + both()); }`,
    "other.ts": `import { changes, count } from "./shared.ts";
      import { both } from "./both.ts";
      export function other() { count.add("other" + changes + both()); }`,
    "both.ts": `let calls = 0; export function both() { return "/" + ++calls; }`,
  };
  try {
    for (const [name, text] of Object.entries(modules)) {
      await Deno.writeTextFile(`${folder}/${name}`, text);
    }
    const file = await bundle(`${folder}/main.ts`, `${folder}/bundle`);
    const entry = `${folder}/bundle/entry.js`;
    await Deno.writeTextFile(entry, `import { main } from "${file}"; await main();`);
    const { stdout } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--quiet", "--no-config", "--no-lock", entry],
      env: { NO_COLOR: "1" },
    }).output();
    assert.deepEqual(
      new TextDecoder().decode(stdout),
      "early shared early main earlylater1/1 other1/2\n",
    );
    assert.doesNotMatch(await Deno.readTextFile(file), /from"|import["{]/);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
