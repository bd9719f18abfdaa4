import { type CommandName, type SettingRow, SETTINGS } from "./settings_table.ts";
import { booleanSetting, choiceSetting, type Setting, type Variables } from "./setting.ts";

type Table = typeof SETTINGS;
/** Name of a row of the table of settings. */
export type SettingKey = keyof Table;

/** Keys of all settings, in the order of the table. */
export const SETTING_KEYS: readonly SettingKey[] = Object.keys(SETTINGS).filter(isSettingKey);

function isSettingKey(key: string): key is SettingKey {
  return Object.hasOwn(SETTINGS, key);
}

/** Value that the command line gives for a row. */
type FlagValue<Row> = Row extends { readonly kind: "toggle" } ? boolean
  : Row extends { readonly repeats: true } ? readonly string[]
  : string;

/** Keys of the rows that are assignable to `Like`. */
type KeyOf<Like> = { [Key in SettingKey]: Table[Key] extends Like ? Key : never }[SettingKey];
/** Key of a setting that has a flag. */
export type FlagKey = Exclude<SettingKey, KeyOf<{ readonly flag: false }>>;
type ToggleKey = KeyOf<{ readonly kind: "toggle" }>;
type RepeatKey = KeyOf<{ readonly repeats: true }>;
type VariableKey = KeyOf<{ readonly variables: readonly string[] }>;
type ChoiceKey = KeyOf<{ readonly kind: "choice" }>;
type DefaultKey = KeyOf<{ readonly default: string }>;
type OneKey = Exclude<FlagKey, ToggleKey | RepeatKey>;

/** Flags as they were given; missing ones come from variables and defaults. */
type Flags = { readonly [Key in FlagKey]?: FlagValue<Table[Key]> };

/** Flags that one command accepts. */
export type FlagsOf<Command extends CommandName> = Pick<
  Flags,
  { [Key in FlagKey]: Command extends Table[Key]["commands"][number] ? Key : never }[FlagKey]
>;

/** Flags of `send`. */
export type SendFlags = FlagsOf<"send">;
/** Flags of `exec`. */
export type ExecFlags = FlagsOf<"exec">;
/** Flags of `check`. */
export type CheckFlags = FlagsOf<"check">;
/** Flags of `verify`. */
export type VerifyFlags = FlagsOf<"verify">;
/** Flags of `receive`. */
export type ReceiveFlags = FlagsOf<"receive">;
/** Flags of `plot`. */
export type PlotFlags = FlagsOf<"plot">;
/** Flags of `diff`. */
export type DiffFlags = FlagsOf<"diff">;
/** Flags of `merge-summaries`. */
export type MergeSummariesFlags = FlagsOf<"merge-summaries">;
/** Flags of `demo`. */
export type DemoFlags = FlagsOf<"demo">;

/** Returns the row of a setting, typed as any row. */
export function rowOf(key: SettingKey): SettingRow {
  return SETTINGS[key];
}

/** Lists the settings of a command in order, including those that only a variable sets. */
export function settingKeysOf(command: CommandName): readonly SettingKey[] {
  return SETTING_KEYS.filter((key) => rowOf(key).commands.includes(command));
}

/** Lists the settings of a command that have a flag. */
export function flagKeysOf(command: CommandName): readonly FlagKey[] {
  return settingKeysOf(command).filter(isFlag);
}

function isFlag(key: SettingKey): key is FlagKey {
  return rowOf(key).flag !== false;
}

/** Returns the flag of a setting with its dashes: `--token-file` for `tokenFile`. */
export function flagName(key: SettingKey): string {
  return `--${rowOf(key).flag || key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

/**
 * Returns the placeholder for a flag's argument in the help: `SECONDS`, `gzip|none`, `[N]`; undefined if it has no
 * argument.
 */
export function argumentOf(key: SettingKey): string | undefined {
  const { argument, choices } = rowOf(key);
  return argument ?? choices?.join("|");
}

/** Finds a setting that has one value: its flag, then its variables in order, each in the environment or `.env`. */
export function settingOf(
  key: OneKey,
  flags: Flags,
  find: Variables = noVariables,
): Setting | undefined {
  const value = flags[key];
  return value === undefined ? variableOf(key, find) : flagSetting(key, value);
}

/** Finds a setting as `settingOf` does, or returns the default of its row. */
export function settingOrDefault(
  key: OneKey & DefaultKey,
  flags: Flags,
  find: Variables = noVariables,
): Setting {
  return settingOf(key, flags, find) ?? {
    // Only an error names it, and a default makes none.
    get name() {
      return flagName(key);
    },
    source: "default",
    value: SETTINGS[key].default,
  };
}

/** Returns the values of a repeatable flag, in order. */
export function settingsOf(key: RepeatKey, flags: Flags): readonly Setting[] {
  return (flags[key] ?? []).map((value) => flagSetting(key, value));
}

/** Finds the first variable of a row that is set. */
export function variableOf(key: SettingKey, find: Variables): Setting | undefined {
  const { variables = [], secret } = rowOf(key);
  for (const name of variables) {
    const found = find(name);
    if (found !== undefined) return secret ? { ...found, secret } : found;
  }
  return undefined;
}

/**
 * Returns the variables of a command's settings, and of those in `also`: one that belongs to other commands alone counts
 * as not set.
 */
export function variablesOf(
  command: CommandName,
  find: Variables,
  also: readonly SettingKey[] = [],
): Variables {
  const keys = [...settingKeysOf(command), ...also];
  const names = new Set(keys.flatMap((key) => rowOf(key).variables ?? []));
  const { warnings } = find;
  const own = (name: string) => names.has(name) ? find(name) : undefined;
  return Object.assign(own, warnings !== undefined && { warnings });
}

/** Returns a default that one command has in place of the others'. */
export function defaultFor<
  Key extends OneKey & KeyOf<{ readonly defaultOf: { readonly exec: string } }>,
>(
  command: "exec",
  key: Key,
): string {
  return SETTINGS[key].defaultOf[command];
}

/** Whether a toggle is on, by its flag or by a variable that says `true`. */
export function isOn(key: ToggleKey & VariableKey, flags: Flags, find: Variables): boolean {
  const variable = variableOf(key, find);
  return flags[key] ?? (variable !== undefined && booleanSetting(variable));
}

/** Returns the chosen word, or the default of its row. */
export function choiceOf<Key extends ChoiceKey & OneKey & DefaultKey>(
  key: Key,
  flags: Flags,
  find: Variables = noVariables,
): Table[Key]["choices"][number] {
  const choices: readonly Table[Key]["choices"][number][] = SETTINGS[key].choices;
  return choiceSetting(settingOrDefault(key, flags, find), choices);
}

/** Variables of a command that reads none. */
const noVariables: Variables = () => undefined;

function flagSetting(key: FlagKey, value: string): Setting {
  const { secret } = rowOf(key);
  return { name: flagName(key), source: "command line", value, ...secret && { secret } };
}
