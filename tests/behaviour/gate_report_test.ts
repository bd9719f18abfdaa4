import assert from "node:assert/strict";
import { each, testCases } from "../support/cases.ts";
import { inDirectory } from "../support/directory.ts";
import { type Program, runProgram, startProgram } from "../support/program.ts";
import { DRIVES_A_TERMINAL } from "../support/terminal.ts";
import { missing, namedUnless, noPosix, tool } from "../support/tools.ts";

// The reports that receive leaves: lines of text, the JSON summary, JUnit's file and GitHub's step summary.

/** Text that would end an element, an attribute, a cell, a line and a workflow's step. */
const EVIL = '</failure>"|`<b>[x](y)\x1b[31m\n::error::pwned ##[error]pwned';

/** A request with a histogram of two data points, the second of which breaks bucket-sum, and one of a strange name. */
const BODY = JSON.stringify({
  resourceMetrics: [{
    resource: { attributes: [{ key: "service.name", value: { stringValue: "shop" } }] },
    scopeMetrics: [{
      metrics: [
        {
          name: "job.duration",
          unit: "ms",
          histogram: { aggregationTemporality: 1, dataPoints: [point("3"), point("4")] },
        },
        {
          name: EVIL,
          histogram: { aggregationTemporality: 1, dataPoints: [point("9")] },
        },
      ],
    }],
  }],
});

function point(count: string) {
  return {
    ...{ startTimeUnixNano: "1", timeUnixNano: "2", count },
    ...{ bucketCounts: ["3", "0"], explicitBounds: [5] },
    attributes: [{ key: "queue", value: { stringValue: "a, b" } }],
  };
}

