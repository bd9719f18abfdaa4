import assert from "node:assert/strict";
import { type Level, ProblemFold } from "../../src/receivers/problem.ts";

interface Found {
  readonly kind: string;
  readonly level: Level;
}

const fold = () =>
  new ProblemFold<Found>({
    key: ({ kind }) => kind,
    level: ({ level }) => level,
    problem: ({ kind, level }, times) => ({ rule: kind, level, metric: "m", message: `${times}` }),
  });

Deno.test("ProblemFold folds findings of one kind into one problem", () => {
  const found = fold();
  for (const kind of ["a", "b", "a", "a"]) found.add({ kind, level: "error" });
  assert.deepEqual(found.findings.map(({ kind }) => kind), ["a", "b"]);
  assert.deepEqual(found.problems().map(({ rule, message }) => [rule, message]), [
    ["a", "3"],
    ["b", "1"],
  ]);
});

for (const level of ["warning", "error"] as const) {
  Deno.test(`ProblemFold lists at most a thousand and says how many are left, as a ${level}`, () => {
    const found = fold();
    for (let i = 0; i < 1005; i++) found.add({ kind: `${i}`, level: "warning" });
    found.add({ kind: "last", level });
    const problems = found.problems();
    assert.equal(problems.length, 1001);
    assert.deepEqual(problems.at(-1), {
      rule: "unlisted",
      level,
      metric: "",
      message: "6 further problems are not listed",
    });
  });
}
