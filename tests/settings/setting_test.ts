import assert from "node:assert/strict";
import { each } from "../support/cases.ts";
import { UsageError } from "../../src/platform/errors.ts";
import {
  booleanSetting,
  choiceSetting,
  invalid,
  keyValue,
  keyValueList,
  numberSetting,
  secondsOr0Setting,
  secondsSetting,
  type Setting,
  variables,
} from "../../src/settings/setting.ts";

const setting = (value: string): Setting => ({ name: "NAME", source: "environment", value });

/** The message of the UsageError that a function throws. */
function usageError(of: () => unknown): string {
  try {
    of();
  } catch (thrown) {
    if (thrown instanceof UsageError) return thrown.message;
    throw thrown;
  }
  throw new Error("Nothing was thrown");
}

Deno.test("variables() prefers the environment and takes a blank for not set", () => {
  const environment = new Map([["A", " one "], ["B", "  "], ["C", ""]]);
  const dotenv = new Map([["A", "never"], ["B", "two"], ["C", " "], ["D", "four"]]);
  const find = variables((name) => environment.get(name), dotenv, "prod.env");
  assert.deepEqual(find("A"), { name: "A", source: "environment", value: "one" });
  assert.deepEqual(find("B"), { name: "B", source: "prod.env", value: "two" });
  assert.equal(find("C"), undefined);
  assert.deepEqual(find("D"), { name: "D", source: "prod.env", value: "four" });
  assert.equal(find("E"), undefined);
});

Deno.test("invalid() names setting, value, source and what is right", () => {
  const { message } = invalid(setting("abc"), "a number");
  assert.equal(message, 'Invalid NAME "abc" (environment): expected a number');
  const hidden = invalid({ ...setting("abc"), secret: true }, "a number").message;
  assert.equal(hidden, "Invalid NAME (value not shown) (environment): expected a number");
});

Deno.test("numberSetting() refuses what does not parse or is out of range", () => {
  const positive = (text: string) => numberSetting(setting(text), "more than 0", (n) => n > 0);
  assert.equal(positive("0.5"), 0.5);
  for (const text of ["0", "-1", "x"]) {
    assert.equal(
      usageError(() => positive(text)),
      `Invalid NAME "${text}" (environment): expected more than 0`,
    );
  }
});

Deno.test("choiceSetting() lists the choices when it is none of them", () => {
  assert.equal(choiceSetting(setting("gzip"), ["gzip", "none"]), "gzip");
  assert.match(
    usageError(() => choiceSetting(setting("GZIP"), ["gzip", "none"])),
    /expected "gzip" or "none"$/,
  );
});

Deno.test("choiceSetting() takes the words of OpenTelemetry's variables in any case, of others in theirs", () => {
  const named = (name: string, source: string) =>
    choiceSetting({ name, source, value: "GZIP" }, ["gzip", "none"]);
  assert.equal(named("OTEL_EXPORTER_OTLP_COMPRESSION", "environment"), "gzip");
  assert.equal(named("OTEL_EXPORTER_OTLP_COMPRESSION", ".env"), "gzip");
  assert.match(usageError(() => named("--compression", "command line")), /"GZIP"/);
});

Deno.test("booleanSetting() knows the predecessor's words in any case", () => {
  for (const word of ["true", "TRUE", "1", "yes", "Yes"]) {
    assert.equal(booleanSetting(setting(word)), true);
  }
  for (const word of ["false", "0", "no", "NO"]) assert.equal(booleanSetting(setting(word)), false);
  assert.match(usageError(() => booleanSetting(setting("on"))), /"on".*true, 1 or yes/);
});

Deno.test("keyValue() splits at the first = and wants a key", () => {
  assert.deepEqual(keyValue("a=b=c"), ["a", "b=c"]);
  assert.deepEqual(keyValue(" a = b "), ["a", "b"]);
  assert.deepEqual(keyValue("a="), ["a", ""]);
  for (const text of ["a", "=b", " =b", ""]) assert.equal(keyValue(text), undefined, text);
});

Deno.test("keyValueList() decodes keys and values and skips empty items", () => {
  assert.deepEqual(keyValueList(setting("a=1,, b%3D=x%2Cy ,c="), "…"), [["a", "1"], ["b=", "x,y"], [
    "c",
    "",
  ]]);
  assert.equal(
    usageError(() => keyValueList(setting("a=1,secret"), "K=V")),
    "Invalid NAME (value not shown) (environment): expected K=V",
  );
});

each(
  [
    ["1e-12", /expected 0\.001 seconds or more$/],
    ["0.00099", /expected 0\.001 seconds or more$/],
    ["1e300", /expected at most 1000000000 seconds$/],
    ["0", /expected a number of seconds above 0, /],
  ] as const,
  ([text]) => `secondsSetting() refuses ${text}`,
  ([text, message]) => assert.match(usageError(() => secondsSetting(setting(text))), message),
);

each(
  [
    ["1e-12", /expected 0\.001 seconds or more, or 0$/],
    ["1e300", /expected at most 1000000000 seconds$/],
    ["-1", /expected a number of seconds, 0 or more, /],
  ] as const,
  ([text]) => `secondsOr0Setting() refuses ${text}`,
  ([text, message]) => assert.match(usageError(() => secondsOr0Setting(setting(text))), message),
);

Deno.test("secondsSetting() and secondsOr0Setting() accept a millisecond and 30 years", () => {
  assert.deepEqual(["0.001", "1e9"].map((text) => secondsSetting(setting(text))), [1, 1e12]);
  assert.deepEqual(["0", "0.001"].map((text) => secondsOr0Setting(setting(text))), [0, 1]);
});

Deno.test("secondsSetting() names the most that a setting may be", () => {
  assert.match(usageError(() => secondsSetting(setting("3e6"), 2e6)), /at most 2000000 seconds$/);
});
