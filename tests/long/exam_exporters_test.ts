import assert from "node:assert/strict";
import configuration from "../../deno.json" with { type: "json" };
import { testCases } from "../support/cases.ts";
import { EXAM_NAMES, examVerdicts, startExam } from "../support/exam.ts";
import { figure } from "../support/figure.ts";
import { freePort, Process } from "../support/process.ts";
import { commandLine } from "../support/program.ts";
import { missing, tool } from "../support/tools.ts";
import { collectorYaml, startCollector } from "../support/collector.ts";

// Real exporters take the exam, and docs/comparison.md holds what came of it: a column per exporter.

interface Exporter {
  /** Heading of its column. */
  readonly column: string;
  /** Variable that names its program. */
  readonly variable?: string;
  readonly version: () => Promise<string> | string;
  /** Starts what exports to `url` every second; `folder` is a temporary one. */
  readonly start: (url: string, folder: string) => Promise<readonly Process[]>;
}

const CLIENTS = new URL("../support/clients/", import.meta.url).pathname;

async function outputOf(command: string, ...args: string[]): Promise<string> {
  const { stdout } = await new Deno.Command(command, { args, stderr: "inherit" }).output();
  return new TextDecoder().decode(stdout).trim();
}

/** This program with those arguments, until it is stopped. */
function sending(url: string, ...args: string[]): Process {
  const [command = "", ...rest] = commandLine();
  return new Process(command, [...rest, "--endpoint", url, "--loop", "--interval", "1", ...args]);
}

const ownVersion = () => configuration.version;

const EXPORTERS: readonly Exporter[] = [
  {
    column: "SDK for Python",
    variable: "PREDECESSOR_PYTHON",
    version: () =>
      outputOf(
        tool("PREDECESSOR_PYTHON"),
        "-c",
        "import importlib.metadata as m; print(m.version('opentelemetry-exporter-otlp-proto-http'))",
      ),
    start: (url) =>
      Promise.resolve([new Process(tool("PREDECESSOR_PYTHON"), [`${CLIENTS}periodic.py`, url])]),
  },
  {
    column: "SDK for JavaScript",
    version: () =>
      configuration.imports["@opentelemetry/exporter-metrics-otlp-proto"].replace(/.*@/, ""),
    async start(url, folder) {
      const bundle = `${folder}/periodic.mjs`;
      const flags = ["--quiet", "--frozen", "--platform", "deno", "--output", bundle];
      await outputOf(Deno.execPath(), "bundle", ...flags, `${CLIENTS}periodic.ts`);
      return [new Process("node", [bundle, url])];
    },
  },
  {
    column: "telemetrygen",
    variable: "TELEMETRYGEN",
    async version() {
      const program = new TextDecoder("latin1").decode(await Deno.readFile(tool("TELEMETRYGEN")));
      return /cmd\/telemetrygen@v(\d+\.\d+\.\d+)/.exec(program)?.[1] ?? "";
    },
    start: (url) =>
      Promise.resolve([
        new Process(tool("TELEMETRYGEN"), [
          ..."metrics --otlp-http --otlp-insecure --batch=false --allow-export-failures".split(" "),
          ..."--metric-type Histogram --aggregation-temporality delta --duration 80s".split(" "),
          ...["--otlp-endpoint", new URL(url).host],
        ]),
      ]),
  },
  {
    column: "Collector",
    variable: "OTELCOL",
    async version() {
      const listed = await outputOf(tool("OTELCOL"), "components");
      return /otlphttpexporter v(\d+\.\d+\.\d+)/.exec(listed)?.[1] ?? "";
    },
    async start(url) {
      const port = freePort();
      const settings =
        `{metrics_endpoint: "${url}", timeout: 5s, retry_on_failure: {initial_interval: 1s}}`;
      const config = collectorYaml(port, "otlp_http", settings);
      const collector = await startCollector(config, "OTELCOL");
      return [sending(`http://127.0.0.1:${port}`), collector];
    },
  },
  {
    column: "send",
    version: ownVersion,
    start: (url) => Promise.resolve([sending(url)]),
  },
  {
    column: "send --spool",
    version: ownVersion,
    start: (url, folder) => Promise.resolve([sending(url, "--spool", `${folder}/spool`)]),
  },
];

/** The rows of the table in docs/comparison.md, by their first cell; code and links are stripped. */
async function documented(): Promise<ReadonlyMap<string, readonly string[]>> {
  const text = await Deno.readTextFile(new URL("../../docs/comparison.md", import.meta.url));
  const table = text.split("\n").filter((line) => line.startsWith("|"));
  const cells = table.map((line) =>
    line.split("|").slice(1, -1).map((cell) => cell.replaceAll("`", "").trim())
  );
  return new Map(cells.map(([first = "", ...rest]) => [first, rest]));
}

/** Returns the mark that a cell documents; where it says "✓ or ✗", chance decides and the found mark may be either. */
function expectedMark(cell: string | undefined, found: string | undefined): string | undefined {
  return found !== undefined && cell?.split(" or ").includes(found) ? found : cell;
}

const MARKS = new Map([[true, "✓"], [false, "✗"], [null, "?"]]);

testCases(EXPORTERS.map(({ column, variable, version, start }) => ({
  name: `${column} does in the exam as docs/comparison.md says`,
  ignore: variable && missing(variable),
  async run() {
    const folder = await Deno.makeTempDir({ prefix: "otlp-histogram-test-" });
    try {
      await using exam = await startExam("--output", "json", "--wait", "80");
      await using processes = new AsyncDisposableStack();
      for (const process of await start(exam.url, folder)) processes.use(process);
      const { status, stdout, durationMs } = await exam.program.finished;
      const verdicts = examVerdicts(stdout);
      const found = new Map(verdicts.map(({ name, ok }) => [name, MARKS.get(ok)]));
      const rows = await documented();
      const at = rows.get("case")?.indexOf(column) ?? -1;
      const cell = (name: string) => rows.get(name)?.[at];
      assert.deepEqual(
        [["version", await version()], ...found],
        [
          ["version", cell("version")],
          ...EXAM_NAMES.map((name) => [name, expectedMark(cell(name), found.get(name))]),
        ],
        JSON.stringify(verdicts, null, 1),
      );
      assert.equal(status, verdicts.some(({ ok }) => ok === false) ? 1 : 0);
      const passed = verdicts.filter(({ ok }) => ok === true).length;
      await figure(
        `exam: ${column} passes ${passed} of ${verdicts.length} cases in ${
          Math.round(durationMs / 1000)
        } s`,
      );
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
})));
