import assert from "node:assert/strict";
import { testCases } from "../support/cases.ts";
import { missing } from "../support/tools.ts";
import { decode, type Decoded } from "../support/decode.ts";
import { like } from "../support/lines.ts";
import { freePort } from "../support/process.ts";
import { runFixture } from "../support/run_fixture.ts";
import { loopOf, sentOnce } from "../support/wording.ts";
import { collectorYaml, startCollector } from "../support/collector.ts";

/** Starts a Collector on a free port, with its default limits. */
async function start(verbosity: "basic" | "detailed" = "detailed") {
  const port = freePort();
  const settings = `{verbosity: ${verbosity}, sampling_initial: 100}`;
  const collector = await startCollector(collectorYaml(port, "debug", settings), "OTELCOL");
  return Object.assign(collector, { url: `http://127.0.0.1:${port}` });
}

/** As the Collector's debug exporter writes a request, without its times. */
function debugged({ resource, scope, metrics }: Decoded): readonly string[] {
  const attribute = (key: string, value: unknown) =>
    `-> ${key}: ${typeof value === "bigint" ? "Int" : "Str"}(${value})`;
  const lines = Object.entries(resource).map(([key, value]) => attribute(key, value));
  lines.push(`InstrumentationScope ${scope.name} ${scope.version}`);
  for (const { name, unit, description, points } of metrics) {
    lines.push(`-> Name: ${name}`, `-> Description: ${description}`, `-> Unit: ${unit}`);
    lines.push("-> DataType: Histogram", "-> AggregationTemporality: Delta");
    points.forEach((point, i) => {
      lines.push(`HistogramDataPoints #${i}`);
      for (const [key, value] of Object.entries(point.attributes)) {
        lines.push(attribute(key, value));
      }
      lines.push(`Count: ${point.count}`, `Sum: ${fixed(point.sum)}`);
      lines.push(`Min: ${fixed(point.min)}`, `Max: ${fixed(point.max)}`);
      point.bounds.forEach((bound, j) => lines.push(`ExplicitBounds #${j}: ${fixed(bound)}`));
      point.counts.forEach((count, j) => lines.push(`Buckets #${j}, Count: ${count}`));
    });
  }
  return lines;
}

/** Go's %f. */
function fixed(value = NaN): string {
  return value.toFixed(6);
}

/** The lines of a log that say what `debugged()` says, in order. */
function told(log: string): readonly string[] {
  return log.split("\n").map((line) => line.trim()).filter((line) =>
    /^(->|InstrumentationScope|HistogramDataPoints|Count:|Sum:|Min:|Max:|ExplicitBounds|Buckets)/
      .test(line)
  );
}

testCases([
  ...["gzip", "none"].map((compression) => ({
    name: `send is understood by a Collector with --compression ${compression}`,
    ignore: missing("OTELCOL"),
    async run() {
      await using running = await start();
      // The recording receiver stands between: what the Collector tells is compared with what went over the wire.
      const { requests } = await runFixture({
        args: ["--endpoint", "{url}", "--compression", compression, "--attr", "region=eu"],
        answers: [async ({ target, headers, body }) => {
          const passed = new Headers(headers);
          passed.delete("host");
          const answer = await fetch(running.url + target, {
            method: "POST",
            headers: passed,
            body: new Uint8Array(body),
          });
          return {
            status: answer.status,
            headers: { "content-type": answer.headers.get("content-type") ?? "" },
            body: new Uint8Array(await answer.arrayBuffer()),
          };
        }],
        stdout: sentOnce(),
        requests: [{
          headers: { "content-encoding": compression === "gzip" ? "gzip" : null },
          attributes: { region: "eu" },
        }],
      });
      const log = await running.logged(
        /Buckets #11, Count: \d+\n(?:.|\n)*#2(?:.|\n)*Buckets #11, Count/,
      );
      const [request] = requests;
      assert.ok(request !== undefined);
      assert.deepEqual(told(log), debugged(decode(request.content)));
    },
  })),
  ...["gzip", "none"].map((compression) => ({
    name: `send reaches a Collector with 100,000 data points and --compression ${compression}`,
    ignore: missing("OTELCOL"),
    async run() {
      await using running = await start("basic");
      const { stdout } = await runFixture({
        args: [
          ...["--endpoint", running.url, "--series", "100000", "--compression", compression],
          ...["--output", "json"],
        ],
        requests: 0,
        // The Collector counts, not the receiver of the fixture.
        foreign: true,
        stdout: [
          like({ type: "send", outcome: "accepted", points: 100_000 }),
          like({ type: "summary", delivered: 100_000, requests: 2 }),
        ],
      });
      assert.match(stdout, /"exitCode":0/);
      const log = await running.logged(/("data points": \d+[^]*){2}/);
      const counted = [...log.matchAll(/"data points": (\d+)/g)];
      assert.equal(counted.reduce((sum, [, count]) => sum + Number(count), 0), 100_000);
    },
  })),
  {
    name: "send to a Collector directly is accepted, one delta an iteration",
    ignore: missing("OTELCOL"),
    async run() {
      await using running = await start();
      await runFixture({
        args: ["--endpoint", running.url, "--loop", "--interval=0", "--iterations=3"],
        requests: 0,
        stdout: loopOf(0, 3, `${running.url}/v1/metrics`),
      });
      const log = await running.logged(/(?:"data points": 3.*(?:.|\n)*){3}/);
      assert.equal(log.match(/^HistogramDataPoints #0/gm)?.length, 3);
      const total = [...log.matchAll(/^Count: (\d+)$/gm)].reduce(
        (sum, [, count]) => sum + Number(count),
        0,
      );
      assert.equal(total, 15);
    },
  },
]);
