import { moduleGraph } from "./module_graph.ts";
import { PERMISSIONS } from "./permissions.ts";

const ROOT = new URL("../", import.meta.url);
const USAGE = "usage: deno task compile [--target TRIPLE] [--output FILE]";

/** Error that ends the script with one line. */
class CompileError extends Error {}

interface Options {
  readonly target: string | undefined;
  readonly output: string | undefined;
}

function parseArguments(args: readonly string[]): Options {
  const options = new Map<string, string>();
  for (let i = 0; i < args.length; i++) {
    const [, name, attached] = /^(--target|--output)(?:=(.*))?$/.exec(args[i] ?? "") ?? [];
    if (name === undefined) throw new CompileError(`unknown argument "${args[i]}"; ${USAGE}`);
    const value = attached ?? args[++i];
    if (!value) throw new CompileError(`${name} needs a value; ${USAGE}`);
    options.set(name, value);
  }
  return { target: options.get("--target"), output: options.get("--output") };
}

/** Resolves the output against the directory where the command was given, which `deno task` has left. */
function outputPath({ target, output }: Options): string {
  const windows = target === undefined ? Deno.build.os === "windows" : target.includes("windows");
  const name = output ?? "dist/otlp-histogram";
  const path = windows && !name.endsWith(".exe") ? `${name}.exe` : name;
  if (/^([/\\]|[A-Za-z]:)/.test(path)) return path;
  const folder = output === undefined ? pathOf(ROOT) : Deno.env.get("INIT_CWD") ?? Deno.cwd();
  return `${folder.replace(/[/\\]$/, "")}/${path}`;
}

/** Returns the path of a file: URL. */
export function pathOf(url: URL): string {
  const path = decodeURIComponent(url.pathname);
  return Deno.build.os === "windows" ? path.slice(1) : path;
}

/**
 * Bundles `entry` and all it imports into a few modules in `folder`, for any Deno: built-in modules only behind
 * `import()`. Resolves to the module to start.
 */
export async function bundle(entry: string, folder: string): Promise<string> {
  // The packages' browser entries are the ones without static imports of node modules; --quiet drops the
  // bundler's remarks on their side effects, not its errors. Split, what is imported dynamically is not even
  // parsed before it is reached.
  await run(`bundling ${entry}`, Deno.execPath(), [
    "bundle",
    "--quiet",
    "--frozen",
    "--platform",
    "browser",
    "--minify",
    "--code-splitting",
    "--outdir",
    folder,
    entry,
  ]);
  const file = `${folder}/${entry.replace(/^.*\//, "").replace(/\.ts$/, ".js")}`;
  const graph = await moduleGraph(file, "--no-config", "--no-lock");
  for (const [module, dependencies] of graph) {
    if (module.startsWith("node:")) continue;
    const wrong = dependencies.find(({ target, dynamic }) =>
      !graph.has(target) || (target.startsWith("node:") ? !dynamic : !target.startsWith("file:"))
    );
    if (wrong !== undefined) {
      throw new CompileError(
        `the bundle must import nothing but its own modules, and node modules dynamically; it imports ${wrong.target}`,
      );
    }
  }
  return file;
}

/** Flags with which the program runs, as an executable or under `deno run`. */
export const RUN_FLAGS: readonly string[] = [
  "--no-prompt",
  // The cache would be a file of a guessable name in the shared temporary folder.
  "--no-code-cache",
  // Code of the middle optimizing compiler is kept forever: without it a loop stands still at 15 MB less after a
  // thousand sends, for nothing that is measurable in throughput.
  // A small young generation keeps a long input from taking 25 MB more than a short one. And objects are young
  // wherever they come from: those of the first series live long, those of what no series is left for do not.
  // A regular expression that goes back more than 50,000 times is matched in linear time, if it can be; the first of
  // these flags lets src/source/input/expression.ts ask whether it can.
  "--v8-flags=--no-maglev,--max-semi-space-size=4,--no-allocation-site-pretenuring," +
  "--enable-experimental-regexp-engine,--enable-experimental-regexp-engine-on-excessive-backtracks," +
  "--regexp-backtracks-before-fallback=50000",
  ...PERMISSIONS,
];

const COMPILER = Deno.env.get("DENO_COMPILER") || Deno.execPath();

/** Compiles a bundle with the permissions of the program, for this machine or for `target`. */
export async function compile(
  file: string,
  output: string,
  target: string | undefined,
): Promise<void> {
  await run(`compiling with ${COMPILER}`, COMPILER, [
    "compile",
    "--quiet",
    "--no-check",
    "--no-config",
    "--no-lock",
    ...RUN_FLAGS,
    ...(target === undefined ? [] : ["--target", target]),
    "--output",
    output,
    file,
  ]);
}

async function run(what: string, command: string, args: string[]): Promise<void> {
  const options = { args, cwd: ROOT, env: environment(), clearEnv: true };
  const process = new Deno.Command(command, { ...options, stdin: "null", stdout: "null" });
  const { code, stderr } = await process.output().catch((thrown: Error) => {
    throw new CompileError(`${what} failed: ${thrown.message}`);
  });
  if (code !== 0) {
    throw new CompileError(`${what} failed: ${reason(stderr) || `exit status ${code}`}`);
  }
}

function environment(): Record<string, string> {
  const env = { ...Deno.env.toObject(), NO_COLOR: "1" };
  // Compiled with it set, the program would send Deno's own telemetry.
  Reflect.deleteProperty(env, "OTEL_DENO");
  return env;
}

/** Formats an error of Deno as one line, without its stack or a listing of the lock file. */
function reason(stderr: Uint8Array): string {
  const [message = ""] = new TextDecoder().decode(stderr).split(
    /^\s*(?:Stack backtrace|changes):/m,
  );
  return message.replaceAll(/\s+/g, " ").trim();
}

async function main(args: readonly string[]): Promise<void> {
  const options = parseArguments(args);
  const output = outputPath(options);
  const work = await Deno.makeTempDir({ prefix: "otlp-histogram-" });
  try {
    const folder = `${work}/otlp-histogram`;
    await Deno.mkdir(output.replace(/[/\\][^/\\]*$/, "") || "/", { recursive: true });
    await compile(await bundle("main.ts", folder), output, options.target);
    const { size } = await Deno.stat(output);
    let bundled = 0;
    for await (const { name } of Deno.readDir(folder)) {
      bundled += (await Deno.stat(`${folder}/${name}`)).size;
    }
    console.log(`${output}: ${size} bytes, of which the bundle is ${bundled}`);
  } finally {
    await Deno.remove(work, { recursive: true });
  }
}

if (import.meta.main) {
  try {
    await main(Deno.args);
  } catch (thrown) {
    console.error(`compile: ${thrown instanceof Error ? thrown.message : String(thrown)}`);
    Deno.exitCode = 1;
  }
}
