import assert from "node:assert/strict";
import { type ProgramOptions, runProgram } from "./program.ts";

/** One step of a verification, as `--output json` prints it. */
export interface Step {
  readonly name: string;
  readonly ok: boolean | null;
  readonly expected: unknown;
  readonly actual: unknown;
  readonly detail: string;
  readonly hint: string | null;
}

/** A verification that has ended. */
export interface Verified {
  readonly status: number;
  readonly steps: readonly Step[];
  readonly summary: Readonly<Record<string, unknown>>;
  readonly stdout: string;
  readonly stderr: string;
  /** The step of that name; fails when there is none. */
  step(name: string): Step;
}

const ORDER = ["sent", "visible", "count", "sum", "min", "max", "percentile", "buckets"];

/** Runs `verify --output json` and asserts what holds for every run, whatever it finds. */
export async function verify(
  { args = [], ...options }: ProgramOptions,
): Promise<Verified> {
  const { status, stdout, stderr } = await runProgram({
    timeoutMs: 60_000,
    ...options,
    args: ["verify", "--output", "json", ...args],
  });
  return readVerified(status, stdout, stderr);
}

/** Reads what `verify --output json` has printed. */
export function readVerified(status: number, stdout: string, stderr: string): Verified {
  const lines = stdout.trimEnd().split("\n").filter((line) => line !== "")
    .map((line): Record<string, unknown> => JSON.parse(line));
  const summary = lines.pop() ?? {};
  const context = stdout + stderr;
  assert.deepEqual(Object.keys(summary).slice(0, 6), [
    "type",
    "ok",
    "exitCode",
    "backend",
    "metric",
    "visibleAfterMs",
  ], context);
  assert.deepEqual([summary["type"], summary["exitCode"]], ["summary", status], context);
  assert.equal(summary["ok"], status === 0);
  const steps = lines.map(asStep);
  const order = steps.map(({ name }) => ORDER.indexOf(name));
  assert.ok(!order.includes(-1));
  const isRight = steps.every(({ ok }) => ok !== false) &&
    steps.some(({ name, ok }) => name === "count" && ok === true);
  assert.equal(isRight, status === 0, context);
  return {
    status,
    steps,
    summary,
    stdout,
    stderr,
    step(name) {
      const step = steps.find((each) => each.name === name);
      assert.ok(step, `no step ${name}: ${context}`);
      return step;
    },
  };
}

function asStep(line: Record<string, unknown>): Step {
  const { type, name, ok, expected, actual, detail, hint } = line;
  assert.deepEqual(Object.keys(line).slice(0, 8), [
    "type",
    "name",
    "ok",
    "expected",
    "actual",
    "detail",
    "hint",
    "durationMs",
  ]);
  assert.ok(type === "step" && typeof name === "string" && typeof detail === "string");
  assert.ok(typeof ok === "boolean" || ok === null);
  assert.ok(typeof hint === "string" || hint === null);
  return { name, ok, expected, actual, detail, hint };
}

/** The marks of all steps in order: `sent ✓`. */
export function marksOf({ steps }: Verified): readonly string[] {
  return steps.map(({ name, ok }) => `${name} ${ok === null ? "?" : ok ? "✓" : "✗"}`);
}
