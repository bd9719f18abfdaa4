import { EXAM_CASES } from "../../src/commands/receive/exam_cases.ts";
import { type Program, startProgram } from "./program.ts";

/** The names of all cases, in the order of the verdicts. */
export const EXAM_NAMES = EXAM_CASES.map(({ name }) => name);

export interface RunningExam extends AsyncDisposable {
  readonly program: Program;
  readonly url: string;
}

/** Starts `receive --exam` on a free port. */
export async function startExam(...flags: string[]): Promise<RunningExam> {
  const program = await startProgram({
    args: ["receive", "--exam", "--port", "0", ...flags],
    timeoutMs: 90_000,
  });
  const URL_LINE = /"url":"([^"]+)"|Listening on (\S+)/;
  const line = await Promise.race([
    program.waitForStdout(URL_LINE),
    program.waitForStderr(URL_LINE),
  ]);
  const [, json, text] = URL_LINE.exec(line) ?? [];
  return {
    program,
    url: json ?? text ?? "",
    [Symbol.asyncDispose]: () => program[Symbol.asyncDispose](),
  };
}

/** The verdicts in what `receive --exam --output json` printed. */
export function examVerdicts(
  stdout: string,
): { readonly name: string; readonly ok: boolean | null; readonly detail: string }[] {
  return stdout.trim().split("\n").map((line) => JSON.parse(line))
    .filter(({ type }) => type === "exam")
    .map(({ case: name, ok, detail }) => ({ name, ok, detail }));
}
