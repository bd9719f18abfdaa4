import type { Matcher } from "./guarded_matcher.ts";
import { InputError } from "./input_error.ts";

/**
 * Maximum length of an expression, in characters, that runs on the main thread: the linear engine's time is the product
 * of this length and the text's.
 */
const MOST_LINEAR = 4096;
/** Maximum length of an expression whose fault is looked for. */
const MOST_LOCATED = 2000;

/**
 * Regular expression of the user, which may never end on some text and would keep signals waiting. V8 matches in
 * linear time once it went back too often (`RUN_FLAGS` in scripts/compile.ts); expressions that it cannot match like that
 * have to be guarded before they are used.
 */
export class Expression {
  readonly source: string;
  /** Flag that the expression comes from. */
  readonly flag: string;
  #matcher: Matcher;

  private constructor(source: string, flag: string, matcher: Matcher) {
    this.source = source;
    this.flag = flag;
    this.#matcher = matcher;
  }

  /** Compiles an expression, or says why and where that is impossible. */
  static compile(source: string, flag: string): Expression | { readonly fault: string } {
    try {
      const expression = new RegExp(source);
      // Compiled when it is used, for each kind of string, and compiled to machine code when it is used again.
      for (const text of ["", "\u0100", "", "\u0100"]) expression.exec(text);
      return new Expression(source, flag, expression);
    } catch (thrown) {
      const fault = faultOf(thrown);
      const at = source.length <= MOST_LOCATED ? faultPosition(source, fault) : 0;
      return { fault: at === 0 ? fault : `${fault} at character ${at}` };
    }
  }

  /** Whether texts are tried in another thread first, so that `ahead` saves time. */
  get isGuarded(): boolean {
    return this.#matcher.ahead !== undefined;
  }

  /** Has texts tried in another thread first, unless the time is linear. Call it before the first match. */
  async guard(): Promise<void> {
    if (this.isGuarded || isLinear(this.source)) return;
    const { GuardedMatcher } = await import("./guarded_matcher.ts");
    this.#matcher = await GuardedMatcher.start(this.source, this.flag);
  }

  /** Throws an InputError when it takes too long, or is too large for the text. */
  exec(text: string): RegExpExecArray | null {
    try {
      return this.#matcher.exec(text);
    } catch (thrown) {
      throw this.#failure(thrown);
    }
  }

  /** Throws an InputError when it takes too long, or is too large for the text. */
  test(text: string): boolean {
    try {
      return this.#matcher.test(text);
    } catch (thrown) {
      throw this.#failure(thrown);
    }
  }

  /** Prepares for lines, without line feeds, that are matched next: together they take less time. */
  ahead(lines: readonly string[]): void {
    this.#matcher.ahead?.(lines);
  }

  close(): void {
    this.#matcher.close?.();
  }

  #failure(thrown: unknown): InputError {
    return thrown instanceof InputError
      ? thrown
      : new InputError(`${this.flag} cannot be used: ${faultOf(thrown)}`);
  }
}

/** Whether V8 bounds the time of an expression: only with its flags, and without look-ahead, back references and the like. */
function isLinear(source: string): boolean {
  if (source.length > MOST_LINEAR) return false;
  try {
    return new RegExp(source, "l").source !== "";
  } catch {
    return false;
  }
}

/** Returns V8's reason without the expression that it repeats. */
function faultOf(thrown: unknown): string {
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  const reason = /[^:]*$/.exec(message)?.[0].trim() ?? message;
  return /overflow|stack/i.test(reason) ? "Regular expression too large" : reason;
}

const GROUP_BEGINS = /\\[^]|\[(?:\\[^]|[^\]\\])*\]|\(/g;

/** The character at which a fault begins, counted from 1: every text that ends there or behind it has the fault; 0: none. */
function faultPosition(source: string, fault: string): number {
  if (fault === "Unterminated group") {
    const begins = Array.from(source.matchAll(GROUP_BEGINS), ({ index }) => index);
    return 1 + (begins.findLast((begin) => parseFault(source.slice(begin)) === fault) ?? -1);
  }
  let at = source.length;
  while (at > 0 && parseFault(source.slice(0, at)) === fault) at--;
  return at === source.length ? 0 : at + 1;
}

function parseFault(source: string): string | undefined {
  try {
    return new RegExp(source) && undefined;
  } catch (thrown) {
    return faultOf(thrown);
  }
}
