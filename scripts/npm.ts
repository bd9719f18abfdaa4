import project from "../deno.json" with { type: "json" };
import { bundle, pathOf, RUN_FLAGS } from "./compile.ts";
import { DENO_VERSION } from "./deno_version.ts";

// The npm package: the bundle of the program, and a launcher that runs it with the Deno of npm's package `deno`.

const ROOT = new URL("../", import.meta.url);

/** Maximum size of the package, in bytes. */
const MOST = 2_000_000;

const REPOSITORY = "https://github.com/ihudak/otlp_histogram";

/** The `package.json` of the published package. */
function manifest() {
  return {
    name: "otlp-histogram",
    version: project.version,
    description:
      "Send histogram metrics to Dynatrace or any other OTLP receiver, and check that they arrive",
    keywords: ["opentelemetry", "otlp", "metrics", "histogram", "dynatrace", "cli"],
    homepage: `${REPOSITORY}#readme`,
    bugs: `${REPOSITORY}/issues`,
    repository: { type: "git", url: `git+${REPOSITORY}.git` },
    license: project.license,
    type: "module",
    bin: { "otlp-histogram": "bin/otlp-histogram.cjs" },
    man: ["./otlp-histogram.1"],
    // Deno reads files, not the archives in which Yarn keeps packages.
    preferUnplugged: true,
    engines: { node: ">=18" },
    dependencies: { deno: DENO_VERSION },
  };
}

const README = `# otlp-histogram

Sends histogram metrics (OTLP over HTTP) to Dynatrace or any other OTLP receiver, and reports whether they were
accepted.

\`\`\`sh
npx -y otlp-histogram demo
npx -y otlp-histogram check
\`\`\`

Documentation: <${REPOSITORY}#readme>
`;

/** Flags with which the launcher starts Deno: those of the executable, and nothing from the directories around. */
const LAUNCHER_FLAGS: readonly string[] = [
  "--quiet",
  "--no-config",
  "--no-lock",
  "--no-remote",
  "--no-npm",
  "--node-modules-dir=none",
  ...RUN_FLAGS,
];

/** Writes the package's files into `folder`. */
async function writePackage(folder: string): Promise<void> {
  await bundle("main.ts", `${folder}/lib`);
  await Deno.mkdir(`${folder}/bin`);
  const launcher = `${folder}/bin/otlp-histogram.cjs`;
  await Deno.copyFile(new URL("scripts/npm/launcher.cjs", ROOT), launcher);
  if (Deno.build.os !== "windows") await Deno.chmod(launcher, 0o755);
  await Deno.writeTextFile(`${folder}/bin/flags.json`, JSON.stringify(LAUNCHER_FLAGS));
  await Deno.writeTextFile(`${folder}/package.json`, `${JSON.stringify(manifest(), null, 2)}\n`);
  await Deno.writeTextFile(`${folder}/README.md`, README);
  for (const name of ["LICENSE", "THIRD-PARTY-LICENSES"]) {
    await Deno.copyFile(new URL(name, ROOT), `${folder}/${name}`);
  }
  await Deno.copyFile(new URL("docs/otlp-histogram.1", ROOT), `${folder}/otlp-histogram.1`);
}

/** Packs `folder` with npm, which must be on PATH, into `destination`; resolves to the path of the package. */
async function pack(folder: string, destination: URL): Promise<URL> {
  await Deno.mkdir(destination, { recursive: true });
  // npm is a script of cmd on Windows.
  const [command, ...shell] = Deno.build.os === "windows"
    ? ["cmd", "/c", "npm"] as const
    : ["npm"] as const;
  const { code, stderr } = await new Deno.Command(command, {
    args: [...shell, "pack", "--silent", "--pack-destination", pathOf(destination)],
    cwd: folder,
    stdin: "null",
    stdout: "null",
  }).output();
  if (code !== 0) throw new Error(`npm pack failed: ${new TextDecoder().decode(stderr).trim()}`);
  return new URL(`otlp-histogram-${project.version}.tgz`, destination);
}

/** Makes the package in a directory; resolves to its URL. */
export async function makePackage(destination: URL): Promise<URL> {
  const folder = await Deno.makeTempDir({ prefix: "otlp-histogram-" });
  try {
    await writePackage(folder);
    return await pack(folder, destination);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function packagesIn(folder: URL): Promise<readonly URL[]> {
  await Deno.mkdir(folder, { recursive: true });
  const entries = await Array.fromAsync(Deno.readDir(folder));
  return entries.filter(({ name }) => name.endsWith(".tgz")).map(({ name }) =>
    new URL(name, folder)
  );
}

if (import.meta.main) {
  try {
    const destination = new URL("dist/npm/", ROOT);
    // A package of another version would be published with this one.
    for (const old of await packagesIn(destination)) await Deno.remove(old);
    const file = await makePackage(destination);
    const { size } = await Deno.stat(file);
    console.log(`${pathOf(file)}: ${size} bytes`);
    if (size > MOST) throw new Error(`the package is larger than ${MOST} bytes`);
  } catch (thrown) {
    console.error(`npm: ${thrown instanceof Error ? thrown.message : String(thrown)}`);
    Deno.exitCode = 1;
  }
}
