import assert from "node:assert/strict";
import { gzip } from "../support/gzip.ts";
import { onePoint } from "../support/histogram.ts";
import { usageError } from "../support/fixture.ts";
import { measure, testFixtures } from "../support/run_fixture.ts";

const lines = (...all: readonly string[]) => all.map((line) => `${line}\n`).join("");

Deno.test("--where skips lines, which are counted and no error", async () => {
  const sent = await measure({
    args: ["--input", "-", "--where", "status=200", "--where", "path~^/api"],
    stdin: lines(
      "value=7 status=200 path=/api/a",
      "value=8 status=500 path=/api/a",
      "value=9 status=200 path=/",
      "value=10 status=200 path=/api/b",
    ),
  });
  assert.equal(onePoint(sent).count, 2);
  assert.equal(sent.summary["skipped"], 2);
  assert.equal(sent.summary["exitCode"], 0);
});

Deno.test("several inputs are read one after the other, and what cannot be used is named with its file", async () => {
  const sent = await measure({
    args: ["--input", "a.txt", "--input", "b.csv", "--input", "-"],
    files: { "a.txt": "7\nx\n", "b.csv": "value\n8\ny\n" },
    stdin: "value=9\n",
    status: 1,
    said: [/^a\.txt: line 2 not used: /, /^b\.csv: line 3 not used: /],
  });
  assert.deepEqual(onePoint(sent).sum, 24);
});

Deno.test("a field that no line has is named at the end", async () => {
  await measure({
    args: ["--input", "-", "--attr-field", "stauts"],
    stdin: "value=7 status=200\n",
    said: ['no line has a field named "stauts" (--attr-field or --where). Check the spelling'],
  });
});

Deno.test("a field with more than a thousand values is named once, with three of them", async () => {
  await measure({
    args: ["--input", "-", "--attr-field", "id"],
    stdin: lines(...Array.from({ length: 1500 }, (_, i) => `value=7 id=r${i}`)),
    said: [
      /^"id" has more than 1,000 different values \("r0", "r1", "r2", …\): is this an identifier\?/,
      /^rule one-bucket: http\.server\.duration: all 1500 values lie in one of 12 buckets, \(5, 10\] ms/,
    ],
  });
});

Deno.test("values that all fell into the first or the last bucket are said, with the remedies", async () => {
  const remedies = /convert them with --scale, or set --unit or --buckets to match$/;
  await measure({ args: ["--input", "-"], stdin: "0.2\n0.3\n", said: [remedies] });
  await measure({
    args: ["--input", "-"],
    stdin: lines(...Array.from({ length: 10 }, (_, i) => String(5001 + i))),
    said: [/^every value of http\.server\.duration so far is in the last bucket \(above 5000\)\. /],
  });
  // From 20 values on, the rule of meaning says so in its place.
  await measure({
    args: ["--input", "-"],
    stdin: lines(...Array.from({ length: 20 }, (_, i) => String(5001 + i))),
    said: [/^rule one-bucket: .*, \(5000, \+∞\) ms; .*--buckets/],
  });
  await measure({ args: ["--input", "-", "--scale", "1000"], stdin: "0.2\n0.3\n" });
  // A few that are near to the bound prove nothing.
  await measure({ args: ["--input", "-"], stdin: "2\n3\n" });
});

/** A line as Apache writes it with `%D` at the end of its common format. */
const APACHE = '10.0.0.1 - - [30/Nov/2026:12:00:00 +0000] "GET / HTTP/1.1" 200 12';

Deno.test("the time of an access log without a unit is reported, once and unless a flag names it", async () => {
  const log = ["--input", "-", "--time-field", "time"];
  await measure({
    args: log,
    stdin: lines(`${APACHE} 350`, `${APACHE} 351`),
    said: [
      /^"request_time" has no unit and is read as ms\. .*: describe the lines with --log-format, or set --scale or --unit$/,
    ],
  });
  for (const flags of [["--scale", "0.001"], ["--unit", "us"]]) {
    await measure({ args: [...log, ...flags], stdin: lines(`${APACHE} 35000`), said: [] });
  }
  await measure({ args: log, stdin: lines(`${APACHE} 35ms`), said: [] });
  await measure({
    args: [...log, "--value-field", "bytes", "--unit", "By"],
    stdin: lines(`${APACHE} 350`),
    said: [],
  });
});

Deno.test("the times of several upstreams in a field are one value, their sum", async () => {
  const sent = await measure({
    args: ["--input", "-", "--value-field", "t", "--scale", "1000"],
    stdin: lines('{"t":"0.500, 0.002"}', '{"t":"0.1 : 0.2, 0.3"}', '{"t":"-, 0.2"}', '{"t":"1,2"}'),
    status: 1,
    said: [
      `line 3 not used: "t" lacks the time of one upstream: "-, 0.2"`,
      'line 4 not used: "t" has a decimal comma, but --decimal-comma is not set: "1,2"',
    ],
  });
  const { count, sum } = onePoint(sent);
  assert.deepEqual([count, sum], [2, 1102]);
});

