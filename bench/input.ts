/**
 * How fast measurements are read from files and recorded, each time by a new process: start, file, parsing, histogram.
 *
 *     deno run -A bench/input.ts [LINES] [ROUNDS]
 *
 * A million lines and the median of five rounds unless told otherwise. The files are made anew, in a temporary folder.
 */
import { systemClock } from "../src/base/clock.ts";
import type { AttrField } from "../src/measurements/input/fields.ts";
import { readInput } from "../src/measurements/input/input.ts";
import { seededRandom } from "../src/measurements/generate/random.ts";
import { recorder } from "../src/otlp/recorder.ts";
import { type Cost, cost, inTempFolder, machine, median, table } from "./support.ts";

interface Case {
  readonly name: string;
  readonly header?: string;
  readonly line: (index: number, random: () => number) => string;
  readonly valueField?: string;
  readonly attrFields?: readonly string[];
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
    valueField: "request_time",
    attrFields: ["status", "request_method"],
  },
  {
    name: "NDJSON access log, unique ids as an attribute",
    line: access,
    valueField: "request_time",
    attrFields: ["status", "request_id"],
  },
  {
    name: "CSV, two attributes",
    header: "value,method,status",
    line: (_, random) =>
      `${(random() * 500).toFixed(3)},${one(METHODS, random)},${one(STATUSES, random)}`,
  },
  {
    name: "CSV, two attributes in quotes",
    header: "value,method,status",
    line: (_, random) =>
      `"${(random() * 500).toFixed(3)}","${one(METHODS, random)}","${one(STATUSES, random)}"`,
  },
  { name: "plain numbers", line: (_, random) => (random() * 500).toFixed(3) },
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
async function read(path: string, expected: number, valueField: string, names: readonly string[]) {
  const attrFields: readonly AttrField[] = names.map((name) => ({ name, key: name }));
  const input = readInput((await Deno.open(path)).readable, {
    format: "auto",
    valueField,
    attrFields: attrFields.length === 0 ? undefined : attrFields,
    scale: 1,
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

async function compare(lines: number, rounds: number): Promise<void> {
  console.log(`${await machine()}\n`);
  const rows = [["input", "lines/s", "wall (s)", "CPU (s)", "peak (MB)", "file (MB)"]];
  await inTempFolder(async (folder) => {
    const path = `${folder}/input`;
    for (const each of CASES) {
      await write(path, each, lines);
      const { size } = await Deno.stat(path);
      const args = [
        "read",
        path,
        String(lines),
        each.valueField ?? "value",
        ...each.attrFields ?? [],
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
  const [, path = "", expected, valueField = "", ...names] = Deno.args;
  await read(path, Number(expected), valueField, names);
} else {
  await compare(Number(Deno.args[0] ?? 1_000_000), Number(Deno.args[1] ?? 5));
}
