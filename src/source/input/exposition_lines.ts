import { readHistograms } from "../prometheus/cumulative.ts";
import { fromNothing, nativeText } from "../prometheus/deltas.ts";
import { type Exposed, exposedOf } from "../prometheus/exposed.ts";
import { MOST_UNREADABLE } from "../prometheus/exposition.ts";
import { LINE_FEED, type LineReader } from "./lines.ts";
import { type Sink } from "./sink.ts";

/** Characters of an exposition that are kept, since what belongs together need not stand together. */
const MOST_CHARACTERS = 64 * 2 ** 20;

/**
 * Reads whole Prometheus expositions, as batch jobs leave them: all that their classic histograms hold counts, at the
 * end.
 */
export class ExpositionReader implements LineReader {
  readonly #sink: Sink;
  readonly #decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  readonly #pieces: string[] = [];
  #characters = 0;

  constructor(sink: Sink) {
    this.#sink = sink;
  }

  lines(bytes: Uint8Array, from: number, to: number): void {
    for (let at = from; at < to; at = bytes.indexOf(LINE_FEED, at) + 1) this.#sink.lines++;
    if (this.#characters > MOST_CHARACTERS) return;
    const piece = this.#decoder.decode(bytes.subarray(from, to));
    this.#characters += piece.length;
    this.#pieces.push(piece);
  }

  tooLong(): void {
    this.#sink.tooLong();
  }

  end(): void {
    if (this.#characters > MOST_CHARACTERS) {
      this.#sink.contradictory("a Prometheus exposition above 64 MiB");
      return;
    }
    let exposed: readonly Exposed[] = [];
    let firstLine = 1;
    let found = 0;
    for (const text of textsOf(this.#pieces.splice(0).join(""))) {
      const reading = readHistograms(text, firstLine);
      firstLine += text.split("\n").length - 1;
      if (typeof reading === "string") {
        this.#sink.contradictory(`a Prometheus exposition: ${reading}`);
        return;
      }
      const { histograms, native, untyped, unreadable, unusable } = reading;
      const classic = histograms.filter(({ name }) => !native.has(name));
      found += classic.length + unreadable.length + unusable.length;
      for (const [family, hasValues] of native) {
        if (hasValues) this.#sink.leftOut(nativeText(family));
      }
      for (const [name, reason] of untyped) this.#sink.leftOut(`${name}: ${reason}`);
      for (const { line, reason } of unreadable) {
        this.#sink.contradictory(`line ${line}: ${reason}`);
      }
      for (const { problem } of unusable) this.#sink.contradictory(problem);
      if (unreadable.length >= MOST_UNREADABLE) {
        this.#sink.contradictory("the lines after these: the exposition is something else");
      }
      const counted = classic.map(fromNothing).filter(({ count }) => count > 0);
      exposed = exposed.concat(exposedOf(reading, counted));
    }
    if (found === 0) {
      this.#sink.contradictory(
        "the exposition has no classic histogram (a family of TYPE histogram)",
      );
    }
    this.#sink.exposition(exposed);
  }
}

/** The expositions of an input: each of OpenMetrics ends with a line `# EOF`. */
function textsOf(text: string): readonly string[] {
  const texts: string[] = [];
  let from = 0;
  for (const { index, 0: end } of text.matchAll(/^#[ \t]*EOF[ \t]*\r?\n/gm)) {
    texts.push(text.slice(from, index + end.length));
    from = index + end.length;
  }
  const rest = text.slice(from);
  return rest.trim() === "" && texts.length > 0 ? texts : [...texts, rest];
}
