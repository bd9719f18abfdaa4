import {
  argumentOf,
  flagName,
  rowOf,
  SETTING_KEYS,
  type SettingKey,
} from "../src/settings/settings.ts";
import { GROUPS } from "../src/settings/settings_table.ts";
import { table } from "./markdown.ts";

/** Writes the page of the settings in Markdown. */
export function settingsPage(): string {
  const parts = [
    "# Settings",
    "<!-- Written by `deno task docs` from src/settings/settings_table.ts: change it there. -->",
    "A flag beats its environment variables, which are tried in the order given and beat the same names in `.env`; " +
    "then comes the default. A variable that is set but blank counts as not set. The words of an `OTEL_` variable may be in " +
    "any case. `.env` is read in the folder where the program is started. Relative paths start there too. SECONDS may be fractions. A token is never a flag.",
    "A value that makes no sense ends the program with exit status 2 and a message that names the setting, where it " +
    "came from, the value (never a secret's) and what would be right.",
  ];
  for (const group of GROUPS) {
    const keys = SETTING_KEYS.filter((key) => rowOf(key).group === group);
    if (keys.length > 0) parts.push(`## ${group}`, settings(keys));
  }
  parts.push(
    "The proxy variables `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY` count in the real environment only: " +
      "see [Proxies](troubleshooting.md#proxies). `TERM=dumb` turns colour off, as NO_COLOR does.",
  );
  return `${parts.join("\n\n")}\n`;
}

function settings(keys: readonly SettingKey[]): string {
  return table(
    ["flag", "environment", "default", "commands", "meaning"],
    keys.map((key) => {
      const { variables = [], variablesNote, repeats, default: value, commands, help } = rowOf(key);
      const names = variables.map((name) => `\`${name}\``).join(", ");
      return [
        flagCell(key),
        variablesNote === undefined ? names : `${names} (${variablesNote})`,
        value === undefined ? "" : `\`${value}\``,
        commands.join(", "),
        repeats ? `${help}; repeatable` : help,
      ];
    }),
  );
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
