import assert from "node:assert/strict";
import { testCases } from "../support/cases.ts";
import { objects } from "../support/lines.ts";
import { runProgram } from "../support/program.ts";

/** Line of a summary as send prints it: of a shard of four, with changes. */
function summary(index: number, changes: Readonly<Record<string, unknown>> = {}): string {
  return JSON.stringify({
    type: "summary",
    ...{ recorded: 10, delivered: 8, rejected: 0, dropped: 1, pending: 1, invalid: 2, skipped: 3 },
    ...{ rejectedPoints: 4, sends: 5, exitCode: 0, elapsedMs: 1000.5, requests: 6, points: 7 },
    bytes: 100 + index,
    latencyMs: { p50: 9, p90: 9, p99: 9, max: 9 },
    startTime: `2026-01-31T12:00:0${index}.000Z`,
    latencyHistogram: { bounds: [8, 10], counts: [0, 6, 0] },
    shard: { index, of: 4 },
    ...changes,
  });
}

const ALL = [0, 1, 2, 3].map((index) => summary(index));
const SEND = '{"type":"send","time":"2026-01-31T12:00:00.000Z","message":"no \\"summary\\""}';
const prefixed = (lines: readonly string[], pod = "load") =>
  lines.map((line, i) => `[pod/${pod}-${i}-x7/send] ${line}`);

interface Case {
  readonly name: string;
  readonly files?: Readonly<Record<string, string | Uint8Array>>;
  readonly stdin?: string;
  readonly args: readonly string[];
  readonly status: number;
  /** Number of processes in the report; undefined without one. */
  readonly processes: number | undefined;
  /** Warnings or the error, in order. */
  readonly messages: readonly RegExp[];
}

function utf16(text: string): Uint8Array {
  return new Uint8Array(Uint16Array.from(`\ufeff${text}`, (c) => c.charCodeAt(0)).buffer);
}

