import type { Attributes } from "../../aggregate/measurement.ts";

// The text formats of the Prometheus ecosystem: "text/plain; version=0.0.4 and 1.0.0" (Prometheus, exposition formats)
// and OpenMetrics 1.0. No package for JavaScript that is kept up reads both; docs/decisions/07 says what was looked at.

/** One sample of an exposition. */
export interface Sample {
  readonly name: string;
  readonly labels: Attributes;
  readonly value: number;
}

/** What an exposition says, sample by sample, and which of its lines could not be read. */
export interface Exposition {
  readonly samples: readonly Sample[];
  /** Metric family -> `histogram`, `counter`, … */
  readonly types: ReadonlyMap<string, string>;
  /** Metric family -> unit, of OpenMetrics alone. */
  readonly units: ReadonlyMap<string, string>;
  readonly helps: ReadonlyMap<string, string>;
  readonly problems: readonly { readonly line: number; readonly reason: string }[];
}

/** Reads a whole exposition; never throws. A line that makes no sense is a problem, and the others count. */
export function parseExposition(text: string): Exposition {
  const samples: Sample[] = [];
  const types = new Map<string, string>();
  const units = new Map<string, string>();
  const helps = new Map<string, string>();
  const problems: { line: number; reason: string }[] = [];
  let number = 0;
  for (let at = 0; at < text.length;) {
    const feed = text.indexOf("\n", at);
    const end = feed < 0 ? text.length : feed;
    const line = text.slice(at, end).trim();
    at = end + 1;
    number++;
    if (line === "") continue;
    if (line.startsWith("#")) {
      const [, word = "", rest = ""] = /^#[ \t]*(TYPE|UNIT|HELP|EOF)\b[ \t]*(.*)$/.exec(line) ?? [];
      // What follows the end of an OpenMetrics exposition is none of it.
      if (word === "EOF") break;
      const [family, said] = metadata(rest);
      if (word === "TYPE") types.set(family, said.toLowerCase());
      else if (word === "UNIT") units.set(family, said);
      else if (word === "HELP") helps.set(family, unescaped(said));
      continue;
    }
    const sample = parseSample(line);
    if (typeof sample === "string") problems.push({ line: number, reason: sample });
    else samples.push(sample);
  }
  return { samples, types, units, helps, problems };
}

/** A family's name, quoted where it is more than letters, digits, `_` and `:`, and what follows it. */
function metadata(rest: string): readonly [family: string, said: string] {
  const quoted = /^"((?:[^"\\]|\\.)*)"[ \t]*(.*)$/.exec(rest);
  if (quoted !== null) return [unescaped(quoted[1] ?? ""), quoted[2] ?? ""];
  const [, family = "", said = ""] = /^(\S*)[ \t]*(.*)$/.exec(rest) ?? [];
  return [family, said];
}

const NAME = /[a-zA-Z_:][a-zA-Z0-9_:]*/y;
const LABEL =
  /[ \t]*(?:"((?:[^"\\]|\\.)*)"|([a-zA-Z_][a-zA-Z0-9_.]*))[ \t]*(?:=[ \t]*"((?:[^"\\]|\\.)*)"[ \t]*)?(,|\})/y;
/** A value, then a time stamp or nothing, then an exemplar (OpenMetrics) or nothing. */
const VALUE = /^[ \t]*(\S+)(?:[ \t]+-?[0-9.eE+-]+)?[ \t]*(?:#[ \t].*)?$/;

/** The sample of a line, or why it is none. */
function parseSample(line: string): Sample | string {
  NAME.lastIndex = 0;
  let name = NAME.exec(line)?.[0] ?? "";
  let at = name.length;
  const labels: [string, string][] = [];
  while (line[at] === " " || line[at] === "\t") at++;
  if (line[at] === "{") {
    at++;
    if (/^[ \t]*\}/.test(line.slice(at))) at = line.indexOf("}", at) + 1;
    else {
      for (let closed = false; !closed;) {
        LABEL.lastIndex = at;
        const found = LABEL.exec(line);
        if (found === null) return 'its labels are not NAME="VALUE", separated by commas';
        const [whole, quoted, plain, value, after] = found;
        const key = quoted === undefined ? plain ?? "" : unescaped(quoted);
        // A metric's name that needs quotes stands among the labels (Prometheus, UTF-8 names).
        if (value === undefined) {
          if (name !== "" || quoted === undefined) {
            return 'its labels are not NAME="VALUE", separated by commas';
          }
          name = key;
        } else labels.push([key, unescaped(value)]);
        at += whole.length;
        closed = after === "}";
        if (!closed && /^[ \t]*\}/.test(line.slice(at))) {
          at = line.indexOf("}", at) + 1;
          closed = true;
        }
      }
    }
  }
  if (name === "") return "it does not begin with the name of a metric";
  const [, text] = VALUE.exec(line.slice(at)) ?? [];
  const value = text === undefined ? undefined : exposedNumber(text);
  if (value === undefined) return `its value is no number`;
  return { name, labels: Object.fromEntries(labels), value };
}

/** A number as Go prints it; undefined for anything else. */
export function exposedNumber(text: string): number | undefined {
  if (/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text)) return Number(text);
  if (/^\+?inf(inity)?$/i.test(text)) return Infinity;
  if (/^-inf(inity)?$/i.test(text)) return -Infinity;
  return /^[+-]?nan$/i.test(text) ? NaN : undefined;
}

function unescaped(text: string): string {
  return text.includes("\\")
    ? text.replace(
      /\\(.)/g,
      (whole, c: string) => c === "n" ? "\n" : c === "\\" || c === '"' ? c : whole,
    )
    : text;
}
