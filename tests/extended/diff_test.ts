import assert from "node:assert/strict";
import { collectorYaml, startCollector } from "../support/collector.ts";
import { testCases } from "../support/cases.ts";
import { inDirectory } from "../support/directory.ts";
import { freePort } from "../support/process.ts";
import { runProgram } from "../support/program.ts";
import { missing } from "../support/tools.ts";

/** Flags of a load that is the same whenever it is made. */
const LOAD = ["--series", "20", "--count", "1000", "--seed", "7", "--exponential"];
const EXPLICIT = ["--series", "20", "--count", "1000", "--seed", "7", "--metric", "explicit"];

/** Writes the request that a send with these flags makes. */
async function dryRun(cwd: string, file: string, flags: readonly string[]): Promise<void> {
  const { status, stdout } = await runProgram({ args: [...flags, "--dry-run"], cwd });
  assert.equal(status, 0);
  await Deno.writeTextFile(`${cwd}/${file}`, stdout);
}

function diff(cwd: string, ...args: readonly string[]) {
  return runProgram({ args: ["diff", ...args], cwd });
}

/** Objects of a text with one per line. */
function objects(text: string): readonly Record<string, unknown>[] {
  return text.trimEnd().split("\n").map((line) => JSON.parse(line));
}

Deno.test("diff finds a capture equal to its own replay, retimed and in other batches", async () => {
  await inDirectory(async (cwd) => {
    await dryRun(cwd, "a.json", EXPLICIT);
    const document = JSON.parse(await Deno.readTextFile(`${cwd}/a.json`));
    const [{ scopeMetrics: [{ scope, metrics: [metric] }], resource }] = document.resourceMetrics;
    const { dataPoints } = metric.histogram;
    // One data point per request, the last first, a minute later.
    const lines = dataPoints.toReversed().map((point: Record<string, unknown>) => {
      const later = { timeUnixNano: String(BigInt(String(point.timeUnixNano)) + 60_000_000_000n) };
      const histogram = { ...metric.histogram, dataPoints: [{ ...point, ...later }] };
      const metrics = [{ ...metric, histogram }];
      return JSON.stringify({
        resourceMetrics: [{ resource, scopeMetrics: [{ scope, metrics }] }],
      });
    });
    await Deno.writeTextFile(`${cwd}/b.jsonl`, `${lines.join("\n")}\n`);
    const { status, stdout, stderr } = await diff(cwd, "a.json", "b.jsonl");
    assert.deepEqual([status, stdout, stderr], [0, "✓ Equal: 20 series\n", ""]);
  });
});

Deno.test("diff finds two runs of one seed equal, and of two seeds different", async () => {
  await inDirectory(async (cwd) => {
    await dryRun(cwd, "a.json", LOAD);
    await dryRun(cwd, "b.json", LOAD);
    assert.equal((await diff(cwd, "a.json", "b.json")).status, 0);
    await dryRun(cwd, "c.json", [...LOAD.slice(0, 5), "8", "--exponential"]);
    const { status, stdout } = await diff(cwd, "a.json", "c.json", "--output", "json");
    assert.equal(status, 1);
    const found = objects(stdout);
    const summary = found.at(-1);
    assert.deepEqual(summary, {
      type: "summary",
      series: 20,
      equal: 0,
      different: 20,
      missing: 0,
      extra: 0,
      exitCode: 1,
    });
    assert.ok(found.some(({ type, what }) => type === "difference" && what === "bucket"));
  });
});

Deno.test("diff draws the first difference, A above B", async () => {
  await inDirectory(async (cwd) => {
    const value = (numbers: readonly number[]) =>
      numbers.flatMap((number) => ["--value", String(number)]);
    await dryRun(cwd, "a.json", value([3, 7]));
    await dryRun(cwd, "b.json", value([3, 30]));
    const { status, stdout, stderr } = await diff(cwd, "a.json", "b.json");
    assert.deepEqual([status, stderr], [1, ""]);
    assert.match(stdout, /bucket counts differ\n/);
    assert.match(stdout, /\(5, 10\] A █+ 1\n +B 0 {2}≠\n/);
    assert.match(stdout, /\(25, 50\] A 0\n +B █+ 1 {2}≠\n/);
    assert.match(
      stdout,
      /✗ Different: of 1 series 0 equal, 1 different, 0 only in A, 0 only in B\n$/,
    );
  });
});

