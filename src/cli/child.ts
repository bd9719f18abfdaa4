import { systemClock } from "../platform/clock.ts";
import type { CommandEnd, CommandLine, RunningCommand } from "../platform/command.ts";
import { messageOf } from "../platform/errors.ts";
import { interpretedByShell } from "../platform/older_deno.ts";
import type { Signals } from "./signals.ts";

/** Shell's exit code for a command that could not be run. */
const NOT_EXECUTABLE = 126;
/** Shell's exit code for a command that was not found. */
const NOT_FOUND = 127;

/**
 * Starts a command in a directory. Its streams are those of this process, which gives up the permission to run
 * programs. `signals` are passed on to it until it has ended. They are listened to only when it has started: a command
 * ignores the signals that are ignored here (by nohup, in the background of a script), but not those with a listener,
 * and with one listener Deno listens to others as well.
 */
export function startChild(
  { words, env }: CommandLine,
  cwd: string,
  signals: Signals,
): RunningCommand {
  let child: Deno.ChildProcess | undefined;
  const kill = (signal: Deno.Signal) => {
    try {
      child?.kill(signal);
    } catch (thrown) {
      // It has ended, and its status is on the way.
      const isOver = thrown instanceof TypeError || thrown instanceof Deno.errors.NotFound;
      if (!isOver) throw thrown;
    }
  };
  const began = systemClock.monotonic();
  const started = spawn(words, {
    env: { ...environmentBefore(), ...env },
    ...cwd !== "." && { cwd },
  });
  const passing = signals.passTo(kill);
  Deno.permissions.revokeSync({ name: "run" });
  const ending = () => {
    child = undefined;
    return { durationMs: systemClock.monotonic() - began, wasSignalled: passing.end() };
  };
  if (!(started instanceof Deno.ChildProcess)) {
    return { ended: Promise.resolve({ ...started, ...ending() }), kill };
  }
  child = started;
  const ended = started.status.then(({ code, signal }): CommandEnd => ({
    status: code,
    signal: signal ?? undefined,
    notStarted: undefined,
    ...ending(),
  }));
  return { ended, kill };
}

/**
 * Variable in which the launcher of the npm package keeps what it changed for this process alone: a JSON object,
 * name -> the value before, or null for a variable that was not set.
 */
const LAUNCHER_VARIABLE = "OTLP_HISTOGRAM_LAUNCHER";

/** Returns the variables that a command must have again, and takes away those that were not set before. */
function environmentBefore(): Record<string, string> {
  const kept = Deno.env.get(LAUNCHER_VARIABLE);
  if (!kept) return {};
  Deno.env.delete(LAUNCHER_VARIABLE);
  const before: Readonly<Record<string, string | null>> = JSON.parse(kept);
  const values: Record<string, string> = {};
  for (const [name, value] of Object.entries(before)) {
    if (value === null) Deno.env.delete(name);
    else values[name] = value;
  }
  return values;
}

function spawn(
  [name = "", ...args]: readonly string[],
  options: Pick<Deno.CommandOptions, "env" | "cwd">,
): Deno.ChildProcess | Pick<CommandEnd, "status" | "signal" | "notStarted"> {
  const streams = { stdin: "inherit", stdout: "inherit", stderr: "inherit" } as const;
  try {
    return new Deno.Command(name, { args, ...options, ...streams }).spawn();
  } catch (thrown) {
    const script = interpretedByShell(thrown);
    if (script !== undefined) return spawn(["/bin/sh", script, ...args], options);
    const isMissing = thrown instanceof Deno.errors.NotFound;
    return {
      status: isMissing ? NOT_FOUND : NOT_EXECUTABLE,
      signal: undefined,
      notStarted: isMissing
        ? /[/\\]/.test(name)
          ? "the file, or the interpreter that its first line names, does not exist"
          : "no directory in PATH holds a program of that name"
        : thrown instanceof Deno.errors.PermissionDenied
        ? "it is not an executable file. Make it one with chmod +x, or name a program that runs it"
        : messageOf(thrown).replace(/^Failed to spawn '.*?': /s, ""),
    };
  }
}
