import assert from "node:assert/strict";
import { UsageError } from "../../../src/platform/errors.ts";
import { TOKENS } from "../../../src/receivers/dynatrace/tokens.ts";

const authorization = (value: string) =>
  TOKENS.authorization({ name: "DT_API_TOKEN", source: "environment", value });

const CASES = {
  "dt0c01.PUBLIC.SECRET": "Api-Token dt0c01.PUBLIC.SECRET",
  "dt0s16.PUBLIC.SECRET": "Bearer dt0s16.PUBLIC.SECRET",
  "  dt0s16.PUBLIC.SECRET\n": "Bearer dt0s16.PUBLIC.SECRET",
  "anything": "Api-Token anything",
  "Bearer dt0c01.PUBLIC.SECRET": "Bearer dt0c01.PUBLIC.SECRET",
  "api-token  dt0s16.PUBLIC.SECRET": "Api-Token dt0s16.PUBLIC.SECRET",
  "BEARER\tanything": "Bearer anything",
  "Bearers": "Api-Token Bearers",
};

for (const [text, value] of Object.entries(CASES)) {
  Deno.test(`TOKENS make ${JSON.stringify(text)} ${value}`, () => {
    assert.equal(authorization(text), value);
  });
}

for (
  const text of [
    "",
    " ",
    "a b",
    "Bearer",
    "api-token ",
    "Basic dXNlcg==",
    "t\u00f6ken",
    "Bearer a b",
  ]
) {
  Deno.test(`TOKENS reject ${JSON.stringify(text)}`, () => {
    assert.throws(() => authorization(text), UsageError);
  });
}

Deno.test("TOKENS show the public part of a token alone, and nothing of a Bearer of another kind", () => {
  assert.equal(TOKENS.redacted("Api-Token dt0c01.PUBLIC.SECRET"), "dt0c01.PUBLIC.***");
  assert.equal(TOKENS.redacted("Bearer dt0s16.PUBLIC.SECRET"), "dt0s16.PUBLIC.***");
  assert.equal(TOKENS.redacted("Api-Token secret"), "***");
  assert.equal(TOKENS.redacted("Bearer secret"), undefined);
  assert.equal(TOKENS.redacted(""), undefined);
});
