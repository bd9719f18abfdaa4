import assert from "node:assert/strict";
import { escapeJson, escapeText, oneLine } from "../../src/console/escape.ts";

/** Characters that drive a terminal, or turn text around. */
const ACTING = "\x1b[31m\x00\x9b\u200f\u202e\u2028\u{e0001}a";
const SHOWN = "\\u001b[31m\\u0000\\u009b\\u200f\\u202e\\u2028\\udb40\\udc01a";

Deno.test("escapeText(), oneLine() and escapeJson() escape the same characters", () => {
  assert.equal(escapeText(ACTING), SHOWN);
  assert.equal(oneLine(ACTING), SHOWN);
  assert.equal(escapeJson(ACTING), `"${SHOWN}"`);
});

Deno.test("escapeJson() stays the JSON of the same value", () => {
  assert.equal(JSON.parse(escapeJson({ text: ACTING })).text, ACTING);
});

Deno.test("oneLine() makes one harmless line of any text", () => {
  assert.equal(oneLine("  a\r\n  b\n\nc  "), "a b c");
  assert.equal(oneLine("Grüße 日本"), "Grüße 日本");
  assert.equal(oneLine("x".repeat(5000)), `${"x".repeat(2000)}…`);
  assert.equal(oneLine("abc", 2), "ab…");
});