testCases(
  ([
    ["one file", ["a.json"], /expected A and B, found 1/],
    ["three files", ["a.json", "a.json", "a.json"], /expected A and B, found 3/],
    ["standard input twice", ["-", "-"], /name a file for the other/],
    ["a file that is not there", ["a.json", "b.json"], /"b\.json": it does not exist/],
    ["a file of something else", ["a.json", "text"], /Cannot use line 1 of "text"/],
    ["a cut-off document", ["a.json", "cut.json"], /Cannot use the document of "cut\.json"/],
  ] as const).map(([name, args, message]) => ({
    name: `diff ends with 2 when it gets ${name}`,
    run: () =>
      inDirectory(async (cwd) => {
        await dryRun(cwd, "a.json", EXPLICIT);
        await Deno.writeTextFile(`${cwd}/text`, "12.5\n");
        const text = await Deno.readTextFile(`${cwd}/a.json`);
        await Deno.writeTextFile(`${cwd}/cut.json`, text.slice(0, -20));
        const { status, stdout, stderr } = await diff(cwd, ...args);
        assert.deepEqual([status, stdout], [2, ""]);
        assert.match(stderr, message);
      }),
  })),
);

Deno.test("diff counts the lines of other signals, and compares the rest", async () => {
  await inDirectory(async (cwd) => {
    await dryRun(cwd, "a.json", EXPLICIT);
    const line = JSON.stringify(JSON.parse(await Deno.readTextFile(`${cwd}/a.json`)));
    const others = ['{"resourceSpans":[]}', '{"resourceLogs":[]}', '{ "resource_spans": [{}] }'];
    await Deno.writeTextFile(`${cwd}/shared.jsonl`, `${[...others, line].join("\n")}\n`);
    const { status, stdout } = await diff(cwd, "a.json", "shared.jsonl");
    const notes = "Not compared: 2 lines of traces\nNot compared: 1 line of logs\n";
    assert.deepEqual([status, stdout], [0, `${notes}✓ Equal: 20 series\n`]);
  });
});

Deno.test("diff hides the secret part of a Dynatrace token in an attribute", async () => {
  await inDirectory(async (cwd) => {
    await dryRun(cwd, "a.json", EXPLICIT);
    const text = await Deno.readTextFile(`${cwd}/a.json`);
    const token = `dt0c01.PUBLICPART.${"SECRET".repeat(8)}`;
    await Deno.writeTextFile(`${cwd}/b.json`, text.replaceAll("my-service", token));
    const key = '"attributes": [';
    const keyed = `${key}{ "key": "t", "value": { "stringValue": "${token}" } },`;
    await Deno.writeTextFile(`${cwd}/c.json`, text.replaceAll(key, keyed));
    const json = ["--output", "json"];
    for (
      const args of [["b.json"], ["c.json"], ["c.json", ...json]].map((it) => [...it, "a.json"])
    ) {
      const { stdout } = await diff(cwd, ...args);
      assert.ok(!stdout.includes("SECRETSECRET"), stdout);
      assert.ok(stdout.includes("dt0c01.PUBLICPART.***"), stdout);
    }
  });
});

/** Processors of a Collector that keep what passes through them. */
const PROCESSORS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "batch": { batch: "{timeout: 50ms, send_batch_size: 7, send_batch_max_size: 7}" },
  "a memory limiter": {
    memory_limiter: "{check_interval: 10ms, limit_mib: 200, spike_limit_mib: 20}",
  },
  "delta to cumulative": { delta_to_cumulative: "{}" },
  "delta to cumulative and back": {
    delta_to_cumulative: "{}",
    cumulative_to_delta: "{initial_value: keep}",
  },
};

testCases(
  Object.entries(PROCESSORS).map(([name, processors]) => ({
    name: `diff finds equal what was sent and what comes out of a Collector: ${name}`,
    ignore: missing("OTELCOL_CONTRIB"),
    run: () =>
      inDirectory(async (cwd) => {
        await dryRun(cwd, "sent.json", EXPLICIT);
        const port = freePort();
        {
          await using _ = await startCollector(
            collectorYaml(port, "file", `{path: "${cwd}/out.jsonl"}`, processors),
          );
          const args = ["--endpoint", `http://127.0.0.1:${port}`, ...EXPLICIT];
          assert.equal((await runProgram({ args, cwd })).status, 0);
        }
        const { status, stdout } = await diff(cwd, "sent.json", "out.jsonl");
        assert.deepEqual([status, stdout], [0, "✓ Equal: 20 series\n"]);
      }),
  })),
);
