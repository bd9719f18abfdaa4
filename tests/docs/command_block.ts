import { type FencedBlock, fencedBlocks, fileOf, userPages } from "./markdown.ts";
import { BLOCKS_NOT_RUN, PROGRAMS_NOT_RUN } from "./not_run.ts";

/** Languages of the blocks that hold commands. */
const SHELL_LANGUAGES = new Set(["sh", "bash", "console"]);

/** Returns every block of commands in README and docs. */
export async function commandBlocks(): Promise<readonly FencedBlock[]> {
  return (await userPages()).flatMap(fencedBlocks)
    .map((block) => block.text.startsWith("$ ") ? { ...block, language: "console" } : block)
    .filter(({ language }) => SHELL_LANGUAGES.has(language));
}

/** Why no test runs a block; undefined when one does. */
export function reasonNotRun({ page, text }: FencedBlock): string | undefined {
  const program = PROGRAMS_NOT_RUN.find(({ program }) =>
    new RegExp(`(?:^|[|;&$] *)${program}\\b`, "m").test(text)
  );
  const block = BLOCKS_NOT_RUN.find((entry) => entry.page === page && text.includes(entry.has));
  return (program ?? block)?.reason;
}

/** Servers on this machine that stand for those in the documentation. */
export interface StandIns {
  /** Base of a Dynatrace environment. */
  readonly dynatrace: string;
  /** Base of any other OTLP receiver. */
  readonly receiver: string;
  /** Endpoint of a Prometheus client. */
  readonly exposition: string;
}

