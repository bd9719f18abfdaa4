import assert from "node:assert/strict";
import { UsageError } from "../../src/platform/errors.ts";
import type { SendFlags } from "../../src/settings/settings.ts";
import { type SourceConfig, sourceConfig } from "../../src/source/source_config.ts";

const SCHEDULE = { intervalMs: 60_000, iterations: Infinity, durationMs: Infinity };

const source = (flags: SendFlags, { loop = false, spool = false } = {}): SourceConfig =>
  sourceConfig(flags, { ...SCHEDULE, loop }, spool, () => undefined);
/** Why it is refused. */
function refusal(flags: SendFlags, given = {}): string {
  try {
    source(flags, given);
  } catch (thrown) {
    assert.ok(thrown instanceof UsageError, String(thrown));
    return thrown.message;
  }
  return "not refused";
}
/** An expression is looked for in the message; a text is all of it. */
function refused(flags: SendFlags, message: string | RegExp, given = {}): void {
  if (typeof message === "string") assert.equal(refusal(flags, given), message);
  else assert.match(refusal(flags, given), message);
}

Deno.test("sourceConfig() sends samples when nothing is named", () => {
  assert.deepEqual(source({}), { kind: "sample" });
  assert.deepEqual(source({ metric: "m", exponential: true, maxSeries: "5" }), { kind: "sample" });
});

Deno.test("sourceConfig() takes given values in their order", () => {
  assert.deepEqual(source({ value: ["3", "1.5", "0", "3"] }), {
    kind: "values",
    values: [3, 1.5, 0, 3],
  });
});

const INPUT = {
  kind: "input",
  paths: ["-"],
  follow: false,
  format: "auto",
  isUnitAssumed: true,
  pattern: undefined,
  logFormat: undefined,
  pathFields: undefined,
  delimiter: undefined,
  columns: undefined,
  decimalComma: undefined,
  unwrap: undefined,
  values: [{ field: "value", metric: undefined }],
  attrFields: undefined,
  where: [],
  scale: 1,
  time: undefined,
  timeZone: undefined,
  ownArguments: ["--input", "-"],
  notOfExpositions: [],
};

Deno.test("sourceConfig() fills in what an input leaves out", () => {
  assert.deepEqual(source({ input: ["-"] }), INPUT);
});

Deno.test("sourceConfig() takes an input with all that describes it", () => {
  assert.deepEqual(
    source({
      input: ["a.csv"],
      inputFormat: "csv",
      valueField: ["ms"],
      attrField: ["status=http.status", "host", "a=b=c"],
      scale: "1e3",
      timeField: "at",
      lateness: "5",
    }),
    {
      ...INPUT,
      paths: ["a.csv"],
      format: "csv",
      isUnitAssumed: false,
      values: [{ field: "ms", metric: undefined }],
      attrFields: [
        { name: "status", key: "http.status" },
        { name: "host", key: "host" },
        { name: "a", key: "b=c" },
      ],
      scale: 1000,
      time: { field: "at", format: "auto", intervalMs: 60_000, latenessMs: 5000 },
      timeZone: undefined,
      ownArguments: [
        "--input",
        "-",
        ...["--input-format", "csv", "--value-field", "ms", "--attr-field", "status=http.status"],
        ...["--attr-field", "host", "--attr-field", "a=b=c", "--scale", "1e3"],
        ...["--time-field", "at", "--lateness", "5"],
      ],
      notOfExpositions: ["--value-field", "--attr-field", "--scale", "--time-field"],
    },
  );
});

Deno.test("sourceConfig() is synthetic when any of its flags is given", () => {
  const flags: readonly SendFlags[] = [
    { series: "3" },
    { count: "3" },
    { distribution: "constant(3)" },
    { seed: "3" },
  ];
  for (const given of flags) assert.equal(source(given).kind, "synthetic");
  assert.equal(source({ rate: "3" }, { loop: true }).kind, "synthetic");
});

Deno.test("sourceConfig() takes what is synthetic as it is given", () => {
  const config = source({ series: "3", count: "7", seed: " x", distribution: "constant(4)" });
  assert.ok(config.kind === "synthetic");
  const { draw, ...rest } = config;
  assert.deepEqual(rest, { kind: "synthetic", series: 3, count: 7, rate: undefined, seed: " x" });
  assert.equal(draw(() => 0.5), 4);
  assert.deepEqual(source({ scenario: "s", rate: "0.5", count: "9" }), {
    kind: "scenario",
    isLimited: false,
    path: "s",
    count: 9,
    rate: 0.5,
    seed: undefined,
  });
});

