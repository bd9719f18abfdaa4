import assert from "node:assert/strict";
import { columnFormat } from "../../../../../src/commands/receive/page/browser/format.ts";
import { each } from "../../../../support/cases.ts";

type Column = Parameters<typeof columnFormat>[0];

const COLUMNS: readonly (readonly [name: string, column: Column, texts: readonly string[]])[] = [
  ["times in different units", [[3.12e-4, "s"], [160, "ms"], [2, "s"]], [
    "0.312 ms",
    "160 ms",
    "2,000 ms",
  ]],
  ["times in one unit that is too large", [[3.12e-4, "s"], [5e-4, "s"]], ["312 us", "500 us"]],
  ["times in one unit that suits", [[2500, "ms"], [0.5, "ms"]], ["2,500 ms", "0.5 ms"]],
  ["other units beside times", [[0.2, "s"], [1e-5, "By"], [3, "ms"]], [
    "200 ms",
    "1.00e-5 By",
    "3 ms",
  ]],
  ["unknown values", [[null, "s"], [0, "s"], [5, "ms"]], ["–", "0 s", "5 ms"]],
  ["nothing", [], []],
];

each(
  COLUMNS,
  ([name]) => `columnFormat() formats ${name}`,
  ([, column, texts]) => {
    const format = columnFormat(column);
    assert.deepEqual(column.map(([value, unit]) => format(value, unit)), texts);
  },
);
