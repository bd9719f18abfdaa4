import assert from "node:assert/strict";
import { dirname } from "node:path";
import { pathToFileURL } from "node:url";
import configuration from "../../deno.json" with { type: "json" };
import { DENO_VERSION } from "../../scripts/deno_version.ts";
import { versionProblems } from "../../scripts/versions.ts";
import { inDirectory } from "../support/directory.ts";

const ROOT = new URL("../../", import.meta.url);
const { version } = configuration;

/** Copies of all that names a version. */
const COPIED = [
  ...["k8s", "docs", ".github", ".ci/run", "README.md", "RELEASE.md", "CHANGELOG.md", "Dockerfile"],
  ...["action.yml", "run.sh", "scripts/lint-deploy.sh", "src/platform/version.ts"],
];

Deno.test("versionProblems() finds nothing in this repository", () => {
  assert.deepEqual(versionProblems(ROOT, version, DENO_VERSION), []);
});

Deno.test("versionProblems() names each place that has another version", async () => {
  const other = "0.9.9";
  const cases: readonly [file: string, from: RegExp, to: string, problem: string][] = [
    ["src/platform/version.ts", /(VERSION = ")[\d.]+/, `$1${other}`, "the program"],
    ["k8s/base/deployment.yaml", /(otlp_histogram:)[\d.]+/, `$1${other}`, "the image in k8s/"],
    ["docs/container.md", /(otlp_histogram:)[\d.]+/, `$1${other}`, "the image in the documents"],
    ["docs/ci.md", /(otlp_histogram@v)[\d.]+/, `$1${other}`, "the action in the documents"],
    ["docs/install.md", /(\nVERSION=)[\d.]+/, `$1${other}`, "the release to download"],
    [
      "docs/install.md",
      /(otlp-histogram@)[\d.]+/,
      `$1${other}`,
      "the npm package in the documents",
    ],
    ["RELEASE.md", /(\nV=)[\d.]+/, `$1${other}`, "the release to download"],
    ["RELEASE.md", /(histogram-)[\d.]+(?=\.tgz)/, `$1${other}`, "the file of the npm package"],
    ["action.yml", /(for example )[\d.]+\d/, `$1${other}`, "the action's input"],
    ["docs/migration.md", /(has no `v`: `:)[\d.]+/, `$1${other}`, "the tag in the migration guide"],
    ["docs/otlp-histogram.1", /(\n\.TH .* )[\d.]+/, `$1${other}`, "the man page"],
    [
      "docs/comparison.md",
      /(\| version .*\| )[\d.]+( +\|)(?=\n)/,
      `$1${other}$2`,
      "the table of exporters",
    ],
    ["CHANGELOG.md", /(\n## )[\d.]+/, `$1${other}`, "the newest section with a date"],
  ];
  await inCopy(async (copy) => {
    for (const [file, from, to, name] of cases) {
      await edited(copy, file, from, to, () => {
        const problem = `${file}: ${name} has version ${other}; deno.json has ${version}`;
        assert.deepEqual(versionProblems(copy, version, DENO_VERSION), [problem]);
      });
    }
    for (
      const [file, from] of [
        ["Dockerfile", /(denoland\/deno:)[\d.]+/],
        ["run.sh", /(deno@)[\d.]+/],
        [".ci/run", /(deno@)[\d.]+/],
        ["scripts/lint-deploy.sh", /(deno@)[\d.]+/],
        [".github/workflows/ci.yml", /(deno-version: )[\d.]+/],
      ] as const
    ) {
      await edited(copy, file, from, `$1${other}`, () => {
        const [problem = "", ...more] = versionProblems(copy, version, DENO_VERSION);
        assert.deepEqual(more, []);
        assert.ok(problem.startsWith(`${file}: `), problem);
        assert.ok(
          problem.endsWith(` has version ${other}; scripts/deno_version.ts has ${DENO_VERSION}`),
        );
      });
    }
  });
});

Deno.test("versionProblems() skips an unreleased section, and requires a date and every place", async () => {
  await inCopy(async (copy) => {
    await edited(copy, "CHANGELOG.md", /\n## /, "\n## Unreleased\n\n- A change.\n\n## ", () => {
      assert.deepEqual(versionProblems(copy, version, DENO_VERSION), []);
    });
    await edited(copy, "CHANGELOG.md", /(\n## [\d.]+) - [\d-]+/, "$1", () => {
      assert.deepEqual(versionProblems(copy, version, DENO_VERSION), [
        "CHANGELOG.md: the newest section with a date has 0 versions where at least 1 are expected; " +
        "correct the file, or the pattern in scripts/versions.ts",
      ]);
    });
    await edited(copy, "action.yml", /Release to install/, "The release", () => {
      const [problem = "", ...more] = versionProblems(copy, version, DENO_VERSION);
      assert.deepEqual(more, []);
      assert.match(
        problem,
        /^action\.yml: the action's input has 0 versions where at least 1 are /,
      );
    });
  });
});

/** Runs `work` on a copy of all that names a version. */
async function inCopy(work: (copy: URL) => Promise<void>): Promise<void> {
  await inDirectory(async (directory) => {
    const copy = pathToFileURL(`${directory}/`);
    for (const path of COPIED) await copyTree(new URL(path, ROOT), new URL(path, copy));
    await work(copy);
  });
}

async function copyTree(from: URL, to: URL): Promise<void> {
  if ((await Deno.stat(from)).isFile) {
    await Deno.mkdir(pathToFileURL(dirname(to.pathname)), { recursive: true });
    await Deno.copyFile(from, to);
    return;
  }
  for await (const { name } of Deno.readDir(from)) {
    await copyTree(new URL(`${from.href}/${name}`), new URL(`${to.href}/${name}`));
  }
}

/** Replaces a text in a file while `work` runs. */
async function edited(
  copy: URL,
  file: string,
  from: RegExp,
  to: string,
  work: () => void,
): Promise<void> {
  const url = new URL(file, copy);
  const before = await Deno.readTextFile(url);
  const after = before.replace(from, to);
  assert.notEqual(after, before, file);
  await Deno.writeTextFile(url, after);
  work();
  await Deno.writeTextFile(url, before);
}
