import assert from "node:assert/strict";
import { Expression } from "../../../src/source/input/expression.ts";
import { InputError } from "../../../src/source/input/input_error.ts";
import { each } from "../../support/cases.ts";

function expressionOf(source: string): Expression {
  const expression = Expression.compile(source, "--pattern");
  if ("fault" in expression) throw new Error(expression.fault);
  return expression;
}

/** Runs with a guarded expression, which V8 cannot match in linear time. */
async function withGuarded(source: string, run: (expression: Expression) => void): Promise<void> {
  const expression = expressionOf(source);
  await expression.guard();
  assert.ok(expression.isGuarded);
  try {
    run(expression);
  } finally {
    expression.close();
  }
}

each<readonly [source: string, fault: string]>(
  [
    ["(?<value>", "Unterminated group at character 1"],
    ["x(y)(?<value>\\d+", "Unterminated group at character 5"],
    ["a\\(b[(](c", "Unterminated group at character 8"],
    ["a)b", "Unmatched ')' at character 2"],
    ["ab**", "Nothing to repeat at character 4"],
    ["a[bc", "Unterminated character class at character 2"],
    ["ab[z-a]x", "Range out of order in character class at character 6"],
    ["ab\\", "\\ at end of pattern at character 3"],
    ["(?:a|b)".repeat(50_000), "Regular expression too large"],
  ],
  ([source]) => `Expression.compile() says why and where ${source.slice(0, 20)} is broken`,
  ([source, fault]) => {
    assert.deepEqual(Expression.compile(source, "--pattern"), { fault });
  },
);

const TEXTS = ["GET /a", "GET /health", "", "x\ny /a", "ä /b\u0001", "GET /a"];

each(
  ["^(?!.*health).*\\/(?<path>.*)$", "(?=(?<any>.*))\\/", "\\w{1,100}", "(.)\\1"],
  (source) => `Expression matches ${source} in the same way when it is guarded`,
  (source) =>
    withGuarded(source, (guarded) => {
      const plain = new RegExp(source);
      guarded.ahead(TEXTS.filter((text) => !text.includes("\n")));
      for (const text of [...TEXTS, "not /ahead"]) {
        assert.deepEqual(guarded.exec(text), plain.exec(text));
        assert.equal(guarded.test(text), plain.test(text));
      }
    }),
);

const SLOW = "^(?=(a+)+$)|^ok";

Deno.test("Expression gives up on a text that takes too long, and keeps those before it", () =>
  withGuarded(SLOW, (expression) => {
    const slow = `${"a".repeat(60)}!`;
    const began = performance.now();
    expression.ahead(["ok 1", slow, "ok 2"]);
    assert.ok(performance.now() - began < 30_000);
    assert.ok(expression.test("ok 1"));
    for (const text of [slow, "ok 2"]) {
      assert.throws(
        () => expression.test(text),
        (thrown) =>
          thrown instanceof InputError &&
          /^--pattern takes longer than 1.5 s, at "a{40}…"\. /.test(thrown.message),
      );
    }
  }));

Deno.test("Expression matches a text of a megabyte when it is guarded", () =>
  withGuarded("(?!b)c$", (expression) => {
    assert.ok(expression.test(`${"ä".repeat(2 ** 20)}c`));
  }));
