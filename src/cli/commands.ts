import type { StartCommand } from "../platform/command.ts";
import type { System } from "../platform/system.ts";
import { VERSION } from "../platform/version.ts";
import { runSend } from "../commands/send/command.ts";
import { fileArgument, noArguments, parseFlags, usage } from "./arguments.ts";
import { type Command, COMMAND_NAMES } from "./command_names.ts";
import { findNearest } from "../platform/nearest.ts";

/** Reaction to the arguments: a text to print, or a command to run. */
export type Invocation =
  /** Prints a text on standard output. */
  | { readonly kind: "text"; readonly text: string }
  | {
    readonly kind: "command";
    /** Runs the command; resolves to the exit code. */
    readonly run: (system: System, start: StartCommand) => Promise<number>;
    /** Set if it runs a program, which every other command may not. */
    readonly runsProgram?: boolean;
    /** File of `--env-file`. */
    readonly envFile?: string | undefined;
  };

/** Reads the arguments of a command. `columns` is the width of the text that it prints. */
type Read = (args: readonly string[], columns: number) => Invocation | Promise<Invocation>;

/**
 * Divides arguments at `--` into flags and the words of a program; `words` is undefined without `--`. Throws a
 * UsageError when nothing follows it.
 */
function splitAtDashes(command: Command, args: readonly string[]): {
  readonly own: readonly string[];
  readonly words: readonly string[] | undefined;
} {
  const at = args.indexOf("--");
  if (at < 0) return { own: args, words: undefined };
  const words = args.slice(at + 1);
  if (words.length > 0) return { own: args.slice(0, at), words };
  throw usage("-- has no command after it: add one, for example -- npm test", command);
}

/** Reader of each command's arguments. Code that only one command needs is loaded when it runs. */
const COMMANDS: Readonly<Record<Command, Read>> = {
  send(args) {
    const flags = parseFlags("send", args);
    return {
      kind: "command",
      run: (system) => runSend(flags, system),
      envFile: flags.envFile,
    };
  },
  exec(args) {
    const { own, words } = splitAtDashes("exec", args);
    if (words === undefined) {
      throw usage("exec requires a command after --, for example exec -- ./backup.sh", "exec");
    }
    const flags = parseFlags("exec", own);
    return {
      kind: "command",
      run: async (system, start) =>
        (await import("../commands/exec.ts")).runExec(flags, words, system, start),
      runsProgram: true,
    };
  },
  check(args) {
    const flags = parseFlags("check", args);
    return {
      kind: "command",
      run: async (system) => (await import("../commands/check/command.ts")).runCheck(flags, system),
      envFile: flags.envFile,
    };
  },
  verify(args) {
    const flags = parseFlags("verify", args);
    return {
      kind: "command",
      run: async (system) =>
        (await import("../commands/verify/command.ts")).runVerify(flags, system),
      envFile: flags.envFile,
    };
  },
  receive(args) {
    const { own, words } = splitAtDashes("receive", args);
    const flags = parseFlags("receive", own);
    return {
      kind: "command",
      run: async (system, start) => {
        const { runReceive, runReceiveAround } = await import("../commands/receive/command.ts");
        return words === undefined
          ? await runReceive(flags, system)
          : await runReceiveAround(words, flags, system, start);
      },
      runsProgram: words !== undefined,
    };
  },
  plot(args) {
    const flags = parseFlags("plot", args);
    return {
      kind: "command",
      run: async (system) => (await import("../commands/plot/command.ts")).runPlot(flags, system),
      envFile: flags.envFile,
    };
  },
  diff(args) {
    const files: string[] = [];
    const flags = parseFlags("diff", args, files);
    const [a, b, ...more] = files;
    if (a === undefined || b === undefined || more.length > 0) {
      throw usage(`diff compares two files: expected A and B, found ${files.length}`, "diff");
    }
    return {
      kind: "command",
      run: async (system) =>
        (await import("../commands/diff/command.ts")).runDiff([a, b], flags, system),
    };
  },
  demo(args) {
    const flags = parseFlags("demo", args);
    return {
      kind: "command",
      async run(system) {
        const { runDemo } = await import("../commands/demo.ts");
        // A proxy for the rest of the world has no business between two ends of this process.
        Deno.env.set("NO_PROXY", "127.0.0.1");
        return runDemo(flags, system);
      },
    };
  },
  "merge-summaries"(args) {
    const files: string[] = [];
    const flags = parseFlags("merge-summaries", args, files);
    return {
      kind: "command",
      run: async (system) =>
        (await import("../commands/merge_summaries/command.ts"))
          .runMergeSummaries(files, flags, system),
    };
  },
  async help([name, ...more], columns) {
    noArguments("help", more);
    const { helpText } = await import("./help.ts");
    return {
      kind: "text",
      text: helpText(name === undefined ? undefined : commandNamed(name), columns),
    };
  },
  version(args) {
    noArguments("version", args);
    return { kind: "text", text: `${VERSION}\n` };
  },
  async completions([shell, ...more]) {
    noArguments("completions", more);
    const { COMPLETIONS, isShell } = await import("./completions.ts");
    if (!isShell(shell)) {
      throw usage(
        "completions requires a shell: bash, zsh, fish or powershell",
        "completions",
      );
    }
    return { kind: "text", text: COMPLETIONS[shell]() };
  },
};

/** Reads the command line; `send` if it names no command. Throws a UsageError. */
export async function readArguments(args: readonly string[], columns: number): Promise<Invocation> {
  const [first = "-"] = args;
  const command = first.startsWith("-") ? undefined : commandNamed(first);
  const rest = command === undefined ? args : args.slice(1);
  if (isAsked(rest, "--help", "-h")) return await COMMANDS.help(command ? [command] : [], columns);
  if (isAsked(rest, "--version", "-V")) return await COMMANDS.version([], columns);
  return await COMMANDS[command ?? "send"](rest, columns);
}

/** Whether a flag is anywhere among the arguments: people who are lost add it at the end. */
function isAsked(args: readonly string[], ...flags: readonly string[]): boolean {
  const end = args.indexOf("--");
  return args.slice(0, end < 0 ? undefined : end).some((arg) => flags.includes(arg));
}

function isCommand(name: string): name is Command {
  return COMMAND_NAMES.some((command) => command === name);
}

/**
 * Returns the name of a command, or throws a UsageError. A word that is far from every name may be a secret and is not
 * quoted.
 */
function commandNamed(name: string): Command {
  if (isCommand(name)) return name;
  const file = fileArgument(name, "send");
  if (file !== undefined) throw file;
  const meant = findNearest(name, COMMAND_NAMES);
  const list = COMMAND_NAMES.join(", ");
  throw usage(
    meant === undefined
      ? `Unknown command. The commands are ${list}`
      : `Unknown command "${name}". Did you mean ${meant}? The commands are ${list}`,
  );
}