Deno.test("sourceConfig() refuses two sources and names both", () => {
  const sources: readonly (readonly [string, SendFlags])[] = [
    ["--value", { value: ["1"] }],
    ["--since", { since: "1" }],
    ["--input", { input: ["-"] }],
    ["--scrape", { scrape: "http://h" }],
    ["--scenario", { scenario: "s" }],
    ["--series", { series: "1" }],
  ];
  for (const [i, [one, first]] of sources.entries()) {
    for (const [other, second] of sources.slice(i + 1)) {
      refused(
        { ...second, ...first },
        `${one} and ${other} cannot be used together: choose one data source`,
      );
    }
  }
  for (const key of ["count", "rate", "distribution", "seed"] as const) {
    refused(
      { value: ["1"], [key]: "1" },
      new RegExp(`^--value and --${key} cannot be used together`),
    );
    refused(
      { input: ["-"], [key]: "1" },
      new RegExp(`^--input and --${key} cannot be used together`),
    );
  }
  refused(
    { scenario: "s", distribution: "constant(1)" },
    /^--scenario and --distribution cannot be used together/,
  );
});

Deno.test("sourceConfig() refuses what applies to an input where there is none", () => {
  refused({ inputFormat: "csv" }, /^--input-format applies to an input/);
  refused({ valueField: ["v"], series: "2" }, /^--value-field applies to an input/);
  refused({ attrField: ["a"], value: ["1"] }, /^--attr-field applies to an input/);
  refused({ scale: "2", scenario: "s" }, /^--scale applies to an input/);
});

Deno.test("sourceConfig() refuses fields of an input without fields", () => {
  const text = { input: ["-"], inputFormat: "text" };
  refused({ ...text, valueField: ["v"] }, /^--value-field has no effect with --input-format text/);
  refused({ ...text, attrField: ["v"] }, /^--attr-field has no effect with --input-format text/);
  assert.equal(source({ ...text, scale: "2" }).kind, "input");
});

Deno.test("sourceConfig() takes the format that a flag belongs to, and no other", () => {
  const format = (flags: SendFlags) => {
    const config = source({ input: ["-"], ...flags });
    return config.kind === "input" && config.format;
  };
  assert.equal(format({ pattern: "(?<value>\\d+)" }), "pattern");
  assert.equal(format({ delimiter: ";" }), "csv");
  assert.equal(format({ delimiter: "tab", inputFormat: "csv" }), "csv");
  const input = { input: ["-"] };
  refused({ ...input, delimiter: ";", inputFormat: "ndjson" }, /^--delimiter has no effect with/);
  assert.equal(format({ columns: "a,value" }), "csv");
  assert.equal(format({ columns: "a,value", inputFormat: "tsv" }), "tsv");
  refused({ ...input, columns: "a", inputFormat: "text" }, /^--columns has no effect with/);
  refused(
    { ...input, unwrap: "msg", inputFormat: "csv" },
    /^--unwrap reads a JSON field, but the input is csv/,
  );
  refused(
    { ...input, pathTemplate: ["path"], inputFormat: "csv" },
    /^Invalid --path-template "path"/,
  );
  refused(
    { ...input, pathTemplate: ["path"], attrField: ["p"] },
    /^Invalid --path-template "path"/,
  );
  assert.equal(format({ logFormat: "$status" }), "pattern");
  refused(
    { ...input, logFormat: "$status", pattern: "(?<a>.)" },
    /^--pattern and --log-format cannot be used together/,
  );
  refused({ ...input, pattern: "(?<a>.)", inputFormat: "csv" }, /^--pattern has no effect with/);
  refused({ ...input, inputFormat: "pattern" }, /^--input-format pattern requires --pattern/);
});

Deno.test("sourceConfig() refuses what says nothing about a time, or an exposition", () => {
  const input = { input: ["-"] };
  refused({ ...input, lateness: "1" }, /^--lateness applies to the time of a line/);
  refused({ ...input, timeFormat: "s" }, /^--time-format applies to the time of a line/);
  const zoned = { ...input, timeZone: "+02:00" };
  refused(zoned, /^--time-zone applies to the time of a line/);
  refused({ ...zoned, where: ["status>2"] }, /^--time-zone applies to the time of a line/);
  const compared = source({ ...zoned, where: ["at>=2026-01-31 12:00"] });
  assert.equal("timeZone" in compared && compared.timeZone?.offsetAt(0), 7_200_000);
  refused({ input: ["-", "a", "-"] }, /^--input - is set twice/);
  for (const key of ["metric", "unit", "buckets", "valueField", "timeField"] as const) {
    refused(
      { ...input, inputFormat: "prometheus", [key]: "x" },
      /has no effect on a Prometheus exposition/,
    );
  }
});

Deno.test("sourceConfig() measures the time since a time, in a unit of time", () => {
  const start = (since: string, unit = "s") => {
    const config = source({ since, unit });
    return config.kind === "since" && [config.start, config.unitMs];
  };
  assert.deepEqual(start("1700000000"), [1_700_000_000_000, 1000]);
  assert.deepEqual(start("1700000000.25", "min"), [1_700_000_000_250, 60_000]);
  assert.deepEqual(start("2023-11-14T23:13:20+01:00", "ms"), [1_700_000_000_000, 1]);
  refused({ since: "1700000000.N" }, /^Invalid --since "1700000000.N" \(command line\): expected/);
  refused({ since: "2023-11-14T23:13:20" }, /^Invalid --since/);
  refused(
    { since: "1", unit: "By" },
    /"By" \(command line\) is not a unit of time: set --unit s, ms,/,
  );
  refused({ since: "1" }, "--since is one measurement: remove --loop", { loop: true });
});

