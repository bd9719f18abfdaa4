import { Secrets } from "../../src/redact/secrets.ts";
import { systemClock } from "../../src/platform/clock.ts";
import { type SendConfig, sendConfig } from "../../src/commands/send_config.ts";
import type { QueryAuthorization } from "../../src/receivers/query/query_config.ts";
import { type VerifyConfig, verifyConfig } from "../../src/commands/verify/verify_config.ts";
import { variables } from "../../src/settings/setting.ts";
import {
  type ReceiveFlags,
  type SendFlags,
  type VerifyFlags,
} from "../../src/settings/settings.ts";
import { parseFlags } from "../../src/cli/arguments.ts";
import { readOptions } from "../../src/commands/receive/options.ts";

/** Where values come from: arguments, environment, `.env`. */
export interface Given {
  readonly args: readonly string[];
  readonly environment: ReadonlyMap<string, string>;
  readonly dotenv: ReadonlyMap<string, string>;
}

/** Example that shows that a row works. */
export interface Example {
  /** The text that the source number `i` gives; each is another. Of a toggle's flag it does not matter. */
  readonly text: (i: number, name: string) => string;
  /** Reads the value that the command makes of all settings. */
  readonly read: (given: Given) => unknown;
  /** Value that it makes of the text of source `i` alone. */
  readonly meaning: (i: number, name: string) => unknown;
  /** A text that makes no sense; undefined: every text does. */
  readonly bad?: string;
  /** How a message shows it, when not in quotes. */
  readonly shown?: string;
}

export const SECRET = "S3CRET";

export function send(read: (config: SendConfig) => unknown, base: SendFlags = {}): Example["read"] {
  return ({ args, environment, dotenv }) => {
    const find = variables((name) => environment.get(name), dotenv, ".env");
    const flags = { endpoint: "http://h", ...base, ...parseFlags("send", args) };
    return read(sendConfig(flags, find, () => undefined));
  };
}

export function receive(
  read: (options: Awaited<ReturnType<typeof readOptions>>) => unknown,
  base: ReceiveFlags = {},
) {
  return async ({ args }: Given) => {
    return read(await readOptions({ ...base, ...parseFlags("receive", args) }, SYSTEM));
  };
}

/** Settings of `verify`, by default of a receiver that has a query API. */
export function verify(
  read: (config: VerifyConfig) => unknown,
  base: VerifyFlags = {},
): Example["read"] {
  return ({ args, environment, dotenv }) => {
    const find = variables((name) => environment.get(name), dotenv, ".env");
    const flags = { endpoint: "http://h/opentelemetry", ...base };
    return read(
      verifyConfig({ ...flags, ...parseFlags("verify", args) }, find, () => undefined),
    );
  };
}

/** OAuth client of queries, one half of which another variable gives. */
export function oauth(
  read: (client: Extract<QueryAuthorization, { kind: "oauth" }>) => unknown,
  [name, value]: readonly [string, string],
): Example["read"] {
  const readClient = verify(
    ({ query: { authorization } }) =>
      authorization.kind === "oauth" ? read(authorization) : undefined,
    { backend: "grail", queryUrl: "http://q" },
  );
  return (given) =>
    readClient({ ...given, environment: new Map([...given.environment, [name, value]]) });
}

export const SYSTEM = {
  env: () => undefined,
  cwd: "/cwd",
  stdout() {},
  workflowCommand() {},
  stderr() {},
  columns: undefined,
  rows: undefined,
  stop: new AbortController().signal,
  kill: new AbortController().signal,
  clock: systemClock,
  random: () => 0,
  secrets: new Secrets(),
  readTextFile: (path: string) => Promise.resolve(`token-of-${path}`),
  openFile: () => Promise.reject(new Deno.errors.NotFound()),
  stdin: () => new ReadableStream<Uint8Array>(),
  printed: () => Promise.resolve(true),
  lastWords() {},
  stderrIsTerminal: false,
  stdinHasData: () => Promise.resolve(false),
};

/** A row whose value is taken as it is. */
export const text = (read: Example["read"]): Example => ({
  text: (i) => `text${i}`,
  read,
  meaning: (i) => `text${i}`,
});
export const file = (read: Example["read"]): Example => ({
  text: (i) => `file${i}`,
  read,
  meaning: (i) => `/cwd/file${i}`,
  bad: "",
});
export const number = (read: Example["read"], bad = "many", factor = 1): Example => ({
  text: (i) => String(i + 2),
  read,
  meaning: (i) => (i + 2) * factor,
  bad,
});
export const toggle = (read: Example["read"], bad?: string): Example => ({
  text: (i) => i % 2 === 0 ? "true" : "false",
  read,
  meaning: (i) => i % 2 === 0,
  ...bad !== undefined && { bad },
});

export const input = { input: ["-"] };
export const timed = { ...input, timeField: "t" };
export const loop = { loop: true };
export const scraped = { ...loop, scrape: "http://h" };
export const series = { series: "2" };
export const source = (name: string, base: SendFlags = {}) =>
  send(({ source }) => Reflect.get(source, name), base);
