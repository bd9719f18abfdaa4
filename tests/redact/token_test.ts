import assert from "node:assert/strict";
import { authorizationValue, parseToken } from "../../src/redact/token.ts";

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
  Deno.test(`parseToken() makes ${JSON.stringify(text)} ${value}`, () => {
    const token = parseToken(text);
    assert.ok(token);
    assert.equal(authorizationValue(token), value);
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
  Deno.test(`parseToken() refuses ${JSON.stringify(text)}`, () => {
    assert.equal(parseToken(text), undefined);
  });
}
