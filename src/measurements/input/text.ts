import { ByteNumber } from "./byte_number.ts";
import { usableValue } from "./fields.ts";
import { NO_ATTRIBUTES } from "./attribute_cache.ts";
import { LINE_FEED, type LineReader } from "./lines.ts";
import { type Sink, TOO_LONG } from "./sink.ts";

const CARRIAGE_RETURN = 13;

/** One number a line. */
export class TextReader implements LineReader {
  readonly #scale: number;
  readonly #sink: Sink;
  readonly #number = new ByteNumber();
  readonly #decoder = new TextDecoder("utf-8", { ignoreBOM: true });

  constructor({ scale }: { readonly scale: number }, sink: Sink) {
    this.#scale = scale;
    this.#sink = sink;
  }

  lines(bytes: Uint8Array, from: number, to: number): void {
    const sink = this.#sink;
    for (let at = from; at < to;) {
      sink.lines++;
      let end = this.#number.read(bytes, at);
      if (end >= 0 && bytes[end] === CARRIAGE_RETURN) end++;
      const value = this.#number.value * this.#scale;
      if (end >= 0 && bytes[end] === LINE_FEED && value >= 0 && value < Infinity) {
        sink.measured(value + 0, NO_ATTRIBUTES); // 0 of -0
      } else {
        end = bytes.indexOf(LINE_FEED, at);
        this.#plain(bytes.subarray(at, end));
      }
      at = end + 1;
    }
  }

  tooLong(): void {
    this.#sink.lines++;
    this.#sink.unusable(TOO_LONG);
  }

  end(): void {}

  #plain(line: Uint8Array): void {
    const text = this.#decoder.decode(line).trim();
    if (text === "") return;
    const value = usableValue(text, this.#scale, "the value");
    if (typeof value === "string") this.#sink.unusable(value);
    else this.#sink.measured(value, NO_ATTRIBUTES);
  }
}
