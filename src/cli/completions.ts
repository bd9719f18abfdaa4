import { flagKeysOf, flagName, rowOf } from "../settings/settings.ts";
import type { SettingRow } from "../settings/settings_table.ts";
import { COMMAND_HELP } from "./command_help.ts";

const PROGRAM = "otlp-histogram";
const SHELLS = ["bash", "zsh", "fish", "powershell"] as const;
type Shell = (typeof SHELLS)[number];

/** Whether there are completions for a shell of that name. */
export function isShell(name: string | undefined): name is Shell {
  return SHELLS.some((shell) => shell === name);
}

/** Script per shell that completes commands, their flags, the words of a choice, and files. */
export const COMPLETIONS: Readonly<Record<Shell, () => string>> = {
  bash,
  zsh,
  fish,
  powershell,
};

interface Flag {
  /** Name with its dashes. */
  readonly name: string;
  readonly row: Pick<SettingRow, "kind" | "bare" | "choices" | "words" | "help" | "repeats">;
}

interface CompletedCommand {
  readonly command: string;
  readonly brief: string;
  readonly flags: readonly Flag[];
  /** Words that it accepts besides flags. */
  readonly words: readonly string[];
  /** Whether it accepts files besides flags: anywhere, or in the command after `--`. */
  readonly files: "anywhere" | "after --" | undefined;
}

/** Commands that accept files besides flags. */
const FILES: Readonly<Partial<Record<string, CompletedCommand["files"]>>> = {
  diff: "anywhere",
  "merge-summaries": "anywhere",
  exec: "after --",
  receive: "after --",
};

const HELP: Flag = { name: "--help", row: { kind: "toggle", help: "Describe the command" } };

function completedCommands(): readonly CompletedCommand[] {
  return Object.entries(COMMAND_HELP).map(([command, { brief, flags }]) => ({
    command,
    brief,
    flags: [
      ...flags === undefined
        ? []
        : flagKeysOf(flags).map((key) => ({ name: flagName(key), row: rowOf(key) })),
      HELP,
    ],
    words: command === "help" ? Object.keys(COMMAND_HELP) : command === "completions" ? SHELLS : [],
    files: FILES[command],
  }));
}

/** Quotes a word for a shell, which reads everything in single quotes literally. */
function shellQuoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

function bash(): string {
  const commands = completedCommands();
  const cases = commands.map(({ command, flags, words, files }) => {
    const values = flags.flatMap(({ name, row }) => {
      switch (row.kind) {
        case "toggle":
          return [];
        case "choice":
          return [`        ${name}) words=${shellQuoted(row.choices?.join(" ") ?? "")} ;;`];
        case "file":
          return row.words === undefined ? [`        ${name}) compopt -o default; return ;;`] : [
            `        ${name})`,
            "          compopt -o filenames",
            `          mapfile -t COMPREPLY < <(compgen -f -W ${
              shellQuoted(row.words.join(" "))
            } -- "$current")`,
            "          return",
            "          ;;",
          ];
        case "directory":
          return [`        ${name}) compopt -o plusdirs; return ;;`];
        case "text":
          // Another flag can follow one that needs no argument.
          return row.bare === undefined ? [`        ${name}) return ;;`] : [];
      }
    });
    return [
      `    ${command})`,
      `      words=${shellQuoted([...words, ...flags.map(({ name }) => name)].join(" "))}`,
      ...values.length === 0 ? [] : ["      case $previous in", ...values, "      esac"],
      ...files === "anywhere"
        ? ["      if [[ $current != -* ]]; then compopt -o default; return; fi"]
        : [],
      "      ;;",
    ].join("\n");
  });
  return `# bash completion of ${PROGRAM}
_otlp_histogram() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD - 1]} command=send words
  COMPREPLY=()
  # bash breaks --output=json into three words.
  if [[ $current == = ]]; then
    current=
  elif [[ $previous == = ]]; then
    previous=\${COMP_WORDS[COMP_CWORD - 2]}
  fi
  if ((COMP_CWORD > 1)) && [[ \${COMP_WORDS[1]} != -* ]]; then command=\${COMP_WORDS[1]}; fi
  # What follows -- is another command.
  if [[ " \${COMP_WORDS[*]:0:COMP_CWORD} " == *' -- '* ]]; then compopt -o default; return; fi
  case $command in
${cases.join("\n")}
  esac
  if ((COMP_CWORD == 1)); then words+=${
    shellQuoted(` ${commands.map(({ command }) => command).join(" ")} --version`)
  }; fi
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
}
complete -F _otlp_histogram ${PROGRAM}
`;
}

