import {
  type ApplicationText,
  ArgumentParseError,
  buildApplication,
  buildCommand,
  type Command,
  type CommandContext,
  run,
  text_en,
  UnexpectedFlagError,
  UnexpectedPositionalError,
} from "@stricli/core";
import type { CheckFlags } from "../check/command.ts";
import { checkFlags, receiveFlags, sendFlags } from "./flags.ts";
import { messageOf, UsageError } from "../base/errors.ts";
import type { System } from "../base/system.ts";
import type { ReceiveFlags } from "../receive/options.ts";
import { runSend } from "../send/command.ts";
import type { SendFlags } from "../config/send_flags.ts";
import { VERSION } from "../base/version.ts";

interface Context extends CommandContext {
  readonly execute: Execute;
}

/** Runs a command; what it throws is said in one line and becomes an exit status. */
export type Execute = (command: (system: System) => Promise<number>) => Promise<void>;

const SEND_EXTRA =
  `Sends histogram measurements (OTLP, protobuf over HTTP, DELTA) and says what became of them.

Every flag beats its environment variable, which beats the same name in .env. Required: an endpoint, and for
Dynatrace a token in DT_API_TOKEN or in a file. SECONDS may be fractions.

Exit status: 0 everything was accepted; 1 something was not delivered; 2 usage or configuration;
3 the receiver took the request but rejected some data points.

Other commands:
  otlp-histogram check --help     finds out what is wrong: configuration, DNS, TCP, TLS, token, ingest
  otlp-histogram receive --help   a local receiver that decodes, counts and draws what it gets
  otlp-histogram demo             starts a receiver, sends to it, draws what arrived`;

const send = () =>
  buildCommand<SendFlags, [], Context>({
    loader: () =>
      Promise.resolve(function (this: Context, flags: SendFlags) {
        return this.execute((system) => runSend(flags, system));
      }),
    parameters: {
      flags: sendFlags,
      aliases: {},
    },
    docs: { brief: "Send measurements (the default command)", fullDescription: SEND_EXTRA },
  });

const receive = () =>
  buildCommand<ReceiveFlags, [], Context>({
    loader: () =>
      Promise.resolve(function (this: Context, flags: ReceiveFlags) {
        return this.execute(async (system) => {
          const { runReceive } = await import("../receive/command.ts");
          return runReceive(flags, system);
        });
      }),
    parameters: {
      flags: receiveFlags,
    },
    docs: {
      brief: "A local OTLP/HTTP receiver that decodes, counts and draws what it gets",
      fullDescription:
        "A local OTLP/HTTP receiver that decodes, counts and draws what it gets. It takes POST to any path that ends\nin /v1/metrics (protobuf, gzip or not) and ends on Ctrl+C with a summary.",
    },
  });

const check = () =>
  buildCommand<CheckFlags, [], Context>({
    loader: () =>
      Promise.resolve(function (this: Context, flags: CheckFlags) {
        return this.execute(async (system) => {
          const { runCheck } = await import("../check/command.ts");
          return runCheck(flags, system);
        });
      }),
    parameters: {
      flags: checkFlags,
    },
    docs: {
      brief: "Find out what is wrong: configuration, DNS, TCP, TLS, token, ingest",
      fullDescription:
        "Takes one step after the other, until one fails: config, dns, tcp, tls (https), http, token, ingest. It posts an\nempty export request, which leaves nothing behind.\n\nExit status: 0 all is well; 1 a step failed; 2 usage or configuration.",
    },
  });

const demo = () =>
  buildCommand<Record<never, never>, [], Context>({
    loader: () =>
      Promise.resolve(function (this: Context) {
        return this.execute(async (system) => {
          const { runDemo } = await import("../demo.ts");
          // A proxy for the rest of the world has no business between two ends of this process.
          Deno.env.set("NO_PROXY", "127.0.0.1");
          return runDemo(system);
        });
      }),
    parameters: {},
    docs: {
      brief: "Start a receiver, send to it three times, draw what arrived",
      fullDescription:
        "Starts a receiver on a free port of this machine, sends to it three times, a second apart, and draws what\narrived. It needs no configuration and leaves nothing behind.",
    },
  });

const COMMANDS: Readonly<Record<string, () => Command<Context>>> = { send, check, receive, demo };

/** Where Stricli writes help and errors, and what it thinks of the exit status. */
export interface Terminal {
  readonly stdout: Writable;
  readonly stderr: Writable;
  /** What is wrong with the arguments -> what is printed. */
  readonly error: (message: string) => string;
}

/**
 * Parses the arguments and executes the command that they name; resolves to the exit status when they name none. Only that
 * command is built: the others cost time at start.
 */
export async function runArguments(
  args: readonly string[],
  { stdout, stderr, error }: Terminal,
  execute: Execute,
): Promise<number> {
  const [first = "-"] = args;
  const command = COMMANDS[first];
  if (command === undefined && !first.startsWith("-")) {
    const names = Object.keys(COMMANDS).join(", ");
    throw new UsageError(usage(`No command "${first}": there are ${names}`));
  }
  const text: ApplicationText = {
    ...text_en,
    exceptionWhileParsingArguments: (thrown) => error(usage(argumentError(thrown))),
  };
  const app = buildApplication<Context>((command ?? send)(), {
    name: command === undefined ? "otlp-histogram" : `otlp-histogram ${first}`,
    versionInfo: { currentVersion: VERSION },
    scanner: { caseStyle: "allow-kebab-for-camel" },
    documentation: { caseStyle: "convert-camel-to-kebab", disableAnsiColor: true },
    localization: { text },
  });
  const process: { stdout: Writable; stderr: Writable; exitCode?: number | string | null } = {
    stdout,
    stderr,
  };
  await run(app, command === undefined ? args : args.slice(1), { process, execute });
  // Stricli's own exit codes are negative for what is wrong with the arguments.
  return Number(process.exitCode ?? 0) === 0 ? 0 : 2;
}

interface Writable {
  readonly write: (text: string) => void;
}

/** What stands in the wrong place may be a secret, such as a token after a blank: it is not quoted. */
function argumentError(thrown: unknown): string {
  // By class, not with Stricli's own formatter, which goes by the names of classes: a bundle has others.
  if (thrown instanceof ArgumentParseError) {
    return `--${thrown.externalFlagNameOrPlaceholder} takes no value`;
  }
  if (thrown instanceof UnexpectedFlagError) {
    return `--${thrown.externalFlagName} is given twice: give it once`;
  }
  if (thrown instanceof UnexpectedPositionalError) {
    return "An argument (not shown) belongs to no flag: a value with blanks needs quotes";
  }
  return messageOf(thrown);
}

function usage(message: string): string {
  return `${message} (otlp-histogram --help lists what there is)`;
}
