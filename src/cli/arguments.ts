import { UsageError } from "../platform/errors.ts";
import {
  argumentOf,
  type FlagKey,
  flagKeysOf,
  flagName,
  type FlagsOf,
  rowOf,
  SETTING_KEYS,
} from "../settings/settings.ts";
import type { CommandName } from "../settings/settings_table.ts";
import { findNearest } from "../platform/nearest.ts";

/** Value of a flag: whether a toggle is on, or every value of a repeatable flag. */
type Value = boolean | string | readonly string[];

/**
 * Parses the flags of a command, or throws a UsageError that quotes nothing that may be a secret. Arguments that belong to
 * no flag go into `operands`, where the command has any.
 */
export function parseFlags<Command extends CommandName>(
  command: Command,
  args: readonly string[],
  operands?: string[],
): FlagsOf<Command> {
  const keys = new Map(flagKeysOf(command).map((key) => [flagName(key), key]));
  const values = new Map<FlagKey, Value>();
  const left = [...args];
  let last = "";
  for (let arg = left.shift(); arg !== undefined; arg = left.shift()) {
    if (arg === "--" && left.length === 0) break;
    if (operands !== undefined && (arg === "-" || !arg.startsWith("-"))) {
      operands.push(arg);
      continue;
    }
    const [, name = "", attached] = /^(--[^=]+)(?:=(.*))?$/s.exec(arg) ?? [];
    const key = keys.get(name);
    if (key === undefined) throw unknownArgument(arg, command, [...keys.keys()], last);
    last = name;
    const row = rowOf(key);
    const before = values.get(key);
    if (before !== undefined && !row.repeats) {
      throw usage(`${name} is set twice: set it once`, command);
    }
    if (row.kind === "toggle") {
      values.set(key, parseToggle(name, attached, command));
    } else {
      const value = attached ?? (/^--(?!=)/.test(left[0] ?? "--") ? row.bare : left.shift());
      if (value === undefined) {
        throw usage(`${name} requires a value: ${name} ${argumentOf(key)}`, command);
      }
      values.set(key, row.repeats ? [...before instanceof Array ? before : [], value] : value);
    }
  }
  const flags: Readonly<Record<string, Value>> = Object.fromEntries(values);
  if (!areFlagsOf(command, flags)) {
    throw new Error("a flag has a value that its row does not allow");
  }
  return flags;
}

/** Throws a UsageError if there are any arguments. */
export function noArguments(command: string, args: readonly string[]): void {
  const [first] = args;
  if (first !== undefined) throw unknownArgument(first, command, []);
}

/** Whether each value has the type that its row says. The types of the flags say the same of the table. */
function areFlagsOf<Command extends CommandName>(
  command: Command,
  flags: Readonly<Record<string, Value>>,
): flags is FlagsOf<Command> & Readonly<Record<string, Value>> {
  return flagKeysOf(command).every((key) => {
    const value = flags[key];
    const { kind, repeats } = rowOf(key);
    return value === undefined ||
      (kind === "toggle"
        ? typeof value === "boolean"
        : repeats
        ? Array.isArray(value)
        : typeof value === "string");
  });
}

function parseToggle(name: string, attached: string | undefined, command: CommandName): boolean {
  const word = attached?.toLowerCase();
  if (word === undefined || ["true", "1", "yes"].includes(word)) return true;
  if (["false", "0", "no"].includes(word)) return false;
  throw usage(`${name} does not accept a value`, command);
}

/** File names that people have measurements in; a token has no such end. */
const DATA_FILE = /^[\w./-]+\.(?:log|txt|csv|tsv|json|ndjson|jsonl|prom)(?:[.-]\d+)?(?:\.gz)?$/;

/** Creates the UsageError for a file that no flag names; undefined if the argument names none. */
export function fileArgument(arg: string, command: string): UsageError | undefined {
  return DATA_FILE.test(arg)
    ? usage(`${arg} does not belong to a flag: use --input ${arg}`, command)
    : undefined;
}