function zsh(): string {
  // _arguments takes : [ ] as its own.
  const described = (text: string) => text.replaceAll(/[\\:[\]]/g, "\\$&");
  const spec = ({ name, row }: Flag) => {
    const takes = {
      toggle: () => "",
      text: () => row.bare === undefined ? ":value: " : "::value: ",
      file: () =>
        row.words === undefined ? ":file:_files" : `:file:{compadd ${row.words.join(" ")}; _files}`,
      directory: () => ":directory:_files -/",
      choice: () => `:word:(${row.choices?.join(" ")})`,
    }[row.kind]();
    // After a flag whose argument may stand in the next word, or not, zsh offers no other flag.
    const joint = row.bare === undefined ? "=" : "=-";
    const once = row.repeats ? "*" : "";
    return `      ${
      shellQuoted(
        `${once}${name}${takes === "" ? "" : joint}[${described(row.help)}]${takes}`,
      )
    }`;
  };
  const commands = completedCommands();
  const cases = commands.map(({ command, flags, words, files }) =>
    [
      `    ${command}) specs=(`,
      ...flags.map(spec),
      ...words.length === 0 ? [] : [`      ${shellQuoted(`1:word:(${words.join(" ")})`)}`],
      ...files === undefined ? [] : ["      '*:file:_files'"],
      "    ) ;;",
    ].join("\n")
  );
  return `#compdef ${PROGRAM}
# zsh completion of ${PROGRAM}
_otlp_histogram() {
  local command=send
  local -a specs commands
  commands=(
${
    commands.map(({ command, brief }) =>
      `    ${shellQuoted(`${command}:${brief.replaceAll(":", "\\:")}`)}`
    ).join("\n")
  }
  )
  if ((CURRENT == 2)) && [[ \${words[2]} != -* ]]; then
    _describe command commands
    return
  fi
  if ((CURRENT > 2)) && [[ \${words[2]} != -* ]]; then
    command=\${words[2]}
    shift words
    ((CURRENT--))
  fi
  case $command in
${cases.join("\n")}
  esac
  _arguments -S $specs
}
# From a directory of $fpath this file is the function's body, sourced it only defines it.
if [[ \${funcstack[1]} == _otlp_histogram ]]; then
  _otlp_histogram "$@"
else
  compdef _otlp_histogram ${PROGRAM}
fi
`;
}

function fish(): string {
  const commands = completedCommands();
  const names = commands.map(({ command }) => command);
  const lines = commands.map(({ command, brief }) =>
    `complete -c ${PROGRAM} -n __otlp_histogram_first -a ${command} -d ${shellQuoted(brief)}`
  );
  for (const { command, flags, words, files } of commands) {
    const only = `-n '__otlp_histogram_command ${command}'`;
    for (const { name, row } of flags) {
      const takes = {
        toggle: () => "",
        text: () => row.bare === undefined ? " -x" : "",
        file: () =>
          row.words === undefined ? " -r -F" : ` -r -F -a ${shellQuoted(row.words.join(" "))}`,
        directory: () => " -x -a '(__fish_complete_directories)'",
        choice: () => ` -x -a ${shellQuoted(row.choices?.join(" ") ?? "")}`,
      }[row.kind]();
      lines.push(
        `complete -c ${PROGRAM} ${only} -l ${name.slice(2)}${takes} -d ${shellQuoted(row.help)}`,
      );
    }
    if (words.length > 0) {
      lines.push(`complete -c ${PROGRAM} ${only} -a ${shellQuoted(words.join(" "))}`);
    }
    if (files === "anywhere") lines.push(`complete -c ${PROGRAM} ${only} -F`);
    if (files === "after --") {
      const after = `__otlp_histogram_command ${command}; and contains -- -- (commandline -opc)`;
      lines.push(`complete -c ${PROGRAM} -n '${after}' -F`);
    }
  }
  return `# fish completion of ${PROGRAM}
function __otlp_histogram_first
  test (count (commandline -opc)) -eq 1
end
function __otlp_histogram_command
  set -l words (commandline -opc)
  set -l command send
  if set -q words[2]; and contains -- $words[2] ${names.join(" ")}
    set command $words[2]
  end
  test $command = $argv[1]
end
complete -c ${PROGRAM} -e
complete -c ${PROGRAM} -f
${lines.join("\n")}
`;
}

