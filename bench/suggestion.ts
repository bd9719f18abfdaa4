/**
 * How wrong the percentiles are that a receiver estimates from buckets (the greatest relative error of p50, p90 and p99
 * over all series): with the default bounds, and with as many that `plot --suggest-buckets` suggests.
 *
 *     deno run -A bench/suggestion.ts [LINES]
 *
 * A million measurements each unless told otherwise. OTLP_HISTOGRAM_BIN as for start.ts.
 */
import { seededRandom } from "../src/source/generate/random.ts";
import { inTempFolder, machine, program, table } from "./support.ts";

const LINES = Number(Deno.args[0] ?? 1_000_000);
const DISTRIBUTIONS = [
  "uniform(10,150)",
  "normal(200,40)",
  "lognormal(40,400)",
  "exponential(100)",
  "lognormal(2,15)",
] as const;

/** Distribution of times per route of the log: from a cache, from a database, from either, from another service. */
const ROUTES: Readonly<Record<string, (random: () => number) => number>> = {
  "/static": (random) => 1 + 3 * random(),
  "/item": (random) => 20 - 30 * Math.log(1 - random()),
  "/search": (random) => random() < 0.7 ? 3 + 2 * random() : 150 + 100 * random(),
  "/checkout": (random) => 400 - 250 * Math.log(1 - random()),
};

/** Writes a log of four routes as nginx does, with times in s. */
async function writeLog(path: string, lines: number): Promise<void> {
  using file = await Deno.open(path, { write: true, create: true });
  const writer = file.writable.getWriter();
  const random = seededRandom("log");
  const routes = Object.entries(ROUTES);
  for (let written = 0; written < lines; written += 10_000) {
    const text = Array.from({ length: Math.min(10_000, lines - written) }, () => {
      const [route, draw] = routes[Math.floor(random() * routes.length)] ?? ["/", () => 0];
      return `10.0.0.7 - - [31/Jan/2026:12:00:00 +0000] "GET ${route} HTTP/1.1" 200 512 "-" "curl" ${
        (draw(random) / 1000).toFixed(3)
      }\n`;
    });
    await writer.write(new TextEncoder().encode(text.join("")));
  }
  await writer.close();
}

interface Suggested {
  readonly buckets: readonly number[];
  readonly worstError: number;
  readonly worstErrorNow: number;
}

async function suggested(command: readonly string[], cwd: string): Promise<Suggested> {
  const [executable = "", ...args] = command;
  const { code, stdout, stderr } = await new Deno.Command(executable, {
    args: ["plot", ...args, "--suggest-buckets", "--output", "json"],
    cwd,
  }).output();
  const text = new TextDecoder();
  if (code !== 0) throw new Error(text.decode(stderr));
  const line = text.decode(stdout).split("\n").find((line) => line.includes('"suggestion"')) ?? "";
  const { buckets, worstError, worstErrorNow } = JSON.parse(line);
  return { buckets, worstError, worstErrorNow };
}

await inTempFolder(async (folder) => {
  const ours = await program(folder);
  const log = `${folder}/access.log`;
  await writeLog(log, LINES);
  const cases: readonly (readonly [string, readonly string[]])[] = [
    ...DISTRIBUTIONS.map((spec): [string, readonly string[]] => [
      `\`${spec}\``,
      ["--distribution", spec, "--count", String(LINES), "--seed", "bench"],
    ]),
    [
      "access log, four routes",
      [
        ...["--input", log, "--value-field", "request_time", "--scale", "1000"],
        ...["--attr-field", "path"],
      ],
    ],
  ];
  const percent = (error: number) => `${(error * 100).toFixed(1)} %`;
  const rows = [["measurements (ms)", "default bounds", "suggested", "the suggested bounds"]];
  for (const [name, args] of cases) {
    const { buckets, worstError, worstErrorNow } = await suggested([...ours, ...args], folder);
    rows.push([name, percent(worstErrorNow), percent(worstError), buckets.join(", ")]);
  }
  console.log(`${await machine()}; ${LINES.toLocaleString("en")} measurements each\n`);
  console.log(table(rows));
});
