import assert from "node:assert/strict";
import fc from "fast-check";
import { seededRandom } from "../../../src/source/generate/random.ts";
import { SETTINGS } from "../../../src/settings/settings_table.ts";
import { type Condition, parseCondition } from "../../../src/source/input/where.ts";
import { bytesOf, type Options, patternOf, pieces, readChunks, type Whole } from "./reading.ts";

// Every format against a reader that is as plain as possible, over random lines: split or a regular expression, and Date.

const LINES = 100_000;

type PlainFields = Readonly<Record<string, string | undefined>>;
/** A line's fields; undefined when it is none of the format, "blank" when it counts as nothing, "unmatched" when a pattern skips it. */
type PlainReader = (line: string) => PlainFields | undefined | "blank" | "unmatched";

interface Format {
  readonly options: Options;
  readonly read: PlainReader;
  readonly line: (random: () => number, index: number) => string;
  readonly header?: string;
}

export function condition(text: string): Condition {
  const parsed = parseCondition(text);
  if ("expected" in parsed) throw new Error(parsed.expected);
  return parsed;
}

const UNITS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  "µs": 1e-3,
  ms: 1,
  s: 1e3,
  m: 60e3,
  h: 3600e3,
};

/** In ms; undefined when the text is not a value. */
function plainValue(text: string | undefined): number | undefined {
  const parts = /^((?:\d+\.?\d*(?:ns|us|µs|ms|s|m|h))+)$/.exec(text ?? "");
  if (parts === null) return /^\d+(\.\d+)?$/.test(text ?? "") ? Number(text) : undefined;
  let sum = 0;
  for (const [, number, unit = ""] of parts[0].matchAll(/([\d.]+)(ns|us|µs|ms|s|m|h)/g)) {
    sum += Number(number) * (UNITS[unit] ?? NaN);
  }
  return sum;
}

/** By way of Date, which reads RFC 3339, and the common log format when it is turned around. */
function plainTime(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text) * (text.length > 12 ? 1 : 1000);
  const clf = /^(\d\d)\/(\w{3})\/(\d{4}):([\d:]{8}) ([+-]\d{4})$/.exec(text);
  const time = clf === null
    ? Date.parse(text)
    : Date.parse(`${clf[1]} ${clf[2]} ${clf[3]} ${clf[4]} GMT${clf[5]}`);
  return time >= 0 ? time : undefined;
}

function one<T>(list: readonly T[], random: () => number): T {
  const found = list[Math.floor(random() * list.length)];
  if (found === undefined) throw new RangeError("nothing to choose from");
  return found;
}

const METHODS = ["GET", "POST", "PUT", "DELETE"];
const STATUSES = ["200", "201", "404", "500"];
const VALUES = ["12", "0.5", "12ms", "1.5s", "340µs", "1m2.5s", "1h3m", "250us", "7ns", "0"];

const someValue = (random: () => number) =>
  random() < 0.02 ? "fast" : random() < 0.5 ? (random() * 500).toFixed(3) : one(VALUES, random);
const someInstant = (random: () => number) =>
  new Date(Math.floor(random() * 4e12 / 1000) * 1000 + Math.floor(random() * 1000));
const rfc3339 = (random: () => number) => {
  const iso = someInstant(random).toISOString();
  const offset = one(["Z", "Z", "+00:00", "-07:00", "+05:45", "+13:00"], random);
  return random() < 0.02 ? "yesterday" : `${iso.slice(0, -1)}${offset}`;
};
const MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");
const clf = (random: () => number) => {
  const date = someInstant(random);
  const iso = date.toISOString();
  const month = MONTHS[date.getUTCMonth()];
  const offset = one(["+0000", "-0700", "+0545"], random);
  return `${iso.slice(8, 10)}/${month}/${iso.slice(0, 4)}:${iso.slice(11, 19)} ${offset}`;
};

const COMMON = {
  attrFields: [{ name: "method", key: "http.method" }, { name: "status", key: "status" }],
  where: [condition("status!=404"), condition("method~^(GET|POST)$")],
  unit: "ms",
  timeField: "time",
} as const;

