import {
  argumentOf,
  flagName,
  rowOf,
  SETTING_KEYS,
  type SettingKey,
} from "../src/settings/settings.ts";
import { GROUPS } from "../src/settings/settings_table.ts";
import { contents, table } from "./markdown.ts";

/** Writes the page of the settings in Markdown. */
export function settingsPage(): string {
  const parts = [
    "# Settings",
    "<!-- Written by `deno task docs` from src/settings/settings_table.ts: change it there. -->",
    "Every flag and every environment variable, with its default.",
    "- Flags override environment variables, which override `.env`, which overrides the defaults.\n" +
    "- The variables of a setting are tried in the order given. One that is set but blank counts as not set.\n" +
    "- The values of enumerated `OTEL_` variables are case-insensitive.\n" +
    "- `.env` and relative paths start in the directory where you run the program.\n" +
    "- SECONDS can be fractional. A token is never a flag.",
    "An invalid value ends the program with exit code 2. The message names the setting, its source, the value (unless " +
    "it is secret) and the expected form.",
  ];
  const used = GROUPS.filter((group) => SETTING_KEYS.some((key) => rowOf(key).group === group));
  parts.push(contents(used));
  for (const group of used) {
    const keys = SETTING_KEYS.filter((key) => rowOf(key).group === group);
    parts.push(`## ${group}`, settings(keys));
  }
  parts.push(
    "The proxy variables `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY` are read from the real environment only: " +
      "see [Proxies](troubleshooting.md#proxies). `TERM=dumb` turns colour off, as NO_COLOR does.",
  );
  return `${parts.join("\n\n")}\n`;
}

function settings(keys: readonly SettingKey[]): string {
  return table(
    ["flag", "environment", "default", "commands", "meaning"],
    keys.map((key) => {
      const { variables = [], variablesNote, repeats, commands, help } = rowOf(key);
      const names = variables.map((name) => `\`${name}\``).join(", ");
      return [
        flagCell(key),
        variablesNote === undefined ? names : `${names} (${variablesNote})`,
        defaultsText(key, (value) => `\`${value}\``),
        commands.join(", "),
        repeats ? `${help}; repeatable` : help,
      ];
    }),
  );
}

/** Formats the default of a setting, and those that single commands have; empty without any. */
export function defaultsText(key: SettingKey, mark: (value: string) => string): string {
  const { default: value, defaultOf = {} } = rowOf(key);
  const others = Object.entries(defaultOf).map(([command, own]) => `${command}: ${mark(own)}`);
  return [...value === undefined ? [] : [mark(value)], ...others].join("; ");
}

function flagCell(key: SettingKey): string {
  if (rowOf(key).flag === false) return "";
  return `\`${[flagName(key), argumentOf(key) ?? []].flat().join(" ")}\``;
}

/** Finds variables that are missing in `.env.example`, one line each. */
export function envExampleProblems(example: string): readonly string[] {
  return SETTING_KEYS.flatMap((key) => rowOf(key).variables ?? [])
    .filter((name) => !new RegExp(`^#?${name}=`, "m").test(example))
    .map((name) => `.env.example has no line ${name}= or #${name}=`);
}
