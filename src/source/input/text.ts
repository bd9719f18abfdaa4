import { NO_ATTRIBUTES } from "./attribute_cache.ts";
import { ByteNumber } from "./byte_number.ts";
import { UsageError } from "../../platform/errors.ts";
import type { FieldWatch } from "./field_watch.ts";
import type { Fields } from "./fields.ts";
import { LINE_FEED, type LineReader } from "./lines.ts";
import { conditionsHold } from "./plain_line.ts";
import { type Sink } from "./sink.ts";
import { type Conversion, conversionsOf, usableValue } from "./value.ts";

const CARRIAGE_RETURN = 13;

/** The only field there is. */
const VALUE = "value";

/** Reads one number per line. A line whose first character other than a blank is `#` is a comment. */
export class TextReader implements LineReader {
  readonly #fields: Fields;
  readonly #conversion: Conversion;
  readonly #sink: Sink;
  readonly #watch: FieldWatch;
  /** Each line is looked at as text. */
  readonly #isPlain: boolean;
  readonly #number = new ByteNumber();
  readonly #decoder = new TextDecoder("utf-8", { ignoreBOM: true });

  /** Throws a UsageError for a field that plain numbers have not. */
  constructor(fields: Fields, sink: Sink, watch: FieldWatch) {
    const { values, attrFields = [], where = [], timeField } = fields;
    refuse(values.map(({ field }) => field), "--value-field");
    refuse(attrFields.map(({ name }) => name), "--attr-field");
    refuse(where.map(({ field }) => field), "--where");
    refuse(timeField === undefined ? [] : [timeField], "--time-field", "");
    this.#fields = fields;
    const [conversion, ...others] = conversionsOf(fields);
    if (conversion === undefined || others.length > 0) {
      throw new UsageError(
        "The input is plain numbers, one per line, of one metric: set --value-field once",
      );
    }
    this.#conversion = conversion;
    this.#sink = sink;
    this.#watch = watch;
    this.#isPlain = where.length > 0 || fields.decimalComma === true;
  }

  lines(bytes: Uint8Array, from: number, to: number): void {
    const sink = this.#sink;
    const { scale, duration } = this.#conversion;
    for (let at = from; at < to;) {
      sink.lines++;
      let end = this.#isPlain ? -1 : this.#number.read(bytes, at);
      let value = this.#number.value * scale;
      if (end >= 0 && bytes[end] !== LINE_FEED) {
        const feed = bytes.indexOf(LINE_FEED, end);
        const rest = bytes[feed - 1] === CARRIAGE_RETURN ? feed - 1 : feed;
        if (end < rest) {
          value = duration?.convertBytes(this.#number.value, bytes, end, rest) ?? NaN;
        }
        end = feed;
      }
      if (end >= 0 && value >= 0 && value < Infinity) {
        sink.measured(value + 0, NO_ATTRIBUTES); // 0 of -0
      } else {
        end = bytes.indexOf(LINE_FEED, at);
        this.#plain(bytes.subarray(at, end));
      }
      at = end + 1;
    }
  }

  tooLong(): void {
    this.#sink.tooLong();
  }

  end(): void {}

  #plain(line: Uint8Array): void {
    const text = this.#decoder.decode(line).trim();
    if (text === "" || text.startsWith("#")) return;
    if (!conditionsHold(() => text, this.#fields, this.#watch)) {
      this.#sink.skipped++;
      return;
    }
    const value = usableValue(text, this.#conversion, "the value");
    if (typeof value === "string") this.#sink.unusable(value);
    else this.#sink.measured(value, NO_ATTRIBUTES);
  }
}

function refuse(names: readonly string[], flag: string, allowed = VALUE): void {
  const name = names.find((name) => name !== allowed);
  if (name === undefined) return;
  throw new UsageError(
    `The input is plain numbers, one per line, without a field ${
      JSON.stringify(name)
    }: remove ${flag}, or set another --input-format`,
  );
}
