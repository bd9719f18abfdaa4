import assert from "node:assert/strict";
import { lacksDescriptors, messageOf } from "../../src/platform/errors.ts";

Deno.test("messageOf() leaves out the value that Deno quotes of a variable", () => {
  const thrown = new Error('environment variable was not valid unicode: "SEC\\xE9\nRET"');
  assert.equal(messageOf(thrown), "environment variable was not valid unicode");
  assert.equal(messageOf("plain"), "plain");
});

Deno.test("lacksDescriptors() knows EMFILE in the words of Deno, of fetch and of the system", () => {
  for (
    const text of [
      "Too many open files (os error 24)",
      "client error (Connect): tcp open error: Too many open files (os error 24)",
      "Too many open files in system (os error 23)",
    ]
  ) {
    assert.ok(lacksDescriptors(new Error(text)), text);
    assert.match(messageOf(new Error(text)), /\bToo many open files \(ulimit -n\)/);
    assert.doesNotMatch(messageOf(new Error(text)), /os error/);
  }
  assert.ok(!lacksDescriptors(new Error("Connection refused (os error 111)")));
});
