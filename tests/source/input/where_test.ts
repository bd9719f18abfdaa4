import assert from "node:assert/strict";
import { timeZoneOf } from "../../../src/source/input/time_zone.ts";
import { parseCondition } from "../../../src/source/input/where.ts";
import { bytesOf, type Options, readChunks } from "./reading.ts";

function where(...texts: readonly string[]): Options {
  return {
    where: texts.map((text) => {
      const condition = parseCondition(text);
      if ("expected" in condition) throw new Error(condition.expected);
      return condition;
    }),
  };
}

for (
  const [text, field, yes, no] of [
    ["status=200", "status", ["200"], ["2000", "", undefined]],
    ["status!=200", "status", ["404", "", undefined], ["200"]],
    ["path~^/api/", "path", ["/api/x"], ["/x/api/", undefined]],
    ["path~a=b", "path", ["?a=b"], ["a"]],
    ["a=b~c", "a", ["b~c"], ["b"]],
    ["a==b", "a", ["=b"], ["b"]],
    ["a=", "a", [""], ["x", undefined]],
    ["a~", "a", ["", "x"], [undefined]],
    ["status>=500", "status", ["500", "503.0", " 600 "], ["499", "", "x", undefined]],
    ["status>500", "status", ["501"], ["500"]],
    ["ms<1.5", "ms", ["1.4", "-3"], ["1.5", undefined]],
    ["ms<=1.5", "ms", ["1.5"], ["1.6"]],
    ["d>1.5s", "d", ["1501ms", "PT2S", "00:00:02"], ["1500ms", "3", "x"]],
    [
      "t>=2026-01-31T12:00:00Z",
      "t",
      ["2026-01-31T14:00:00+02:00", "31/Jan/2026:12:00:01 +0000", "1769860800"],
      ["2026-01-31T13:59:59+02:00", "2026-02-01 12:00:00", "x", undefined],
    ],
    ["a~x>1", "a", ["x>1"], ["2"]],
    ["a=b>1", "a", ["b>1"], ["2"]],
    [" @level =info", "@level", ["info"], ["INFO"]],
  ] as const
) {
  Deno.test(`parseCondition() reads ${text}`, () => {
    const condition = parseCondition(text);
    assert.ok("holds" in condition);
    assert.equal(condition.field, field);
    for (const value of yes) assert.equal(condition.holds(value), true, value);
    for (const value of no) assert.equal(condition.holds(value), false, value);
  });
}

for (const text of ["", "status", "=200", "!=200", "~x", "a!~x", " =5"]) {
  Deno.test(`parseCondition() says what is right in place of ${JSON.stringify(text)}`, () =>
    assert.deepEqual(parseCondition(text), {
      expected:
        "FIELD=VALUE, FIELD!=VALUE, FIELD~REGEX or FIELD>NUMBER (>=, <, <=), for example status=200",
    }));
}

Deno.test("parseCondition() compares with numbers, durations and times alone", () => {
  for (const operator of [">", ">=", "<", "<="]) {
    for (const operand of ["", "fast", "2026-01-31T12:00:00"]) {
      assert.deepEqual(parseCondition(`a${operator}${operand}`), {
        expected:
          `a number, a duration or a time with its zone after the ${operator}, for example ` +
          `status${operator}500, took${operator}1.5s or ts${operator}2026-01-31T12:00:00Z`,
      });
    }
  }
});

Deno.test("parseCondition() compares the sum of a list of times", () => {
  for (
    const [text, list, expected] of [
      ["t>1", "0.5, 0.6", true],
      ["t<1", "0.5, 0.6", false],
      ["t>1s", "500ms, 600ms", true],
      ["t>0", "-, 0.6", false],
      ["t>0", "1,234", false],
    ] as const
  ) {
    const condition = parseCondition(text);
    assert.ok("holds" in condition);
    assert.equal(condition.holds(list), expected, `${text} of ${list}`);
  }
});

