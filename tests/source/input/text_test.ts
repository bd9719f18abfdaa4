import assert from "node:assert/strict";
import { readText } from "./reading.ts";

Deno.test("readInput() reads plain numbers, one a line", async () => {
  const lines = [
    "12.5",
    "0",
    "-0",
    " 7 ",
    "",
    "  \t",
    "+3",
    "1e2",
    ".5",
    "5.",
    "0.12345678901234567",
    "007",
    "1E-2\r",
  ];
  const { measurements, invalid } = await readText(lines.join("\n"), { format: "text", scale: 2 });
  const values = [25, 0, 0, 14, 6, 200, 1, 10, 0.24691357802469134, 14, 0.02];
  assert.deepEqual(measurements, values.map((value) => [value, {}]));
  assert.deepEqual(invalid, []);
});

Deno.test("readInput() names the line and the reason when a plain number cannot be used", async () => {
  const lines = [
    "x",
    "1",
    "-1",
    "1 2",
    "0x10",
    "1,5",
    "1e999",
    "NaN",
    "inf",
    "",
    "12 ms",
    "1_000",
    "٣",
    "1e",
    "1-2",
  ];
  const { measurements, invalid } = await readText(lines.join("\r\n"), { format: "text" });
  assert.deepEqual(measurements, [[1, {}]]);
  assert.deepEqual(invalid, [
    [1, 'the value is not a number: "x"'],
    [3, 'the value is negative: "-1"'],
    [4, 'the value is not a number: "1 2"'],
    [5, 'the value is not a number: "0x10"'],
    [6, 'the value has a decimal comma, but --decimal-comma is not set: "1,5"'],
    [7, 'the value is not finite: "1e999"'],
    [8, 'the value is not finite: "NaN"'],
    [9, 'the value is not finite: "inf"'],
    [11, `the value has a unit of time, but --unit is not a unit of time: "12 ms"`],
    [12, 'the value is not a number: "1_000"'],
    [13, 'the value is not a number: "٣"'],
    [14, 'the value is not a number: "1e"'],
    [15, 'the value is not a number: "1-2"'],
  ]);
});

Deno.test("readInput() refuses a value that only its scale makes infinite", async () => {
  const { measurements, invalid } = await readText("1e308\n1", { format: "text", scale: 1000 });
  assert.deepEqual(measurements, [[1000, {}]]);
  assert.deepEqual(invalid, [[1, 'the value is not finite: "1e308"']]);
});

Deno.test("readInput() skips comments among plain numbers", async () => {
  const { measurements, invalid } = await readText("# ms\n1\n  # two\n#3\n4 # four\n", {});
  assert.deepEqual(measurements, [[1, {}]]);
  assert.deepEqual(invalid, [[5, 'the value is not a number: "4 # four"']]);
});
