import assert from "node:assert/strict";
import { COMMAND_NAMES } from "../../src/cli/command_names.ts";
import { helpText } from "../../src/cli/help.ts";
import { flagKeysOf, flagName, rowOf, settingKeysOf } from "../../src/settings/settings.ts";
import { atLeastOne } from "../support/cases.ts";

const PAGES = [undefined, ...COMMAND_NAMES];

for (const columns of [40, 80, 132]) {
  Deno.test(`helpText() is no wider than ${columns} columns but for a word that is`, () => {
    for (const page of PAGES) {
      for (const line of helpText(page, columns).split("\n")) {
        assert.ok(line.length <= columns || !line.trim().includes(" "), line);
        assert.equal(line, line.trimEnd());
      }
    }
  });
}

Deno.test("helpText() breaks no word: as many columns as a word needs change nothing but line breaks", () => {
  const words = (columns: number) => helpText(undefined, columns).split(/\s+/);
  assert.deepEqual(words(40), words(1000));
});

for (const command of ["send", "check", "verify", "receive", "plot"] as const) {
  Deno.test(`helpText() names every flag, variable and default of ${command}`, () => {
    const help = helpText(command, 80);
    const flat = help.replaceAll(/\s+/g, " ");
    for (const key of atLeastOne(flagKeysOf(command))) {
      assert.match(help, new RegExp(`^  ${flagName(key)}( |$)`, "m"));
    }
    for (const key of atLeastOne(settingKeysOf(command))) {
      const { variables = [], defaultOf, default: general } = rowOf(key);
      const value = defaultOf?.[command] ?? general;
      for (const name of variables) assert.ok(flat.includes(name), name);
      if (value !== undefined) assert.ok(flat.includes(`(default ${value})`), value);
    }
  });
}

Deno.test("helpText() of the program has commands, groups in order, five examples and exit codes", () => {
  const help = helpText(undefined, 80);
  const [first = "", second = "", third] = help.split("\n");
  assert.match(first, /^Sends histogram metrics .*,/);
  assert.match(second, /\.$/);
  assert.equal(third, "");
  assert.match(help, /^ {2}otlp-histogram \[send\] \[flags\]$/m);
  for (const command of COMMAND_NAMES) assert.match(help, new RegExp(`^  ${command} `, "m"));
  const headings = [...help.matchAll(/^(\w[\w ]*):$/gm)].map(([, heading]) => heading);
  assert.deepEqual(headings, [
    "Usage",
    "Commands",
    "Destination",
    "TLS",
    "Metric",
    "Input",
    "Generated data",
    "Loop",
    "Delivery",
    "Output",
    "Examples",
    "Exit codes",
  ]);
  const [, examples = ""] = help.split("\nExamples:\n");
  assert.equal(examples.split("\n\n")[0]?.match(/^ {2}\S/gm)?.length, 5);
  assert.match(help.replaceAll(/\s+/g, " "), /the same five sample measurements/);
});
