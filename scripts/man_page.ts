import { defaultsText } from "./settings_page.ts";
import { VERSION } from "../src/platform/version.ts";
import { COMMAND_HELP } from "../src/cli/command_help.ts";
import {
  argumentOf,
  flagName,
  rowOf,
  SETTING_KEYS,
  type SettingKey,
} from "../src/settings/settings.ts";
import { type CommandName, GROUPS } from "../src/settings/settings_table.ts";

const HOME = "https://github.com/ihudak/otlp_histogram";

/** Writes the manual page in the macros of man(7). */
export function manPage(): string {
  const { send } = COMMAND_HELP;
  const commands = Object.entries(COMMAND_HELP);
  return [
    '.\\" Written by `deno task docs` from src/settings/settings_table.ts and src/cli/command_help.ts: change it there.',
    `.TH OTLP\\-HISTOGRAM 1 "" "otlp\\-histogram ${VERSION}" "User Commands"`,
    // Ragged right and without hyphens: names of variables are long, and are to be copied.
    ".ad l",
    ".nh",
    ".SH NAME",
    "otlp\\-histogram \\- send histogram metrics to Dynatrace or any other OTLP receiver",
    ".SH SYNOPSIS",
    ...commands.flatMap(([, { usage }], i) => [...i === 0 ? [] : [".br"], synopsis(usage)]),
    ".SH DESCRIPTION",
    ...paragraphs(send.about),
    ".SH COMMANDS",
    ...commands.flatMap(([name, { brief, about, flags }]) => [
      ".TP",
      bold(name),
      sentence(brief),
      // The description has covered the default command.
      ...name === "send" || flags === undefined
        ? []
        : about.flatMap((text) => [".IP", prose(text)]),
    ]),
    ".SH OPTIONS",
    prose(
      "Flags override environment variables, which override .env, which overrides the defaults. SECONDS can be " +
        "fractional. Relative paths start in the directory where you run the program. A token is never a flag.",
    ),
    ...GROUPS.flatMap(group),
    ".SH ENVIRONMENT",
    prose(
      "A variable that is set but blank counts as not set. If a setting has several variables, the first one that is " +
        "set counts.",
    ),
    ...SETTING_KEYS.filter((key) => rowOf(key).variables !== undefined).flatMap(variables),
    ".TP",
    ["HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY"].map(bold).join(", "),
    prose(
      "The proxy, as http://, https:// or socks5://. Read from the real environment only, not from .env. ALL_PROXY " +
        "overrides the other two, and capitals override small letters. NO_PROXY lists domains, addresses and networks.",
    ),
    ".TP",
    bold("TERM"),
    prose("The value dumb turns colour off, as NO_COLOR does."),
    ".SH FILES",
    ".TP",
    bold(".env"),
    prose(
      "Variables, one NAME=VALUE per line, read from the directory where you run the program. --env-file names another " +
        "file, which must exist.",
    ),
    ".SH EXIT STATUS",
    ...commands.flatMap(([name, { statuses }]) =>
      statuses === undefined ? [] : [
        `.SS ${literal(name)}`,
        ...statuses.flatMap(([status, means]) => [".TP", bold(status), sentence(means)]),
      ]
    ),
    ".SH EXAMPLES",
    ...commands.flatMap(([, { examples }]) => examples).flatMap(([line, does]) => [
      ".PP",
      prose(`${capitalized(does)}:`),
      ".PP",
      ".RS 4",
      ".nf",
      ...commandLines(line).map(literal),
      ".fi",
      ".RE",
    ]),
    ".SH SEE ALSO",
    "The documentation, with all Dynatrace rules that are checked:",
    ".UR " + HOME,
    ".UE .",
    ".PP",
    "OpenTelemetry Protocol:",
    ".UR https://opentelemetry.io/docs/specs/otlp/",
    ".UE .",
  ].join("\n") + "\n";
}

/** Formats one group of settings under its heading, with the commands that have them. */
function group(heading: (typeof GROUPS)[number]): string[] {
  const keys = SETTING_KEYS.filter((key) => rowOf(key).group === heading);
  if (keys.length === 0) return [];
  const all = [...new Set(keys.flatMap((key) => rowOf(key).commands))];
  return [
    `.SS ${literal(heading)}`,
    prose(`For ${listed(all)}.`),
    ...keys.flatMap((key) => option(key, all)),
  ];
}

