import type { Attributes } from "../../aggregate/measurement.ts";

// The text formats of the Prometheus ecosystem: "text/plain; version=0.0.4 and 1.0.0" (Prometheus, exposition formats)
// and OpenMetrics 1.0. No package for JavaScript that is kept up reads both; docs/decisions/07 says what was looked at.

/**
 * Part of a histogram that a sample is: its name's ending, or all of a histogram in one sample. A `target` is none: its
 * labels describe the target (OpenMetrics, "Supporting target metadata").
 */
export type SampleRole = "bucket" | "sum" | "count" | "created" | "composite" | "target";

/** One sample of a family whose type is `histogram`, or of `target_info`. */
export interface Sample {
  /** The name of the metric family. */
  readonly family: string;
  readonly role: SampleRole;
  /** Its labels without `le`; none for a composite, whose value is not read either. */
  readonly labels: Attributes;
  readonly le: string | undefined;
  readonly value: number;
  /** The text ends within this sample's line, which may lack the end of its value. */
  readonly isCut: boolean;
}

/** A line that could not be read. */
export interface UnreadableLine {
  readonly line: number;
  readonly reason: string;
}

/** Content of an exposition besides its samples. */
export interface Exposition {
  /** Metric family -> unit, of OpenMetrics alone. */
  readonly units: ReadonlyMap<string, string>;
  readonly helps: ReadonlyMap<string, string>;
  /** Metrics that have buckets and are not of a histogram, at most MOST_UNTYPED, and why. */
  readonly untyped: ReadonlyMap<string, string>;
  /** Lines of histograms, or of nobody knows what, that could not be read; at most MOST_UNREADABLE. */
  readonly unreadable: readonly UnreadableLine[];
  /**
   * Whether nothing is known to be missing: some line is an exposition's, none is unreadable, and the text is not cut off.
   */
  readonly isWhole: boolean;
}

/** Characters of a line that are read at most. */
const MOST_LINE = 2 ** 20;
/** Metrics with buckets that are named at most although they are not of a histogram. */
const MOST_UNTYPED = 10;
/** Number of unreadable lines at which reading ends: the text is not an exposition then. */
export const MOST_UNREADABLE = 1000;

/**
 * Reads an exposition and passes each sample of a histogram, and of `target_info`, on, until `take` returns false; never throws. A line that
 * cannot be read is reported, and the others count. Lines of other types are not looked at. `firstLine`: the number of the
 * text's first line.
 */
export function readExposition(
  text: string,
  take: (sample: Sample) => boolean,
  firstLine = 1,
): Exposition {
  const histograms = new Set<string>();
  const untyped = new Map<string, string>();
  const units = new Map<string, string>();
  const helps = new Map<string, string>();
  let isExposition = false;
  // A family's type may be written after its samples.
  eachLine(text, (line) => {
    if (!line.startsWith("#") || line.length > MOST_LINE) return true;
    const [, word = "", rest = ""] = /^#[ \t]*(TYPE|UNIT|HELP|EOF)\b[ \t]*(.*)$/s.exec(line) ?? [];
    if (word === "") return true;
    isExposition = true;
    const [family, value] = metadata(rest);
    if (word === "UNIT") units.set(family, value);
    else if (word === "HELP") helps.set(family, unescapeExposed(value));
    else if (word === "EOF") return true;
    else if (value.toLowerCase() === "histogram") histograms.add(family);
    else histograms.delete(family);
    return true;
  });
  const unreadable: UnreadableLine[] = [];
  let isCut = false;
  eachLine(text, (line, number, isLast) => {
    const isUnterminated = isLast && !text.endsWith("\n");
    if (line.startsWith("#")) {
      isCut ||= isUnterminated && !/^#[ \t]*EOF$/.test(line);
      return true;
    }
    const sample = readSample(line, histograms, isUnterminated);
    if (sample === undefined && untyped.size < MOST_UNTYPED) noteBuckets(line, untyped);
    if (typeof sample === "string") {
      unreadable.push({ line: firstLine + number, reason: sample });
      return unreadable.length < MOST_UNREADABLE;
    }
    // The number of a count can be compared with that of the last bucket.
    isCut ||= isUnterminated && sample?.role !== "count";
    return sample === undefined || take(sample);
  });
  return {
    units,
    helps,
    untyped,
    unreadable,
    isWhole: isExposition && !isCut && unreadable.length === 0,
  };
}

