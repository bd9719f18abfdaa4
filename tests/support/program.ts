import configuration from "../../deno.json" with { type: "json" };
import { Changes } from "./changes.ts";

const binary = Deno.env.get("OTLP_HISTOGRAM_BIN") || undefined;

/** Whether the program is run from source: OTLP_HISTOGRAM_BIN names an executable to run instead. */
export const sourceOnly = binary === undefined;

export interface ProgramOptions {
  readonly args?: readonly string[];
  /** All of its environment, but for what finding the home directory and Deno's cache needs. */
  readonly env?: Readonly<Record<string, string>>;
  /** The text of `.env` in the working directory. */
  readonly dotenv?: string;
  /** Files to make before: path (relative to the working directory) and content. */
  readonly files?: Readonly<Record<string, string | Uint8Array>>;
  /** By default a temporary directory, which is removed afterwards. */
  readonly cwd?: string;
  /** All of standard input; "open" is written with `write()`; by default there is none. */
  readonly stdin?: string | Uint8Array | { readonly open: true };
  /** Killed after that; a minute by default. */
  readonly timeoutMs?: number;
  /** A command that runs another, and becomes it: `taskset -c 0`. */
  readonly through?: readonly string[];
  /** A module to run from source in the place of main.ts. */
  readonly main?: URL;
}

export interface Finished {
  /** The exit status; 128 + N when signal N ended it. */
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly durationMs: number;
}

/** Runs the program to its end; throws when it had to be killed for taking too long. */
export async function runProgram(options: ProgramOptions): Promise<Finished> {
  await using program = await startProgram(options);
  return await program.finished;
}

/** Starts the program; disposing of the handle kills what is still alive. */
export async function startProgram(options: ProgramOptions): Promise<Program> {
  const directory = options.cwd ?? await Deno.makeTempDir({ prefix: "otlp-histogram-test-" });
  const { dotenv, stdin } = options;
  const files = { ...options.files, ...(dotenv === undefined ? {} : { ".env": dotenv }) };
  for (const [path, content] of Object.entries(files)) {
    const parent = path.split("/").slice(0, -1).join("/");
    await Deno.mkdir(`${directory}/${parent}`, { recursive: true });
    const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
    await Deno.writeFile(`${directory}/${path}`, bytes);
  }
  const [command = "", ...args] = [...options.through ?? [], ...commandLine(options.main)];
  const child = new Deno.Command(command, {
    args: [...args, ...options.args ?? []],
    cwd: directory,
    clearEnv: true,
    env: { ...bareEnvironment(options.main), ...options.env },
    stdin: stdin === undefined ? "null" : "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const program = new Program(child, {
    directory,
    temporary: options.cwd === undefined,
    timeoutMs: options.timeoutMs ?? 60_000,
  });
  if (typeof stdin === "string" || stdin instanceof Uint8Array) {
    program.write(stdin).then(() => program.closeStdin()).catch(ignoreBrokenPipe);
  }
  return program;
}

export class Program implements AsyncDisposable {
  /** The working directory. */
  readonly directory: string;
  /** Rejects when the program had to be killed for taking too long. */
  readonly finished: Promise<Finished>;
  readonly #child: Deno.ChildProcess;
  readonly #temporary: boolean;
  readonly #changes = new Changes();
  readonly #started = performance.now();
  readonly #written = { stdout: "", stderr: "" };
  /** Aborted when it is killed: a command that it started may live on, and hold its output open. */
  readonly #reading = new AbortController();
  #writer: WritableStreamDefaultWriter<Uint8Array> | undefined;
  #exited = false;
  /** Exited, and all that it wrote has been read. */
  #closed = false;