/** Returns a block as a script of bash that reaches only servers of this machine. */
export function scriptOf({ language, text }: FencedBlock, standIns: StandIns): string {
  const commands = language === "console" ? transcript(text).commands : text;
  const { dynatrace, receiver, exposition } = standIns;
  const substitutions: readonly (readonly [RegExp, string])[] = [
    [/https:\/\/ENV\.live\.dynatrace\.com\/api\/v2\/otlp/g, `${dynatrace}/e/abc12345/api/v2/otlp`],
    [/\bdt0([cs]\d\d)\.PUBLIC\.SECRET/g, `dt0$1.${"A".repeat(24)}.${"B".repeat(64)}`],
    [/https?:\/\/(?:localhost|app|HOST):(?:9090|8443|8080)\/metrics/g, exposition],
    [/http:\/\/(?:localhost|HOST|collector):(?:4318|8428)(?:\/opentelemetry)?/g, receiver],
    [/http:\/\/127\.0\.0\.1:4318/g, receiver],
    [/\/var\/log\/nginx\//g, "./"],
    [/\/var\/spool\/otlp-histogram/g, "./spool"],
    [/npx -y deno@[\d.]+ task demo/g, "otlp-histogram demo"],
    // The tests that run this one are not started again.
    [/npx -y deno@[\d.]+ task test/g, "true"],
  ];
  return substitutions.reduce((text, [from, to]) => text.replaceAll(from, to), commands);
}

/** Lines of a transcript: commands begin with `$ `, their continuations with `> ` or after a backslash. */
function transcript(text: string): { readonly commands: string; readonly output: string[] } {
  const commands: string[] = [];
  const output: string[] = [];
  let continues = false;
  for (const line of text.split("\n")) {
    const isCommand: boolean = continues || /^[$>] /.test(line);
    if (isCommand) commands.push(line.replace(/^[$>] /, ""));
    else if (line.trim() !== "" && line.trim() !== "…") output.push(line);
    continues = isCommand && line.endsWith("\\");
  }
  return { commands: commands.join("\n"), output };
}

/** Lines that a transcript shows below its commands. */
export function outputOf(text: string): readonly string[] {
  return transcript(text).output;
}

/**
 * Shell script that stands for the program: it runs it, and ends what has no end. A loop gets two iterations, and a
 * receiver a signal once it listens.
 */
export function programStandIn(commandLine: readonly string[]): string {
  const program = commandLine.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(" ");
  return `#!/usr/bin/env bash
args=() ours=1 loop= ends= interval= bounded= command=
for arg; do
  [ "$arg" = -- ] && ours=
  if [ -n "$ours" ]; then
    case "$previous" in
      --interval) [ "$arg" = 0 ] || arg=1 ;;
      --duration) arg=3 ;;
      --repeat) arg=2 ;;
      --save) cp -n requests.jsonl "$arg" 2>/dev/null ;;
      --port) arg=0 ;;
    esac
    case "$arg" in
      --loop | --scrape) loop=1 ;;
      --interval) interval=1 ;;
      --point-rate) interval=1 ;;
      --iterations | --duration) ends=1 ;;
      --requests | --wait) bounded=1 ;;
      receive | demo) [ -n "$previous" ] || command=$arg ;;
      --follow) [ "$1" = plot ] && command=follow ;;
    esac
  fi
  previous=$arg
  args+=("$arg")
done
[ "$1" = verify ] && args+=(--backend grail)
[ "$command" = demo ] && [ "\${args[1]:-}" != --ui ] && command=
[ -n "$loop" ] && [ -z "$ends" ] && args+=(--iterations 2)
[ -n "$loop" ] && [ -z "$interval" ] && args+=(--interval 1)
if [ "$command" = receive ] && [ -n "$ours" ]; then
  [[ " \${args[*]} " == *" --port "* ]] || args+=(--port 0)
elif [ "$command" = receive ]; then
  command=
fi
if [ -z "$command" ] || [ -n "$bounded" ]; then exec ${program} "\${args[@]}"; fi
${program} "\${args[@]}" >stand-in.out 2>stand-in.err &
pid=$!
for _ in $(seq 200); do
  grep -qE 'http://|measurements' stand-in.out stand-in.err && break
  kill -0 $pid 2>/dev/null || break
  sleep 0.1
done
kill -TERM $pid 2>/dev/null
wait $pid
status=$?
cat stand-in.out
cat stand-in.err >&2
[ "$command" = follow ] && [ "$status" -le 1 ] && exit 0
exit $status
`;
}

/** Programs that a block may call besides this one and those of the system. */
const OTHER_PROGRAMS = ["npm", "make", "my-program", "backup.sh", "the-tests"] as const;

/** Where it finds a receiver it exports what the documentation expects of tests; it ends with success. */
const EXPORTER = `#!/bin/sh
[ -n "$OTEL_EXPORTER_OTLP_ENDPOINT" ] || exit 0
export NO_COLOR=1
set -- --endpoint "$OTEL_EXPORTER_OTLP_ENDPOINT" --quiet --service shop
otlp-histogram "$@" --metric job.duration --value 12 --attr queue=mail &&
  otlp-histogram "$@" --metric http.server.request.duration --value 0.1 --value 0.2 --value 0.3 \\
    --attr http.route=/cart --attr error.type=timeout
`;

/** `tail` that ends where one with -F would wait. */
const TAIL = `#!/bin/sh
if [ "$1" = -F ]; then shift; exec cat "$@"; fi
exec /usr/bin/tail "$@"
`;

/** Files of a user that stand beside the example files. */
const COPIES: readonly (readonly [copy: string, example: string])[] = [
  ["access.log.1", "access.log"],
  ["sent.jsonl", "requests.jsonl"],
  ["received.jsonl", "requests.jsonl"],
];

/** Makes a directory with the example files, and in `bin` and beside it the programs that a block calls. */
export async function prepareDirectory(
  directory: string,
  commandLine: readonly string[],
): Promise<void> {
  for await (const { name, isFile } of Deno.readDir(fileOf("examples"))) {
    if (isFile) await Deno.copyFile(fileOf(`examples/${name}`), `${directory}/${name}`);
  }
  for (const [copy, file] of COPIES) {
    await Deno.copyFile(fileOf(`examples/${file}`), `${directory}/${copy}`);
  }
  await Deno.mkdir(`${directory}/bin`);
  const program = async (path: string, text: string) =>
    await Deno.writeTextFile(`${directory}/${path}`, text, { mode: 0o755 });
  for (const name of OTHER_PROGRAMS) {
    await program(`bin/${name}`, EXPORTER);
    await program(name, EXPORTER);
  }
  await program("bin/otlp-histogram", programStandIn(commandLine));
  await program("bin/tail", TAIL);
}
