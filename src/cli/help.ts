import {
  argumentOf,
  flagKeysOf,
  flagName,
  rowOf,
  type SettingKey,
  settingKeysOf,
} from "../settings/settings.ts";
import { type CommandName, GROUPS } from "../settings/settings_table.ts";
import { COMMAND_HELP, NO_SOURCE } from "./command_help.ts";
import type { Command } from "./command_names.ts";

/** The help of the program, or of one command, no line wider than `columns` but for a word that is. */
export function helpText(command: Command | undefined, columns: number): string {
  const { usage, about, flags, examples, statuses } = COMMAND_HELP[command ?? "send"];
  const out = new Page(columns);
  if (command === undefined) {
    out.paragraph(
      "Sends histogram metrics to Dynatrace or any other OTLP receiver, once or in a loop, and reports whether they " +
        "were accepted.",
    );
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
        "Flags override environment variables (in [brackets]), which override .env. SECONDS can be fractional.",
      );
    }
    for (const group of GROUPS) {
      const rows = keys.filter((key) => rowOf(key).group === group);
      if (rows.length > 0) out.heading(group);
      for (const key of rows) out.entry(settingName(key), settingHelp(key, flags));
    }
  }
  if (examples.length > 0) out.heading("Examples");
  for (const [line, does] of examples) {
    out.paragraph(line, 2);
    out.paragraph(does, 6);
  }
  if (statuses !== undefined) out.heading("Exit codes");
  for (const [status, means] of statuses ?? []) out.entry(status, means, 6);
  if (command === undefined) {
    out.blank();
    out.paragraph("Run otlp-histogram help COMMAND to see the flags of a command.");
  }
  return out.text();
}

/** `--interval SECONDS`; of a setting without a flag its variable. */
function settingName(key: SettingKey): string {
  const { flag, variables } = rowOf(key);
  if (flag === false) return variables?.join(", ") ?? "";
  return [flagName(key), argumentOf(key) ?? []].flat().join(" ");
}

function settingHelp(key: SettingKey, command: CommandName): string {
  const { flag, help, repeats, variables, variablesNote, defaultOf, default: general } = rowOf(key);
  const value = defaultOf?.[command] ?? general;
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