Deno.test("sourceConfig() scrapes in a loop, and keeps credentials out of the URL", () => {
  const config = source({ scrape: "https://us%40er:p%C3%A4ss@h:9/m?token=t" }, { loop: true });
  assert.ok(config.kind === "scrape");
  assert.equal(config.url.href, "https://h:9/m?token=t");
  assert.equal(config.shown, "https://***:***@h:9/m?token=***");
  assert.deepEqual(config.headers, [["authorization", "Basic dXNAZXI6cMOkc3M="]]);
  refused({ scrape: "http://h" }, /^--scrape sends the increase between two scrapes: add --loop/);
  refused({ scrape: "http://h", dryRun: true }, /^--dry-run cannot be used with --scrape/);
  refused({ scrapeHeader: ["a=b"] }, /^--scrape-header applies to a Prometheus endpoint/);
  refused({ scrape: "http://h", metric: "m" }, /^--metric has no effect with --scrape/);
});

Deno.test("sourceConfig() refuses a metric beside a scenario", () => {
  for (const key of ["metric", "unit", "description", "buckets"] as const) {
    refused({ scenario: "s", [key]: "x" }, new RegExp(`^--${key} has no effect with --scenario`));
  }
  refused({ scenario: "s", exponential: true }, /^--exponential has no effect with --scenario/);
});

Deno.test("sourceConfig() sends only the spool for a count of 0", () => {
  const spool = { spool: true };
  assert.deepEqual(source({ count: "0" }, spool), { kind: "spool" });
  assert.deepEqual(source({ count: "0.0" }, spool), { kind: "spool" });
  refused({ count: "0" }, /^--count 0 sends only what is in the spool: set its directory/);
  refused({ count: "0" }, "--count 0 records nothing: remove --loop", { ...spool, loop: true });
  for (const key of ["series", "rate", "distribution", "seed", "scenario"] as const) {
    refused({ count: "0", [key]: "1" }, `--count 0 records nothing: remove --${key}`, spool);
  }
});

Deno.test("sourceConfig() refuses a rate that has no end, or two amounts", () => {
  refused({ rate: "5" }, /^--rate requires an end in a single send/);
  refused({ scenario: "s", rate: "5" }, /^--rate requires an end in a single send/);
  refused({ rate: "5", count: "5" }, /^--rate and --count both set/, { loop: true });
  assert.equal(source({ rate: "5", count: "5" }).kind, "synthetic");
});

Deno.test("sourceConfig() names the value that it refuses, and what would be right", () => {
  const cases: readonly (readonly [SendFlags, string])[] = [
    [{ value: ["1", "-2"] }, '--value "-2" (command line): expected a number, 0 or more'],
    [{ value: [""] }, '--value "" (command line)'],
    [{ input: [" "] }, '--input " " (command line): expected a file, or - for standard input'],
    [
      { input: ["-"], inputFormat: "xml" },
      '--input-format "xml" (command line): expected "auto" or',
    ],
    [{ input: ["-"], valueField: [""] }, '--value-field "" (command line): expected the name'],
    [{ input: ["-"], attrField: ["=k"] }, '--attr-field "=k" (command line): expected NAME, or'],
    [
      { input: ["-"], scale: "-1" },
      '--scale "-1" (command line): expected a number above 0',
    ],
    [{ series: "0" }, '--series "0" (command line): expected a whole number from 1 to 1000000'],
    [{ series: "1e7" }, '--series "1e7" (command line): expected a whole number from 1 to'],
    [{ count: "-1" }, '--count "-1" (command line): expected a whole number, 1 or more'],
    [{ count: "1", rate: "0" }, '--rate "0" (command line): expected a number of measurements'],
    [{ distribution: "x" }, '--distribution "x" (command line): expected constant(x), '],
  ];
  for (const [flags, text] of cases) {
    const message = refusal(flags);
    assert.ok(message.startsWith(`Invalid ${text}`), message);
  }
});

Deno.test("sourceConfig() replays a file, and refuses what would do nothing then", () => {
  assert.deepEqual(source({ replay: "f" }), {
    kind: "replay",
    path: "f",
    retime: false,
    speed: undefined,
  });
  assert.deepEqual(source({ replay: "-", retime: true, speed: "0.5" }), {
    kind: "replay",
    path: "-",
    retime: true,
    speed: 0.5,
  });
  refused({ retime: true }, "--retime applies to a replay: add --replay FILE");
  refused({ speed: "1" }, "--speed applies to a replay: add --replay FILE");
  refused({ replay: "f", value: ["1"] }, /^--value and --replay cannot be used together/);
  refused({ replay: "f", series: "2" }, /^--replay and --series cannot be used together/);
  refused(
    { replay: "f", attr: ["a=b"] },
    "--attr has no effect with --replay, which sends requests unchanged: remove it",
  );
  refused(
    { replay: "f" },
    "--replay sends every request of its file once: remove --loop",
    { loop: true },
  );
});
