import assert from "node:assert/strict";
import { Secrets } from "../../src/redact/secrets.ts";
import { Console } from "../../src/console/console.ts";
import { errorLines, escapedLines, warningLines } from "../../src/console/lines.ts";
import { counted, plural } from "../../src/console/plural.ts";
import { withoutCommands } from "../../src/console/workflow_command.ts";

/** A console, and all that it wrote in order. */
function consoleOf(format: "text" | "json", level = "normal") {
  const written: string[] = [];
  const secrets = new Secrets();
  const console = new Console({
    stdout: (text) => written.push(`out ${text}`),
    stderr: (text) => written.push(`err ${text}`),
    secrets,
  }, { format, level });
  return { console, written, secrets };
}

Deno.test("warningLines() and errorLines() have the form of the output", () => {
  assert.deepEqual(warningLines("text", "a"), ["WARNING: a"]);
  assert.deepEqual(warningLines("json", 'a"'), ['{"type":"warning","message":"a\\""}']);
  assert.deepEqual(errorLines("text", "a", "b"), ["ERROR: a", "  Hint: b"]);
  assert.deepEqual(errorLines("json", "a", "b"), ['{"type":"error","message":"a. Hint: b"}']);
});

Deno.test("warningLines() and errorLines() escape every line, and keep the lines of a message", () => {
  assert.deepEqual(warningLines("text", "a\x9b\nb\u2028"), ["WARNING: a\\u009b", "b\\u2028"]);
  assert.deepEqual(errorLines("text", "a", "\x1bb"), ["ERROR: a", "  Hint: \\u001bb"]);
  const [line = ""] = warningLines("json", "a\x9b\ud800");
  assert.equal(line, '{"type":"warning","message":"a\\u009b\\ud800"}');
  assert.equal(JSON.parse(line).message, "a\x9b\ud800");
  assert.deepEqual(escapedLines("\ud83d\ude00 \ud83d"), ["\ud83d\ude00 \\ud83d"]);
});

Deno.test("Console says warnings, errors and notes in the form of the output", () => {
  const text = consoleOf("text");
  text.console.warn("a");
  text.console.error("b", "c");
  text.console.note("d\x9b");
  assert.deepEqual(text.written, [
    "err WARNING: a\n",
    "err ERROR: b\n",
    "err   Hint: c\n",
    "out d\\u009b\n",
  ]);
  const json = consoleOf("json", "quiet");
  json.console.warn("a");
  json.console.note("d\x9b");
  assert.deepEqual(json.written, [
    'err {"type":"warning","message":"a"}\n',
    'err {"type":"note","message":"d\\u009b"}\n',
  ]);
  const quiet = consoleOf("text", "quiet");
  quiet.console.note("d");
  assert.deepEqual(quiet.written, []);
});

Deno.test("Console takes the line of status away before it prints, once", () => {
  const { console, written } = consoleOf("text");
  console.clear();
  console.print({ out: [], err: [] });
  assert.deepEqual(written, [], "nothing is cleared before something is shown");
  console.status("1 s");
  console.status("2 s");
  console.print({ out: [], err: [] });
  console.print({ out: ["a"], err: ["b"] });
  console.warn("c");
  assert.deepEqual(written, [
    "err \r\x1b[K1 s",
    "err \r\x1b[K2 s",
    "err \r\x1b[K",
    "err b\n",
    "out a\n",
    "err WARNING: c\n",
  ]);
});

Deno.test("Console hides a secret that a warning or an error quotes", () => {
  const { console, written, secrets } = consoleOf("text");
  secrets.addHeader("x-key", "s3cr3t-t0ken-of-mine");
  console.warn('not used: "s3cr3t-t0ken-of-mine"');
  console.error('cannot read "s3cr3t-t0ken-of-mine"');
  assert.doesNotMatch(written.join(""), /s3cr3t/);
  assert.match(written.join(""), /not used.*cannot read/s);
});

Deno.test("counted() and plural() agree with the number", () => {
  assert.deepEqual([0, 1, 2].map((n) => counted(n, "line")), ["0 lines", "1 line", "2 lines"]);
  assert.deepEqual([1, 2].map((n) => plural(n, "it is", "they are")), ["it is", "they are"]);
});

Deno.test("withoutCommands() leaves no line that a workflow takes for a command, and nothing else changed", () => {
  for (
    const command of [
      "::error::a",
      " \t::add-mask::a",
      "\u3000\u00a0::x::",
      "a ##[error]b",
      "##vso[x]",
    ]
  ) {
    const text = `first\n${command}\nlast\n`;
    const shown = withoutCommands(text);
    assert.doesNotMatch(shown, /^\s*::|##\[|##vso\[/m);
    assert.equal(shown.split("\n").length, 4);
    assert.equal(JSON.parse(`"${shown.replaceAll("\n", "\\n").replaceAll("\t", "\\t")}"`), text);
  }
  for (const text of ["http://[::1]:4318", "a::b", ":a", "## heading", "#[x]", '{"a":"::b"}']) {
    assert.equal(withoutCommands(text), text);
  }
});

Deno.test("stream() prints texts as they are made, and makes no more once nobody reads", async () => {
  const { console, written } = consoleOf("text");
  let made = 0;
  function* texts() {
    for (; made < 1000; made++) yield "x".repeat(1000);
  }
  await console.stream(texts(), () => Promise.resolve(true));
  assert.deepEqual([made, written.join("").length], [1000, 1_000_000 + written.length * 4]);
  assert.ok(written.length > 10);
  made = 0;
  await console.stream(texts(), () => Promise.resolve(false));
  assert.ok(made < 100, `${made} were made`);
});
