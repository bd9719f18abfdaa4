import { UsageError } from "../../platform/errors.ts";
import type { Attributes } from "../../aggregate/measurement.ts";
import { AttributeCache, gather, type Gathered } from "./attribute_cache.ts";
import type { FieldWatch } from "./field_watch.ts";
import type { Fields } from "./fields.ts";
import type { LineReader } from "./lines.ts";
import type { Pattern } from "./pattern.ts";
import { pathOr, plainLine } from "./plain_line.ts";
import { type Sink } from "./sink.ts";
import type { TimedField } from "./timed_field.ts";
import { type Conversion, conversionsOf, withTimeUnit } from "./value.ts";
import { changedCondition } from "./where.ts";

/** Maximum length of a line: a regular expression's time may grow with the square of it, or worse. */
export const MOST_PATTERN_CHARACTERS = 8192;

const SPACE = 32;
const BLANK = /^[\t-\r ]*$/;

/** Number of sets of attributes after which all are forgotten. */
const MOST_SETS = 65_536;

/**
 * Lines in which a regular expression finds the fields, anywhere in the line. Lines of more than 8,192 characters are
 * invalid, because an expression's time may grow with their square; lines that do not match are
 * skipped. Attributes are strings, and an empty one is none.
 */
export class PatternReader implements LineReader {
  readonly #pattern: Pattern;
  readonly #fields: Fields;
  readonly #conversions: readonly Conversion[];
  readonly #sink: Sink;
  readonly #watch: FieldWatch;
  readonly #timed: TimedField;
  readonly #attributeCache = new AttributeCache();
  readonly #known = new Map<string, Attributes>();
  readonly #decoder = new TextDecoder("utf-8", { ignoreBOM: true });

  /** Throws a UsageError for a field that the pattern has not. */
  constructor(
    pattern: Pattern,
    fields: Fields,
    sink: Sink,
    watch: FieldWatch,
    timed: TimedField,
  ) {
    const { values, attrFields = [], where = [], timeField } = fields;
    const demand = (name: string, flag: string) => {
      if (pattern.fields.includes(name)) return;
      throw new UsageError(
        `The ${pattern.name} has no field ${JSON.stringify(name)}, which ${flag} names: it has ${
          pattern.fields.map((field) => JSON.stringify(field)).join(", ")
        }`,
      );
    };
    for (const { field } of values) demand(field, "--value-field");
    for (const { name } of attrFields) demand(name, "--attr-field");
    for (const { field } of where) demand(field, "--where");
    if (timeField !== undefined) demand(timeField, "--time-field");
    this.#pattern = pattern;
    this.#fields = {
      ...fields,
      where: where.map((condition) => {
        const unit = pattern.units.get(condition.field);
        return unit === undefined || condition.reads !== "duration"
          ? condition
          : changedCondition(condition, (text) => withTimeUnit(text, unit));
      }),
    };
    this.#conversions = conversionsOf(fields, pattern.units);
    this.#sink = sink;
    this.#watch = watch;
    this.#timed = timed;
  }

  lines(bytes: Uint8Array, from: number, to: number): void {
    // One text of many lines: to decode each by itself takes longer than to match it.
    const text = this.#decoder.decode(bytes.subarray(from, to));
    if (this.#pattern.expression.isGuarded) this.#pattern.ahead(linesToMatch(text));
    for (let at = 0; at < text.length;) {
      this.#sink.lines++;
      const feed = text.indexOf("\n", at);
      this.#line(text.slice(at, text[feed - 1] === "\r" && feed > at ? feed - 1 : feed));
      at = feed + 1;
    }
  }

  tooLong(): void {
    this.#sink.tooLong();
  }

  end(): void {}

  #line(line: string): void {
    const sink = this.#sink;
    if (!(line.charCodeAt(0) > SPACE) && BLANK.test(line)) return;
    if (line.length > MOST_PATTERN_CHARACTERS) {
      return sink.unusable(
        `longer than ${MOST_PATTERN_CHARACTERS} characters, the maximum for a pattern`,
      );
    }
    const groups = this.#pattern.match(line);
    if (groups === undefined) return sink.unmatched();
    sink.matched();
    if (this.#timed.isSearching) this.#timed.look(Object.entries(groups));
    const field = (name: string) => groups[name];
    const found = plainLine(field, this.#fields, this.#conversions, this.#watch);
    if (found === undefined) sink.skipped++;
    else if (typeof found === "string") sink.unusable(found);
    else sink.measuredLine(found.values, this.#attributes(groups), found.time);
  }

  #attributes(groups: Readonly<Record<string, string | undefined>>): Attributes {
    const { attrFields = [] } = this.#fields;
    let key = "";
    for (const { name } of attrFields) {
      const text = groups[name] ?? "";
      key += `${text.length}:${text}`;
    }
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const gathered: Gathered = {};
    for (const { name, key } of attrFields) {
      const text = pathOr(groups[name] ?? "", name, this.#fields);
      if (text === "") continue;
      gather(gathered, key, text);
      this.#watch.attribute(name, text);
    }
    const attributes = this.#attributeCache.intern(gathered);
    if (this.#known.size >= MOST_SETS) this.#known.clear();
    this.#known.set(key, attributes);
    return attributes;
  }
}

/** Lists the lines of a text that a pattern is tried on. */
function linesToMatch(text: string): readonly string[] {
  return text.split(/\r?\n/).filter((line) =>
    line.length <= MOST_PATTERN_CHARACTERS && !BLANK.test(line)
  );
}
