import type { UsageError } from "../../platform/errors.ts";
import { decimal } from "../../platform/number.ts";
import { invalid, type Setting } from "../../settings/setting.ts";

/** Subject of a condition: a figure of the metric, an attribute of the data point, or one of its resource. */
export type ConditionSubject = "unit" | "type" | "temporality" | "attribute" | "resource";

/** Comparison of an expectation: equal as text, or a number that is at least the value. */
export interface Comparison {
  readonly operator: "=" | ">=";
  readonly value: string;
}

/** Condition that one data point must meet. */
export interface PointCondition {
  readonly subject: ConditionSubject;
  /** Key of the attribute; the name of the subject otherwise. */
  readonly key: string;
  /** Undefined for an attribute that must be present, with any value. */
  readonly comparison: Comparison | undefined;
}

/** Expectation of `--expect`, parsed. */
export interface Expectation {
  /** Text as the user wrote it. */
  readonly text: string;
  readonly metric: string;
  readonly conditions: readonly PointCondition[];
  /** Comparisons with the number of measurements in all matching data points of the run. */
  readonly counts: readonly Comparison[];
}

/** Values of `type=`, as in OTLP/JSON. */
const TYPES = ["histogram", "exponentialHistogram", "sum", "gauge", "summary"] as const;
const TEMPORALITIES = ["delta", "cumulative"] as const;

/**
 * Parses `NAME{KEY=VALUE,KEY} FIELD=VALUE FIELD>=VALUE`, or throws a UsageError that names the place. A text without
 * any of `{}"=>` is a metric name, whatever else is in it.
 */
