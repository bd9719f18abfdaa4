import { deadline } from "../../platform/deadline.ts";
import { InputError } from "./input_error.ts";

/** Runs an expression on texts. */
export interface Matcher {
  exec(text: string): RegExpExecArray | null;
  test(text: string): boolean;
  /** Prepares for lines that are matched next, together. */
  ahead?(lines: readonly string[]): void;
  close?(): void;
}

/** Time in ms that an expression may keep the main thread waiting between two looks at signals. */
const LONGEST_WAIT_MS = 1500;
/** Time in ms for starting the thread. */
const LONGEST_START_MS = 20_000;
const FIRST_BYTES = 2 ** 20;
/** Bytes of the longest question; a reader hands on less than 1 MiB at once. */
const MOST_BYTES = 2 ** 24;
/** Characters of texts that are kept because the expression is known to be quick on them. */
const MOST_KEPT = 2 ** 21;

/** Places in the shared memory before the bytes of the question. */
const [STATE, LENGTH, SEVERAL, TRIED] = [0, 1, 2, 3];
const HEAD_BYTES = 16;
/** State of the shared memory while the thread has texts to try; the thread ends it. */
const ASKED = 1;

/**
 * Tries an expression on every text in a thread of its own first, and matches only texts on which it is quick. The main
 * thread waits for the other one, because readers of lines do not wait for promises; waking it up is what takes time, so
 * that several texts go together.
 */
export class GuardedMatcher implements Matcher {
  readonly #worker: Worker;
  readonly #expression: RegExp;
  readonly #flag: string;
  readonly #shared: SharedArrayBuffer;
  readonly #encoder = new TextEncoder();
  readonly #quick = new Set<string>();
  #quickLength = 0;
  /** Time spent waiting since signals were last looked at, in ms. */
  #waitedMs = 0;
  #turn: ReturnType<typeof setTimeout> | undefined;
  #failure: InputError | undefined;

  private constructor(
    worker: Worker,
    shared: SharedArrayBuffer,
    expression: RegExp,
    flag: string,
  ) {
    this.#worker = worker;
    this.#shared = shared;
    this.#expression = expression;
    this.#flag = flag;
  }

  /** Starts the thread, and resolves when it can match. */
  static async start(source: string, flag: string): Promise<GuardedMatcher> {
    const code = encodeURIComponent(`(${tryForEver})()`);
    const worker = new Worker(`data:text/javascript,${code}`, { type: "module" });
    const shared = new SharedArrayBuffer(FIRST_BYTES, { maxByteLength: MOST_BYTES });
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    worker.onmessage = () => resolve();
    const timeout = deadline(LONGEST_START_MS);
    timeout.signal.addEventListener(
      "abort",
      () => reject(new InputError(`the thread for ${flag} did not start`)),
    );
    worker.postMessage({ shared, source });
    try {
      await promise;
      return new GuardedMatcher(worker, shared, new RegExp(source), flag);
    } catch (thrown) {
      worker.terminate();
      throw thrown;
    } finally {
      timeout.clear();
    }
  }

  exec(text: string): RegExpExecArray | null {
    this.#demandQuick(text);
    return this.#expression.exec(text);
  }

  test(text: string): boolean {
    this.#demandQuick(text);
    return this.#expression.test(text);
  }

  ahead(lines: readonly string[]): void {
    if (lines.length > 0) this.#try(lines, "\n");
  }

  close(): void {
    clearTimeout(this.#turn);
    this.#worker.terminate();
  }

  #demandQuick(text: string): void {
    if (this.#quick.has(text)) return;
    if (this.#failure === undefined) this.#try([text]);
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Tries the expression on texts; if there are several, the separator is in none of them. */
  #try(texts: readonly string[], separator?: "\n"): void {
    if (this.#failure !== undefined) return;
    const tried = this.#ask(texts.join(separator), separator !== undefined);
    if (this.#quickLength > MOST_KEPT) {
      this.#quick.clear();
      this.#quickLength = 0;
    }
    for (const text of texts.slice(0, tried)) {
      this.#quick.add(text);
      this.#quickLength += text.length;
    }
    const slow = texts[tried];
    if (slow !== undefined) this.#fail(slow);
  }

  /** Returns on how many texts the expression was tried in the time there is. */
  #ask(text: string, isSeveral: boolean): number {
    const question = this.#encoder.encode(text);
    const shared = this.#shared;
    const length = HEAD_BYTES + question.length;
    if (length > shared.byteLength) shared.grow(length);
    const state = new Int32Array(shared, 0, HEAD_BYTES / 4);
    new Uint8Array(shared, HEAD_BYTES).set(question);
    state[LENGTH] = question.length;
    state[SEVERAL] = Number(isSeveral);
    state[TRIED] = 0;
    Atomics.store(state, STATE, ASKED);
    Atomics.notify(state, STATE);
    const began = performance.now();
    const left = LONGEST_WAIT_MS - this.#waitedMs;
    if (left > 0) Atomics.wait(state, STATE, ASKED, left);
    this.#waitedMs += performance.now() - began;
    this.#turn ??= setTimeout(() => {
      this.#turn = undefined;
      this.#waitedMs = 0;
    });
    return Atomics.load(state, TRIED);
  }

  #fail(text: string): void {
    this.close();
    const begin = text.length > MOST_QUOTED ? `${text.slice(0, MOST_QUOTED)}…` : text;
    this.#failure = new InputError(
      `${this.#flag} takes longer than ${LONGEST_WAIT_MS / 1000} s, at ${
        JSON.stringify(begin)
      }. ${REMEDY}`,
    );
  }
}

const MOST_QUOTED = 40;
const REMEDY =
  "Rewrite it without repetitions inside repetitions. An expression without look-ahead, " +
  "back references and {n,m} is fast on any text";

/**
 * Tries an expression on texts without end. It is the code of the thread and can use nothing that is outside of it: the
 * numbers are the places in the shared memory.
 */
function tryForEver(): void {
  const thread = globalThis as unknown as {
    onmessage: (message: MessageEvent<{ shared: SharedArrayBuffer; source: string }>) => void;
    postMessage: (message: unknown) => void;
  };
  thread.onmessage = ({ data: { shared, source } }) => {
    const expression = new RegExp(source);
    const state = new Int32Array(shared, 0, 4);
    const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
    thread.postMessage("ready");
    for (;;) {
      if (Atomics.load(state, 0) !== 1) {
        Atomics.wait(state, 0, 0);
        continue;
      }
      const text = decoder.decode(new Uint8Array(shared, 16, state[1]).slice());
      try {
        for (const each of state[2] === 0 ? [text] : text.split("\n")) {
          expression.test(each);
          Atomics.add(state, 3, 1);
        }
      } catch {
        // Too large for this text, which is left untried.
      }
      Atomics.store(state, 0, 0);
      Atomics.notify(state, 0);
    }
  };
}