/** `last` is the flag before the argument. */
function unknownArgument(
  arg: string,
  command: string,
  names: readonly string[],
  last = "",
): UsageError {
  if (names.includes("--input") && !arg.startsWith("-")) {
    if (last === "--input") {
      return usage(
        "Unexpected argument after --input FILE (hidden in case it is a secret). Repeat --input for each file",
        command,
      );
    }
    const file = fileArgument(arg, command);
    if (file !== undefined) return file;
  }
  const shown = arg.startsWith("--") ? arg.replace(/=.*/s, "") : arg;
  const ours = names.includes("--endpoint") ? foreignFlags().get(shown) : undefined;
  if (ours !== undefined) return usage(`No flag ${shown}: use ${ours}`, command);
  const others = commandsWith(shown);
  if (others !== undefined) {
    return usage(`No flag ${shown} for ${command}, only for ${listed(others)}`, command);
  }
  const meant = shown.startsWith("-") ? findNearest(shown, names) : undefined;
  if (meant !== undefined) return usage(`Unknown flag ${shown}. Did you mean ${meant}?`, command);
  // A word in the wrong place may be a secret, such as a token after a blank.
  return /^(--[a-z][a-z-]{0,30}|-[a-z])$/i.test(shown) ? usage(`No flag ${shown}`, command) : usage(
    "Unexpected argument (hidden in case it is a secret). Put quotes around values that contain spaces",
    command,
  );
}

/** Flags of other programs (curl, telemetrygen, otel-cli), and their equivalents here for a command that sends. */
function foreignFlags(): ReadonlyMap<string, string> {
  const token = "--token-file FILE or the variable DT_API_TOKEN: process lists show arguments";
  const rows: readonly (readonly [flags: string, ours: string])[] = [
    ["--url --host --server --otlp-endpoint --dt-endpoint", "--endpoint URL"],
    ["--token --api-token --dt-api-token --bearer --api-key --apikey", token],
    ["--user --username --password -u", "--endpoint https://USER:PASSWORD@HOST"],
    [
      "--proxy --http-proxy --https-proxy --proxy-url -x",
      "the variable HTTPS_PROXY, or HTTP_PROXY for http:// URLs",
    ],
    ["--otlp-header --otlp-headers -H", "--header NAME=VALUE"],
    ["--otlp-insecure --plaintext", "--endpoint http://HOST:PORT"],
    [
      "--otlp-insecure-skip-verify --insecure-skip-verify --tls-no-verify --no-verify -k",
      "--insecure",
    ],
    ["--ca-cert --cacert --ca-file --tls-ca-cert", "--ca FILE"],
    ["--cert --tls-client-cert", "--client-cert FILE"],
    ["--key --tls-client-key", "--client-key FILE"],
    ["--max-time", "--timeout SECONDS"],
    ["--metric-name --otlp-metric-name", "--metric NAME"],
    ["--service-name", "--service NAME"],
    ["--otlp-attributes", "--resource KEY=VALUE"],
    ["--attribute --attributes --telemetry-attributes", "--attr KEY=VALUE"],
    ["--json", "--output json"],
  ];
  return new Map(rows.flatMap(([flags, ours]) => flags.split(" ").map((flag) => [flag, ours])));
}

/** Joins words as a sentence does: `send, check and verify`. */
function listed(words: readonly string[]): string {
  return words.join(", ").replace(/, (?=[^,]*$)/, " and ");
}

/** Lists the commands that have a flag; undefined if none does. */
function commandsWith(name: string): readonly CommandName[] | undefined {
  const keys = SETTING_KEYS.filter((key) => rowOf(key).flag !== false && flagName(key) === name);
  return keys.length > 0 ? keys.flatMap((key) => rowOf(key).commands) : undefined;
}

/** Creates the UsageError for an argument, with the help that says more. */
export function usage(message: string, command?: string): UsageError {
  const help = [
    "otlp-histogram",
    ...command === undefined || command === "send" ? [] : [command],
    "--help",
  ];
  return new UsageError(`${message} (see ${help.join(" ")})`);
}
