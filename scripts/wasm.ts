import asc from "assemblyscript/asc";

// The scanner of NDJSON in WebAssembly, from wasm/json_scanner.ts (AssemblyScript) to base64 in a module of src/, so that
// it runs from source with nothing to build, and is part of the executable.

const ROOT = new URL("../", import.meta.url);
const SOURCE = "wasm/json_scanner.ts";
const MODULE = "src/source/input/json_scanner_wasm.ts";

/** Maximum size of the module in bytes: every send that reads much NDJSON loads it. */
const MOST_BYTES = 8000;

async function compiled(source: string): Promise<Uint8Array<ArrayBuffer>> {
  const { error, binary, stderr } = await asc.compileString(source, {
    optimizeLevel: 3,
    shrinkLevel: 0,
    runtime: "stub",
    enable: ["simd"],
    noAssert: true,
    use: ["abort="],
  });
  if (error !== null || binary === null) {
    throw new Error(`Cannot compile ${SOURCE}: ${stderr.toString()}`);
  }
  if (binary.length > MOST_BYTES) {
    throw new Error(`${SOURCE} becomes ${binary.length} bytes: more than ${MOST_BYTES}`);
  }
  return Uint8Array.from(binary);
}

/**
 * Compiles the module into its text. The compiler is pinned by deno.lock, so the same source always gives the same
 * bytes.
 */
async function moduleText(): Promise<string> {
  const source = await Deno.readTextFile(new URL(SOURCE, ROOT));
  const hash = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(source));
  const binary = await compiled(source);
  return [
    `// Written by \`deno task wasm\` from ${SOURCE}: change it there.`,
    `// Source: ${new Uint8Array(hash).toHex()}`,
    `/** ${binary.length} bytes of WebAssembly. */`,
    `export const WASM: string = "${binary.toBase64()}";`,
    "",
  ].join("\n");
}

/** Writes the module. With `--check` it only reports whether it is current. Resolves to the exit code. */
export async function main(args: readonly string[]): Promise<number> {
  const text = await moduleText();
  const file = new URL(MODULE, ROOT);
  if (!args.includes("--check")) {
    await Deno.writeTextFile(file, text);
    return 0;
  }
  if (await Deno.readTextFile(file).catch(() => "") === text) return 0;
  console.error(`${MODULE} is not current: run \`deno task wasm\` and commit it`);
  return 1;
}

if (import.meta.main) Deno.exitCode = await main(Deno.args);
