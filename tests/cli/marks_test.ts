import assert from "node:assert/strict";
import { colorMarks } from "../../src/cli/marks.ts";

const green = (text: string) => `\x1b[32m${text}\x1b[0m`;
const red = (text: string) => `\x1b[31m${text}\x1b[0m`;
const yellow = (text: string) => `\x1b[33m${text}\x1b[0m`;

Deno.test("colorMarks() colours the mark at the start of each line, and nothing else", () => {
  assert.equal(
    colorMarks("✓ config\n✗ tls: ✗\nWARNING: a WARNING: b\nERROR: c\n"),
    `${green("✓")} config\n${red("✗")} tls: ✗\n${yellow("WARNING")}: a WARNING: b\n${
      red("ERROR")
    }: c\n`,
  );
});

Deno.test("colorMarks() sees a mark after a time", () => {
  assert.equal(
    colorMarks("[2026-01-31 12:00:00] ✓ Sent 5 measurements\n"),
    `[2026-01-31 12:00:00] ${green("✓")} Sent 5 measurements\n`,
  );
});

Deno.test("colorMarks() leaves other lines as they are", () => {
  const text = '  ✓ indented\n{"type":"error"}\n[x] ✓ y\nERRORS\n';
  assert.equal(colorMarks(text), text);
});
