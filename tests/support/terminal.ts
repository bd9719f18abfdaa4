import { bareEnvironment, commandLine } from "./program.ts";

export interface InTerminal {
  /** The terminal's width in characters. */
  readonly columns: number;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** The text of `.env` in the working directory. */
  readonly dotenv?: string;
}

/** Runs the program to its end in a terminal of its own, which util-linux's `script` provides. */
export async function runInTerminal(
  { columns, args, env, dotenv }: InTerminal,
): Promise<{ readonly status: number; readonly lines: readonly string[] }> {
  const cwd = await Deno.makeTempDir({ prefix: "otlp-histogram-test-" });
  try {
    if (dotenv !== undefined) await Deno.writeTextFile(`${cwd}/.env`, dotenv);
    const words = [...commandLine(), ...args].map((word) => `'${word.replaceAll("'", `'\\''`)}'`);
    const { code, stdout } = await new Deno.Command("script", {
      args: [
        "--quiet",
        "--return",
        "--command",
        `stty cols ${columns} && exec ${words.join(" ")}`,
        "/dev/null",
      ],
      cwd,
      clearEnv: true,
      env: { ...bareEnvironment(), SHELL: "/bin/sh", ...env },
      stdin: "null",
      stderr: "inherit",
      signal: AbortSignal.timeout(60_000),
    }).output();
    const lines = new TextDecoder().decode(stdout).trimEnd().split("\r\n");
    return { status: code, lines };
  } finally {
    await Deno.remove(cwd, { recursive: true });
  }
}

/** Lines without the colours that a terminal makes of their escape sequences. */
export function uncolored(lines: readonly string[]): readonly string[] {
  // deno-lint-ignore no-control-regex
  return lines.map((line) => line.replaceAll(/\x1b\[\d+m/g, ""));
}

/** A character that drives a terminal, turns its text around or breaks a line; LF is none of them. */
export const DRIVES_A_TERMINAL = /(?!\n)[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/u;