export function parseExpectation(setting: Setting): Expectation {
  const text = setting.value;
  if (text.trim() === "") throw invalid(setting, "a metric name");
  if (!/[{}"=>]/.test(text)) return { text, metric: text, conditions: [], counts: [] };
  return new ExpectationParser(setting).parse();
}

const EXAMPLE = `'job.duration{queue="a b",region=eu,host} unit=s count>=3'`;

/** Characters that end a key. */
const AFTER_KEY = /[\s,={}>"]/;

class ExpectationParser {
  readonly #setting: Setting;
  readonly #text: string;
  #at = 0;

  constructor(setting: Setting) {
    this.#setting = setting;
    this.#text = setting.value;
  }

  parse(): Expectation {
    this.#skipSpace();
    const metric = this.#key("a metric name");
    const conditions: PointCondition[] = [];
    const counts: Comparison[] = [];
    this.#skipSpace();
    if (this.#take("{")) conditions.push(...this.#attributes());
    for (this.#skipSpace(); this.#at < this.#text.length; this.#skipSpace()) {
      const start = this.#at;
      const key = this.#key("a condition such as unit=s or count>=3");
      const comparison = this.#comparison(false);
      if (comparison === undefined) throw this.#expected(`= or >= after "${key}"`);
      if (key === "count") counts.push(this.#countComparison(comparison, start));
      else conditions.push(this.#field(key, comparison, start));
      if (this.#text[this.#at] === ",") throw this.#expected("a space between two conditions");
    }
    return { text: this.#text, metric, conditions, counts };
  }

  /** Parses the attributes up to `}`. */
  #attributes(): readonly PointCondition[] {
    const conditions: PointCondition[] = [];
    this.#skipSpace();
    while (!this.#take("}")) {
      if (conditions.length > 0 && !this.#take(",")) throw this.#expected('"," or "}"');
      this.#skipSpace();
      const start = this.#at;
      const key = this.#key("the key of an attribute");
      const comparison = this.#comparison(true);
      if (comparison !== undefined) this.#requireNumber(comparison, start);
      conditions.push({ subject: "attribute", key, comparison });
      this.#skipSpace();
    }
    return conditions;
  }

  #field(key: string, comparison: Comparison, start: number): PointCondition {
    const words = key === "type" ? TYPES : key === "temporality" ? TEMPORALITIES : undefined;
    if (key !== "unit" && words === undefined) {
      this.#requireNumber(comparison, start);
      return { subject: "resource", key, comparison };
    }
    if (comparison.operator !== "=") throw this.#expected(`= after "${key}"`, start);
    if (words !== undefined && !words.some((word) => word === comparison.value)) {
      const list = words.map((word) => `${key}=${word}`).join(", ");
      throw this.#expected(`one of ${list}`, start);
    }
    const subject = key === "unit" || key === "type" ? key : "temporality";
    return { subject, key, comparison };
  }

  #countComparison(comparison: Comparison, start: number): Comparison {
    if (/^\d{1,15}$/.test(comparison.value)) return comparison;
    throw this.#expected("a whole number after count, for example count>=3", start);
  }

  #requireNumber({ operator, value }: Comparison, start: number): void {
    if (operator === ">=" && Number.isNaN(decimal(value))) {
      throw this.#expected("a number after >=", start);
    }
  }

  /** Parses an operator and its value, if an operator follows. */
  #comparison(inBraces: boolean): Comparison | undefined {
    const before = this.#at;
    this.#skipSpace();
    const operator = this.#take(">=") ? ">=" : this.#take("=") ? "=" : undefined;
    if (operator === undefined) {
      this.#at = before;
      return undefined;
    }
    this.#skipSpace();
    return { operator, value: this.#quoted() ?? this.#bareValue(inBraces) };
  }

  #key(what: string): string {
    const quoted = this.#quoted();
    if (quoted !== undefined) return quoted;
    const start = this.#at;
    while (this.#at < this.#text.length && !AFTER_KEY.test(this.#text[this.#at] ?? "")) this.#at++;
    if (this.#at === start) throw this.#expected(what);
    const key = this.#text.slice(start, this.#at);
    // != and <= are operators of --where alone.
    if (/[!<]$/.test(key) && this.#text[this.#at] === "=") {
      throw this.#expected("= or >=", this.#at - 1);
    }
    return key;
  }

  /**
   * Parses a value without quotes. Braces in it come in pairs, so that `/users/{id}` and `{request}` are values. An array
   * in brackets, `[a,b]`, is one value.
   */
  #bareValue(inBraces: boolean): string {
    const start = this.#at;
    const [array] = /^\[[^\]"]*\](?=[\s,}]|$)/.exec(this.#text.slice(start)) ?? [];
    if (array !== undefined) {
      this.#at += array.length;
      return array.replaceAll(/,\s+/g, ",");
    }
    let depth = 0;
    for (; this.#at < this.#text.length; this.#at++) {
      const character = this.#text[this.#at] ?? "";
      if (/[\s,"]/.test(character)) break;
      if (character === "{") depth++;
      else if (character === "}" && --depth < 0) break;
    }
    if (depth > 0) throw this.#expected('quotes around a value with an unpaired "{"', start);
    if (depth < 0 && !inBraces) throw this.#expected('quotes around a value with an unpaired "}"');
    if (this.#at === start) throw this.#expected('a value ("" for an empty one)');
    if (this.#text[this.#at] === '"') throw this.#expected("quotes around the whole value", start);
    return this.#text.slice(start, this.#at);
  }

  /** Parses a text in double quotes, in which \" and \\ stand for a quote and a backslash. */
  #quoted(): string | undefined {
    const start = this.#at;
    if (!this.#take('"')) return undefined;
    let value = "";
    for (; this.#at < this.#text.length; this.#at++) {
      const character = this.#text[this.#at];
      if (character === '"') {
        this.#at++;
        return value;
      }
      if (character === "\\" && /["\\]/.test(this.#text[this.#at + 1] ?? "")) this.#at++;
      value += this.#text[this.#at];
    }
    throw this.#expected('a closing quote (") for the quote', start);
  }

  #take(token: string): boolean {
    if (!this.#text.startsWith(token, this.#at)) return false;
    this.#at += token.length;
    return true;
  }

  #skipSpace(): void {
    while (/\s/.test(this.#text[this.#at] ?? "")) this.#at++;
  }

  #expected(what: string, at = this.#at): UsageError {
    const rest = this.#text.slice(at).replace(/\s+/g, " ");
    const place = rest === "" ? "at its end" : `at ${JSON.stringify(rest)} (character ${at + 1})`;
    return invalid(
      // Quotes belong to the language: removing them is not a remedy.
      { ...this.#setting, value: "" },
      `${what}, ${place}. Write it like ${EXAMPLE}`,
      `"${this.#text.replace(/[\r\n]+/g, " ")}"`,
    );
  }
}
