import assert from "node:assert/strict";
import { COMPLETIONS } from "../../src/cli/completions.ts";
import { COMMAND_HELP } from "../../src/cli/command_help.ts";
import { flagKeysOf, flagName } from "../../src/settings/settings.ts";
import { namedUnless, reasonUnless } from "../support/tools.ts";

/** Line typed before the key Tab -> what the shell must offer or make of it. */
const CASES: readonly (readonly [line: string, offered: string])[] = [
  ["otlp-histogram rec", "receive"],
  ["otlp-histogram --compr", "--compression"],
  ["otlp-histogram --compression g", "gzip"],
  ["otlp-histogram receive --rules d", "dynatrace"],
  ["otlp-histogram receive --tls-k", "--tls-key"],
  ["otlp-histogram check --can", "--canary"],
  ["otlp-histogram plot --sugg", "--suggest-buckets"],
  ["otlp-histogram plot --suggest-buckets --output j", "json"],
  ["otlp-histogram plot --suggest-buckets --env", "--env-file"],
  ["otlp-histogram completions f", "fish"],
  ["otlp-histogram --ca unusual", "unusual-name.pem"],
  ["otlp-histogram --scenario we", "web-shop"],
  ["otlp-histogram plot --scenario unusual", "unusual-name.pem"],
  ["otlp-histogram diff unusual", "unusual-name.pem"],
  ["otlp-histogram diff --ignore-attr a unusual", "unusual-name.pem"],
  ["otlp-histogram diff --ignore-r", "--ignore-resource"],
  ["otlp-histogram merge-summaries unusual", "unusual-name.pem"],
  ["otlp-histogram exec --attr a=b -- unusual", "unusual-name.pem"],
  ["otlp-histogram receive -- sh unusual", "unusual-name.pem"],
];

/** Prints for each argument of the script what readline would offer, one a line; `compopt` needs a real Tab. */
const BASH = `
source ./completions
compopt() { COMPREPLY=($(compgen -f -- "\${COMP_WORDS[COMP_CWORD]}")); }
for line; do
  COMP_WORDS=($line) COMP_CWORD=$((\${#COMP_WORDS[@]} - 1)) COMPREPLY=()
  _otlp_histogram
  printf '%s\\n' "\${COMPREPLY[*]}"
done
`;

/**
 * Types each line and Tab into an interactive shell once its prompt says that it reads keys; what stands on its line
 * then is printed between < and >. The keys are Emacs's, which zsh leaves where EDITOR is vi, as npx sets it.
 */
const ZSH = `
zmodload zsh/zpty
zpty shell zsh -f -i
zpty -w shell "autoload -U compinit; compinit -u -D; source ./completions"
zpty -w shell "bindkey -e; bindkey '^I' complete-word; PS1=pro''mpt"
for line; do
  zpty -r shell out '*prompt*'
  zpty -w -n shell "$line"$'\\t\\x01print -r -- \\'<\\x05>\\'\\n'
  zpty -r shell out $'*\\n<otlp-histogram*>*'
  print -r -- "\${\${out##*$'\\n<'}%%>*}"
done
zpty -d shell
`;

const FISH = `
source ./completions
for line in $argv
  echo (complete -C $line)
end
`;

const SHELLS = {
  bash: (script: string, lines: readonly string[]) => ["--norc", "-c", script, "bash", ...lines],
  zsh: (script: string, lines: readonly string[]) => ["-f", "-c", script, "zsh", ...lines],
  fish: (script: string, lines: readonly string[]) => ["--no-config", "-c", script, ...lines],
};
const SCRIPTS = { bash: BASH, zsh: ZSH, fish: FISH };

/** With OTLP_HISTOGRAM_ALL_SHELLS set a shell that is missing fails its test. */
const mustHave = Boolean(Deno.env.get("OTLP_HISTOGRAM_ALL_SHELLS"));

for (const shell of ["bash", "zsh", "fish"] as const) {
  const missing = await isMissing(shell);
  Deno.test({
    ...namedUnless(
      reasonUnless(mustHave || !missing, `${shell} is not installed`),
      `completions ${shell} offers commands, flags, words and files in ${shell}`,
    ),
    async fn() {
      const folder = await Deno.makeTempDir({ prefix: "otlp-histogram-test-" });
      try {
        await Deno.writeTextFile(`${folder}/completions`, COMPLETIONS[shell]());
        await Deno.writeTextFile(`${folder}/unusual-name.pem`, "");
        const { code, stdout, stderr } = await new Deno.Command(shell, {
          args: SHELLS[shell](SCRIPTS[shell], CASES.map(([line]) => line)),
          cwd: folder,
          env: { HOME: folder, TERM: "dumb" },
          signal: AbortSignal.timeout(60_000),
        }).output();
        assert.equal(new TextDecoder().decode(stderr), "");
        assert.equal(code, 0);
        const lines = new TextDecoder().decode(stdout).trimEnd().split("\n");
        CASES.forEach(([typed, offered], i) => {
          const words = (lines[i] ?? "").split(/\s+/);
          assert.ok(words.includes(offered), `${typed}: ${lines[i]}`);
        });
      } finally {
        await Deno.remove(folder, { recursive: true });
      }
    },
  });
}

async function isMissing(shell: string): Promise<boolean> {
  try {
    return !(await new Deno.Command(shell, { args: ["-c", "exit 0"] }).output()).success;
  } catch (thrown) {
    if (thrown instanceof Deno.errors.NotFound) return true;
    throw thrown;
  }
}

/** The text without comments and quoted texts; a quote within single quotes is doubled. */
function unquoted(script: string): string {
  return script.replaceAll(/^ *#.*$/gm, "").replaceAll(/'(?:[^']|'')*'|"[^"]*"/g, "_");
}

Deno.test("completions powershell names every command and flag, its quotes doubled and its brackets closed", () => {
  const script = COMPLETIONS.powershell();
  assert.match(script, /^Register-ArgumentCompleter -Native -CommandName 'otlp-histogram' /m);
  const open: string[] = [];
  for (const [bracket = ""] of unquoted(script).matchAll(/[()[\]{}]/g)) {
    if ("([{".includes(bracket)) open.push(bracket);
    else assert.equal("([{".indexOf(open.pop() ?? "?"), ")]}".indexOf(bracket));
  }
  assert.deepEqual(open, []);
  assert.ok(!/['\u2018-\u201b]/.test(unquoted(script)), "a quote is not closed or not doubled");
  for (const [command, { flags }] of Object.entries(COMMAND_HELP)) {
    const [, table = ""] = script.split(`    '${command}' = @{\n`);
    const [own = ""] = table.split("\n    }\n");
    const names = flags === undefined ? [] : flagKeysOf(flags).map(flagName);
    const listed = [...own.split("Arguments")[0]?.matchAll(/^ {8}'(--[a-z-]+)' = '/gm) ?? []];
    assert.deepEqual(listed.map(([, name]) => name), [...names, "--help"], command);
  }
  assert.match(script, /^ {8}'--insecure' = 'Do not verify the receiver''s certificate'$/m);
  assert.match(script, /^ {8}'--compression' = @\('gzip', 'none'\)$/m);
  assert.match(script, /^ {6}Words = @\('bash', 'zsh', 'fish', 'powershell'\)$/m);
});
