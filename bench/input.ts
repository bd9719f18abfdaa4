/**
 * How fast measurements are read from files and recorded, each time by a new process: start, file, parsing, histogram.
 *
 *     deno run -A bench/input.ts [LINES] [ROUNDS] [NAME]
 *
 * A million lines, the median of five rounds, and every input unless told otherwise; NAME is a part of its name. The files are made anew, in a temporary folder.
 */
import { systemClock } from "../src/base/clock.ts";
import { readInput } from "../src/measurements/input/input.ts";
import { parsePattern } from "../src/measurements/input/pattern.ts";
import { parseCondition } from "../src/measurements/input/where.ts";
import { seededRandom } from "../src/measurements/generate/random.ts";
import { recorder } from "../src/otlp/recorder.ts";
import { type Cost, cost, inTempFolder, machine, median, table } from "./support.ts";

interface Case {
  readonly name: string;
  readonly header?: string;
  readonly line: (index: number, random: () => number) => string;
  readonly options?: CaseOptions;
}

/** What the new process is told, as JSON. */
interface CaseOptions {
  readonly valueField?: string;
  readonly attrFields?: readonly string[];
  readonly timeField?: string;
  readonly where?: string;
  readonly pattern?: string;
}

const METHODS = ["GET", "GET", "POST", "PUT", "DELETE"] as const;
const STATUSES = [200, 200, 201, 404, 500] as const;

function one<T>(list: readonly T[], random: () => number): T | undefined {
  return list[Math.floor(random() * list.length)];
}

const access = (index: number, random: () => number) =>
  `{"time":"2026-01-31T12:00:${String(index % 60).padStart(2, "0")}+00:00","request_id":"${
    Math.floor(random() * 2 ** 48).toString(16)
  }","request":"GET /item/${index} HTTP/1.1","status":${one(STATUSES, random)},"request_method":"${
    one(METHODS, random)
  }","request_time":${(random() * 2).toFixed(3)}}`;

/** Two hundred lines a second. */
const instant = (index: number) => new Date(1_769_860_800_000 + index * 5);
const CLF_DAY = "31/Jan/2026";

const jmeter = (index: number, random: () => number) =>
  `${instant(index).getTime()},${Math.floor(random() * 500)},${
    one(["home", "search", "checkout"], random)
  },${one(STATUSES, random)}`;

const logfmt = (index: number, random: () => number) =>
  `time=${instant(index).toISOString()} level=INFO msg="request done" method=${
    one(METHODS, random)
  } path=/item/${index} status=${one(STATUSES, random)} duration=${(random() * 500).toFixed(3)}ms`;

const combined = (index: number, random: () => number) =>
  `10.0.${index % 250}.7 - - [${CLF_DAY}:${instant(index).toISOString().slice(11, 19)} +0000] "${
    one(METHODS, random)
  } /item/${index}?q=1 HTTP/1.1" ${one(STATUSES, random)} ${
    Math.floor(random() * 50_000)
  } "https://example.com/" "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0" ${
    (random() * 2).toFixed(3)
  }`;

const plainLog = (index: number, random: () => number) =>
  `${instant(index).toISOString()} INFO ${one(METHODS, random)} /item/${index} ${
    one(STATUSES, random)
  } took ${(random() * 500).toFixed(3)} ms`;
const PATTERN = "^(?<time>\\S+) \\S+ (?<method>\\S+) \\S+ (?<status>\\d+) took (?<ms>[\\d.]+) ms";

const CASES: readonly Case[] = [
  {
    name: "NDJSON, two attributes",
    line: (_, random) =>
      `{"value":${(random() * 500).toFixed(3)},"attributes":{"http.method":"${
        one(METHODS, random)
      }","http.status_code":${one(STATUSES, random)}}}`,
  },
  {
    name: "NDJSON, two attributes, values of 17 digits",
    line: (_, random) =>
      `{"value":${random() * 500},"attributes":{"http.method":"${
        one(METHODS, random)
      }","http.status_code":${one(STATUSES, random)}}}`,
  },
  {
    name: "NDJSON access log, unique ids in unused fields",
    line: access,
    options: { valueField: "request_time", attrFields: ["status", "request_method"] },
  },
  {
    name: "NDJSON access log, unique ids as an attribute",
    line: access,
    options: { valueField: "request_time", attrFields: ["status", "request_id"] },
  },
  {
    name: "CSV, two attributes",
    header: "value,method,status",
    line: (_, random) =>
      `${(random() * 500).toFixed(3)},${one(METHODS, random)},${one(STATUSES, random)}`,
    options: { attrFields: ["method", "status"] },
  },
  {
    name: "CSV, two attributes in quotes",
    header: "value,method,status",
    line: (_, random) =>
      `"${(random() * 500).toFixed(3)}","${one(METHODS, random)}","${one(STATUSES, random)}"`,
    options: { attrFields: ["method", "status"] },
  },
  { name: "plain numbers", line: (_, random) => (random() * 500).toFixed(3) },
  { name: "plain numbers with a unit", line: (_, random) => `${(random() * 0.5).toFixed(6)}s` },
  {
    name: "NDJSON access log, with its time",
    line: access,
    options: {
      valueField: "request_time",
      attrFields: ["status", "request_method"],
      timeField: "time",
    },
  },
  {
    name: "NDJSON access log, with a condition",
    line: access,
    options: {
      valueField: "request_time",
      attrFields: ["status"],
      where: "request_method~^(GET|POST|PUT|DELETE)$",
    },
  },
  {
    name: "CSV, two attributes and an epoch in ms",
    header: "timeStamp,elapsed,label,responseCode",
    line: jmeter,
    options: {
      valueField: "elapsed",
      attrFields: ["label", "responseCode"],
      timeField: "timeStamp",
    },
  },
  {
    name: "CSV, the same without the time",
    header: "timeStamp,elapsed,label,responseCode",
    line: jmeter,
    options: { valueField: "elapsed", attrFields: ["label", "responseCode"] },
  },
  {
    name: "logfmt, two attributes",
    line: logfmt,
    options: { valueField: "duration", attrFields: ["method", "status"] },
  },
  {
    name: "logfmt, two attributes and the time",
    line: logfmt,
    options: { valueField: "duration", attrFields: ["method", "status"], timeField: "time" },
  },
  {
    name: "combined, two attributes",
    line: combined,
    options: { valueField: "request_time", attrFields: ["method", "status"] },
  },
  {
    name: "combined, two attributes and the time",
    line: combined,
    options: { valueField: "request_time", attrFields: ["method", "status"], timeField: "time" },
  },
  {
    name: "pattern, two attributes",
    line: plainLog,
    options: { valueField: "ms", attrFields: ["method", "status"], pattern: PATTERN },
  },
  {
    name: "pattern, two attributes and the time",
    line: plainLog,
    options: {
      valueField: "ms",
      attrFields: ["method", "status"],
      timeField: "time",
      pattern: PATTERN,
    },
  },
];

