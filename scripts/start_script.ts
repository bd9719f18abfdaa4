/**
 * What every start runs, as a script that V8 compiled when the executable was made: compiling it anew would be a third of
 * the time of a send. What V8 made of it, its code cache, lies in the executable; Deno's own cache would be a file of a
 * guessable name in the shared temporary folder, and hold only what is compiled before anything runs.
 */
import { splitExports, START } from "./join.ts";

/** Files of the folder: the script, and what V8 made of it. Nothing imports them, so they are to be included by name. */
export const SCRIPT = "start_script.js";
export const COMPILED = "start_script.bin";

const IMPORT = /\bimport\(("[^"]+")\)/g;

/** Runs a module with one argument, in the V8 of the executable and with its flags; rejects when that fails. */
export type Run = (module: string, argument: string) => Promise<void>;

/**
 * Turns the joined file of a folder into a script, what V8 compiles of it for one plain send, and in its own place a module
 * of the same exports that runs the script.
 */
export async function compileStart(folder: string, run: Run): Promise<void> {
  const joined = `${folder}/${START}`;
  const { code, exports } = splitExports(await Deno.readTextFile(joined));
  const returned = [...exports].map(([name, local]) => `${name}:${local}`).join(",");
  // Not within a function: V8 takes what stands at the top for constant, as in a module.
  const own = code.replaceAll(IMPORT, "$import[$1]()");
  await Deno.writeTextFile(
    `${folder}/${SCRIPT}`,
    `"use strict";let $import;${own}\n;(imports=>{$import=imports;return{${returned}}})`,
  );
  // A script imports nothing itself, and what no module names is not in the executable.
  const names = new Set([...code.matchAll(IMPORT)].map(([, name]) => name));
  const imports = `{${[...names].map((name) => `${name}:()=>import(${name})`).join(",")}}`;
  const starter = (cachedData: string) =>
    `const{Script}=await import("node:vm"),file=import.meta.dirname+"/${SCRIPT}";
export const script=new Script(Deno.readTextFileSync(file),{filename:file${cachedData}}),
{${[...exports.keys()].join(",")}}=script.runInThisContext()(${imports});\n`;

  await Deno.writeTextFile(joined, starter(""));
  const send = `${folder}/one_send.js`;
  await Deno.writeTextFile(send, ONE_SEND);
  await run(send, `${folder}/${COMPILED}`);
  await Deno.remove(send);
  await Deno.writeTextFile(
    joined,
    starter(`,cachedData:Deno.readFileSync(import.meta.dirname+"/${COMPILED}")`),
  );
}

/** What stands at the top of a script is global: it must not take the place of anything. */
const ONE_SEND = `
const globals = Object.getOwnPropertyNames(globalThis).map((name) => [name, globalThis[name]]);
const { main, script } = await import("./${START}");
const lost = globals.filter(([name, value]) => !Object.is(globalThis[name], value));
if (lost.length > 0) throw new Error("the start script replaces " + lost.map(([name]) => name));
const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, () => new Response());
const status = await main(["--endpoint", "http://127.0.0.1:" + server.addr.port]);
if (status !== 0) throw new Error("the send ended with " + status);
Deno.writeFileSync(Deno.args[0], script.createCachedData());
Deno.exit(0);
`;
