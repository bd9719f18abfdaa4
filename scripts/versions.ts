import { DENO_VERSION } from "./deno_version.ts";

// Compares every place that names the program's version with deno.json, and every place that names Deno's with
// scripts/deno_version.ts.

/** Places in files that must name one version. */
interface Place {
  readonly name: string;
  /** Paths below the root; a path that ends with `/` stands for all files below it. */
  readonly files: readonly string[];
  /** Its first group is the version. */
  readonly pattern: RegExp;
  /** Owner of the version. */
  readonly of: "program" | "Deno";
  /** Minimum number of places found, by default 1, so that a pattern that no longer matches is noticed. */
  readonly atLeast?: number;
}

const VERSION = String.raw`(\d+\.\d+\.\d+)`;

const PLACES: readonly Place[] = [
  {
    name: "the program",
    files: ["src/platform/version.ts"],
    pattern: new RegExp(`VERSION = "${VERSION}"`, "g"),
    of: "program",
  },
  {
    name: "the image in k8s/",
    files: ["k8s/"],
    pattern: new RegExp(`ihudak/otlp_histogram:${VERSION}`, "g"),
    of: "program",
    atLeast: 5,
  },
  {
    name: "the image in the documents",
    files: ["docs/", "README.md", "RELEASE.md"],
    pattern: new RegExp(`ihudak/otlp_histogram:${VERSION}`, "g"),
    of: "program",
    atLeast: 5,
  },
  {
    name: "the action in the documents",
    files: ["docs/", "README.md"],
    pattern: new RegExp(`ihudak/otlp_histogram@v${VERSION}`, "g"),
    of: "program",
  },
  {
    name: "the release to download",
    files: ["docs/install.md", "RELEASE.md"],
    pattern: new RegExp(`^(?:VERSION|V)=${VERSION}$`, "gm"),
    of: "program",
    atLeast: 2,
  },
  {
    name: "the npm package in the documents",
    files: ["docs/", "README.md"],
    pattern: new RegExp(`\\botlp-histogram@${VERSION}`, "g"),
    of: "program",
  },
  {
    name: "the action's input",
    files: ["action.yml"],
    pattern: new RegExp(`Release to install, for example ${VERSION}`, "g"),
    of: "program",
  },
  {
    name: "the file of the npm package",
    files: ["RELEASE.md"],
    pattern: new RegExp(`otlp-histogram-${VERSION}\\.tgz`, "g"),
    of: "program",
  },
  {
    name: "the tag in the migration guide",
    files: ["docs/migration.md"],
    pattern: new RegExp(`the tag has no \`v\`: \`:${VERSION}\``, "g"),
    of: "program",
  },
  {
    name: "the man page",
    files: ["docs/otlp-histogram.1"],
    pattern: new RegExp(String.raw`^\.TH .*"otlp\\-histogram ${VERSION}"`, "gm"),
    of: "program",
  },
  {
    // The last two columns are of the program itself.
    name: "the table of exporters",
    files: ["docs/comparison.md"],
    pattern: new RegExp(String.raw`^\| version .*\| ${VERSION} +\| ${VERSION} +\|$`, "gm"),
    of: "program",
  },
  {
    name: "the newest section with a date",
    files: ["CHANGELOG.md"],
    pattern: new RegExp(String.raw`^(?:(?!\n## \d)[^])*\n## ${VERSION} - \d{4}-\d\d-\d\d\n`, "g"),
    of: "program",
  },
  {
    name: "the image that builds",
    files: ["Dockerfile"],
    pattern: new RegExp(`denoland/deno:${VERSION}`, "g"),
    of: "Deno",
  },
  {
    name: "npx deno@VERSION",
    files: ["run.sh", ".ci/run", "README.md", "docs/", "scripts/lint-deploy.sh"],
    pattern: new RegExp(`\\bdeno@${VERSION}`, "g"),
    of: "Deno",
    atLeast: 4,
  },
  {
    name: "setup-deno",
    files: [".github/workflows/"],
    pattern: new RegExp(`deno-version: ${VERSION}`, "g"),
    of: "Deno",
    atLeast: 2,
  },
];

/** Reads the files that `path` stands for, by their paths below `root`. */
function* filesBelow(root: URL, path: string): Generator<[string, string]> {
  if (!path.endsWith("/")) {
    yield [path, Deno.readTextFileSync(new URL(path, root))];
    return;
  }
  for (const { name, isDirectory } of Deno.readDirSync(new URL(path, root))) {
    yield* filesBelow(root, isDirectory ? `${path}${name}/` : `${path}${name}`);
  }
}

/** Finds the versions below `root` that differ from those of `program` and `deno`, one line each. */
export function versionProblems(root: URL, program: string, deno: string): readonly string[] {
  const problems: string[] = [];
  for (const { name, files, pattern, of, atLeast = 1 } of PLACES) {
    const expected = of === "program" ? program : deno;
    const source = of === "program" ? "deno.json" : "scripts/deno_version.ts";
    let found = 0;
    for (const [file, text] of files.flatMap((path) => [...filesBelow(root, path)])) {
      for (const [, ...versions] of text.matchAll(pattern)) {
        found++;
        for (const version of versions.filter((version) => version !== expected)) {
          problems.push(`${file}: ${name} has version ${version}; ${source} has ${expected}`);
        }
      }
    }
    if (found < atLeast) {
      problems.push(
        `${
          files.join(", ")
        }: ${name} has ${found} versions where at least ${atLeast} are expected; ` +
          "correct the file, or the pattern in scripts/versions.ts",
      );
    }
  }
  return problems;
}

/** Version in `root`'s deno.json. */
function programVersion(root: URL): string {
  const project: { readonly version: string } = JSON.parse(
    Deno.readTextFileSync(new URL("deno.json", root)),
  );
  return project.version;
}

if (import.meta.main) {
  const root = new URL("../", import.meta.url);
  const problems = versionProblems(root, programVersion(root), DENO_VERSION);
  for (const problem of problems) console.error(problem);
  Deno.exitCode = problems.length === 0 ? 0 : 1;
}