/** Visits every line that is not blank, trimmed, until `visit` returns false. The first line has the number 0. */
function eachLine(
  text: string,
  visit: (line: string, number: number, isLast: boolean) => boolean,
): void {
  for (let at = 0, number = 0; at < text.length; number++) {
    const feed = text.indexOf("\n", at);
    const end = feed < 0 ? text.length : feed;
    const line = end === at ? "" : text.slice(at, end).trim();
    if (line !== "" && !visit(line, number, feed < 0)) return;
    at = end + 1;
  }
}

/** A family's name, quoted where it is more than letters, digits, `_` and `:`, and the text behind it. */
function metadata(rest: string): readonly [family: string, value: string] {
  const name = rest.startsWith('"') ? quotedAt(rest, 0) : undefined;
  if (name !== undefined) return [detached(name.text), detached(rest.slice(name.end).trim())];
  const [, family = "", value = ""] = /^(\S*)[ \t]*(.*)$/s.exec(rest) ?? [];
  return [detached(family), detached(value)];
}

/** The text without the whole exposition that it is a part of, which V8 would keep in memory for it. */
function detached(text: string): string {
  return String(JSON.parse(JSON.stringify(text)));
}

const NAME = /[a-zA-Z_:][a-zA-Z0-9_:]*/y;
const LABEL_NAME = /[a-zA-Z_][a-zA-Z0-9_.]*/y;
/** A value, then a time stamp or nothing, then an exemplar (OpenMetrics) or nothing. */
const VALUE = /^[ \t]*(\S+)(?:[ \t]+-?[0-9.eE+-]+)?[ \t]*(?:#[ \t].*)?$/s;
const LABELS_EXPECTED = 'its labels are not NAME="VALUE", separated by commas';

/** The sample of a line, or why it cannot be read; undefined when nobody needs it. */
function readSample(
  line: string,
  histograms: ReadonlySet<string>,
  isCut: boolean,
): Sample | string | undefined {
  const plainName = matchAt(NAME, line, 0);
  let at = plainName.length;
  let part = at === 0 ? undefined : partOf(plainName, histograms);
  if (at > 0 && part === undefined) return undefined;
  if (part?.role === "composite") return composite(part.family, isCut);
  if (line.length > MOST_LINE) return "it is longer than 1 MiB";
  let name = plainName;
  let le: string | undefined;
  const labels: [string, string][] = [];
  at = skipSpaces(line, at);
  if (line[at] === "{") {
    at = skipSpaces(line, at + 1);
    while (line[at] !== "}") {
      const quoted = line[at] === '"' ? quotedAt(line, at) : undefined;
      const key = quoted?.text ?? matchAt(LABEL_NAME, line, at);
      if (key === "" && quoted === undefined) return LABELS_EXPECTED;
      at = skipSpaces(line, quoted?.end ?? at + key.length);
      if (line[at] === "=") {
        const value = quotedAt(line, skipSpaces(line, at + 1));
        if (value === undefined) return LABELS_EXPECTED;
        if (key === "le") {
          if (le !== undefined && le !== value.text) return "it has the label le twice";
          le = value.text;
        } else labels.push([key, value.text]);
        at = skipSpaces(line, value.end);
      } else {
        // A metric's name that needs quotes stands among the labels (Prometheus, UTF-8 names).
        if (name !== "" || quoted === undefined) return LABELS_EXPECTED;
        name = key;
        part = partOf(name, histograms);
        if (part === undefined) return undefined;
        if (part.role === "composite") return composite(part.family, isCut);
      }
      if (line[at] === ",") at = skipSpaces(line, at + 1);
      else if (line[at] !== "}") return LABELS_EXPECTED;
    }
    at++;
  }
  if (part === undefined) return "it does not start with a metric name";
  const attributes = Object.fromEntries(labels);
  if (Object.keys(attributes).length < labels.length) return "it has a label twice";
  const { family, role } = part;
  const [, text = ""] = VALUE.exec(line.slice(at)) ?? [];
  const value = exposedNumber(text);
  return value === undefined
    ? "its value is not a number"
    : { family, role, labels: attributes, le, value, isCut };
}

/** A bucket's label: `le`, or `vmrange` of VictoriaMetrics, whose buckets are ranges and do not cumulate. */
const BUCKET_LABEL = /[{,][ \t]*(le|vmrange)[ \t]*=/;

/** Notes a metric that has buckets, if the line is a sample of one. */
function noteBuckets(line: string, untyped: Map<string, string>): void {
  if (!line.includes('le="') && !line.includes('vmrange="')) return;
  const name = matchAt(NAME, line, 0);
  const [, label] = BUCKET_LABEL.exec(line.slice(0, MOST_LINE)) ?? [];
  if (name === "" || label === undefined || untyped.has(name)) return;
  untyped.set(
    detached(name),
    label === "vmrange" ? VMRANGE : "it has buckets, but no line declares its TYPE as histogram",
  );
}

/** Why the buckets of VictoriaMetrics' library cannot be used. */
export const VMRANGE = "its buckets are VictoriaMetrics' vmrange, which have no bound le";

/** A sample with the family's own name, which only a whole histogram has (OpenMetrics 2.0). */
function composite(family: string, isCut: boolean): Sample {
  return { family, role: "composite", labels: {}, le: undefined, value: NaN, isCut };
}

/** The family, if it is a histogram or the target's, that a sample of that name belongs to. */
function partOf(
  name: string,
  histograms: ReadonlySet<string>,
): Pick<Sample, "family" | "role"> | undefined {
  if (name === "target_info") return { family: name, role: "target" };
  for (const role of ["bucket", "sum", "count", "created"] as const) {
    if (!name.endsWith(`_${role}`)) continue;
    const family = name.slice(0, -role.length - 1);
    if (histograms.has(family)) return { family, role };
  }
  return histograms.has(name) ? { family: name, role: "composite" } : undefined;
}

function skipSpaces(line: string, at: number): number {
  while (line[at] === " " || line[at] === "\t") at++;
  return at;
}

/** The part of the line at `at` that matches a sticky expression; empty when none does. */
function matchAt(expression: RegExp, line: string, at: number): string {
  expression.lastIndex = at;
  return expression.exec(line)?.[0] ?? "";
}

/**
 * The text in quotes that begins at `at`, unescaped, and where it ends; undefined when there is none. A loop, because an
 * expression would use V8's stack for every character.
 */
function quotedAt(
  line: string,
  at: number,
): { readonly text: string; readonly end: number } | undefined {
  if (line[at] !== '"') return undefined;
  let end = at + 1;
  for (;; end++) {
    end = line.indexOf('"', end);
    if (end < 0) return undefined;
    let slashes = 0;
    while (line[end - 1 - slashes] === "\\") slashes++;
    if (slashes % 2 === 0) break;
  }
  return { text: unescapeExposed(line.slice(at + 1, end)), end: end + 1 };
}

/** Parses a number as Go prints it; undefined for anything else. */
export function exposedNumber(text: string): number | undefined {
  if (/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text)) return Number(text);
  if (/^\+?inf(inity)?$/i.test(text)) return Infinity;
  if (/^-inf(inity)?$/i.test(text)) return -Infinity;
  return /^[+-]?nan$/i.test(text) ? NaN : undefined;
}

function unescapeExposed(text: string): string {
  return text.includes("\\")
    ? text.replace(
      /\\(.)/g,
      (whole, c: string) => c === "n" ? "\n" : c === "\\" || c === '"' ? c : whole,
    )
    : text;
}
