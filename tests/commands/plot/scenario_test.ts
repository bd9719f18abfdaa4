import assert from "node:assert/strict";
import { plotConfig } from "../../../src/commands/plot/plot_config.ts";
import { plotMeasurements } from "../../../src/commands/plot/command.ts";
import { parseFlags } from "../../../src/cli/arguments.ts";
import { normalQuantile } from "../../../src/source/generate/elementary.ts";
import { seededRandom } from "../../../src/source/generate/random.ts";
import { atLeastOne, each } from "../../support/cases.ts";
import { plotSystem } from "./system.ts";

const COUNT = 20_000;

async function plotted(args: readonly string[], input = "", scenario = "") {
  const { system, out, err } = plotSystem(input);
  const config = plotConfig(parseFlags("plot", args), () => undefined);
  const readTextFile = () => Promise.resolve(scenario);
  const code = await plotMeasurements(config, { ...system, readTextFile });
  return { code, out: out(), err: err() };
}

/** The lines of --output json by their series. */
async function seriesOf(args: readonly string[], input = "", scenario = "") {
  const { code, out } = await plotted([...args, "--output", "json"], input, scenario);
  assert.equal(code, 0);
  const lines = out.trimEnd().split("\n").map((line) => JSON.parse(line));
  return new Map(lines.map((line) => [JSON.stringify([line.metric, line.attributes]), line]));
}

const random = seededRandom("a log");
const lognormal = (median: number, sigma: number) =>
  (median * Math.exp(sigma * normalQuantile(random() || 0.5))).toFixed(3);
const LOG: readonly (readonly [route: string, code: number, value: string])[] = Array.from(
  { length: COUNT },
  () => {
    const kind = random();
    if (kind < 0.6) return ["/", 200, lognormal(30, 0.9)];
    if (kind < 0.8) return ['/a "b"', 200, lognormal(random() < 0.6 ? 8 : 300, 0.2)];
    return ["/pay", random() < 0.1 ? 500 : 201, (80 + 40 * random()).toFixed(3)];
  },
);
const csv = (text: string) => `"${text.replaceAll('"', '""')}"`;

/** The same log in several formats, and what reads it. */
const FORMATS = {
  ndjson: {
    args: ["--value-field", "ms", "--attr-field", "route", "--attr-field", "code"],
    text: LOG.map(([route, code, ms]) => JSON.stringify({ route, code, ms: Number(ms) })),
  },
  csv: {
    args: ["--value-field", "ms", "--attr-field", "route", "--attr-field", "code"],
    text: ["route,code,ms", ...LOG.map(([route, code, ms]) => `${csv(route)},${code},${ms}`)],
  },
  logfmt: {
    args: ["--value-field", "ms", "--attr-field", "route", "--attr-field", "code"],
    text: LOG.map(([route, code, ms]) => `route=${JSON.stringify(route)} code=${code} ms=${ms}ms`),
  },
} as const;

each(
  Object.entries(FORMATS),
  ([format]) => `plot --output scenario of ${format} generates such data again`,
  async ([format, { args, text }]) => {
    const input = `${text.join("\n")}\n`;
    const flags = ["--input", "-", "--input-format", format, ...args, "--metric", "m"];
    const { code, out, err } = await plotted([...flags, "--output", "scenario"], input);
    assert.deepEqual([code, err], [0, ""]);
    const before = await seriesOf(flags, input);
    const after = await seriesOf(["--scenario", "s", "--count", "100000", "--seed", "1"], "", out);
    assert.deepEqual([...after.keys()].sort(), [...before.keys()].sort());
    for (const [key, { count, unit, bounds, quantiles }] of atLeastOne([...before])) {
      const again = after.get(key);
      assert.deepEqual([again.unit, again.bounds], [unit, bounds]);
      const share = Math.abs(again.count / 100_000 - count / COUNT);
      assert.ok(share < 0.01, `${key} has ${again.count / 1000} % for ${count / COUNT}`);
      for (const name of ["p50", "p90", "p99"]) {
        const [truth, found] = [quantiles[name].measured, again.quantiles[name].measured];
        // 5 % of the fit, and what drawing adds.
        assert.ok(Math.abs(found - truth) < 0.1 * truth, `${key} ${name}: ${found} for ${truth}`);
      }
    }
  },
);

const EXPOSITION = `# TYPE wait_seconds histogram
wait_seconds_bucket{q="mail",le="0.1"} 100
wait_seconds_bucket{q="mail",le="1"} 190
wait_seconds_bucket{q="mail",le="+Inf"} 200
wait_seconds_sum{q="mail"} 60
wait_seconds_count{q="mail"} 200
`;

Deno.test("plot --output scenario draws within the buckets of an exposition", async () => {
  const flags = ["--input", "-"];
  const { code, out, err } = await plotted([...flags, "--output", "scenario"], EXPOSITION);
  assert.equal(code, 0);
  assert.match(err, /^WARNING: rule overflow-bucket: wait_seconds: 10 of 200 values [^\n]*\n$/);
  const [metric, ...others] = JSON.parse(out).metrics;
  assert.deepEqual(others, []);
  assert.deepEqual([metric.unit, metric.buckets], ["s", [0.1, 1]]);
  const [before] = (await seriesOf(flags, EXPOSITION)).values();
  const [after] = (await seriesOf(["--scenario", "s", "--count", "20000"], "", out)).values();
  assert.deepEqual([after.metric, after.attributes], [before.metric, before.attributes]);
  // 200 values in the buckets of the exposition, 20,000 in those of the scenario; the last bound stands for more.
  const shares = after.counts.map((count: number) => Math.round(count / 20_000 * 20) / 20);
  assert.deepEqual(shares, [0.5, 0.5, 0]);
});