  constructor(
    child: Deno.ChildProcess,
    options: {
      readonly directory: string;
      readonly temporary: boolean;
      readonly timeoutMs: number;
    },
  ) {
    this.#child = child;
    this.directory = options.directory;
    this.#temporary = options.temporary;
    this.finished = this.#run(options.timeoutMs);
    this.finished.catch(() => {}); // a test need not ask for it
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** Standard output so far. */
  get stdout(): string {
    return this.#written.stdout;
  }

  get stderr(): string {
    return this.#written.stderr;
  }

  signal(signal: Deno.Signal): void {
    if (!this.#exited) this.#child.kill(signal);
  }

  async write(input: string | Uint8Array): Promise<void> {
    this.#writer ??= this.#child.stdin.getWriter();
    await this.#writer.write(typeof input === "string" ? new TextEncoder().encode(input) : input);
  }

  async closeStdin(): Promise<void> {
    this.#writer ??= this.#child.stdin.getWriter();
    await this.#writer.close();
  }

  /** Resolves with all of standard output so far once it holds `what`; rejects when it never will. */
  waitForStdout(what: string | RegExp, timeoutMs?: number): Promise<string> {
    return this.#waitFor("stdout", what, timeoutMs);
  }

  /** As `waitForStdout`, for standard error. */
  waitForStderr(what: string | RegExp, timeoutMs?: number): Promise<string> {
    return this.#waitFor("stderr", what, timeoutMs);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#kill();
    await this.finished.catch(() => {});
    await this.#writer?.close().catch(() => {}); // it may be closed, or broken
    if (this.#temporary) await Deno.remove(this.directory, { recursive: true });
  }

  async #run(timeoutMs: number): Promise<Finished> {
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      this.#kill();
    }, timeoutMs);
    const [{ code }] = await Promise.all([
      this.#child.status.then((status) => {
        this.#exited = true;
        return status;
      }),
      this.#collect("stdout"),
      this.#collect("stderr"),
    ]);
    clearTimeout(timer);
    this.#closed = true;
    this.#changes.notify();
    if (late) throw new Error(`The program ran for more than ${timeoutMs} ms\n${this.#soFar()}`);
    return { status: code, ...this.#written, durationMs: performance.now() - this.#started };
  }

  #kill(): void {
    this.signal("SIGKILL");
    this.#reading.abort();
  }

  async #collect(stream: "stdout" | "stderr"): Promise<void> {
    const { signal } = this.#reading;
    try {
      const text = this.#child[stream].pipeThrough(new TextDecoderStream(), { signal });
      for await (const part of text) {
        this.#written[stream] += part;
        this.#changes.notify();
      }
    } catch (thrown) {
      if (!signal.aborted) throw thrown;
    }
  }

  async #waitFor(
    stream: "stdout" | "stderr",
    what: string | RegExp,
    timeoutMs = 30_000,
  ): Promise<string> {
    const explain = () => `no ${what} on ${stream}\n${this.#soFar()}`;
    await this.#changes.until(
      () => {
        const text = this.#written[stream];
        if (typeof what === "string" ? text.includes(what) : text.search(what) !== -1) return true;
        if (this.#closed) throw new Error(`The program ended: ${explain()}`);
        return false;
      },
      timeoutMs,
      explain,
    );
    return this.#written[stream];
  }

  #soFar(): string {
    return `stdout:\n${this.#written.stdout}\nstderr:\n${this.#written.stderr}`;
  }
}

/** From source as the task "run" of deno.json does it, so with its permissions and no others. */
export function commandLine(main?: URL): readonly [string, ...string[]] {
  if (binary !== undefined && main === undefined) return [binary];
  const { command } = configuration.tasks.run;
  // Deno's own telemetry is off there; here the whole environment is a test's.
  const words = command.replace(/^OTEL_DENO=false /, "").split(" ");
  const entry = words.indexOf("main.ts");
  if (words[0] !== "deno" || words[1] !== "run" || entry === -1) {
    throw new Error(`Cannot run "${command}": expected deno … main.ts`);
  }
  return [
    Deno.execPath(),
    // The task `test` has filled the cache: Deno itself has no business on the network, or at a test's proxy.
    "run",
    "--cached-only",
    ...words.slice(2, entry),
    (main ?? new URL("../../main.ts", import.meta.url)).href,
    ...words.slice(entry + 1),
  ];
}

/** Deno keeps its cache in DENO_DIR, or where these lead (on Linux, macOS and Windows). */
export function bareEnvironment(main?: URL): Record<string, string> {
  const names = sourceOnly || main !== undefined
    ? ["HOME", "PATH", "DENO_DIR", "XDG_CACHE_HOME", "LOCALAPPDATA", "SystemRoot"]
    : ["HOME", "PATH", "SystemRoot"];
  const environment: Record<string, string> = {};
  for (const name of names) {
    const value = Deno.env.get(name);
    if (value !== undefined) environment[name] = value;
  }
  return environment;
}

/** A program may end without reading all of its input. */
function ignoreBrokenPipe(thrown: unknown): void {
  if (!(thrown instanceof Deno.errors.BrokenPipe)) throw thrown;
}