Deno.test("a live input's lines that cannot be used are counted while they come", async () => {
  const sent = await measure({
    args: ["--input", "-", "--input-format", "text", "--loop", "--interval", "0.3"],
    stdin: { open: true },
    status: 1,
    said: "any",
    async meanwhile({ program }) {
      await program.write("7\n" + "x\n".repeat(15));
      await program.waitForStderr("5 more lines were not used");
      await program.closeStdin();
    },
  });
  assert.equal(sent.summary["invalid"], 15);
});

Deno.test("text that is not UTF-8 is reported once, with the command that converts it", async () => {
  await measure({
    args: ["--input", "in.csv", "--attr-field", "city"],
    files: {
      "in.csv": Uint8Array.from(
        "city,value\nK\xf6ln,5\nK\xe4ln,6\n",
        (character) => character.charCodeAt(0),
      ),
    },
    said: [
      '"city" has text that is not UTF-8 ("K\ufffdln"): different values may have become one ' +
      "series. Convert the input first, for example " +
      "iconv -f ISO-8859-1 -t UTF-8 FILE | otlp-histogram --input -",
    ],
  });
});

Deno.test("damage behind gzip's contents costs none of the lines, and ends with 1", async () => {
  const packed = await gzip(lines(...Array.from({ length: 3000 }, () => "7")));
  const sent = await measure({
    args: ["--input", "in.gz"],
    files: { "in.gz": Uint8Array.of(...packed, 1, 2, 3) },
    status: 1,
    said: "any",
  });
  assert.equal(onePoint(sent).count, 3000);
});

Deno.test("a time of the year 2262 makes its line invalid, and --time-field needs intervals of 1 ms", async () => {
  const sent = await measure({
    args: ["--input", "-", "--time-field", "t"],
    stdin: lines(
      '{"value":1,"t":"2262-04-12T00:00:00Z"}',
      '{"value":2,"t":"9999-12-31T00:00:00Z"}',
      '{"value":3,"t":"2026-01-31T00:00:00Z"}',
    ),
    status: 1,
    said: "any",
  });
  assert.equal(sent.summary["invalid"], 2);
  assert.equal(sent.summary["delivered"], 1);
});

Deno.test("--log-format reads nginx's lines, skips others, and ends with 1 when it matches none", async () => {
  const args = [
    ...["--input", "-", "--attr-field", "status"],
    ...["--log-format", '"$request" $status $request_time'],
  ];
  const sent = await measure({
    args: [...args, "--scale", "7"],
    stdin: lines('"GET / HTTP/1.1" 200 0.012', "starting up", '"GET / HTTP/1.1" 200 0.030'),
  });
  assert.deepEqual(onePoint(sent).attributes, { status: "200" });
  assert.deepEqual([onePoint(sent).sum, sent.summary["skipped"]], [42, 1]);
  const none = await measure({
    args,
    stdin: lines("starting up", "done"),
    status: 1,
    posts: 0,
    said: ["the pattern matched none of 2 lines: compare it with one of them"],
  });
  assert.deepEqual([none.summary["skipped"], none.summary["invalid"]], [2, 0]);
});

Deno.test("an input of which no line gave a value is told with its format and its fields", async () => {
  for (
    const [format, stdin] of [
      ["NDJSON", '{"ms":5,"path":"/a"}\n'],
      ["logfmt", "ms=5 path=/a\n"],
    ] as const
  ) {
    await measure({
      args: ["--input", "-"],
      stdin,
      status: 1,
      posts: 0,
      said: [
        'line 1 not used: no field "value"',
        `no line gave a value: they were read as ${format}, and one has the fields "ms", "path". ` +
        "Name the one with the value with --value-field, or describe other lines with --pattern " +
        "or --log-format",
      ],
    });
  }
});

testFixtures([
  usageError(
    "free text is told from CSV",
    {
      args: ["plot", "--input", "-"],
      stdin: "Server started, listening\n",
    },
    /^ERROR: The input was read as CSV, because .* has no column "value", only "Server started", "listening"\. Name the right one with --value-field\. For CSV without a header use --columns; for lines of free text use --pattern, or --log-format$/,
  ),
  usageError(
    "pretty-printed JSON is refused with the user's own flags",
    {
      args: ["plot", "--input", "a.json", "--value-field", "took ms", "--unit", "s"],
      files: { "a.json": '{\n  "took ms": 5\n}\n' },
    },
    "ERROR: The input \"a.json\" is pretty-printed JSON, which this program cannot read. Convert it: jq -c . a.json | otlp-histogram plot --input - --unit s --value-field 'took ms'; for the elements of a list in it, use '.NAME[]' instead of .",
  ),
  usageError("a file without its flag is told which one", {
    args: ["plot", "access.log"],
  }, /^ERROR: access\.log does not belong to a flag: use --input access\.log/),
  usageError(
    "a file without a command or its flag is told which one",
    {
      args: ["logs/access.log-20261130.gz"],
    },
    /^ERROR: logs\/access\.log-20261130\.gz does not belong to a flag: use --input logs\/access\.log-/,
  ),
  usageError(
    "several files after --input are told how",
    {
      args: ["plot", "--input", "a", "b"],
    },
    /^ERROR: Unexpected argument after --input FILE \(hidden in case it is a secret\)\. Repeat --input for each file/,
  ),
]);