Deno.test("plot --output scenario says what a scenario cannot be made of, and ends with 1", async () => {
  const named = EXPOSITION.replaceAll("wait_seconds", "job:wait_seconds");
  const wrong = await plotted(["--input", "-", "--output", "scenario"], named);
  assert.deepEqual([wrong.code, wrong.out], [1, ""]);
  assert.match(
    wrong.err,
    /^ERROR: This cannot be written as a scenario:\n {2}metrics\[0\]\.name: /m,
  );
  const empty = await plotted(["--input", "-", "--output", "scenario"], "");
  assert.deepEqual([empty.code, empty.out], [1, ""]);
});

Deno.test("plot --output scenario takes the suggested buckets, and says what is out of range", async () => {
  const flags = ["--value", "1", "--value", "1e308", "--output", "scenario"];
  const { out, err } = await plotted([...flags, "--suggest-buckets", "2", "--keep-bound", "7"]);
  const [{ buckets, mix }] = JSON.parse(out).metrics;
  assert.equal(buckets.length, 2);
  assert.ok(buckets.includes(7));
  assert.deepEqual(
    mix.map(({ distribution }: { distribution: string }) => distribution),
    ["constant(1)", "constant(1e+300)"],
  );
  assert.match(err, /^WARNING: values of .* above 1e\+300 become 1e\+300 in the scenario$/m);
});

Deno.test("plot --suggest-buckets leaves out series of a handful of values where others have more", async () => {
  const line = (route: string, value: number) =>
    `${JSON.stringify({ value, attributes: { route } })}\n`;
  const large = LOG.slice(0, 400).map(([, , value], i) =>
    line(i % 2 === 0 ? "a" : "b", Number(value))
  );
  const few = [line("c", 1e6), line("c", 2e6), line("d", 0.001)];
  const flags = ["--input", "-", "--suggest-buckets", "5", "--output", "json"];
  const suggestionOf = async (lines: readonly string[]) => {
    const { out } = await plotted(flags, lines.join(""));
    return JSON.parse(out.trimEnd().split("\n").at(-1) ?? "");
  };
  const alone = await suggestionOf(large);
  assert.equal(alone.type, "suggestion");
  assert.deepEqual(await suggestionOf([...few, ...large]), alone);
  // Nobody has more: all of them count.
  const { buckets } = await suggestionOf(few);
  assert.ok(buckets[0] < 1 && buckets.at(-1) > 1e6);
  const { out } = await plotted(flags.slice(0, 4), [...few, ...large].join(""));
  assert.match(out, /^2 series with fewer than 100 values are not considered\.$/m);
});

Deno.test("plot prints nothing that is not finite of 1e308 and 5e-324", async () => {
  const values = ["1e308", "1e308", "5e-324", "1.7e308"].flatMap((value) => ["--value", value]);
  for (const format of ["text", "json"]) {
    const { code, out } = await plotted([...values, "--suggest-buckets", "--output", format]);
    assert.equal(code, 0);
    assert.doesNotMatch(out, /NaN|Infinity|--buckets\s*\n|"buckets":\[\]|"worstError(Now)?":null/);
  }
  const small = await plotted(["--value", "5e-324", "--suggest-buckets", "--buckets", "1e308"]);
  assert.doesNotMatch(small.out, /NaN|Infinity/);
  // The sum of the values is beyond the largest double: it is unknown.
  const { out } = await plotted([...values, "--output", "json"]);
  assert.equal(JSON.parse(out).sum, null);
});

Deno.test("plot warns of pinned bounds that lie beyond all values", async () => {
  const flags = ["--value", "10", "--value", "20", "--suggest-buckets", "--keep-bound"];
  const high = await plotted([...flags, "500"]);
  assert.match(high.out, /^ {2}--buckets .*\b500\b/m);
  assert.match(
    high.err,
    /^WARNING: --keep-bound 500 lies above all values \(max 20\) of .*: check that it is in ms$/m,
  );
  assert.match((await plotted([...flags, "0.5"])).err, /lies below all values \(min 10\)/);
  assert.equal((await plotted([...flags, "15"])).err, "");
});

Deno.test("plot warns as a send does when all values fall into one bucket at an end", async () => {
  const input = Array.from({ length: 19 }, (_, i) => `${0.01 * i}\n`).join("");
  const { err } = await plotted(["--input", "-"], input);
  assert.match(
    err,
    /^WARNING: every value of http\.server\.duration so far is in the first bucket/m,
  );
  const unequal = [[1], [2]].map((bounds) =>
    `${JSON.stringify({ bounds, counts: [1, 0], sum: 1, attributes: { a: 1 } })}\n`
  ).join("");
  const { err: warned } = await plotted(["--input", "-"], unequal);
  assert.match(warned, /^WARNING: 1 series has more than one data point, because/m);
});
