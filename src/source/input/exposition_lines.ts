import { histogramsOf } from "../prometheus/cumulative.ts";
import { fromNothing } from "../prometheus/deltas.ts";
import { exposedOf } from "../prometheus/exposed.ts";
import { parseExposition } from "../prometheus/exposition.ts";
import { LINE_FEED, type LineReader } from "./lines.ts";
import { type Sink } from "./sink.ts";

/** Characters of an exposition that are kept, since what belongs together need not stand together. */
const MOST_CHARACTERS = 64 * 2 ** 20;

/** A whole Prometheus exposition, as a batch job left it: all that its classic histograms hold counts once, at its end. */
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
      this.#sink.contradictory("a Prometheus exposition of more than 64 MiB");
      return;
    }
    const { histograms, families, problems } = histogramsOf(parseExposition(this.#pieces.join("")));
    if (histograms.length + problems.length === 0) {
      this.#sink.contradictory(
        "the exposition has no classic histogram (a family of TYPE histogram)",
      );
    }
    for (const problem of problems) this.#sink.contradictory(problem);
    const counted = histograms.map(fromNothing).filter(({ count }) => count > 0);
    this.#sink.exposition(exposedOf(families, counted));
  }
}