async function post(program: Program, format: "text" | "json" = "text"): Promise<void> {
  const text = format === "json"
    ? await program.waitForStderr("listening")
    : await program.waitForStdout("Listening on");
  const [url = ""] = /https?:\/\/[^\s"]+/.exec(text) ?? [];
  const headers = { "content-type": "application/json" };
  const response = await fetch(url, { method: "POST", headers, body: BODY });
  await response.body?.cancel();
}

const RECEIVE = ["receive", "--port", "0"];
const MET =
  'job.duration{queue="a, b"} unit=ms type=histogram temporality=delta count>=3 service.name=shop';
const MISSED = "job.duration{host} unit=s";
const GATE = [
  "--fail-on",
  "error",
  "--expect",
  MET,
  "--expect",
  MISSED,
  "--expect",
  `"${EVIL.replaceAll('"', '\\"')}"`,
];

interface Fact {
  readonly kind: string;
  readonly name: string;
  readonly ok: boolean | null;
  readonly detail: string;
}

/** Reads JUnit's file with a parser of XML that accepts nothing else. */
const READ_JUNIT = `
import json, sys, xml.etree.ElementTree as tree
root = tree.parse(sys.argv[1]).getroot()
(suite,) = root
facts = []
for case in suite.iter("testcase"):
    (result,) = case
    facts.append({"kind": case.get("classname").rsplit(".", 1)[1], "name": case.get("name"),
        "ok": {"system-out": True, "failure": False, "skipped": None}[result.tag],
        "detail": result.text if result.tag == "system-out" else result.get("message")})
counts = [root.get(key) for key in ("tests", "failures")] + [suite.get(key) for key in ("tests", "failures", "skipped")]
print(json.dumps({"facts": facts, "counts": [int(count) for count in counts]}))
`;

async function readJUnit(path: string): Promise<{ facts: Fact[]; counts: number[] }> {
  const python = new Deno.Command(tool("PREDECESSOR_PYTHON"), { args: ["-c", READ_JUNIT, path] });
  const { success, stdout, stderr } = await python.output();
  assert.ok(success, new TextDecoder().decode(stderr));
  return JSON.parse(new TextDecoder().decode(stdout));
}

/** Reads the rows of a step summary. */
function readSummary(markdown: string): Fact[] {
  const rows = markdown.split("\n").filter((line) => /^\| [✓✗–] /.test(line));
  const plain = (cell = "") =>
    cell.trim().replace(/^<code>|<\/code>$/g, "")
      .replace(/&#(\d+);/g, (_, code) => String.fromCharCode(code));
  return rows.map((row) => {
    const [, mark = "", label, name, detail] = row.split("|");
    return {
      kind: plain(label) === "--expect" ? "expectation" : plain(label),
      name: plain(name),
      ok: mark.trim() === "–" ? null : mark.trim() === "✓",
      detail: plain(detail),
    };
  });
}

Deno.test({
  ...namedUnless(
    missing("PREDECESSOR_PYTHON"),
    "receive reports the same checks in JSON, JUnit XML and GitHub's step summary",
  ),
  fn: () =>
    inDirectory(async (directory) => {
      await Deno.writeTextFile(`${directory}/step.md`, "What came before\n");
      await using program = await startProgram({
        args: [...RECEIVE, ...GATE, "--requests", "1", "--output", "json", "--junit", "junit.xml"],
        env: { GITHUB_STEP_SUMMARY: `${directory}/step.md` },
        cwd: directory,
      });
      await post(program, "json");
      const { status, stdout } = await program.finished;
      assert.equal(status, 1);
      const summary = JSON.parse(stdout.trimEnd().split("\n").at(-1) ?? "");
      // JSON has the texts themselves; elsewhere what XML and terminals do not accept is escaped.
      const checks: Fact[] = summary.checks.map((check: Fact) => ({
        ...check,
        name: escaped(check.name),
        detail: escaped(check.detail),
      }));
      const first = checks.map((
        { kind, name, ok, detail },
      ) => [kind, name, ok, detail.slice(0, 62)]);
      assert.deepEqual(first, [
        ["expectation", MET, true, "met by request 1, count 3"],
        [
          "expectation",
          MISSED,
          false,
          "host is missing on 2 of 2 data points; unit is ms, expected s".slice(0, 62),
        ],
        [
          "expectation",
          escaped(GATE.at(-1) ?? ""),
          false,
          "the metric arrived, but all its data points were rejected: bucket-sum".slice(0, 62),
        ],
        [
          "rule",
          "bucket-sum",
          false,
          `error, 2 times: job.duration, ${escaped(EVIL)}: `.slice(0, 62),
        ],
      ]);
      assert.deepEqual(summary.missing, [MISSED, GATE.at(-1)]);
      assert.deepEqual(await readJUnit(`${directory}/junit.xml`), {
        facts: checks,
        counts: [4, 3, 4, 3, 0],
      });
      const markdown = await Deno.readTextFile(`${directory}/step.md`);
      assert.ok(markdown.startsWith("What came before\n### otlp-histogram receive: failed\n"));
      assert.deepEqual(readSummary(markdown), checks);
      assert.doesNotMatch(markdown.replaceAll("\n", ""), DRIVES_A_TERMINAL);
    }),
});

function escaped(text: string): string {
  return text.replace(
    /\p{Cc}/gu,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

Deno.test("receive prints which request met an expectation, and the nearest miss of another", async () => {
  await using program = await startProgram({ args: [...RECEIVE, ...GATE, "--requests", "1"] });
  await post(program);
  const { status, stdout } = await program.finished;
  assert.equal(status, 1);
  const lines = stdout.split("\n");
  assert.ok(lines.includes(`✓ --expect "${MET}": met by request 1, count 3`), stdout);
  assert.ok(
    lines.includes(
      `✗ --expect "${MISSED}": host is missing on 2 of 2 data points; unit is ms, expected s`,
    ),
    stdout,
  );
});

Deno.test("receive --ignore shows the problems of a rule and ends with 0", async () => {
  await using program = await startProgram({
    args: [...RECEIVE, "--fail-on", "warning", "--ignore", "bucket-sum", "--requests", "1"],
  });
  await post(program);
  const { status, stdout } = await program.finished;
  assert.equal(status, 0, stdout);
  assert.match(stdout, /^ {2}error bucket-sum \(ignored\): job\.duration: /m);
  assert.match(stdout, /2 data points rejected; 2 problems ignored$/m);
});

testCases((["SIGINT", "SIGTERM"] as const).map((signal) => ({
  name: `receive --junit writes its file after ${signal}`,
  ignore: noPosix ?? missing("PREDECESSOR_PYTHON"),
  run: () =>
    inDirectory(async (directory) => {
      await using program = await startProgram({
        args: [...RECEIVE, "--expect", "job.duration", "--junit", "junit.xml"],
        cwd: directory,
      });
      await post(program);
      program.signal(signal);
      assert.equal((await program.finished).status, 0);
      const { facts } = await readJUnit(`${directory}/junit.xml`);
      assert.deepEqual(facts.map(({ name, ok }) => [name, ok]), [
        ["job.duration", true],
        ["bucket-sum", null],
      ]);
    }),
})));

Deno.test("receive --junit ends with 2 before it listens when FILE cannot be written", async () => {
  const { status, stdout, stderr } = await runProgram({
    args: [...RECEIVE, "--wait", "9", "--junit", "none/junit.xml"],
  });
  assert.equal(status, 2);
  assert.equal(stdout, "");
  assert.match(stderr, /^ERROR: --junit ".*none\/junit\.xml" \(command line\) cannot be written: /);
});

Deno.test("receive --junit ends with 1 when FILE cannot be written at the end", () =>
  inDirectory(async (directory) => {
    await Deno.mkdir(`${directory}/reports`);
    await using program = await startProgram({
      args: [...RECEIVE, "--requests", "1", "--output", "json", "--junit", "reports/junit.xml"],
      cwd: directory,
    });
    await program.waitForStderr("listening");
    await Deno.remove(`${directory}/reports`, { recursive: true });
    await post(program, "json");
    const { status, stdout, stderr } = await program.finished;
    assert.equal(status, 1);
    assert.match(stderr, /"type":"error","message":"--junit .* cannot be written: /);
    assert.equal(JSON.parse(stdout.trimEnd().split("\n").at(-1) ?? "").exitCode, 1);
  }));

Deno.test("receive prints a warning when it cannot append to GITHUB_STEP_SUMMARY, and ends the same", async () => {
  await using program = await startProgram({
    args: [...RECEIVE, "--requests", "1"],
    env: { GITHUB_STEP_SUMMARY: "/nowhere/step.md" },
  });
  await post(program);
  const { status, stderr } = await program.finished;
  assert.equal(status, 0);
  assert.match(stderr, /^WARNING: GITHUB_STEP_SUMMARY "\/nowhere\/step\.md" cannot be written: /);
});

each(
  [
    [
      ["--expect", "m{a=b"],
      'Invalid --expect "m{a=b" (command line): expected "," or "}", at its end. ',
    ],
    [
      ["--expect", "m count>=x"],
      'Invalid --expect "m count>=x" (command line): expected a whole number',
    ],
    [
      ["--ignore", "nothing"],
      'Invalid --ignore "nothing" (command line): expected a rule of --rules otlp: ',
    ],
    [["--junit", ""], 'Invalid --junit "" (command line): expected the path of a file'],
  ] as const,
  ([flags]) => `receive ${flags.join(" ")} is a usage error`,
  async ([flags, message]) => {
    const { status, stdout, stderr } = await runProgram({ args: [...RECEIVE, ...flags] });
    assert.equal(status, 2);
    assert.equal(stdout, "");
    assert.ok(stderr.startsWith(`ERROR: ${message}`), stderr);
  },
);
