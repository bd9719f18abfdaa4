import { withoutQuotes } from "../platform/errors.ts";
import { redactTokens } from "../redact/redact.ts";
import type { System } from "../platform/system.ts";
import { fileOf, resolvePath, unreadable } from "../platform/paths.ts";
import { plural } from "../console/plural.ts";
import { type Variables, variables } from "./setting.ts";
import { rowOf, SETTING_KEYS } from "./settings.ts";

/**
 * The environment over `.env`, which may be missing, or over the file of `--env-file`, which may not. `shared` with
 * another program, they hold what is meant for that one: only lines that cannot be read are worth a warning.
 */
export async function readVariables(
  envFile: string | undefined,
  system: Pick<System, "env" | "cwd" | "readTextFile">,
  use: "own" | "shared" = "own",
): Promise<Variables> {
  const name = envFile ?? ".env";
  let text = "";
  try {
    text = await system.readTextFile(resolvePath(system.cwd, name));
  } catch (thrown) {
    if (envFile !== undefined) throw unreadable(fileOf("--env-file", envFile), thrown);
    if (!(thrown instanceof Deno.errors.NotFound)) throw unreadable('".env"', thrown);
  }
  if (text === "") return withWarnings(variables(system.env, new Map(), name), use);
  const { demandUtf8 } = await import("../platform/utf16.ts");
  demandUtf8(text, envFile === undefined ? '".env"' : fileOf("--env-file", envFile));
  const { parseDotenv } = await import("./dotenv.ts");
  const lines: number[] = [];
  const found = parseDotenv(text, lines);
  const warnings = [
    ...use === "own" ? withoutEffect(name, [...found.keys()], system.env) : [],
    ...unreadableLines(name, lines),
  ];
  return withWarnings(variables(system.env, found, name), use, warnings);
}

/** Adds the warnings about variables that are ignored to those given. */
function withWarnings(
  find: Variables,
  use: "own" | "shared",
  warnings: readonly string[] = [],
): Variables {
  return Object.assign(find, {
    warnings: [...warnings, ...use === "own" ? ignored(find) : []],
  });
}

/**
 * Variables of OpenTelemetry's that ask for what this program does not do. Each list is one choice, in which the first
 * that is set counts.
 */
const IGNORED: readonly {
  readonly names: readonly string[];
  /** Values that ask for what happens anyway, in lower case; without them every value is ignored. */
  readonly obeyed?: readonly string[];
  readonly instead: string;
}[] = [
  {
    names: ["OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE"],
    // With lowmemory, histograms are delta (OTLP metrics exporter specification).
    obeyed: ["delta", "lowmemory"],
    instead:
      "this program always sends delta histograms. For a receiver that accepts only cumulative ones, use a " +
      "Collector with the processor deltatocumulative before it",
  },
  {
    names: ["OTEL_EXPORTER_OTLP_METRICS_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"],
    obeyed: ["http/protobuf"],
    instead:
      "this program always sends protobuf over HTTP. Use the receiver's OTLP/HTTP URL, usually with port " +
      "4318; 4317 is the gRPC port",
  },
  {
    names: ["OTEL_CONFIG_FILE", "OTEL_EXPERIMENTAL_CONFIG_FILE"],
    instead:
      "this program reads its settings from flags, environment variables and .env. Set the same values there",
  },
];

/** The names of the variables that are read only to warn that they are ignored. */
export const IGNORED_VARIABLES: readonly string[] = IGNORED.flatMap(({ names }) => names);

function ignored(find: Variables): readonly string[] {
  return IGNORED.flatMap(({ names, obeyed, instead }) => {
    const name = names.find((name) => find(name) !== undefined);
    const setting = name === undefined ? undefined : find(name);
    if (setting === undefined) return [];
    const word = withoutQuotes(setting.value).toLowerCase();
    if (obeyed?.includes(word)) return [];
    // A name of a file says nothing, and any other text may be a secret in the wrong place.
    const value = obeyed !== undefined && /^[a-z_/]{1,20}$/.test(word) ? `=${word}` : "";
    return [`${setting.name}${value} (${setting.source}) is ignored: ${instead}`];
  });
}

/** Variables that fetch reads, and only in the real environment. */
const PROXIES = ["HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY"];
/** Maximum number of names or lines in a message. */
const MOST_NAMED = 10;

/** Warns about entries of a `.env` file that have no effect, with their names, never a value. */
function withoutEffect(
  file: string,
  names: readonly string[],
  environment: System["env"],
): readonly string[] {
  const isProxy = (name: string) => PROXIES.includes(name.toUpperCase());
  const known = new Set([
    ...SETTING_KEYS.flatMap((key) => rowOf(key).variables ?? []),
    ...IGNORED_VARIABLES,
  ]);
  const proxies = names.filter((name) => isProxy(name) && !environment(name));
  const unknown = names.filter((name) => !known.has(name) && !isProxy(name));
  const warnings: string[] = [];
  if (proxies.length > 0) {
    warnings.push(
      `${
        nameSome(proxies)
      } in ${file} has no effect: proxies are read only from the environment, so export it`,
    );
  }
  if (unknown.length > 0) {
    warnings.push(`${file} sets variables that this program does not know: ${nameSome(unknown)}`);
  }
  return warnings;
}

function unreadableLines(file: string, lines: readonly number[]): readonly string[] {
  if (lines.length === 0) return [];
  const which = `${plural(lines.length, "line")} ${nameSome(lines)}`;
  return [`${which} of ${file} cannot be read: expected NAME=VALUE`];
}

function nameSome(items: readonly (string | number)[]): string {
  const more = items.length - MOST_NAMED;
  // A token that was pasted in the wrong place can look like a name.
  const shown = items.slice(0, MOST_NAMED).map((item) => redactTokens(String(item))).join(", ");
  return more > 0 ? `${shown} and ${more} more` : shown;
}
