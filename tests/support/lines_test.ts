import assert from "node:assert/strict";
import { error, like, type Line, matched, normalized, objects, repeated } from "./lines.ts";

const text = (...lines: readonly string[]) => lines.map((line) => `${line}\n`).join("");
const agrees = (printed: string, expected: readonly Line[]) =>
  assert.deepEqual(matched(printed, expected), expected);
const differs = (printed: string, expected: readonly Line[]) =>
  assert.notDeepEqual(matched(printed, expected), expected);

Deno.test("matched() takes whole lines, expressions and fields of objects", () => {
  agrees(text("one", "two 2", '{"type":"error","message":"no\\nentry"}'), [
    "one",
    /^two \d$/,
    error(/^no\nentry$/),
  ]);
  agrees("", []);
});

Deno.test("matched() differs when a line is missing, too many, another or in another place", () => {
  differs(text("one"), ["one", "two"]);
  differs(text("one", "two"), ["one"]);
  differs(text("one"), []);
  differs(text("one more"), ["one"]);
  differs(text("two", "one"), ["one", "two"]);
});

Deno.test("matched() compares a field by its type, and demands that it is there", () => {
  agrees('{"type":"send","points":3,"message":null}\n', [like({ points: 3, message: null })]);
  differs('{"points":"3"}\n', [like({ points: 3 })]);
  differs('{"type":"send"}\n', [like({ message: null })]);
  differs("no object\n", [like({})]);
});

Deno.test("matched() takes as many repeated lines as come, but not fewer than it is told", () => {
  for (const lines of [["end"], ["again", "end"], ["again", "again", "again", "end"]]) {
    agrees(text(...lines), [repeated("again"), "end"]);
  }
  differs(text("end"), [repeated("again", 1), "end"]);
  differs(text("again", "other", "end"), [repeated("again"), "end"]);
});

Deno.test("matched() throws when the last line does not end", () => {
  assert.throws(() => matched("one", ["one"]), /does not end/);
});

Deno.test("objects() throws for a line that is no JSON object", () => {
  assert.deepEqual(objects('{"a":1}\n'), [{ a: 1 }]);
  for (const line of ["text", "[1]", "null", ""]) assert.throws(() => objects(`${line}\n`));
});

Deno.test("normalized() replaces what changes from run to run", () => {
  assert.equal(
    normalized(
      '[2026-01-31 12:00:00] to http://127.0.0.1:4444 through :5555, 412 bytes in 12.3 ms "bytes":412',
      { port: 4444 },
      { port: 5555 },
    ),
    '[TIME] to http://127.0.0.1:PORT through :PROXY, N bytes in N ms "bytes":"N"',
  );
});
