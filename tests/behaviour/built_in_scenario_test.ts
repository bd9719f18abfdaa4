import assert from "node:assert/strict";
import { measure, runFixture } from "../support/run_fixture.ts";
import { atLeastOne, each } from "../support/cases.ts";

const EXAMPLES = ["web-shop", "latency-incident"] as const;

async function example(name: string): Promise<{
  readonly phases?: readonly { readonly name: string; readonly seconds: number }[];
  readonly metrics: readonly { readonly name: string }[];
}> {
  const file = new URL(`../../examples/${name}.json`, import.meta.url);
  return JSON.parse(await Deno.readTextFile(file));
}

/** Lines of JSON on standard output. */
async function plotLines(...args: readonly string[]) {
  const { stdout } = await runFixture({
    args: ["plot", ...args, "--output", "json"],
    stdout: "any",
    requests: 0,
  });
  return stdout.trimEnd().split("\n").map((line) => JSON.parse(line));
}

const OWN = {
  phases: [{ name: "calm", seconds: 0.1 }, { name: "peak hour", seconds: 60 }],
  metrics: [{
    name: "m",
    unit: "ms",
    mix: [{
      distribution: "uniform(1,900)",
      attributes: { pod: { values: 3, churn: "1h" } },
      during: { "peak hour": { attributes: { pod: { values: 130 } } } },
    }],
  }],
};
const files = { "s.json": JSON.stringify(OWN) };

each(EXAMPLES, (name) => `--scenario ${name} is a built-in name`, async (name) => {
  const { metrics } = await example(name);
  const sent = await measure({
    args: ["--scenario", name, "--count", "2000", "--seed", "1"],
    // A file of the same name is only meant by its path.
    files: { [name]: "{" },
  });
  assert.deepEqual(sent.metrics.map(({ name }) => name), metrics.map(({ name }) => name));
});

each(
  EXAMPLES,
  (name) => `plot --scenario ${name} --output scenario prints it whole`,
  async (name) => {
    const { stdout } = await runFixture({
      args: ["plot", "--scenario", name, "--output", "scenario"],
      stdout: "any",
      requests: 0,
    });
    assert.deepEqual(JSON.parse(stdout), await example(name));
  },
);

Deno.test("./web-shop is a file, whatever its name", async () => {
  const sent = await measure({
    args: ["--scenario", "./web-shop", "--seed", "1"],
    files: { "web-shop": files["s.json"] },
  });
  assert.deepEqual(sent.metrics.map(({ name }) => name), ["m"]);
});

Deno.test("plot --output scenario of a scenario takes suggested buckets and --attr", async () => {
  const { stdout } = await runFixture({
    args: [
      ...["plot", "--scenario", "s.json", "--seed", "1", "--count", "500", "--output", "scenario"],
      ...["--suggest-buckets", "3", "--attr", "pod=one", "--attr", "team=x"],
    ],
    files,
    stdout: "any",
    requests: 0,
  });
  const { phases, metrics: [metric] } = JSON.parse(stdout);
  assert.deepEqual(phases, OWN.phases);
  assert.equal(metric.buckets.length, 3);
  assert.deepEqual(metric.mix, [{
    distribution: "uniform(1,900)",
    attributes: { pod: "one", team: "x" },
    during: { "peak hour": { attributes: {} } },
  }]);
});

Deno.test("plot --scenario draws every phase with its name, in text", async () => {
  const { stdout } = await runFixture({
    args: ["plot", "--scenario", "latency-incident", "--count", "50", "--seed", "1"],
    stdout: "any",
    requests: 0,
  });
  const headings = stdout.split("\n").filter((line) => line.startsWith("Phase "));
  const { phases = [] } = await example("latency-incident");
  assert.deepEqual(headings, phases.map(({ name }) => `Phase ${name}`));
  assert.match(stdout, /^Total: 200 measurements in \d+ series$/m);
});

Deno.test("plot --scenario names the phase of each series, in JSON, and suggests for all", async () => {
  const lines = await plotLines("--scenario", "latency-incident", "--count", "400", "--seed", "1");
  const { phases = [], metrics } = await example("latency-incident");
  const counts = new Map<string, number>();
  for (const { type, phase, count } of atLeastOne(lines)) {
    assert.equal(type, "histogram");
    counts.set(phase, (counts.get(phase) ?? 0) + count);
  }
  assert.deepEqual([...counts], phases.map(({ name }) => [name, 400]));
  const timeouts = lines.filter(({ attributes }) => attributes["error.type"] === "timeout");
  assert.deepEqual(timeouts.map(({ phase }) => phase), ["outage"]);
  const suggested = await plotLines("--scenario", "latency-incident", "--suggest-buckets", "4");
  assert.deepEqual(
    suggested.filter(({ type }) => type === "suggestion").map(({ metric }) => metric),
    metrics.map(({ name }) => name),
  );
});

Deno.test("plot --scenario has no phase in its lines where the scenario has none", async () => {
  const { stdout } = await runFixture({
    args: ["plot", "--scenario", "s.json", "--count", "50", "--seed", "1", "--output", "json"],
    files: { "s.json": JSON.stringify(LARGE) },
    stdout: "any",
    requests: 0,
  });
  const lines = stdout.trimEnd().split("\n").map((line) => JSON.parse(line));
  for (const line of atLeastOne(lines)) assert.ok(!("phase" in line));
});

Deno.test("each send names its phase, and without --count fills every series once", async () => {
  const sent = await measure({
    args: [
      "--scenario",
      "s.json",
      "--seed",
      "1",
      "--loop",
      "--interval",
      "0.5",
      "--iterations",
      "3",
    ],
    files,
  });
  assert.deepEqual(
    sent.sends.map(({ phase, measurements }) => [phase, measurements]),
    [["calm", 133], ["peak hour", 133], ["peak hour", 133]],
  );
  assert.deepEqual(sent.sends.map(({ points }) => points), [3, 130, 130]);
});

Deno.test("a send of a scenario without phases names none", async () => {
  const { sends: [send] } = await measure({ args: ["--scenario", "web-shop", "--seed", "1"] });
  assert.ok(send !== undefined && !("phase" in send));
});

const LARGE = {
  metrics: [{
    name: "m",
    unit: "ms",
    mix: [{
      distribution: "uniform(1,900)",
      attributes: { route: { values: 120 }, pod: { values: 100 } },
    }],
  }],
};

Deno.test("a scenario raises --max-series to its series, unless the user gives it", async () => {
  const large = { "s.json": JSON.stringify(LARGE) };
  const all = await measure({ args: ["--scenario", "s.json", "--seed", "1"], files: large });
  assert.deepEqual(all.sends.map(({ points }) => points), [12_000]);
  const limited = await measure({
    args: ["--scenario", "s.json", "--seed", "1", "--max-series", "100"],
    files: large,
    said: [/^11901 measurements of 11901 series were merged into one data point /],
  });
  assert.deepEqual(limited.sends.map(({ points }) => points), [100]);
});
