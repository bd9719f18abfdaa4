import assert from "node:assert/strict";
import { UsageError } from "../../src/platform/errors.ts";
import { parseFlags } from "../../src/cli/arguments.ts";
import { argumentOf, flagKeysOf, flagName, rowOf } from "../../src/settings/settings.ts";
import { each } from "../support/cases.ts";

const COMMANDS = ["send", "check", "verify", "receive", "plot"] as const;

for (const command of COMMANDS) {
  each(flagKeysOf(command), (key) => `parseFlags() takes ${flagName(key)} of ${command}`, (key) => {
    const name = flagName(key);
    const { kind, repeats, bare } = rowOf(key);
    const parsed = (...args: readonly string[]) => Reflect.get(parseFlags(command, args), key);

    if (kind === "toggle") {
      assert.equal(parsed(name), true);
      assert.equal(parsed(`${name}=true`), true);
      assert.equal(parsed(`${name}=no`), false);
      assert.match(
        refusal(command, `${name}=SECRET`),
        new RegExp(`^${name} does not accept a value `),
      );
    } else {
      const one = (value: string) => repeats ? [value] : value;
      assert.deepEqual(parsed(name, "a b=c"), one("a b=c"));
      assert.deepEqual(parsed(`${name}=a b=c`), one("a b=c"));
      assert.deepEqual(parsed(`${name}=`), one(""));
      assert.deepEqual(parsed(name, ""), one(""));
      assert.deepEqual(parsed(name, "-1"), one("-1"));
      if (bare !== undefined) {
        assert.deepEqual(parsed(name), bare);
        assert.deepEqual(parsed(name, "--output", "json"), bare);
        assert.deepEqual(parsed("--output=json", name, "--"), bare);
      } else {
        const needs = `${name} requires a value: ${name} ${argumentOf(key)} (`;
        assert.ok(refusal(command, name).startsWith(needs));
        assert.ok(refusal(command, name, "--output").startsWith(needs));
      }
    }
    if (repeats) assert.deepEqual(parsed(name, "a", `${name}=b`), ["a", "b"]);
    else {
      const value = kind === "toggle" ? [] : ["SECRET"];
      const message = refusal(command, name, ...value, name, ...value);
      assert.match(message, new RegExp(`^${name} is set twice: set it once `));
      assert.doesNotMatch(message, /SECRET/);
    }
  });
}

for (
  const [args, message] of [
    [["--iteration", "2"], /^Unknown flag --iteration\. Did you mean --iterations\? .*--help/],
    [["--no-loop"], /^Unknown flag --no-loop\. Did you mean --loop\?/],
    [["--port", "1"], /^No flag --port for send, only for receive /],
    [["--Interval", "1"], /^Unknown flag --Interval\. Did you mean --interval\?/],
    [["-z"], /^No flag -z /],
    [["--proxy", "http://SECRET@proxy:3128"], /^No flag --proxy: use the variable HTTPS_PROXY/],
    [["--otlp-endpoint=localhost:4318"], /^No flag --otlp-endpoint: use --endpoint URL /],
    [["--user", "me:SECRET"], /^No flag --user: use --endpoint https:\/\/USER:PASSWORD@HOST /],
    [["-H", "Authorization: SECRET"], /^No flag -H: use --header NAME=VALUE /],
    [["-loop"], /^Unknown flag -loop\. Did you mean --loop\?/],
    [["--token=SECRET"], /^No flag --token: use --token-file FILE or .*DT_API_TOKEN/],
    [["--token", "SECRET"], /^No flag --token: use --token-file FILE or .*DT_API_TOKEN/],
    [["SECRET"], /^Unexpected argument \(hidden in case it is a secret\)/],
    [["--", "SECRET"], /^Unexpected argument \(hidden in case it is a secret\)/],
    [["-SECRET"], /^Unexpected argument \(hidden in case it is a secret\)/],
    [["--SECRET+/=="], /^Unexpected argument \(hidden in case it is a secret\)/],
    [["--value", "1", "SECRET"], /^Unexpected argument \(hidden in case it is a secret\)/],
    [[""], /^Unexpected argument \(hidden in case it is a secret\)/],
  ] as const
) {
  Deno.test(`parseFlags() refuses ${args.join(" ")}, and shows no secret`, () => {
    assert.match(refusal("send", ...args), message);
    assert.doesNotMatch(refusal("send", ...args), /SECRET/);
  });
}

Deno.test("parseFlags() takes -- at the end, and nothing at all", () => {
  assert.deepEqual(parseFlags("send", ["--loop", "--"]), { loop: true });
  assert.deepEqual(parseFlags("send", []), {});
});

function refusal(command: (typeof COMMANDS)[number], ...args: readonly string[]): string {
  try {
    parseFlags(command, args);
  } catch (thrown) {
    if (thrown instanceof UsageError) return thrown.message;
    throw thrown;
  }
  throw new Error("They were taken");
}