Deno.test("parseCondition() compares times without a zone in the zone that is named", () => {
  const condition = parseCondition("t<2026-01-31 12:00:00", { zone: timeZoneOf("Europe/Berlin") });
  assert.ok("holds" in condition);
  assert.equal(condition.holds("2026-01-31T10:59:59Z"), true);
  assert.equal(condition.holds("2026-01-31T11:00:00Z"), false);
  assert.equal(condition.holds("2026-01-31 11:59:59,999"), true);
});

Deno.test("parseCondition() says what is right in place of a broken expression", () =>
  assert.deepEqual(parseCondition("path~("), {
    expected:
      "a regular expression after the ~, for example path~^/api/ (Unterminated group at character 1)",
  }));

async function values(text: string, options: Options) {
  const { measurements, invalid, input } = await readChunks([bytesOf(text)], options);
  return [
    measurements.map(([value]) => value),
    invalid.map(([line]) => line),
    input.progress.skipped,
  ];
}

Deno.test("readInput() skips what does not fulfil all conditions, before it looks at the value", async () => {
  const text = "metric_name,value,status\nvus,x,\nreqs,1,200\nreqs,2,404\nreqs,y,200\nvus,3,200\n";
  const options = { format: "csv", ...where("metric_name=reqs", "status!=404") } as const;
  assert.deepEqual(await values(text, options), [[1], [5], 3]);
});

Deno.test("readInput() compares JSON values as text, on every way to read them", async () => {
  const lines = [
    '{"value":1,"s":200,"b":true,"n":null,"o":{"x":1}}',
    '{"value":2,"s":"200","b":"true","o":{"x":1.0}}',
    '{"value":3,"s":2e2,"b":true,"o":{ "x" : 1 }}',
    '{"value":4,"s":"\\u003200","b":true,"o":{"x":1},"n":1}',
    '{"value":5,"s":404,"b":true}',
    '{"value":"6","b":true}',
  ];
  const text = [...lines, ...lines].join("\n");
  const twice = (...n: readonly number[]) => [[...n, ...n], [], 12 - 2 * n.length];
  const read = (...conditions: readonly string[]) =>
    values(text, { format: "ndjson", ...where(...conditions) });
  assert.deepEqual(await read("s=200"), twice(1, 2, 3, 4));
  assert.deepEqual(await read("s!=200"), twice(5, 6));
  assert.deepEqual(await read("s~^[0-9]+$", "b=true"), twice(1, 2, 3, 4, 5));
  assert.deepEqual(await read("n=1"), twice(4));
  assert.deepEqual(await read("n!=1"), twice(1, 2, 3, 5, 6));
  assert.deepEqual(await read("o.x=1"), twice(1, 2, 3, 4));
  assert.deepEqual(await read('o={"x":1}'), twice(1, 2, 3, 4));
  assert.deepEqual(await read("value~^[1-3]$"), twice(1, 2, 3));
});

Deno.test("readInput() has the only field value in plain numbers", async () => {
  const text = "1\n 2 \n3ms\nx\n";
  assert.deepEqual(await values(text, { format: "text", unit: "ms", ...where("value~^[23]") }), [
    [2, 3],
    [],
    2,
  ]);
  for (
    const options of [where("status=200"), { timeField: "t" }, {
      attrFields: [{ name: "a", key: "a" }],
    }]
  ) {
    await assert.rejects(values(text, { format: "text", ...options }), {
      name: "UsageError",
      message:
        /^The input is plain numbers, one per line, without a field "(status|t|a)": remove --/,
    });
  }
});

Deno.test("readInput() throws a UsageError for a condition on a column that the CSV header lacks", () =>
  assert.rejects(values("value,a\n1,2\n", { format: "csv", ...where("b=2") }), {
    name: "UsageError",
    message: /has no column "b".*Name the right one with --where$/,
  }));