/** Formats one setting, with its commands if they are fewer than those of its group. */
function option(key: SettingKey, commandsOfGroup: readonly CommandName[]): string[] {
  const { flag, variables = [], help, repeats, commands } = rowOf(key);
  const defaults = defaultsText(key, bold);
  const facts = [
    ...defaults === "" ? [] : [`Default: ${defaults}.`],
    ...flag === false || variables.length === 0
      ? []
      : [`Environment: ${variables.map(bold).join(", ")}.`],
  ];
  return [
    ".TP",
    flag === false ? variables.map(bold).join(", ") : [bold(flagName(key)), argument(key)].join(""),
    stopped(repeats ? `${help}; repeatable` : help),
    ...commands.length === commandsOfGroup.length ? [] : [prose(`For ${listed(commands)} only.`)],
    ...facts.length === 0 ? [] : [".br", ...facts],
  ];
}

function argument(key: SettingKey): string {
  const named = argumentOf(key);
  return named === undefined ? "" : ` ${italic(named)}`;
}

function variables(key: SettingKey): string[] {
  const { flag, variables = [], variablesNote, help } = rowOf(key);
  const note = variablesNote === undefined ? "" : ` (${variablesNote})`;
  return [
    ".TP",
    variables.map(bold).join(", "),
    flag === false ? stopped(help + note) : `${bold(flagName(key))}${prose(note)}.`,
  ];
}

/** Formats a synopsis such as `otlp-histogram [send] [flags]`: literal words in bold, brackets and placeholders not. */
function synopsis(usage: string): string {
  return usage.split(" ").map((word) => /^[a-z-]+$/.test(word) ? bold(word) : prose(word))
    .join(" ");
}

function paragraphs(texts: readonly string[]): string[] {
  return texts.flatMap((text, i) => i === 0 ? [prose(text)] : [".PP", prose(text)]);
}

/** Formats a sentence with a capital and a full stop. */
function sentence(text: string): string {
  return stopped(capitalized(text));
}

/** Formats a sentence with a full stop only: it may begin with a word of the program. */
function stopped(text: string): string {
  return prose(/[.?!]$/.test(text) ? text : `${text}.`);
}

function capitalized(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
}

/** Breaks a command into lines of at most 80 columns, all but the last with a backslash at the end. */
function commandLines(command: string): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of command.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > 64) {
      lines.push(`${line} \\`);
      line = `  ${word}`;
    } else line += line === "" ? word : ` ${word}`;
  }
  return [...lines, line];
}

function listed(words: readonly string[]): string {
  const last = words.at(-1) ?? "";
  return words.length < 2 ? last : `${words.slice(0, -1).join(", ")} and ${last}`;
}

function bold(text: string): string {
  return `\\fB${literal(text)}\\fR`;
}

function italic(text: string): string {
  return `\\fI${literal(text)}\\fR`;
}

/** Formats text whose flags, files and variables stay literal, so that they can be copied. */
function prose(text: string): string {
  return text.replaceAll(
    /\S+/g,
    (word) => /^[[(]*(-|[^a-z]*$)|[/_=.:]\S/i.test(word) ? literal(word) : escaped(word),
  );
}

/** Formats literal text: each hyphen a hyphen-minus, each quote straight (groff_char(7)). */
function literal(text: string): string {
  return escaped(text)
    .replaceAll("-", "\\-")
    .replaceAll("'", "\\(aq")
    .replaceAll("`", "\\(ga")
    .replaceAll("^", "\\(ha")
    .replaceAll("~", "\\(ti");
}

/** No backslash, no request at the start of a line, no character beyond ASCII. */
function escaped(text: string): string {
  return text
    .replaceAll("\\", "\\(rs")
    .replace(/^[.']/, "\\&$&")
    .replaceAll(
      /[^\x20-\x7e]/gu,
      (character) =>
        `\\[u${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}]`,
    );
}
