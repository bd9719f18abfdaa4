import assert from "node:assert/strict";
import { parsePattern } from "../../../src/source/input/pattern.ts";
import { bytesOf, type Options, patternOf, readChunks, readText } from "./reading.ts";

Deno.test("parsePattern() tells the named groups, also of Python's and Go's spelling", () => {
  assert.deepEqual(patternOf("(?<a>x)(y)(?<b>z)?").fields, ["a", "b"]);
  assert.deepEqual(patternOf("(?P<a>x)|(?P<b>y)").fields, ["a", "b"]);
  assert.deepEqual(patternOf("\\(?P<(?<a>x)").match("P<x")?.["a"], "x");
});

for (
  const [text, expected] of [
    ["", /^named groups, for example/],
    ["took (\\d+) ms", /^named groups, for example took \(\?<value>\\d\+\) ms$/],
    ["(?<a>", /^a regular expression as in JavaScript \(Unterminated group at character 1\)$/],
    ["(?<a>x)(?<a>y)", /^a regular expression as in JavaScript/],
    ["(?i)(?<a>x)", /^a regular expression as in JavaScript/],
    ["\\", /^a regular expression as in JavaScript/],
  ] as const
) {
  Deno.test(`parsePattern() says what is right in place of ${JSON.stringify(text)}`, () => {
    const parsed = parsePattern(text);
    assert.ok("expected" in parsed);
    assert.match(parsed.expected, expected);
  });
}

const LOG: Options = {
  format: "pattern",
  pattern: patternOf(
    "(?<method>GET|POST) (?<path>\\S*) took (?<value>[-\\d.]+)(?: \\[(?<user>\\w*)\\])?",
  ),
  attrFields: [{ name: "method", key: "http.method" }, { name: "user", key: "user" }],
};

Deno.test("readInput() takes fields from the groups of a pattern, anywhere in the line", async () => {
  const lines = [
    "x GET /a took 12.5 ms",
    "POST  took 3 [frank]\r",
    "GET /é took 4 [] GET /b took 5",
    "",
    " \t",
    "nothing",
    "GET /a took -1",
    "GET /a took 1.2.3",
  ];
  const { measurements, invalid, input } = await readChunks([bytesOf(lines.join("\n"))], LOG);
  assert.deepEqual(measurements, [
    [12.5, { "http.method": "GET" }],
    [3, { "http.method": "POST", user: "frank" }],
    [4, { "http.method": "GET" }],
  ]);
  assert.deepEqual(invalid, [
    [7, '"value" is negative: "-1"'],
    [8, '"value" is not a number: "1.2.3"'],
  ]);
  assert.deepEqual([input.progress.skipped, input.progress.matchesNothing], [1, false]);
  const nothing = await readChunks([bytesOf("a\nb\n\n")], LOG);
  assert.deepEqual(nothing.invalid, []);
  assert.equal(nothing.input.progress.skipped, 2);
  assert.ok(nothing.input.progress.matchesNothing);
  assert.ok(!(await readChunks([bytesOf("\n")], LOG)).input.progress.matchesNothing);
});

Deno.test("readInput() tells attributes of a pattern apart that read alike when they are joined", async () => {
  const { measurements } = await readText("a|bc|1\nab|c|1\nab||1\n|ab|1\n", {
    format: "pattern",
    pattern: patternOf("(?<x>\\w*)\\|(?<y>\\w*)\\|(?<value>.)"),
    attrFields: [{ name: "x", key: "x" }, { name: "y", key: "y" }],
  });
  assert.deepEqual(measurements.map(([, attributes]) => attributes), [
    { x: "a", y: "bc" },
    { x: "ab", y: "c" },
    { x: "ab" },
    { y: "ab" },
  ]);
});

Deno.test("readInput() tries no pattern on a line of more than 8,192 characters", async () => {
  const quadratic = patternOf("(?<value>\\d+)(x*)*y");
  const long = `1${"x".repeat(8192)}`;
  const { measurements, invalid } = await readText(`${long}\n2y\n`, {
    format: "pattern",
    pattern: quadratic,
  });
  assert.deepEqual(measurements, [[2, {}]]);
  assert.deepEqual(invalid, [[1, "longer than 8192 characters, the maximum for a pattern"]]);
});

Deno.test("readInput() throws a UsageError for a field that the pattern has not", async () => {
  for (
    const [options, flag] of [
      [{ valueField: "ms" }, "--value-field"],
      [{ attrFields: [{ name: "ms", key: "k" }] }, "--attr-field"],
      [{ where: [{ field: "ms", holds: () => true }] }, "--where"],
      [{ timeField: "ms" }, "--time-field"],
    ] as const
  ) {
    await assert.rejects(readText("x\n", { ...LOG, ...options }), {
      name: "UsageError",
      message:
        `The pattern has no field "ms", which ${flag} names: it has "method", "path", "value", "user"`,
    });
  }
});
