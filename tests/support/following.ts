import type { PathPlace } from "../../src/source/input/place.ts";
import { FollowedFile } from "../../src/source/input/follow/followed_file.ts";
import type { LineConsumer } from "../../src/source/input/input.ts";

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

/** Follower of `log` in a directory of its own; `step` lets it look at the file once more. */
export class Following implements AsyncDisposable {
  readonly lines: string[] = [];
  readonly heads: (string | undefined)[] = [];
  readonly warnings: string[] = [];
  readonly notes: string[] = [];
  #wake = Promise.withResolvers<void>();
  #asleep = Promise.withResolvers<void>();
  #stop = new AbortController();
  #now = 0;
  #isKilled = false;
  #from: PathPlace | undefined;
  /** Before that no place is kept. */
  #isStarted = false;
  /** Whoever takes the lines does not ask for more. */
  #held: PromiseWithResolvers<void> | undefined;
  #file: FollowedFile | undefined;
  #done: Promise<void> | undefined;

  private constructor(readonly folder: string, readonly path: string) {}

  get place(): PathPlace {
    return this.#isStarted && this.#file !== undefined
      ? this.#file.place
      : this.#from ?? { files: [], known: [], knownUntil: 0 };
  }

  static async begin(
    folder?: string,
    from?: PathPlace,
    { name = "log", begin = "start" }: { name?: string; begin?: "start" | "end" } = {},
  ): Promise<Following> {
    folder ??= await Deno.makeTempDir({ prefix: "otlp-histogram-follow-" });
    const following = new Following(folder, `${folder}/${name}`);
    await following.start(from, begin);
    return following;
  }

  async start(from: PathPlace | undefined, begin: "start" | "end"): Promise<void> {
    this.#file = new FollowedFile({
      path: this.path,
      shown: "log",
      from,
      begin,
      clock: {
        wall: () => this.#now,
        monotonic: () => this.#now,
        sleep: async (_ms, signal) => {
          // A look while the lines are taken: only somebody who is held sees it.
          if (signal !== this.#stop.signal && this.#held === undefined) {
            await new Promise((resolve) => signal.addEventListener("abort", resolve));
            return;
          }
          this.#asleep.resolve();
          if (this.#stop.signal.aborted) return;
          await this.#wake.promise;
          this.#wake = Promise.withResolvers();
        },
      },
      stop: this.#stop.signal,
      warn: (message) => this.warnings.push(message),
      note: (message) => this.notes.push(message),
      consumer: (head) => this.#consumer(head),
    });
    const file = this.#file;
    this.#from = from;
    file.start().then(() => this.#isStarted = true, () => {}); // whoever reads gets the error
    this.#done = (async () => {
      for await (const _ of file) {
        if (this.#isKilled) break;
        await this.#held?.promise;
      }
      this.#asleep.resolve();
    })();
    await this.#asleep.promise;
  }

  /** Looks at the file, `ms` later. */
  async step(ms = 200): Promise<void> {
    this.#now += ms;
    this.#asleep = Promise.withResolvers();
    this.#wake.resolve();
    await this.#asleep.promise;
  }

  /** Takes no more lines, until `release`. */
  hold(): void {
    this.#held = Promise.withResolvers();
  }

  async release(): Promise<void> {
    const held = this.#held;
    this.#held = undefined;
    this.#asleep = Promise.withResolvers();
    held?.resolve();
    this.#wake.resolve();
    await this.#asleep.promise;
  }

  async append(added: string, path = this.path): Promise<void> {
    await Deno.writeTextFile(path, added, { append: true });
  }

  async stop(): Promise<PathPlace> {
    this.#stop.abort();
    this.#wake.resolve();
    await this.#done;
    return this.place;
  }

  /** Ends without reading anything more. */
  async kill(): Promise<void> {
    this.#isKilled = true;
    await this.stop();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await Deno.remove(this.folder, { recursive: true }).catch(() => {}); // another test's handle may have done it
  }

  #consumer(head: Uint8Array | undefined): LineConsumer {
    this.heads.push(head && text(head));
    let held = "";
    const { lines } = this;
    return {
      push(chunk) {
        const parts = (held + text(chunk)).split("\n");
        held = parts.pop() ?? "";
        lines.push(...parts);
      },
      end() {
        if (held !== "") lines.push(held);
        held = "";
      },
      get held() {
        return held.length;
      },
    };
  }
}

/** Compresses a file in its place, as gzip(1) does. */
export async function gzipInPlace(path: string): Promise<void> {
  const packed = new Blob([await Deno.readFile(path)]).stream()
    .pipeThrough(new CompressionStream("gzip"));
  await Deno.writeFile(`${path}.gz`, new Uint8Array(await new Response(packed).arrayBuffer()));
  await Deno.remove(path);
}
