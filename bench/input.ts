/**
 * How fast the executable reads files, each time as a whole process: start, file, parsing, histogram, sending.
 *
 *     deno run -A bench/input.ts [LINES] [ROUNDS] [NAME]
 *
 * A million lines, the median of five rounds, and every input unless told otherwise; NAME is a part of its name. The
 * files are made again, in a temporary folder. OTLP_HISTOGRAM_BIN as for start.ts.
 *
 * DUCKDB_PYTHON names a Python with the package duckdb, which then groups some of the files by the same attributes and
 * buckets, with one thread and with two; without it these rows are left out.
 */
import { seededRandom } from "../src/source/generate/random.ts";
import {
  BOUNDS,
  type Cost,
  cost,
  inTempFolder,
  machine,
  median,
  program,
  receiver,
  table,
} from "./support.ts";

interface Case {
  readonly name: string;
  readonly header?: string;
  readonly line: (index: number, random: () => number) => string;
  readonly options?: CaseOptions;
  /** SQL with which DuckDB reads FILE as `value` and attributes. */
  readonly duckdb?: string;
}

/** Flags of the program for a case. */
interface CaseOptions {
  readonly valueField?: string;
  readonly attrFields?: readonly string[];
  readonly timeField?: string;
  readonly where?: string;
  readonly pattern?: string;
}

/** Program for DuckDB that groups by the attributes and the bucket of the value, as the histogram does. */
const duckdbProgram = (select: string, path: string, threads: number) => `
import duckdb
duckdb.sql("SET threads TO ${threads}")
print(len(duckdb.sql("""
SELECT * EXCLUDE (value), CASE ${
  BOUNDS.map((bound, bucket) => `WHEN value <= ${bound} THEN ${bucket}`).join(" ")
} ELSE ${BOUNDS.length} END AS bucket, count(*), sum(value), min(value), max(value)
FROM (${select.replace("FILE", `'${path}'`)}) GROUP BY ALL""").fetchall()))
`;
const ACCESS_SQL =
  `SELECT request_time AS value, status, request_method FROM read_json(FILE, format = 'newline_delimited',
columns = {request_time: 'DOUBLE', status: 'INTEGER', request_method: 'VARCHAR'})`;
/** SQL that reads a line as one column, with no character that could split it. */
const COMBINED_SQL =
  `SELECT CAST(f.value AS DOUBLE) AS value, f.method, f.status FROM (SELECT regexp_extract(line,
'"(\\\\S+) [^"]*" (\\\\d+) .* ([0-9.]+)$', ['method', 'status', 'value']) AS f FROM read_csv(FILE, header = false,
columns = {line: 'VARCHAR'}, delim = '\\x01', quote = '', escape = ''))`;

const METHODS = ["GET", "GET", "POST", "PUT", "DELETE"] as const;
const STATUSES = [200, 200, 201, 404, 500] as const;

function one<T>(list: readonly T[], random: () => number): T | undefined {
  return list[Math.floor(random() * list.length)];
}

/** Line of ten fields, as nginx writes it with `escape=json`. */
const access = (index: number, random: () => number) =>
  `{"time":"${instant(index).toISOString()}","request_id":"${
    Math.floor(random() * 2 ** 48).toString(16)
  }","remote_addr":"10.0.${index % 250}.7","request":"GET /item/${index} HTTP/1.1","status":${
    one(STATUSES, random)
  },"body_bytes_sent":${Math.floor(random() * 50_000)},"http_referer":"https://example.com/",` +
  `"http_user_agent":"Mozilla/5.0 (X11; Linux) Firefox/140.0","request_method":"${
    one(METHODS, random)
  }","request_time":${(random() * 2).toFixed(3)}}`;

/** Time of a line: two hundred per second. */
const instant = (index: number) => new Date(1_769_860_800_000 + index * 5);
const CLF_DAY = "31/Jan/2026";

const jmeter = (index: number, random: () => number) =>
  `${instant(index).getTime()},${Math.floor(random() * 500)},${
    one(["home", "search", "checkout"], random)
  },${one(STATUSES, random)}`;

