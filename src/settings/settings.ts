import { type CommandName, type SettingRow, SETTINGS } from "./settings_table.ts";
import { booleanSetting, choiceSetting, type Setting, type Variables } from "./setting.ts";

type Table = typeof SETTINGS;
export type SettingKey = keyof Table;

/** Every setting, in the order of the table. */
export const SETTING_KEYS: readonly SettingKey[] = Object.keys(SETTINGS).filter(isSettingKey);

function isSettingKey(key: string): key is SettingKey {
  return Object.hasOwn(SETTINGS, key);
}

/** What the command line gives for a row. */
type FlagValue<Row> = Row extends { readonly kind: "toggle" } ? boolean
  : Row extends { readonly repeats: true } ? readonly string[]
  : string;

/** The keys of the rows that are like `Like`. */
type KeyOf<Like> = { [Key in SettingKey]: Table[Key] extends Like ? Key : never }[SettingKey];
export type FlagKey = Exclude<SettingKey, KeyOf<{ readonly flag: false }>>;
type ToggleKey = KeyOf<{ readonly kind: "toggle" }>;
type RepeatKey = KeyOf<{ readonly repeats: true }>;
type VariableKey = KeyOf<{ readonly variables: readonly string[] }>;
type ChoiceKey = KeyOf<{ readonly kind: "choice" }>;
type DefaultKey = KeyOf<{ readonly default: string }>;
type OneKey = Exclude<FlagKey, ToggleKey | RepeatKey>;

/** Every flag as it was given; what is missing comes from variables and defaults. */
type Flags = { readonly [Key in FlagKey]?: FlagValue<Table[Key]> };

/** The flags of one command. */
export type FlagsOf<Command extends CommandName> = Pick<
  Flags,
  { [Key in FlagKey]: Command extends Table[Key]["commands"][number] ? Key : never }[FlagKey]
>;

export type SendFlags = FlagsOf<"send">;
export type CheckFlags = FlagsOf<"check">;
export type ReceiveFlags = FlagsOf<"receive">;
export type PlotFlags = FlagsOf<"plot">;
export type DemoFlags = FlagsOf<"demo">;

/** All that is known of a setting, whichever it is. */
export function rowOf(key: SettingKey): SettingRow {
  return SETTINGS[key];
}

/** The settings of a command in their order, those among them that only a variable sets. */
export function settingKeysOf(command: CommandName): readonly SettingKey[] {
  return SETTING_KEYS.filter((key) => rowOf(key).commands.includes(command));
}

/** The settings of a command that have a flag. */
export function flagKeysOf(command: CommandName): readonly FlagKey[] {
  return settingKeysOf(command).filter(isFlag);
}

function isFlag(key: SettingKey): key is FlagKey {
  return rowOf(key).flag !== false;
}

/** `--token-file` of the row `tokenFile`. */
export function flagName(key: SettingKey): string {
  return `--${rowOf(key).flag || key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

/** What the help calls the argument of a flag: `SECONDS`, `gzip|none`, `[N]`; undefined: it takes none. */
export function argumentOf(key: SettingKey): string | undefined {
  const { argument, choices } = rowOf(key);
  return argument ?? choices?.join("|");
}

/** A setting that is given once: its flag, then its variables in their order, each in the environment or `.env`. */
export function settingOf(
  key: OneKey,
  flags: Flags,
  find: Variables = noVariables,
): Setting | undefined {
  const value = flags[key];
  return value === undefined ? variableOf(key, find) : given(key, value);
}

/** The same, or the default of its row, so that the help cannot name another. */
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

/** What a repeatable flag was given, in its order. */
export function settingsOf(key: RepeatKey, flags: Flags): readonly Setting[] {
  return (flags[key] ?? []).map((value) => given(key, value));
}

/** The first variable of a row that is set. */
export function variableOf(key: SettingKey, find: Variables): Setting | undefined {
  const { variables = [], secret } = rowOf(key);
  for (const name of variables) {
    const found = find(name);
    if (found !== undefined) return secret ? { ...found, secret } : found;
  }
  return undefined;
}

/** Whether a toggle is on, by its flag or by a variable that says `true`. */
export function isOn(key: ToggleKey & VariableKey, flags: Flags, find: Variables): boolean {
  const variable = variableOf(key, find);
  return flags[key] ?? (variable !== undefined && booleanSetting(variable));
}

/** The word that was chosen, or the default of its row. */
export function choiceOf<Key extends ChoiceKey & OneKey & DefaultKey>(
  key: Key,
  flags: Flags,
  find: Variables = noVariables,
): Table[Key]["choices"][number] {
  const choices: readonly Table[Key]["choices"][number][] = SETTINGS[key].choices;
  return choiceSetting(settingOrDefault(key, flags, find), choices);
}

/** For a command that reads no variables. */
const noVariables: Variables = () => undefined;

function given(key: FlagKey, value: string): Setting {
  const { secret } = rowOf(key);
  return { name: flagName(key), source: "command line", value, ...secret && { secret } };
}