async function write(path: string, { header, line }: Case, lines: number): Promise<void> {
  using file = await Deno.open(path, { write: true, create: true });
  const writer = file.writable.getWriter();
  const random = seededRandom("bench");
  const encoder = new TextEncoder();
  let text = header === undefined ? "" : `${header}\n`;
  for (let index = 0; index < lines; index++) {
    text += `${line(index, random)}\n`;
    if (text.length < 2 ** 20 && index < lines - 1) continue;
    await writer.write(encoder.encode(text));
    text = "";
  }
  await writer.close();
}

/** What the new process does. */
async function read(path: string, expected: number, options: CaseOptions) {
  const { valueField = "value", attrFields, timeField, where, pattern } = options;
  const input = readInput((await Deno.open(path)).readable, {
    format: pattern === undefined ? "auto" : "pattern",
    valueField,
    attrFields: attrFields?.map((name) => ({ name, key: name })),
    scale: 1,
    unit: "ms",
    timeField,
    where: where === undefined ? [] : [known(parseCondition(where))],
    pattern: pattern === undefined ? undefined : known(parsePattern(pattern)),
    onInvalid: (line, reason) => console.error(`${line}: ${reason}`),
  });
  const { record } = recorder({
    resource: {},
    instruments: [{
      name: "bench",
      unit: "ms",
      description: "",
      bounds: [5, 10, 25, 50, 75, 100, 250, 500, 1000, 2500, 5000],
      attributes: {},
    }],
    maxSeries: 10_000,
  }, systemClock);
  for await (const { measurements } of input) record(measurements);
  if (input.progress.measurements !== expected) {
    throw new Error(`${input.progress.measurements} measurements instead of ${expected}`);
  }
}

function known<T extends object>(parsed: T | { readonly expected: string }): T {
  if ("expected" in parsed) throw new Error(parsed.expected);
  return parsed;
}

async function compare(lines: number, rounds: number, name: string): Promise<void> {
  console.log(`${await machine()}\n`);
  const rows = [["input", "lines/s", "wall (s)", "CPU (s)", "peak (MB)", "file (MB)"]];
  await inTempFolder(async (folder) => {
    const path = `${folder}/input`;
    for (const each of CASES.filter((each) => each.name.includes(name))) {
      await write(path, each, lines);
      const { size } = await Deno.stat(path);
      const args = [
        "read",
        path,
        String(lines),
        JSON.stringify(each.options ?? {}),
      ];
      const script = new URL(import.meta.url).pathname;
      const command = [Deno.execPath(), "run", "--no-check", "-A", script, ...args];
      const costs: Cost[] = [];
      for (let round = 0; round < rounds; round++) costs.push(await cost(command, {}, folder));
      const wall = median(costs.map(({ wallMs }) => wallMs)) / 1000;
      rows.push([
        each.name,
        Math.round(lines / wall).toLocaleString("en"),
        wall.toFixed(2),
        (median(costs.map(({ cpuMs }) => cpuMs)) / 1000).toFixed(2),
        median(costs.map(({ peakMb }) => peakMb)).toFixed(0),
        (size / 1e6).toFixed(0),
      ]);
      await Deno.remove(path);
    }
  });
  console.log(table(rows));
}

if (Deno.args[0] === "read") {
  const [, path = "", expected, options = ""] = Deno.args;
  await read(path, Number(expected), JSON.parse(options));
} else {
  const [lines = 1_000_000, rounds = 5, name = ""] = Deno.args;
  await compare(Number(lines), Number(rounds), name);
}