const cells = (random: () => number) => [
  rfc3339(random),
  one(METHODS, random),
  one([...STATUSES, ""], random),
  someValue(random),
  `/item/${Math.floor(random() * 1e6)}`,
];
const NAMES = ["time", "method", "status", "value", "path"];
const separated = (separator: string): Format => ({
  options: { ...COMMON, format: separator === "\t" ? "tsv" : "csv" },
  header: NAMES.join(separator),
  line: (random) => random() < 0.01 ? "# comment" : cells(random).join(separator),
  read(line) {
    if (line === "") return "blank";
    const split = line.split(separator);
    return split.length === 5
      ? Object.fromEntries(NAMES.map((name, i) => [name, split[i]]))
      : undefined;
  },
});

const COMBINED =
  /^(\S+) \S+ (\S+) \[([^\]]+)\] "((?:[^"\\]|\\.)*)" (\d{3}|-) (\d+|-)(?: "(?:[^"\\]|\\.)*" "(?:[^"\\]|\\.)*")?((?: (?:"[^"]*"|\S+))*)$/;
const REQUESTS = [
  "-",
  "\\x16\\x03\\x01\\x02\\x00\\x01",
  'GET /a\\"b HTTP/1.1',
  "GET /",
  "PRI * HTTP/2.0",
  "\\x22 x",
];