function powershell(): string {
  // Within single quotes PowerShell reads everything literally but a quote, of which it knows five.
  const quoted = (text: string) => `'${text.replaceAll(/['‘’‚‛]/g, "$&$&")}'`;
  const list = (words: readonly string[]) => `@(${words.map(quoted).join(", ")})`;
  const commands = completedCommands();
  // The words of a flag's argument; none where PowerShell completes a path; undefined for a flag without one.
  const values = ({ row }: Flag): readonly string[] | undefined => {
    switch (row.kind) {
      case "toggle":
        return undefined;
      case "choice":
        return row.choices ?? [];
      case "text":
        return row.bare === undefined ? [] : undefined;
      case "file":
      case "directory":
        return row.words ?? [];
    }
  };
  const tables = commands.map(({ command, brief, flags, words }) =>
    [
      `    ${quoted(command)} = @{`,
      `      Brief = ${quoted(brief)}`,
      `      Words = ${list(words)}`,
      "      Flags = [ordered]@{",
      ...flags.map(({ name, row }) => `        ${quoted(name)} = ${quoted(row.help)}`),
      "      }",
      "      Arguments = @{",
      ...flags.flatMap((flag) => {
        const found = values(flag);
        return found === undefined ? [] : [`        ${quoted(flag.name)} = ${list(found)}`];
      }),
      "      }",
      "    }",
    ].join("\n")
  );
  return `# PowerShell completion of ${PROGRAM}
Register-ArgumentCompleter -Native -CommandName ${quoted(PROGRAM)} -ScriptBlock {
  param($wordToComplete, $commandAst, $cursorPosition)
  $commands = [ordered]@{
${tables.join("\n")}
  }
  # The words before the cursor, without the one that is being typed.
  $before = @($commandAst.CommandElements |
    Where-Object { $_.Extent.EndOffset -lt $cursorPosition } |
    ForEach-Object { $_.Extent.Text })
  $name = 'send'
  if ($before.Count -gt 1 -and $commands.Contains($before[1])) { $name = $before[1] }
  $command = $commands[$name]
  $typed = $wordToComplete
  $prefix = ''
  $flag = ''
  if ($typed -match '^(--[^=]+)=(.*)$') {
    $flag = $Matches[1]
    $prefix = "$flag="
    $typed = $Matches[2]
  } elseif ($before.Count -gt 1) {
    $flag = $before[-1]
  }
  $offered = [ordered]@{}
  if ($flag -ne '' -and $command.Arguments.ContainsKey($flag)) {
    foreach ($value in $command.Arguments[$flag]) { $offered[$value] = $value }
  } elseif ($prefix -eq '') {
    if ($before.Count -le 1) {
      foreach ($each in $commands.Keys) { $offered[$each] = $commands[$each].Brief }
      $offered['--version'] = 'Print the version'
    }
    foreach ($word in $command.Words) { $offered[$word] = $word }
    foreach ($each in $command.Flags.Keys) { $offered[$each] = $command.Flags[$each] }
  }
  foreach ($each in $offered.Keys) {
    if ($each.StartsWith($typed)) {
      [System.Management.Automation.CompletionResult]::new(
        "$prefix$each", $each, 'ParameterValue', $offered[$each])
    }
  }
}
`;
}