const CASES: readonly Case[] = [
  {
    name: "a file per shard",
    files: Object.fromEntries(ALL.map((line, i) => [`${i}.log`, `${line}\n`])),
    args: ["0.log", "1.log", "2.log", "3.log"],
    status: 0,
    processes: 4,
    messages: [],
  },
  {
    name: "one log with other lines between them",
    stdin: ["", "Starting", SEND, ALL[0], ALL[1], "{", SEND, ALL[3], "", ALL[2]].join("\n"),
    args: ["-"],
    status: 0,
    processes: 4,
    messages: [],
  },
  {
    name: "lines with the prefixes of kubectl logs",
    stdin: [...prefixed([SEND, SEND, SEND, SEND]), ...prefixed(ALL).toReversed()].join("\n"),
    args: ["-"],
    status: 0,
    processes: 4,
    messages: [],
  },
  {
    name: "CRI's prefix, compose's, Docker's json-file, sorted keys and two on one line",
    stdin: [
      `2026-01-31T12:00:00.1Z stdout F ${ALL[0]}`,
      `load-1  | ${ALL[1]}`,
      JSON.stringify({ log: `${ALL[2]}\n`, stream: "stdout" }),
      `${SEND}${ALL[3]}${summary(0, { shard: null })}`,
      JSON.stringify({
        recorded: 0,
        delivered: 0,
        rejected: 0,
        dropped: 0,
        pending: 0,
        type: "summary",
      }),
    ].join("\n"),
    args: ["-"],
    status: 0,
    processes: 6,
    messages: [/^Latency percentiles lack 1 of 6 processes/],
  },
  {
    name: "jq has printed summaries over several lines, alone, with sorted keys and in an array",
    files: {
      "0.log": `Starting\n{\n${JSON.stringify(JSON.parse(ALL[0] ?? ""), undefined, 2)}\r\n`,
      "1.log": JSON.stringify(
        Object.fromEntries(Object.entries(JSON.parse(ALL[1] ?? "")).toSorted()),
        undefined,
        "\t",
      ),
      "all.log": JSON.stringify([2, 3].map((i) => JSON.parse(ALL[i] ?? "")), undefined, 2),
    },
    args: ["0.log", "1.log", "all.log"],
    status: 0,
    processes: 4,
    messages: [],
  },
  {
    name: "a summary over several lines is cut off",
    stdin: [...ALL, JSON.stringify(JSON.parse(ALL[0] ?? ""), undefined, 2).slice(0, -30)].join(
      "\n",
    ),
    args: ["-"],
    status: 1,
    processes: 4,
    messages: [/^1 summary is cut off and not counted: line 5 of standard input/],
  },
  {
    name: "a shard is missing",
    stdin: [ALL[0], ALL[1], ALL[3]].join("\n"),
    args: ["-"],
    status: 1,
    processes: 3,
    messages: [/^Shard 2 of 4 has no summary: the report lacks what it sent/],
  },
  {
    name: "a shard ran twice",
    stdin: [...ALL, summary(1, { startTime: "2026-01-31T12:30:00.000Z" })].join("\n"),
    args: ["-"],
    status: 1,
    processes: 5,
    messages: [/^Shard 1 of 4 has several summaries, and all of them count/],
  },
  {
    name: "a file is given twice",
    files: { "all.log": `${ALL.join("\n")}\n`, "1.log": `${ALL[1]}\n` },
    args: ["all.log", "1.log"],
    status: 0,
    processes: 4,
    messages: [/^1 summary was found twice and counted once: line 1 of "1\.log" \(line 2 of "all/],
  },
  {
    name: "a pod is still running",
    stdin: prefixed([summary(0, { shard: null }), SEND]).join("\n"),
    args: ["-"],
    status: 1,
    processes: 1,
    messages: [/^No summary in pod\/load-1-x7: the report lacks what this process sent/],
  },
  {
    name: "a merge lacked a pod",
    stdin: summary(0, { shard: null, processes: 3, exitCodes: { 0: 2, 3: 1 }, exitCode: 1 }),
    args: ["-"],
    status: 1,
    processes: 3,
    messages: [/^A process was missing already from the merge on line 1 of standard input/],
  },
  {
    name: "two merges have all shards together",
    stdin: [[0, 1], [2, 3]].map((missing, i) =>
      summary(i, {
        ...{ shard: null, processes: 2, exitCodes: { 0: 2 }, exitCode: 1 },
        shards: [{ of: 4, missing, repeated: [] }],
      })
    ).join("\n"),
    args: ["-"],
    status: 0,
    processes: 4,
    messages: [],
  },
  {
    name: "a file holds none",
    files: { "a.log": `${summary(0, { shard: null })}\n`, "b.log": `${SEND}\n` },
    args: ["a.log", "b.log"],
    status: 1,
    processes: 1,
    messages: [/^No summary in "b\.log"/],
  },
  {
    name: "a summary is cut off",
    stdin: [...ALL, summary(0).slice(0, -30)].join("\n"),
    args: ["-"],
    status: 1,
    processes: 4,
    messages: [/^1 summary is cut off and not counted: line 5 of standard input/],
  },
  {
    name: "a process ended with 1, others with 3",
    stdin: [0, 1, 2, 3].map((i) => summary(i, { exitCode: i === 2 ? 1 : 3 })).join("\n"),
    args: ["-"],
    status: 1,
    processes: 4,
    messages: [],
  },
  {
    name: "some points were rejected",
    stdin: [0, 1, 2, 3].map((i) => summary(i, { exitCode: i === 2 ? 3 : 0 })).join("\n"),
    args: ["-"],
    status: 3,
    processes: 4,
    messages: [],
  },
  {
    name: "a ledger does not add up",
    stdin: [...ALL.slice(1), summary(0, { delivered: 9 })].join("\n"),
    args: ["-"],
    status: 0,
    processes: 4,
    messages: [/^recorded is not delivered \+ rejected \+ dropped \+ pending on line 4/],
  },
  {
    name: "the summary of another command is among them",
    stdin: [...ALL, '{"type":"summary","requests":1,"points":3,"exitCode":0}'].join("\n"),
    args: ["-"],
    status: 0,
    processes: 4,
    messages: [/^1 summary is of another command than send and not counted: line 5/],
  },
  {
    name: "there is none",
    stdin: `${SEND}\nWARNING: nothing\n`,
    args: ["-"],
    status: 2,
    processes: undefined,
    messages: [/^Cannot find the summary of a send: none .*Run send with --output json/],
  },
  {
    name: "standard input is empty",
    stdin: "",
    args: ["-"],
    status: 2,
    processes: undefined,
    messages: [/^Cannot find the summary of a send/],
  },
  {
    name: "a file does not exist",
    args: ["none.log"],
    status: 2,
    processes: undefined,
    messages: [/"none\.log": it does not exist$/],
  },
  {
    // PowerShell 5 writes UTF-16 when it redirects.
    name: "a file is UTF-16",
    files: { "pod.log": utf16(SEND) },
    args: ["pod.log"],
    status: 2,
    processes: undefined,
    messages: [/: iconv -f UTF-16 -t UTF-8 pod\.log \| otlp-histogram merge-summaries -$/],
  },
  {
    name: "no file is named",
    args: [],
    status: 2,
    processes: undefined,
    messages: [/^merge-summaries needs a file/],
  },
  {
    name: "standard input is given twice",
    stdin: "",
    args: ["-", "-"],
    status: 2,
    processes: undefined,
    messages: [/^Standard input \(-\) is given twice/],
  },
];

testCases(CASES.map(({ name, files = {}, stdin, args, status, processes, messages }) => ({
  name: `merge-summaries when ${name}`,
  async run() {
    const finished = await runProgram({
      args: ["merge-summaries", ...args, "--output", "json"],
      files,
      ...stdin !== undefined && { stdin },
    });
    const found = objects(finished.stderr).map(({ message }) => String(message));
    assert.equal(found.length, messages.length, finished.stderr);
    messages.forEach((message, i) => assert.match(found[i] ?? "", message));
    assert.equal(finished.status, status);
    const [report, ...others] = objects(finished.stdout);
    assert.deepEqual(others, []);
    assert.equal(report?.["processes"], processes);
    if (processes !== undefined) assert.equal(report?.["exitCode"], status);
  },
})));

Deno.test("merge-summaries --output json prints a summary that it can merge again", async () => {
  const stdin = ALL.join("\n");
  const merged = await runProgram({ args: ["merge-summaries", "-", "--output", "json"], stdin });
  assert.equal(
    merged.stdout,
    '{"type":"summary","recorded":40,"delivered":32,"rejected":0,"dropped":4,"pending":4,"invalid":8,' +
      '"skipped":12,"rejectedPoints":16,"sends":20,"exitCode":0,"elapsedMs":4000.5,"requests":24,"points":28,' +
      '"bytes":406,"latencyMs":{"p50":8.5,"p90":8.9,"p99":9,"max":9},"startTime":"2026-01-31T12:00:00.000Z",' +
      '"latencyHistogram":{"bounds":[8,10],"counts":[0,24,0]},"shard":null,"processes":4,"exitCodes":{"0":4},' +
      '"shards":[{"of":4,"missing":[],"repeated":[]}]}\n',
  );
  const again = await runProgram({
    args: ["merge-summaries", "-", "--output", "json"],
    stdin: merged.stdout,
  });
  assert.deepEqual([again.status, again.stdout], [0, merged.stdout]);
});

Deno.test("merge-summaries prints the report as text, and warnings on standard error", async () => {
  const lines = [ALL[0], ALL[1], summary(3, { exitCode: 1 })];
  const { status, stdout, stderr } = await runProgram({
    args: ["merge-summaries", "-"],
    stdin: lines.join("\n"),
  });
  assert.equal(
    stdout,
    "Merged the summaries of 3 processes, 3 of 4 shards.\n" +
      "Delivered 24 of 30 measurements in 15 sends; 3 lost, 3 unsent in the spool, 12 data points rejected, " +
      "6 invalid, 9 lines excluded.\n" +
      "Rate: 5.25 points/s in 4.5 requests/s, over 4 s\n" +
      "Latency of requests: p50 8.5 ms, p90 8.9 ms, p99 8.99 ms, max 9 ms\n" +
      "1 process ended with exit code 1.\n",
  );
  assert.match(stderr, /^WARNING: Shard 2 of 4 has no summary.*\n$/);
  assert.equal(status, 1);
});
