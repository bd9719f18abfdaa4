import assert from "node:assert/strict";
import { type Setup, TOKEN } from "./fixture.ts";
import { like, repeated } from "./lines.ts";
import { sourceOnly } from "./program.ts";
import type { ReceiverOptions } from "./receiver.ts";
import { runFixture } from "./run_fixture.ts";

/** The path of Dynatrace's API of OTLP. */
export const PATH = "/api/v2/otlp";
/** Whether `--insecure` works with the Deno under test. */
export const verificationCanBeOff = sourceOnly && !Deno.version.deno.startsWith("2.6.");
/** The headers of a response in protobuf. */
export const PROTOBUF = { "content-type": "application/x-protobuf" };
/** The responses of a receiver, one per request. */
export type Answers = NonNullable<ReceiverOptions["answers"]>;

/** One step of a check, as `--output json` prints it. */
export interface Step {
  readonly type: string;
  readonly name: string;
  readonly ok: boolean | null;
  readonly detail: string;
  readonly hint: string | null;
  /** All of it, facts included. */
  readonly line: Readonly<Record<string, unknown>>;
}

/** A check that has ended. */
export interface Checked {
  readonly status: number;
  readonly steps: readonly Step[];
  /** The step of that name; fails when there is none. */
  step(name: string): Step;
}

function parse(line: string): Record<string, unknown> {
  const parsed: unknown = JSON.parse(line);
  assert.ok(typeof parsed === "object" && parsed !== null);
  return { ...parsed };
}

function asStep(line: Record<string, unknown>): Step {
  assert.deepEqual(Object.keys(line).slice(0, 6), [
    "type",
    "name",
    "ok",
    "detail",
    "hint",
    "durationMs",
  ]);
  const { type, name, ok, detail, hint, durationMs } = line;
  assert.ok(typeof type === "string" && typeof name === "string");
  assert.ok(typeof ok === "boolean" || ok === null);
  assert.ok(typeof detail === "string" && (typeof hint === "string" || hint === null));
  assert.ok(typeof durationMs === "number" || durationMs === "N"); // how long it took never matters
  return { type, name, ok, detail, hint, line };
}

/** Runs `check --output json` and asserts what holds for every check, whatever it finds. */
export async function check({ args = [], ...setup }: Setup): Promise<Checked> {
  const { status, stdout } = await runFixture({
    ...setup,
    args: ["check", "--output", "json", ...args],
    bare: true,
    posts: "any",
    status: "any",
    stdout: [
      repeated(like({ type: "step" })),
      like({ type: "summary" }),
    ],
  });
  const lines = stdout.trimEnd().split("\n").map(parse);
  const summary = lines.pop();
  const isOpen = lines.some(({ ok }) => ok === null) && lines.every(({ ok }) => ok !== false);
  assert.deepEqual(summary, {
    type: "summary",
    ok: isOpen ? null : status === 0,
    exitCode: status,
  });
  assert.deepEqual(Object.keys(summary ?? {}), ["type", "ok", "exitCode"]);
  const steps = lines.map(asStep);
  const order = ["config", "dns", "tcp", "tls", "http", "token", "ingest"];
  const positions = steps.map(({ name }) => order.indexOf(name));
  assert.deepEqual(positions, [...positions].sort((a, b) => a - b));
  assert.ok(
    steps.slice(0, -1).every(({ ok }) => ok !== false),
    "it stops after the first that fails",
  );
  assert.equal(steps.every(({ ok }) => ok), status === 0);
  if (status === 0) assert.equal(steps.at(-1)?.name, "ingest");
  for (const { detail } of steps) assert.doesNotMatch(detail, /\d m?s\b|https?:\/\/\S+\/v1/);
  return {
    status,
    steps,
    step(name) {
      const step = steps.find((it) => it.name === name);
      assert.ok(step, `no step ${name}: ${stdout}`);
      return step;
    },
  };
}

/** The step that failed, which has to be the last, with exit status 1 (2: config). */
export function failed({ status, steps }: Checked, name: string): Step {
  const last = steps.at(-1);
  assert.deepEqual([last?.name, last?.ok, status], [name, false, name === "config" ? 2 : 1]);
  assert.ok(last);
  return last;
}

/** The environment that makes the program take a receiver for Dynatrace. */
export function dynatrace({ url }: { readonly url: string }): Readonly<Record<string, string>> {
  return { DT_ENDPOINT: `${url}${PATH}`, DT_API_TOKEN: TOKEN };
}

/** The settings of a Dynatrace that nothing listens for. */
export const NOWHERE = { env: { DT_ENDPOINT: `http://127.0.0.1:1${PATH}`, DT_API_TOKEN: TOKEN } };
