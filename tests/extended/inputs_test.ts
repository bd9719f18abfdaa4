import assert from "node:assert/strict";
import { measure } from "../support/run_fixture.ts";

// Inputs in the shape of real tools. expected.py says what they hold, found with csv, json and re.

const DIRECTORY = new URL("../fixtures/inputs/", import.meta.url);

interface InputCase {
  readonly file: string;
  readonly args: readonly string[];
  readonly points: readonly ExpectedPoint[];
  readonly invalid: number;
  readonly skipped: number;
}

interface ExpectedPoint {
  /** The minute's begin, in s since 1970; null: measured when it was read. */
  readonly start: number | null;
  readonly attributes: Readonly<Record<string, string>>;
  readonly count: number;
  readonly sum: number;
}

const CASES: readonly InputCase[] = JSON.parse(
  await Deno.readTextFile(new URL("expected.json", DIRECTORY)),
);

/** Key that tells a data point from others. */
function keyOf(start: number | null, attributes: Readonly<Record<string, unknown>>): string {
  const pairs = Object.entries(attributes).map(([key, value]) => `${key}=${String(value)}`).sort();
  return `${start} ${pairs.join()}`;
}

for (const [i, { file, args, points, invalid, skipped }] of CASES.entries()) {
  Deno.test(`--input ${file} is read as it is meant (case ${i + 1})`, async () => {
    const sent = await measure({
      args: ["--input", file, ...args],
      files: { [file]: await Deno.readFile(new URL(file, DIRECTORY)) },
      status: invalid > 0 ? 1 : 0,
      posts: points.length > 0 ? "any" : 0,
      said: "any",
    });
    const found = new Map(
      sent.points.map(({ start, attributes, count, sum }) => {
        const isTimed = args.includes("--time-field");
        return [keyOf(isTimed ? Number(start / 1_000_000_000n) : null, attributes), { count, sum }];
      }),
    );
    assert.deepEqual(
      [...found.keys()].sort(),
      points.map(({ start, attributes }) => keyOf(start, attributes)).sort(),
    );
    for (const { start, attributes, count, sum } of points) {
      const point = found.get(keyOf(start, attributes));
      assert.equal(point?.count, count);
      assert.ok(Math.abs((point?.sum ?? NaN) - sum) <= 1e-9 * sum, `${point?.sum}, not ${sum}`);
    }
    assert.deepEqual([sent.summary["invalid"], sent.summary["skipped"]], [invalid, skipped]);
  });
}

const PYTHON = await new Deno.Command("python3", { args: ["--version"] }).output().catch(() =>
  undefined
);

Deno.test({
  name: "expected.json is what expected.py prints",
  ignore: PYTHON?.success !== true,
  async fn() {
    const { stdout, stderr } = await new Deno.Command("python3", {
      args: [new URL("expected.py", DIRECTORY).pathname],
    }).output();
    const printed: unknown = JSON.parse(new TextDecoder().decode(stdout) || "null");
    assert.deepEqual(printed, CASES, new TextDecoder().decode(stderr));
  },
});
