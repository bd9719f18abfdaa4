import { messageOf, UsageError } from "../base/errors.ts";
import type { System } from "../base/system.ts";
import { resolvePath } from "../base/paths.ts";
import { judgeOtlp } from "../otlp/rules.ts";
import { DEFAULT_LIMITS, DYNATRACE_LIMITS } from "./body.ts";
import { parseRespond } from "./script.ts";
import type { ReceiverOptions } from "./server.ts";

/** The flags of `receive` as they were given. */
export interface ReceiveFlags {
  readonly host?: string | undefined;
  readonly port?: string | undefined;
  readonly output?: string | undefined;
  readonly tokenFile?: string | undefined;
  readonly tlsCert?: string | undefined;
  readonly tlsKey?: string | undefined;
  readonly respond?: string | undefined;
  readonly requests?: string | undefined;
  readonly rules?: string | undefined;
}

export type Output = "text" | "json";

/** Turns flags into options; throws a UsageError that names the flag, its value and what is right. */
export async function readOptions(
  flags: ReceiveFlags,
  system: System,
): Promise<{ readonly output: Output; readonly receiver: ReceiverOptions }> {
  const { host = "127.0.0.1", tokenFile } = flags;
  if (host === "") throw new UsageError(`--host "": expected a host name or an IP address`);
  const output = parseOutput(flags.output ?? "text");
  return {
    output,
    receiver: {
      host: host.replace(/^\[(.*)\]$/, "$1"),
      port: parseWhole("--port", flags.port ?? "4318", 0, 65535, "0 picks a free one"),
      tls: await readTls(flags.tlsCert, flags.tlsKey, system),
      token: tokenFile === undefined ? undefined : await tokenReader(tokenFile, system),
      respond: flags.respond === undefined ? [] : parseRespond(flags.respond),
      requests: flags.requests === undefined
        ? undefined
        : parseWhole("--requests", flags.requests, 1, 1e9, "how many to answer before ending"),
      ...await readRules(flags.rules ?? "otlp", system),
      clock: system.clock,
    },
  };
}

async function readRules(
  text: string,
  system: System,
): Promise<Pick<ReceiverOptions, "judge" | "limits">> {
  switch (text) {
    case "otlp":
      return { judge: judgeOtlp, limits: DEFAULT_LIMITS };
    case "dynatrace": {
      const { judgeDynatrace } = await import("../dynatrace/judge.ts");
      return { judge: judgeDynatrace(() => system.clock.wall()), limits: DYNATRACE_LIMITS };
    }
    default:
      throw new UsageError(`--rules "${text}": expected otlp or dynatrace`);
  }
}

function parseOutput(text: string): Output {
  if (text === "text" || text === "json") return text;
  throw new UsageError(`--output "${text}": expected text or json`);
}

function parseWhole(flag: string, text: string, from: number, to: number, why: string): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= from && value <= to) return value;
  throw new UsageError(`${flag} "${text}": expected a whole number from ${from} to ${to} (${why})`);
}

async function readTls(
  cert: string | undefined,
  key: string | undefined,
  system: System,
): Promise<ReceiverOptions["tls"]> {
  if (cert === undefined && key === undefined) return undefined;
  if (cert === undefined || key === undefined) {
    const [given, value, missing] = key === undefined
      ? ["--tls-cert", cert, "--tls-key"]
      : ["--tls-key", key, "--tls-cert"];
    throw new UsageError(`${given} "${value}" without ${missing}: expected both or neither`);
  }
  return {
    cert: await readFile("--tls-cert", cert, "a certificate in PEM", system),
    key: await readFile("--tls-key", key, "a private key in PEM", system),
  };
}

async function tokenReader(file: string, system: System): Promise<() => Promise<string>> {
  const read = async () => {
    const token = (await readFile("--token-file", file, "a file that holds the token", system))
      .trim();
    if (token === "") {
      throw new UsageError(`--token-file "${file}" is empty: expected a token in it`);
    }
    return token;
  };
  await read();
  // Again for every request, as a sender does: secrets are rotated.
  return read;
}

async function readFile(
  flag: string,
  file: string,
  expected: string,
  system: System,
): Promise<string> {
  try {
    return await system.readTextFile(resolvePath(system.cwd, file));
  } catch (thrown) {
    throw new UsageError(
      `${flag} "${file}" cannot be read: expected ${expected} (${messageOf(thrown)})`,
    );
  }
}
