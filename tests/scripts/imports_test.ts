import assert from "node:assert/strict";
import { cycles, importProblems } from "../../scripts/imports.ts";
import { type Dependency, parseGraph } from "../../scripts/module_graph.ts";

const ROOT = new URL("file:///project/");

function graph(edges: Record<string, readonly (string | Partial<Dependency>)[]>) {
  return new Map(
    Object.entries(edges).map(([module, dependencies]) => [
      absolute(module),
      dependencies.map((dependency) => {
        const given = typeof dependency === "string" ? { target: dependency } : dependency;
        return { dynamic: false, typeOnly: false, ...given, target: absolute(given.target ?? "") };
      }),
    ]),
  );
}

function absolute(name: string): string {
  return name.includes(":") ? name : ROOT.href + name;
}

Deno.test("cycles() finds nothing when two modules share a third", () => {
  assert.deepEqual(cycles(graph({ a: ["b", "c"], b: ["d"], c: ["d"], d: [] })), []);
});

Deno.test("cycles() gives the chain back to its first module when there is a cycle", () => {
  const chain = ["a", "b", "c", "a"].map(absolute);
  assert.deepEqual(cycles(graph({ main: ["a"], a: ["b"], b: ["c"], c: ["a"] })), [chain]);
});

Deno.test("cycles() finds a module that imports itself", () => {
  assert.deepEqual(cycles(graph({ a: ["a"] })), [[absolute("a"), absolute("a")]]);
});

Deno.test("importProblems() names a cycle that only types and import() close", () => {
  const modules = graph({
    "src/a.ts": [{ target: "src/b.ts", typeOnly: true }],
    "src/b.ts": [{ target: "src/a.ts", dynamic: true }],
  });
  assert.deepEqual(importProblems(modules, ROOT), ["cycle: src/a.ts -> src/b.ts -> src/a.ts"]);
});

Deno.test("importProblems() leaves cycles among packages alone", () => {
  const modules = graph({ "main.ts": ["npm:a"], "npm:a": ["npm:b"], "npm:b": ["npm:a"] });
  assert.deepEqual(importProblems(modules, ROOT), []);
});

Deno.test("importProblems() names a static node: import and no other", () => {
  const modules = graph({
    "src/a.ts": [
      { target: "node:fs" },
      { target: "node:https", dynamic: true },
      { target: "node:tls", typeOnly: true },
    ],
    "npm:a": ["node:path"],
  });
  assert.deepEqual(importProblems(modules, ROOT), ["static import: src/a.ts -> node:fs"]);
});

Deno.test("importProblems() names whoever imports src/cli/main.ts unless it is main.ts", () => {
  const modules = graph({
    "main.ts": ["src/cli/main.ts"],
    "src/a.ts": ["src/cli/main.ts"],
    "src/cli/main.ts": [],
  });
  assert.deepEqual(importProblems(modules, ROOT), [
    "only main.ts may import src/cli/main.ts: src/a.ts -> src/cli/main.ts",
  ]);
});

Deno.test("parseGraph() throws when a module could not be read", () => {
  const modules = [{ specifier: "file:///a.ts", error: "Module not found" }];
  assert.throws(() => parseGraph({ modules }), { message: "Module not found" });
});

Deno.test("parseGraph() tells dynamic and type imports from static ones", () => {
  const dependencies = [
    { specifier: "./b.ts", code: { specifier: "file:///b.ts" } },
    { specifier: "node:fs", code: { specifier: "node:fs" }, isDynamic: true },
    { specifier: "./c.ts", type: { specifier: "file:///c.ts" } },
  ];
  const parsed = parseGraph({ modules: [{ specifier: "file:///a.ts", dependencies }] });
  assert.deepEqual(parsed.get("file:///a.ts"), [
    { target: "file:///b.ts", dynamic: false, typeOnly: false },
    { target: "node:fs", dynamic: true, typeOnly: false },
    { target: "file:///c.ts", dynamic: false, typeOnly: true },
  ]);
});
