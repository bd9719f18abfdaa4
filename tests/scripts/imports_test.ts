import assert from "node:assert/strict";
import { bytesAtStart, cycles, importProblems } from "../../scripts/imports.ts";
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
    "src/commands/send/a.ts": [{ target: "src/commands/send/b.ts", typeOnly: true }],
    "src/commands/send/b.ts": [{ target: "src/commands/send/a.ts", dynamic: true }],
  });
  assert.deepEqual(importProblems(modules, ROOT), [
    "cycle: src/commands/send/a.ts -> src/commands/send/b.ts -> src/commands/send/a.ts",
  ]);
});

Deno.test("importProblems() leaves cycles among packages alone", () => {
  const modules = graph({ "src/otlp/a.ts": ["npm:a"], "npm:a": ["npm:b"], "npm:b": ["npm:a"] });
  assert.deepEqual(importProblems(modules, ROOT), []);
});

Deno.test("importProblems() names a static node: import and no other", () => {
  const modules = graph({
    "src/commands/send/a.ts": [
      { target: "node:fs" },
      { target: "node:https", dynamic: true },
      { target: "node:tls", typeOnly: true },
    ],
    "npm:a": ["node:path"],
  });
  assert.deepEqual(importProblems(modules, ROOT), [
    "static import: src/commands/send/a.ts -> node:fs",
  ]);
});

Deno.test("importProblems() names an import that runs upwards or sideways, and a file without a layer", () => {
  const modules = graph({
    "main.ts": ["src/cli/main.ts", "src/commands/send/a.ts"],
    "src/cli/main.ts": ["src/commands/send/a.ts", "src/commands/check/c.ts"],
    "src/commands/send/a.ts": ["src/platform/b.ts", {
      target: "src/commands/check/c.ts",
      dynamic: true,
    }],
    "src/commands/check/c.ts": ["src/http/h.ts"],
    "src/http/h.ts": [{ target: "src/commands/send/a.ts", typeOnly: true }],
    "src/platform/b.ts": ["src/new.ts"],
    "src/new.ts": [],
  });
  assert.deepEqual(importProblems(modules, ROOT), [
    "cycle: src/commands/send/a.ts -> src/commands/check/c.ts -> src/http/h.ts -> src/commands/send/a.ts",
    "main.ts imports cli/ alone: main.ts -> src/commands/send/a.ts",
    "sideways: src/commands/send/a.ts -> src/commands/check/c.ts",
    "upwards: src/http/h.ts -> src/commands/send/a.ts",
    "no layer of ARCHITECTURE.md: src/new.ts",
  ]);
});

Deno.test("importProblems() names what a plain send would load: a package, the schema", () => {
  const schema = "src/otlp/gen/metrics_pb.ts";
  const modules = graph({
    "main.ts": ["src/cli/main.ts"],
    "src/cli/main.ts": ["src/otlp/a.ts", { target: "src/otlp/b.ts", dynamic: true }],
    "src/otlp/a.ts": ["npm:valibot", schema],
    "src/otlp/b.ts": ["npm:other"],
    [schema]: [],
  });
  assert.deepEqual(importProblems(modules, ROOT), [
    "a plain send loads what it does not need: src/otlp/a.ts -> npm:valibot",
    `a plain send loads what it does not need: src/otlp/a.ts -> ${schema}`,
  ]);
});

Deno.test("the import checker fails on a forbidden import in a copy of the project", async () => {
  const copy = await Deno.makeTempDir({ prefix: "otlp-histogram-imports-" });
  try {
    const project = decodeURIComponent(new URL("../../", import.meta.url).pathname);
    for (const part of ["main.ts", "deno.json", "deno.lock", "src", "scripts", "examples"]) {
      await copyTo(`${project}${part}`, `${copy}/${part}`);
    }
    await Deno.writeTextFile(
      `${copy}/src/platform/clock.ts`,
      'export * from "../commands/send/command.ts";\n',
      {
        append: true,
      },
    );
    const { code, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "--cached-only",
        "--quiet",
        "--allow-run",
        "--allow-read",
        "--allow-write",
        "--allow-env",
        "scripts/imports.ts",
      ],
      cwd: copy,
    }).output();
    assert.equal(code, 1);
    assert.match(
      new TextDecoder().decode(stderr),
      /^upwards: src\/platform\/clock\.ts -> src\/commands\/send\/command\.ts$/m,
    );
  } finally {
    await Deno.remove(copy, { recursive: true });
  }
});

async function copyTo(from: string, to: string): Promise<void> {
  if ((await Deno.stat(from)).isFile) return await Deno.copyFile(from, to);
  await Deno.mkdir(to);
  for await (const { name } of Deno.readDir(from)) await copyTo(`${from}/${name}`, `${to}/${name}`);
}

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

Deno.test("bytesAtStart() adds up what an entry loads, each file once, those behind import() aside", () => {
  const files = graph({
    "main.js": ["a.js", "b.js", { target: "later.js", dynamic: true }],
    "a.js": ["shared.js"],
    "b.js": ["shared.js", "a.js"],
    "later.js": ["shared.js"],
    "shared.js": [],
  });
  const sizes = new Map(
    Object.entries({ "main.js": 1, "a.js": 20, "b.js": 300, "shared.js": 4000, "later.js": 50_000 })
      .map(([name, size]) => [absolute(name), size]),
  );
  const sizeOf = (file: string) => sizes.get(file) ?? NaN;
  assert.equal(bytesAtStart(files, absolute("main.js"), sizeOf), 4321);
});
