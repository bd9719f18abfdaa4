import assert from "node:assert/strict";
import { DurationUnit, isDuration } from "../../../src/source/input/duration.ts";
import { readText } from "./reading.ts";

function converted(text: string, unit: string): number {
  return DurationUnit.of(unit)?.convert(text) ?? NaN;
}

Deno.test("DurationUnit converts what Go and others write of a duration", () => {
  const inMs = {
    "12ms": 12,
    "1.5s": 1500,
    "340µs": 0.34,
    "340μs": 0.34,
    "340us": 0.34,
    "5ns": 5e-6,
    "1m2.5s": 62_500,
    "1h3m": 3_780_000,
    "2h45m30.5s": 9_930_500,
    "1h0m0s": 3_600_000,
    "0s": 0,
    ".5s": 500,
    "5.s": 5000,
    "+3ms": 3,
    "-3ms": -3,
    "1d": 86_400_000,
    "2min": 120_000,
    "1e3us": 1,
    " 7ms ": 7,
    "12 ms": 12,
    "1 min 2.5 s": 62_500,
    "PT1.5S": 1500,
    "PT0S": 0,
    "PT1H2M3.5S": 3_723_500,
    "P1DT0,5H": 88_200_000,
    "P2W": 1_209_600_000,
    "-PT2S": -2000,
    "00:00:01.500": 1500,
    "0:01:02,5": 62_500,
    "26:00:00": 93_600_000,
    "1.02:03:04.5": 93_784_500,
  };
  for (const [text, ms] of Object.entries(inMs)) {
    assert.equal(converted(text, "ms"), ms, text);
    assert.ok(isDuration(text));
  }
});

Deno.test("DurationUnit converts to every unit of time with one rounding", () => {
  assert.equal(converted("1500ms", "s"), 1.5);
  assert.equal(converted("340µs", "s"), 0.00034);
  assert.equal(converted("90s", "min"), 1.5);
  assert.equal(converted("90m", "h"), 1.5);
  assert.equal(converted("1.5ms", "us"), 1500);
  assert.equal(converted("1.5ms", "ns"), 1_500_000);
  assert.equal(converted("12h", "d"), 0.5);
  for (const unit of ["m", "By", "1", "{request}", ""]) {
    assert.equal(DurationUnit.of(unit), undefined);
  }
  assert.equal(DurationUnit.of(undefined), undefined);
});

for (
  const text of [
    "",
    "12",
    "ms",
    "12  ms",
    "P1Y",
    "P1M",
    "PT",
    "P",
    "PT1M2",
    "01:30",
    "1:2:3",
    "12MS",
    "12msx",
    "1s2",
    "1,5s",
    "s1",
    "--1s",
    "1..5s",
    "12y",
    "0x1s",
  ]
) {
  Deno.test(`DurationUnit takes ${JSON.stringify(text)} for no duration`, () => {
    assert.ok(Number.isNaN(converted(text, "ms")));
    assert.ok(!isDuration(text));
  });
}

Deno.test("readInput() converts a value with a unit in every format, and scales only one without", async () => {
  const inputs = [
    ["text", "12ms\n1.5s\r\n340µs\n1m2.5s\n7\n"],
    ["csv", 'value\n12ms\n"1.5s"\n340µs\n1m2.5s\n"7"\n'],
    [
      "ndjson",
      '{"value":"12ms"}\n{"value":"1.5s"}\n{"value":"340µs"}\n{"value":"1m2.5s"}\n{"value":7}\n',
    ],
    ["logfmt", 'value=12ms\nvalue="1.5s"\nvalue=340µs\nvalue=1m2.5s\nvalue=7\n'],
  ] as const;
  for (const [format, text] of inputs) {
    const { measurements, invalid } = await readText(text, { format, unit: "ms", scale: 10 });
    assert.deepEqual(measurements.map(([value]) => value), [12, 1500, 0.34, 62_500, 70], format);
    assert.deepEqual(invalid, []);
  }
});

Deno.test("readInput() says when a value has a unit of time and the metric has none", async () => {
  const { invalid } = await readText("12ms\n5s\n-5s\n", { format: "text", unit: "By" });
  assert.deepEqual(invalid, [
    [1, 'the value has a unit of time, but --unit is not a unit of time: "12ms"'],
    [2, 'the value has a unit of time, but --unit is not a unit of time: "5s"'],
    [3, 'the value has a unit of time, but --unit is not a unit of time: "-5s"'],
  ]);
  assert.deepEqual((await readText("-5s\n", { format: "text", unit: "ms" })).invalid, [
    [1, 'the value is negative: "-5s"'],
  ]);
});
