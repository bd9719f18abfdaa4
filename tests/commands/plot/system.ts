import { Secrets } from "../../../src/redact/secrets.ts";
import type { Clock } from "../../../src/platform/clock.ts";
import type { System } from "../../../src/platform/system.ts";
import { seededRandom } from "../../../src/source/generate/random.ts";
import { StillClock } from "../../support/still_clock.ts";

export interface Written {
  readonly system: System;
  readonly stop: AbortController;
  readonly out: () => string;
  readonly err: () => string;
}

/** System for `plot`: standard input with that text, and a terminal if there is a width. */
export function plotSystem(
  input: string | ReadableStream<Uint8Array> = "",
  { columns, rows, clock = new StillClock() }: {
    readonly columns?: number;
    readonly rows?: number;
    readonly clock?: Clock;
  } = {},
): Written {
  const stop = new AbortController();
  let out = "";
  let err = "";
  const system: System = {
    env: () => undefined,
    cwd: "/cwd",
    stdout: (written) => void (out += written),
    stderr: (written) => void (err += written),
    workflowCommand() {},
    columns,
    rows,
    stop: stop.signal,
    kill: new AbortController().signal,
    clock,
    random: seededRandom("plot"),
    secrets: new Secrets(),
    readTextFile: () => Promise.reject(new Deno.errors.NotFound("No such file")),
    openFile: () => Promise.reject(new Deno.errors.NotFound("No such file")),
    stdin: () => typeof input === "string" ? new Blob([input]).stream() : input,
    printed: () => Promise.resolve(true),
    lastWords() {},
    stderrIsTerminal: false,
    stdinHasData: () => Promise.resolve(false),
  };
  return { system, stop, out: () => out, err: () => err };
}
