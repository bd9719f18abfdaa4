import {
  argumentOf,
  flagKeysOf,
  flagName,
  rowOf,
  type SettingKey,
  settingKeysOf,
} from "../settings/settings.ts";
import { type CommandName, GROUPS } from "../settings/settings_table.ts";
import type { Command } from "./command_names.ts";

interface CommandHelp {
  /** One line for the list of commands. */
  readonly brief: string;
  readonly usage: string;
  /** Description, one paragraph each. */
  readonly about: readonly string[];
  /** Command whose rows of the table of settings are its flags. */
  readonly flags?: CommandName;
  /** Command lines, and what they do. */
  readonly examples: readonly (readonly [string, string])[];
  readonly statuses?: readonly (readonly [string, string])[];
}

const NO_SOURCE =
  "With no source of measurements named (--value, --input, --scenario or a flag under Generated) each send has " +
  "the same five sample measurements of made-up HTTP requests.";

/** Help of each command. */
export const COMMAND_HELP: Readonly<Record<Command, CommandHelp>> = {
  send: {
    brief: "send measurements (the default command)",
    usage: "otlp-histogram [send] [flags]",
    about: [
      "Sends measurements as histograms (OTLP, protobuf over HTTP, DELTA), once or in a loop, to Dynatrace or any " +
      "other OTLP receiver, and says what became of them.",
      NO_SOURCE,
    ],
    flags: "send",
    examples: [
      [
        "DT_ENDPOINT=https://ENV.live.dynatrace.com/api/v2/otlp DT_API_TOKEN=… otlp-histogram",
        "send the samples to Dynatrace",
      ],
      [
        "otlp-histogram --endpoint http://localhost:4318 --value 12.5 --value 80",
        "send two measurements to a Collector",
      ],
      [
        "otlp-histogram --input access.log --time-field time --value-field request_time --scale 1000",
        "send yesterday's access log, each line in its minute",
      ],
      [
        "otlp-histogram --loop --interval 10 --series 100 --rate 500 --spool spool",
        "generate load until Ctrl+C, and keep what is not delivered",
      ],
      [
        "otlp-histogram plot --input durations.csv",
        "look at the measurements first, and send nothing",
      ],
    ],
    statuses: [
      ["0", "everything was read and accepted"],
      ["1", "something was not delivered or not read, or a line of the input was invalid"],
      ["2", "usage or configuration"],
      ["3", "the receiver took the request but rejected some data points"],
    ],
  },
  check: {
    brief: "find out what is wrong: configuration, DNS, TCP, TLS, token, ingest",
    usage: "otlp-histogram check [flags]",
    about: [
      "Takes one step after the other until one fails: config, dns, tcp, tls (https only), http, token, ingest. It " +
      "posts an empty export request, which leaves nothing behind.",
    ],
    flags: "check",
    examples: [
      ["otlp-histogram check", "check what the environment and .env configure"],
      ["otlp-histogram check --canary", "send one sample measurement too"],
    ],
    statuses: [
      ["0", "all is well"],
      ["1", "a step failed"],
      ["2", "usage or configuration"],
    ],
  },
  receive: {
    brief: "a local receiver that decodes, judges, counts and draws what it gets",
    usage: "otlp-histogram receive [flags]",
    about: [
      "A local OTLP/HTTP receiver that decodes, judges, counts and draws what it gets. It takes POST to any path " +
      "that ends in /v1/metrics (protobuf, gzip or not; without --rules dynatrace OTLP/JSON, deflate and zstd too), " +
      "and ends with a summary on Ctrl+C, after --requests or after --wait.",
      "As a gate of a build it fails for --fail-on and --expect. Where GITHUB_ACTIONS is true it prints problems as " +
      "annotations of GitHub Actions too.",
    ],
    flags: "receive",
    examples: [
      ["otlp-histogram receive --rules dynatrace", "judge by Dynatrace's rules"],
      ["otlp-histogram receive --ui", "see what comes on a page, http://127.0.0.1:4318/"],
      [
        "otlp-histogram receive --rules dynatrace --fail-on error --expect job.duration --requests 1 --wait 60",
        "fail a build whose exporter breaks a rule, or sends nothing",
      ],
      ["otlp-histogram receive --save requests.jsonl", "keep what comes, for send --replay"],
      ["otlp-histogram receive --respond 503,429:2,hang", "see how a sender deals with failures"],
    ],
    statuses: [
      ["0", "it was ended, or has answered --requests"],
      [
        "1",
        "--fail-on was broken, an expected metric did not come, --wait was over before --requests came, or a " +
        "request could not be saved",
      ],
      ["2", "usage or configuration"],
    ],
  },
  plot: {
    brief: "draw measurements without sending them, and suggest buckets",
    usage: "otlp-histogram plot [flags]",
    about: [
      "Draws the histogram of each series, with percentiles of the values themselves beside those that a receiver " +
      "will estimate from the buckets. It sends nothing and needs no endpoint; Ctrl+C ends the input and draws " +
      "what has come. Its flags mean what they mean for send.",
      "With no source of measurements named it draws the five made-up samples that send would send.",
    ],
    flags: "plot",
    examples: [
      [
        "otlp-histogram plot --input jobs.csv --value-field ms --attr-field queue",
        "look at a column of a file, by queue",
      ],
      [
        "otlp-histogram plot --input durations.txt --suggest-buckets",
        "find the buckets that suit these values, to paste where they are sent",
      ],
      [
        "grep POST access.ndjson | otlp-histogram plot --input - --output json",
        "get figures and percentiles as JSON",
      ],
    ],
    statuses: [
      ["0", "everything was read"],
      ["1", "a line of the input was invalid, or the input broke off"],
      ["2", "usage or configuration"],
    ],
  },
  demo: {
    brief: "start a receiver, send to it three times, draw what arrived",
    usage: "otlp-histogram demo [flags]",
    about: [
      "Starts a receiver on a free port of this machine, sends to it three times, a second apart, and draws what " +
      "arrived. With --ui it goes on sending until Ctrl+C, and prints the URL of a page that shows what arrives. It " +
      "needs no configuration and leaves nothing behind.",
    ],
    flags: "demo",
    examples: [["otlp-histogram demo --ui", "look at the page of receive with data on it"]],
  },
  help: {
    brief: "describe the program, or a command",
    usage: "otlp-histogram help [COMMAND]",
    about: ["Describes the program, or a command with its flags; so does --help, or -h, after it."],
    examples: [["otlp-histogram help receive", "describe receive"]],
  },
  version: {
    brief: "print the version",
    usage: "otlp-histogram version",
    about: ["Prints the version; so does --version, or -V."],
    examples: [],
  },
  completions: {
    brief: "print a script that completes commands, flags and files",
    usage: "otlp-histogram completions bash|zsh|fish",
    about: ["Prints a script for a shell that completes commands, flags, their words, and files."],
    examples: [
      ["source <(otlp-histogram completions bash)", "in ~/.bashrc"],
      ["source <(otlp-histogram completions zsh)", "in ~/.zshrc, after compinit"],
      ["otlp-histogram completions fish | source", "in ~/.config/fish/config.fish"],
    ],
  },
};

