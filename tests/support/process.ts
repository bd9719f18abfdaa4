import { Changes } from "./changes.ts";

/** A port for a server that cannot choose one. It lies below those that systems give to whoever asks for port 0. */
export function freePort(): number {
  for (;;) {
    const [random = 0] = crypto.getRandomValues(new Uint16Array(1));
    const port = 20_000 + random % 12_000;
    try {
      Deno.listen({ hostname: "127.0.0.1", port }).close();
      return port;
    } catch (thrown) {
      if (!(thrown instanceof Deno.errors.AddrInUse)) throw thrown;
    }
  }
}

/**
 * Listens on a port that was free, or has been let go. Where it is still taken, it is tried again for ten seconds: a
 * program that another test is just starting has inherited every open socket, and closes them some milliseconds later.
 */
export async function whenFree<T>(listen: () => T | Promise<T>): Promise<T> {
  for (let i = 0;; i++) {
    try {
      return await listen();
    } catch (thrown) {
      const isTaken = thrown instanceof Deno.errors.AddrInUse ||
        thrown instanceof Error && "code" in thrown && thrown.code === "EADDRINUSE";
      if (!isTaken || i === 1000) throw thrown;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }
}

/** Another program than the one under test, on which a test waits by what it logs on standard error. */
export class Process implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #changes = new Changes();
  readonly #ended: Promise<void>;
  #log = "";
  #closed = false;

  constructor(
    command: string,
    args: readonly string[],
    env: Readonly<Record<string, string>> = {},
  ) {
    this.#child = new Deno.Command(command, {
      args: [...args],
      env: { ...env },
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).spawn();
    this.#ended = this.#read();
  }

  signal(signal: Deno.Signal): void {
    if (!this.#closed) this.#child.kill(signal);
  }

  /** Resolves with all of its log once it holds `what`; rejects when it never will. */
  async logged(what: RegExp, timeoutMs = 60_000): Promise<string> {
    const explain = () => `no ${what} in\n${this.#log}`;
    await this.#changes.until(
      () => {
        if (what.test(this.#log)) return true;
        if (this.#closed) throw new Error(`It ended: ${explain()}`);
        return false;
      },
      timeoutMs,
      explain,
    );
    return this.#log;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.signal("SIGTERM");
    const limit = setTimeout(() => this.signal("SIGKILL"), 10_000);
    await this.#ended;
    clearTimeout(limit);
  }

  async #read(): Promise<void> {
    for await (const text of this.#child.stderr.pipeThrough(new TextDecoderStream())) {
      this.#log += text;
      this.#changes.notify();
    }
    await this.#child.status;
    this.#closed = true;
    this.#changes.notify();
  }
}
