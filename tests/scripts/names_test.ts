import assert from "node:assert/strict";
import { nameProblems } from "../../scripts/names.ts";

function problems(files: Readonly<Record<string, string>>): readonly string[] {
  return nameProblems(Object.entries(files).map(([path, text]) => ({ path, text })));
}

const DOCUMENTED = "/** The limits of a request. */\n";

Deno.test("nameProblems() refuses a name that two files of src/ export", () => {
  const files = {
    "src/a.ts": `${DOCUMENTED}export interface Limits {}\n`,
    "src/b.ts": `${DOCUMENTED}export type Limits = number;\n`,
  };
  assert.deepEqual(problems(files), ["exported twice: Limits in src/a.ts, src/b.ts"]);
});

Deno.test("nameProblems() refuses a helper that two files of src/ define, exported or not", () => {
  const files = {
    "src/a.ts": "function keyOf(): void {}\n",
    "src/b.ts": "async function keyOf(): Promise<void> {}\n",
    "src/c.ts": `${DOCUMENTED}export function* largest(): Generator<void> {}\n`,
    "src/d.ts": "function largest(): void {}\n",
  };
  assert.deepEqual(problems(files), [
    "defined twice: keyOf in src/a.ts, src/b.ts",
    "defined twice: largest in src/c.ts, src/d.ts",
  ]);
});

Deno.test("nameProblems() accepts overloads, a type beside its value, and methods of one name", () => {
  const a = `${DOCUMENTED}export function most(a: number): number;
export function most(a: string): string;
${DOCUMENTED}export type Kind = (typeof Kind)[number];
${DOCUMENTED}export const Kind = ["a"] as const;
class Reader {
  /** Adds a value. */
  add(): void {}
}
`;
  const b = "class Writer {\n  /** Adds a value. */\n  add(): void {}\n}\n";
  assert.deepEqual(problems({ "src/a.ts": a, "src/b.ts": b }), []);
});

for (const again of ['{ Limits } from "./a.ts";', "type { Limits };", '* from "./a.ts";']) {
  Deno.test(`nameProblems() refuses "export ${again}"`, () => {
    assert.deepEqual(problems({ "src/b.ts": `\nexport ${again}\n` }), [
      `exported again: export ${again} at src/b.ts:2`,
    ]);
  });
}

Deno.test("nameProblems() compares names within src/ alone", () => {
  const files = {
    "src/a.ts": `${DOCUMENTED}export interface Receiver {}\n`,
    "bench/a.ts": `${DOCUMENTED}export interface Receiver {}\n`,
  };
  assert.deepEqual(problems(files), []);
});

for (
  const symbol of [
    "function most(): void {}",
    "async function* most(): AsyncGenerator<void> {}",
    "abstract class Most {}",
    "interface Most {}",
    "type Most = number;",
    "const MOST = 1;",
  ]
) {
  Deno.test(`nameProblems() asks for a doc comment for "export ${symbol}"`, () => {
    const name = /[mM][oO][sS][tT]/.exec(symbol)?.[0];
    assert.deepEqual(problems({ "scripts/a.ts": `\nexport ${symbol}\n` }), [
      `no doc comment: ${name} at scripts/a.ts:2`,
    ]);
    assert.deepEqual(problems({ "scripts/a.ts": `${DOCUMENTED}export ${symbol}\n` }), []);
  });
}

for (const words of ["Of", "What", "Who", "Whose", "As", "Those", "So many", "The same"]) {
  Deno.test(`nameProblems() refuses a comment that begins with "${words}"`, () => {
    const expected = [`no subject: "${words} …" at bench/a.ts:2`];
    const text = `${words} it takes`;
    assert.deepEqual(problems({ "bench/a.ts": `\n/** ${text}. */\n` }), expected);
    assert.deepEqual(problems({ "bench/a.ts": `\n  /**\n   * ${text}.\n   */\n` }), expected);
    assert.deepEqual(problems({ "bench/a.ts": `\n  // ${text}.\n` }), expected);
    assert.deepEqual(problems({ "bench/a.ts": `// Requests\n// ${text}.\n` }), []);
    assert.deepEqual(problems({ "bench/a.ts": `\n/** Requests. ${text}. */\n` }), []);
    assert.deepEqual(problems({ "bench/a.ts": `\n/** ${words}umer. */\n` }), []);
  });
}
