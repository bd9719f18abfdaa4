import assert from "node:assert/strict";
import { gzip } from "../support/gzip.ts";
import { onePoint } from "../support/histogram.ts";
import { measure, runFixture } from "../support/run_fixture.ts";

// Inputs that are not read. The command that the message names converts them: it is run here as it is printed.

const DIRECTORY = new URL("../fixtures/inputs/", import.meta.url);

interface Conversion {
  readonly file: string;
  /** The tool of the command. */
  readonly tool: string;
  readonly args: readonly string[];
  /** Turns the printed command into that of this file, where it names a place to fill in. */
  readonly fill?: (command: string) => string;
  /** The values, found in another way. */
  readonly values: (text: string) => readonly number[];
}

const CONVERSIONS: readonly Conversion[] = [
  {
    file: "junit.xml",
    tool: "python3",
    args: ["--value-field", "time", "--unit", "s"],
    values: (text) =>
      Array.from(text.matchAll(/<testcase [^>]*\btime="([\d.]+)"/g), ([, time]) => Number(time)),
  },
  {
    file: "jmeter.xml",
    tool: "python3",
    args: ["--value-field", "t"],
    fill: (command) => command.replace('"testcase"', '"httpSample"'),
    values: (text) =>
      Array.from(text.matchAll(/<httpSample t="(\d+)"/g), ([, time]) => Number(time)),
  },
  {
    file: "hyperfine.json",
    tool: "jq",
    args: ["--value-field", "mean", "--unit", "s"],
    fill: (command) => command.replace("jq -c .", "jq -c '.results[]'"),
    values: (text) => Array.from(text.matchAll(/"mean": ([\d.]+)/g), ([, mean]) => Number(mean)),
  },
];

const PACKED = CONVERSIONS.flatMap((conversion) => [
  { ...conversion, name: conversion.file, pack: (bytes: Uint8Array<ArrayBuffer>) => bytes },
  { ...conversion, name: `${conversion.file}.gz`, pack: gzip },
]);

for (
  const { file, name, pack, tool, args, fill = (command: string) => command, values } of PACKED
) {
  const found = await new Deno.Command(tool, { args: ["--version"] }).output()
    .catch(() => undefined);

  Deno.test({
    name: `the command that refuses ${name} converts it`,
    ignore: found?.success !== true || Deno.build.os === "windows",
    async fn() {
      const bytes = await Deno.readFile(new URL(file, DIRECTORY));
      const packed = await pack(bytes);
      const files = { [name]: packed };
      const refused = await runFixture({
        args: ["--endpoint", "{url}", "--input", name, ...args],
        files,
        status: 2,
        stdout: "any",
        stderr: "any",
        requests: 0,
      });
      const [, command = "", flags = ""] =
        /Convert it: (.*) \| otlp-histogram ([^;\n]*)/.exec(refused.stderr) ?? [];
      const directory = await Deno.makeTempDir();
      await Deno.writeFile(`${directory}/${name}`, packed);
      const { stdout, stderr } = await new Deno.Command("sh", {
        args: ["-c", fill(command)],
        cwd: directory,
      }).output();
      await Deno.remove(directory, { recursive: true });
      assert.equal(new TextDecoder().decode(stderr), "");
      const sent = await measure({
        args: flags.split(" "),
        stdin: new TextDecoder().decode(stdout),
        said: "any",
      });
      const expected = values(new TextDecoder().decode(bytes));
      assert.ok(expected.length > 1);
      assert.equal(onePoint(sent).count, expected.length);
      const sum = expected.reduce((a, b) => a + b);
      assert.ok(Math.abs((onePoint(sent).sum ?? NaN) - sum) < 1e-9);
    },
  });
}
