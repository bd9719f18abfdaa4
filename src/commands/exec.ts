import { Console } from "../console/console.ts";
import { timedOut } from "../http/transport.ts";
import type { Post } from "../http/reply.ts";
import type { Clock } from "../platform/clock.ts";
import type { CommandEnd, StartCommand } from "../platform/command.ts";
import { deadline } from "../platform/deadline.ts";
import { messageOf, UsageError } from "../platform/errors.ts";
import type { System } from "../platform/system.ts";
import { defaultFor, type ExecFlags, type SendFlags } from "../settings/settings.ts";
import { commandFailure } from "./command_end.ts";
import { runSend, type SendChanges } from "./send/command.ts";

/** Longest time for sending, in ms, after a signal to this process: Docker kills 10 s after it. */
const MOST_AFTER_SIGNAL_MS = 6000;

/** Measurement of a command that has ended. */
interface CommandRun {
  readonly name: string;
  /** Time of its end, on the monotonic clock. */
  readonly endedAt: number;
  readonly end: CommandEnd;
}

/**
 * The command `exec`: runs a command with the standard streams, then sends how long it took. Resolves to the exit
 * code of the command, whatever becomes of the measurement.
 */
export async function runExec(
  flags: ExecFlags,
  words: readonly string[],
  system: System,
  start: StartCommand,
): Promise<number> {
  const command = await start({ words, env: {}, forcedStatus: (status) => status });
  const end = await command.ended;
  const endedAt = system.clock.monotonic();
  const [name = ""] = words;
  // A --output that makes no sense is reported with the other settings.
  const console = new Console(system, { format: flags.output === "json" ? "json" : "text" });
  const failure = end.notStarted === undefined ? undefined : commandFailure(name, end);
  if (failure !== undefined) console.error(failure);
  const run = { name, endedAt, end };
  try {
    await runSend(sendFlags(flags, run), besideCommand(system), changesFor(flags, run, system));
  } catch (thrown) {
    // Nothing may change the exit code of the command, not even a bug of ours.
    const message = system.secrets.hide(messageOf(thrown));
    console.warn(
      `the duration of "${name}" was not sent: ${
        thrown instanceof UsageError ? message : `unexpected error, please report it: ${message}`
      }`,
    );
  }
  return end.status;
}

/** Flags of the send; the defaults of `exec` take the place of those of `send`. */
function sendFlags(flags: ExecFlags, { end }: CommandRun): SendFlags {
  const isQuiet = flags.quiet || !(flags.verbose || flags.output === "json");
  const own = flags.metric === undefined;
  return {
    ...flags,
    value: [(end.durationMs / 1000).toFixed(6)],
    unit: "s",
    metric: flags.metric ?? defaultFor("exec", "metric"),
    ...own && { description: flags.description ?? defaultFor("exec", "description") },
    retryFor: flags.retryFor ?? defaultFor("exec", "retryFor"),
    quiet: isQuiet,
  };
}

/** Returns a system whose standard output is left to the command, and to which no failure is an error. */
function besideCommand(system: System): System {
  const stderr = (text: string) => system.stderr(asWarnings(text));
  return { ...system, stdout: stderr, stderr };
}

/** Turns the lines of errors into lines of warnings, in either form of the output. */
function asWarnings(text: string): string {
  return text.replace(/^ERROR: /, "WARNING: ").replace(/^\{"type":"error"/, '{"type":"warning"');
}

/** Attributes, bounds and limits of the one measurement. */
function changesFor(
  flags: ExecFlags,
  { name, endedAt, end }: CommandRun,
  { clock }: System,
): SendChanges {
  let retryForMs = Infinity;
  const bounds = defaultFor("exec", "buckets").split(",").map(Number);
  const attributes = {
    "process.executable.name": name.replace(/^.*[/\\]/, ""),
    "process.exit.code": end.status,
  };
  return {
    configure(config) {
      const { source, keep, metric } = config;
      const mostMs = end.wasSignalled ? MOST_AFTER_SIGNAL_MS : Infinity;
      retryForMs = Math.min(keep.retryForMs, mostMs);
      return {
        ...config,
        source: source.kind === "values" ? { ...source, attributes } : source,
        keep: { ...keep, retryForMs },
        metric: flags.buckets === undefined && metric.bounds !== "exponential"
          ? { ...metric, bounds }
          : metric,
      };
    },
    // Without retries one request has its own timeout.
    around: (post) => retryForMs === 0 ? post : endingAt(post, endedAt + retryForMs, clock),
    // Jobs of one minute may share a spool, which one of them has at a time.
    isSpoolOptional: true,
    command: "exec",
  };
}

/** Ends each request at a time on the monotonic clock, however long its own timeout is. */
function endingAt(post: Post, until: number, clock: Clock): Post {
  return async (body, encoding, signal) => {
    const leftMs = Math.max(0, Math.round(until - clock.monotonic()));
    const over = deadline(leftMs);
    try {
      const reply = await post(body, encoding, AbortSignal.any([signal, over.signal]));
      const isCut = over.signal.aborted && !signal.aborted;
      return isCut && reply.kind === "failure"
        ? { ...reply, ...timedOut(leftMs), message: "no response before --retry-for was over" }
        : reply;
    } finally {
      over.clear();
    }
  };
}