const FORMATS: Readonly<Record<string, Format>> = {
  csv: separated(","),
  "csv with semicolons": separated(";"),
  tsv: separated("\t"),
  ndjson: {
    options: { ...COMMON, format: "ndjson" },
    line(random) {
      const [time, method, status, value, path] = cells(random);
      const number = Number(value);
      const written = Number.isNaN(number) || random() < 0.2 ? value : number;
      const code = status === "" ? undefined : random() < 0.5 ? Number(status) : status;
      const line = { time, path, method, status: code, value: written };
      return random() < 0.3 ? JSON.stringify(line).replaceAll(":", ": ") : JSON.stringify(line);
    },
    read(line) {
      if (line === "") return "blank";
      try {
        const parsed: Record<string, unknown> = JSON.parse(line);
        return Object.fromEntries(
          Object.entries(parsed).map(([key, value]) => [key, String(value)]),
        );
      } catch {
        return undefined;
      }
    },
  },
  logfmt: {
    options: { ...COMMON, format: "logfmt" },
    line(random) {
      const [time, method, status, value, path] = cells(random);
      const pairs = [
        `time=${random() < 0.3 ? `"${time}"` : time}`,
        `method=${method}`,
        status === "" ? "status" : `status="${status}"`,
        `value=${value}`,
        `path=${path}`,
        'msg="a \\"quoted\\" value=7 text"',
        "bare",
      ];
      // In any order, and with blanks around.
      return pairs.map((pair) => [random(), pair] as const).sort(([a], [b]) => a - b)
        .map(([, pair]) => pair).join(random() < 0.1 ? "  " : " ");
    },
    read(line) {
      if (line.trim() === "") return "blank";
      const fields: Record<string, string> = {};
      for (
        const [, key = "", quoted, plain] of line.matchAll(
          /(?<=^| )([^ ="]+)(?:="((?:[^"\\]|\\.)*)"|=([^ ]*))?(?= |$)/g,
        )
      ) fields[key] = quoted?.replaceAll('\\"', '"') ?? plain ?? "";
      return line.includes("broken") ? undefined : fields;
    },
  },
  combined: {
    options: { ...COMMON, format: "combined", valueField: "request_time" },
    line(random) {
      const request = random() < 0.1
        ? one(REQUESTS, random)
        : `${one(METHODS, random)} /item/${Math.floor(random() * 1e6)}?q=1 HTTP/1.1`;
      const user = one(["-", "frank"], random);
      const bytes = one(["-", "0", "1234"], random);
      const start = `10.0.0.${Math.floor(random() * 9)} - ${user} [${clf(random)}] "${request}" ${
        one(STATUSES, random)
      } ${bytes}`;
      const browser = random() < 0.2 ? "" : ' "-" "Mozilla/5.0 (X11; \\"Linux\\")"';
      const behind = one(
        ["", ` ${(random() * 2).toFixed(3)}`, ` ${(random() * 2).toFixed(3)}`, " 5 6", ' "-" 7'],
        random,
      );
      return `${start}${browser}${browser === "" && behind.includes('"') ? "" : behind}`;
    },
    read(line) {
      if (line === "") return "blank";
      const match = COMBINED.exec(line);
      if (match === null) return undefined;
      const [, remote_addr, user, time, request = "", status, bytes, rest = ""] = match;
      const [, method, path, protocol] = /^([A-Za-z]+) (\S+?)(?: (HTTP\/\S+))?$/.exec(request) ??
        [];
      const numbers = rest.match(/(?<= |")\d+(\.\d+)?(?= |"|$)/g) ?? [];
      return {
        remote_addr,
        user,
        time,
        method,
        path,
        protocol,
        status,
        bytes,
        ...numbers.length === 1 ? { request_time: numbers[0] } : {},
      };
    },
  },
  pattern: {
    options: {
      ...COMMON,
      format: "pattern",
      pattern: patternOf(
        "^(?<time>\\S+) (?<method>\\S+) (?<status>\\d*) (?P<path>\\S+) took (?<value>\\S+)$",
      ),
    },
    line(random) {
      const [time, method, status, value, path] = cells(random);
      return `${time} ${method} ${status} ${path} ${random() < 0.01 ? "" : "took "}${value}`;
    },
    read(line) {
      if (line.trim() === "") return "blank";
      const words = line.split(" ");
      const [time, method, status, path, took, value] = words;
      return words.length === 6 && took === "took"
        ? { time, method, status, path, value }
        : "unmatched";
    },
  },
  text: {
    options: { format: "text", unit: "ms", where: [condition("value!=12")] },
    line: (random) => random() < 0.01 ? "# comment" : someValue(random),
    read: (line) => line === "" || line.startsWith("#") ? "blank" : { value: line },
  },
};

interface Told {
  readonly measured:
    readonly (readonly [value: number, attributes: string, time: number | undefined])[];
  readonly invalid: readonly number[];
  readonly skipped: number;
  readonly blank: number;
}

function tell(lines: readonly string[], first: number, { options, read }: Format): Told {
  const { where = [], attrFields = [], valueField = "value", timeField } = options;
  const measured: [number, string, number | undefined][] = [];
  const invalid: number[] = [];
  let [skipped, blank] = [0, 0];
  lines.forEach((line, i) => {
    const fields = read(line);
    if (fields === "blank") return blank++;
    if (fields === "unmatched") return skipped++;
    if (fields === undefined) return invalid.push(first + i);
    if (!where.every(({ field, holds }) => holds(fields[field]))) return skipped++;
    const value = plainValue(fields[valueField]);
    const time = timeField === undefined ? 0 : plainTime(fields[timeField]);
    if (value === undefined || time === undefined) return invalid.push(first + i);
    const attributes = attrFields.flatMap(({ name, key }) => {
      const text = fields[name];
      return text === undefined || text === "" ? [] : [`${key}=${text}`];
    });
    return measured.push([value, attributes.join(), timeField === undefined ? undefined : time]);
  });
  return { measured, invalid, skipped, blank };
}

function compare(told: Told, read: Whole): void {
  const { measurements, times, invalid, input: { progress } } = read;
  const odd = invalid.find(([line], i) => line !== told.invalid[i]);
  assert.deepEqual(odd, undefined);
  assert.equal(invalid.length, told.invalid.length);
  assert.equal(progress.skipped, told.skipped);
  assert.equal(measurements.length, told.measured.length);
  measurements.forEach(([value, attributes], i) => {
    const [plain = NaN, text, time] = told.measured[i] ?? [];
    // 340 µs are 340 / 1000 ms, or 340 * 0.001.
    const same = Math.abs(value - plain) <= 1e-12 * plain &&
      Object.entries(attributes).map(([key, value]) => `${key}=${value}`).join() === text &&
      (times[i] === time || Math.abs((times[i] ?? NaN) - (time ?? NaN)) < 1e-3);
    if (!same) assert.deepEqual([value, attributes, times[i]], told.measured[i]);
  });
}

for (const [name, format] of Object.entries(FORMATS)) {
  Deno.test(`readInput() reads 100,000 random lines of ${name} as a plain reader does`, async () => {
    const random = seededRandom(name);
    const lines = Array.from(
      { length: LINES },
      (_, i) => random() < 0.01 ? "" : format.line(random, i),
    );
    const before = format.header === undefined ? [] : [format.header];
    const told = tell(lines, before.length + 1, format);
    const bytes = bytesOf(`${[...before, ...lines].join("\n")}\n`);
    const read = await readChunks(pieces(bytes, 65_536), format.options);
    compare(told, read);
    assert.equal(
      told.measured.length + told.invalid.length + told.skipped + told.blank,
      LINES,
    );
    assert.ok(told.measured.length > LINES / 10);
  });

  Deno.test(`readInput() reads ${name} alike when it is cut at any byte`, async () => {
    const random = seededRandom(`${name}, cut`);
    const lines = Array.from({ length: 8 }, (_, i) => format.line(random, i));
    const before = format.header === undefined ? [] : [format.header];
    const bytes = bytesOf(["\ufeff", ...before, ...lines].join("\r\n").replace("\r\n", ""));
    const whole = await readChunks([bytes], format.options);
    for (let at = 0; at <= bytes.length; at++) {
      const cut = await readChunks([bytes.slice(0, at), bytes.slice(at)], format.options);
      assert.deepEqual(
        [cut.measurements, cut.times, cut.invalid, cut.input.progress.skipped],
        [whole.measurements, whole.times, whole.invalid, whole.input.progress.skipped],
      );
    }
  });
}

const TOKENS = [
  ...["value", "time", "method", "status", "=", '"', "\\", " ", "\n", "\r\n", ",", ";", "\t", "#"],
  ...["[", "]", "10/Oct/2000:13:55:36 -0700", "2026-01-31T12:00:00Z", "GET / HTTP/1.1", "-", "{"],
  ...["}", ":", "12ms", "5", "200", "1.5", "h", "é", "\u0000", "\ufeff", '" 200 5 "-" "-" 0.5'],
  ...['10.0.0.1 - - [10/Oct/2000:13:55:36 -0700] "', '"bounds":[1],"counts":[1,2]', "took"],
];
const fuzzed = fc.array(fc.constantFrom(...TOKENS), { maxLength: 60 }).map((tokens) =>
  tokens.join("")
);

/** Blank or, in plain numbers, a comment. */
function isNothing(format: string, line: string): boolean {
  if (format === "w3c") return /^#|^\r?$/.test(line);
  if (format === "combined") return /^[ \t]*\r?$/.test(line);
  if (format === "logfmt" || format === "pattern") return /^[\t-\r ]*$/.test(line);
  return line.trim() === "" || (format === "text" && line.trim().startsWith("#"));
}

/** The first line of each format that has a header. */
const FIRST_LINES: Readonly<Record<string, string>> = {
  w3c: "#Fields: time method status value\n",
  csv: "time,method,status,value\n",
  tsv: "time\tmethod\tstatus\tvalue\n",
};

const { choices } = SETTINGS.inputFormat;
for (const format of choices.filter((it) => it !== "auto" && it !== "prometheus")) {
  Deno.test(`readInput() counts every line of damaged ${format} once, cut anywhere`, () =>
    fc.assert(
      fc.asyncProperty(fuzzed, fc.integer({ min: 1, max: 50 }), async (text, size) => {
        const options: Options = {
          ...COMMON,
          ...format === "text"
            ? { attrFields: [], where: [condition("value!=5")], timeField: undefined }
            : {},
          format,
          valueField: format === "combined" ? "request_time" : "value",
          pattern: patternOf("(?<time>\\S+) (?<method>\\S+) (?<status>\\S+) (?<value>\\S+)"),
        };
        const first = FIRST_LINES[format] ?? "7\n";
        const bytes = bytesOf(first + text);
        const whole = await readChunks([bytes], options);
        const cut = await readChunks(pieces(bytes, size), options);
        assert.deepEqual(
          [cut.measurements, cut.times, cut.histograms, cut.invalid, cut.input.progress.skipped],
          [
            whole.measurements,
            whole.times,
            whole.histograms,
            whole.invalid,
            whole.input.progress.skipped,
          ],
        );
        const { measurements, histograms, invalid, skipped, lines } = whole.input.progress;
        const split = (first + text).split("\n");
        assert.equal(lines, split.length - (split.at(-1) === "" ? 1 : 0));
        if (format === "csv" || format === "tsv") {
          assert.ok(measurements + histograms + invalid + skipped < lines);
        } else {
          const counted = split.filter((line) => !isNothing(format, line));
          assert.equal(measurements + histograms + invalid + skipped, counted.length);
        }
      }),
      { seed: 20_261_124, numRuns: 500 },
    ));
}