/** The help of the program, or of one command, no line wider than `columns` but for a word that is. */
export function helpText(command: Command | undefined, columns: number): string {
  const { usage, about, flags, examples, statuses } = COMMAND_HELP[command ?? "send"];
  const out = new Page(columns);
  if (command === undefined) {
    out.paragraph("Sends histograms of measurements to Dynatrace or any other OTLP receiver,");
    out.paragraph("once or in a loop, and says truthfully what became of them.");
  } else {
    about.forEach((text, i) => {
      if (i > 0) out.blank();
      out.paragraph(text);
    });
  }
  out.heading("Usage");
  out.paragraph(usage, 2);
  if (command === undefined) {
    out.paragraph("otlp-histogram COMMAND [flags]", 2);
    out.heading("Commands");
    for (const [name, { brief }] of Object.entries(COMMAND_HELP)) out.entry(name, brief);
    out.blank();
    out.paragraph(NO_SOURCE);
  }
  if (flags !== undefined) {
    const keys = settingKeysOf(flags);
    if (flagKeysOf(flags).some((key) => rowOf(key).variables !== undefined)) {
      out.blank();
      out.paragraph(
        "A flag beats its environment variables, which stand in brackets; they beat the same names in .env. " +
          "SECONDS may be fractions.",
      );
    }
    for (const group of GROUPS) {
      const rows = keys.filter((key) => rowOf(key).group === group);
      if (rows.length > 0) out.heading(group);
      for (const key of rows) out.entry(settingName(key), settingHelp(key));
    }
  }
  if (examples.length > 0) out.heading("Examples");
  for (const [line, does] of examples) {
    out.paragraph(line, 2);
    out.paragraph(does, 6);
  }
  if (statuses !== undefined) out.heading("Exit status");
  for (const [status, means] of statuses ?? []) out.entry(status, means, 6);
  if (command === undefined) {
    out.blank();
    out.paragraph("otlp-histogram help COMMAND, or COMMAND --help, describes a command.");
  }
  return out.text();
}