const tsv = (index: number, random: () => number) =>
  `${instant(index).toISOString()}\t${one(METHODS, random)}\t${one(STATUSES, random)}\t${
    (random() * 500).toFixed(3)
  }`;

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
    duckdb:
      `SELECT value, attributes FROM read_json(FILE, format = 'newline_delimited', columns = {value: 'DOUBLE',
attributes: 'STRUCT("http.method" VARCHAR, "http.status_code" INTEGER)'})`,
  },
  {
    name: "NDJSON, two attributes, values of 17 digits",
    line: (_, random) =>
      `{"value":${random() * 500},"attributes":{"http.method":"${
        one(METHODS, random)
      }","http.status_code":${one(STATUSES, random)}}}`,
  },
  {
    name: "NDJSON access log, three of ten fields",
    line: access,
    options: { valueField: "request_time", attrFields: ["status", "request_method"] },
    duckdb: ACCESS_SQL,
  },
  {
    name: "NDJSON access log, three of ten fields, ids as an attribute",
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
    name: "TSV, two attributes",
    header: "time\tmethod\tstatus\tms",
    line: tsv,
    options: { valueField: "ms", attrFields: ["method", "status"] },
  },
  {
    name: "TSV, two attributes and the time",
    header: "time\tmethod\tstatus\tms",
    line: tsv,
    options: { valueField: "ms", attrFields: ["method", "status"], timeField: "time" },
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
    duckdb: COMBINED_SQL,
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

function flagsOf(options: CaseOptions = {}): readonly string[] {
  const { valueField, attrFields = [], timeField, where, pattern } = options;
  return [
    ...valueField === undefined ? [] : ["--value-field", valueField],
    ...attrFields.flatMap((name) => ["--attr-field", name]),
    ...timeField === undefined ? [] : ["--time-field", timeField],
    ...where === undefined ? [] : ["--where", where],
    ...pattern === undefined ? [] : ["--input-format", "pattern", "--pattern", pattern],
  ];
}

const [lines = 1_000_000, rounds = 5, name = ""] = Deno.args;
await compare(Number(lines), Number(rounds), name);

async function compare(lines: number, rounds: number, name: string): Promise<void> {
  const rows = [["input", "lines/s", "wall (s)", "CPU (s)", "peak (MB)", "file (MB)"]];
  const python = Deno.env.get("DUCKDB_PYTHON");
  if (!python) console.log("DUCKDB_PYTHON is not set: its rows are left out");
  await inTempFolder(async (folder) => {
    const own = await program(folder);
    await using stack = new AsyncDisposableStack();
    const target = receiver();
    stack.defer(() => target.close());
    const path = `${folder}/input`;
    for (const each of CASES.filter((each) => each.name.includes(name))) {
      await write(path, each, lines);
      const { size } = await Deno.stat(path);
      const commands: [name: string, command: readonly string[]][] = [[each.name, [
        ...[...own, "--endpoint", target.url, "--input", path, "--quiet"],
        ...flagsOf(each.options),
      ]]];
      const { duckdb } = each;
      for (const threads of python && duckdb !== undefined ? [1, 2] : []) {
        const command = [python ?? "", "-c", duckdbProgram(duckdb ?? "", path, threads)];
        commands.push([`DuckDB, threads: ${threads}`, command]);
      }
      const costs = commands.map((): Cost[] => []);
      for (let round = 0; round < rounds; round++) {
        for (const [i, [, command]] of commands.entries()) {
          costs[i]?.push(await cost(command, {}, folder));
        }
      }
      for (const [i, [name]] of commands.entries()) {
        const of = (key: keyof Cost) => median((costs[i] ?? []).map((cost) => cost[key]));
        const wall = of("wallMs") / 1000;
        rows.push([
          name,
          Math.round(lines / wall).toLocaleString("en"),
          wall.toFixed(2),
          (of("cpuMs") / 1000).toFixed(2),
          of("peakMb").toFixed(0),
          (size / 1e6).toFixed(0),
        ]);
      }
      await Deno.remove(path);
    }
  });
  console.log(`${await machine()}; ${lines.toLocaleString("en")} lines, medians of ${rounds}\n`);
  console.log(table(rows));
}