/** `--interval SECONDS`; of a setting without a flag its variable. */
function settingName(key: SettingKey): string {
  const { flag, variables } = rowOf(key);
  if (flag === false) return variables?.join(", ") ?? "";
  return [flagName(key), argumentOf(key) ?? []].flat().join(" ");
}

function settingHelp(key: SettingKey): string {
  const { flag, help, repeats, variables, variablesNote, default: value } = rowOf(key);
  const named = flag === false ? undefined : variables?.join(", ");
  return [
    help,
    repeats ? "; repeatable" : "",
    value === undefined ? "" : ` (default ${value})`,
    named === undefined ? "" : ` [${named}${variablesNote ? `: ${variablesNote}` : ""}]`,
  ].join("");
}

/** Column where the text of an entry begins: the longest variable in brackets still fits into 80 columns. */
const HANGING = 22;

/** Lines of text, wrapped between words. */
class Page {
  readonly #columns: number;
  readonly #lines: string[] = [];

  constructor(columns: number) {
    this.#columns = columns;
  }

  blank(): void {
    this.#lines.push("");
  }

  heading(text: string): void {
    this.#lines.push("", `${text}:`);
  }

  paragraph(text: string, indent = 0): void {
    this.#lines.push(
      ...wrappedText(text, " ".repeat(indent), indent + 2 * Number(indent > 0), this.#columns),
    );
  }

  /** A name, and beside it what it is; below it when the name is too long. */
  entry(name: string, text: string, hanging = HANGING): void {
    const indent = this.#columns < 60 ? Math.min(hanging, 6) : hanging;
    const first = `  ${name}`.padEnd(indent);
    if (first.length > indent || !first.endsWith("  ")) {
      this.#lines.push(
        first.trimEnd(),
        ...wrappedText(text, " ".repeat(indent), indent, this.#columns),
      );
    } else {
      this.#lines.push(...wrappedText(text, first, indent, this.#columns));
    }
  }

  text(): string {
    return `${this.#lines.join("\n")}\n`;
  }
}

/** Words in lines of at most `columns`, the first after `first`, the others indented. */
function wrappedText(text: string, first: string, indent: number, columns: number): string[] {
  const lines: string[] = [];
  let line = first;
  let isEmpty = true;
  for (const word of text.split(" ")) {
    if (!isEmpty && line.length + 1 + word.length > columns) {
      lines.push(line);
      line = " ".repeat(indent);
      isEmpty = true;
    }
    line += isEmpty ? word : ` ${word}`;
    isEmpty = false;
  }
  return [...lines, line];
}
