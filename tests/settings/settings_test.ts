import assert from "node:assert/strict";
import { Secrets } from "../../src/redact/secrets.ts";
import { systemClock } from "../../src/platform/clock.ts";
import { UsageError } from "../../src/platform/errors.ts";
import { readVariables } from "../../src/settings/dotenv_file.ts";
import { outputConfig } from "../../src/settings/output_config.ts";
import { plotConfig } from "../../src/commands/plot/plot_config.ts";
import { type SendConfig, sendConfig } from "../../src/commands/send_config.ts";
import { variables } from "../../src/settings/setting.ts";
import {
  flagName,
  type ReceiveFlags,
  rowOf,
  type SendFlags,
  SETTING_KEYS,
  type SettingKey,
} from "../../src/settings/settings.ts";
import { parseFlags } from "../../src/cli/arguments.ts";
import { readOptions } from "../../src/commands/receive/options.ts";

/** Where values come from: arguments, environment, `.env`. */
interface Given {
  readonly args: readonly string[];
  readonly environment: ReadonlyMap<string, string>;
  readonly dotenv: ReadonlyMap<string, string>;
}

/** What shows that a row works. */
interface Example {
  /** The text that the source number `i` gives; each is another. Of a toggle's flag it does not matter. */
  readonly text: (i: number, name: string) => string;
  /** What the command makes of all that is given. */
  readonly read: (given: Given) => unknown;
  /** What it makes of the text of source `i` alone. */
  readonly meaning: (i: number, name: string) => unknown;
  /** A text that makes no sense; undefined: every text does. */
  readonly bad?: string;
  /** How a message shows it, when not in quotes. */
  readonly shown?: string;
}

const SECRET = "S3CRET";

function send(read: (config: SendConfig) => unknown, base: SendFlags = {}): Example["read"] {
  return ({ args, environment, dotenv }) => {
    const find = variables((name) => environment.get(name), dotenv, ".env");
    const flags = { endpoint: "http://h", ...base, ...parseFlags("send", args) };
    return read(sendConfig(flags, find, () => undefined));
  };
}

function receive(
  read: (options: Awaited<ReturnType<typeof readOptions>>) => unknown,
  base: ReceiveFlags = {},
) {
  return async ({ args }: Given) => {
    return read(await readOptions({ ...base, ...parseFlags("receive", args) }, SYSTEM));
  };
}

const SYSTEM = {
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
  printed: () => Promise.resolve(),
  lastWords() {},
  stderrIsTerminal: false,
  stdinHasData: () => Promise.resolve(false),
};

/** A row whose value is taken as it is. */
const text = (read: Example["read"], word = "text"): Example => ({
  text: (i) => `${word}${i}`,
  read,
  meaning: (i) => `${word}${i}`,
});
const number = (read: Example["read"], bad = "many", factor = 1): Example => ({
  text: (i) => String(i + 2),
  read,
  meaning: (i) => (i + 2) * factor,
  bad,
});
const toggle = (read: Example["read"], bad?: string): Example => ({
  text: (i) => i % 2 === 0 ? "true" : "false",
  read,
  meaning: (i) => i % 2 === 0,
  ...bad !== undefined && { bad },
});

const input = { input: ["-"] };
const timed = { ...input, timeField: "t" };
const loop = { loop: true };
const scraped = { ...loop, scrape: "http://h" };
const series = { series: "2" };
const source = (name: string, base: SendFlags = {}) =>
  send(({ source }) => Reflect.get(source, name), base);

/** One for every row: the compiler asks for the example of a new one. */
const EXAMPLES: Readonly<Record<SettingKey, Example>> = {
  endpoint: {
    text: (i) => `http://host${i}`,
    read: ({ args, environment, dotenv }) =>
      sendConfig(
        parseFlags("send", args),
        variables(
          (name) => environment.get(name),
          new Map([...dotenv, ["DT_API_TOKEN", "t"]]),
          ".env",
        ),
        () => undefined,
      ).destination.endpoint.url.href,
    meaning: (i, name) =>
      `http://host${i}/${name === "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT" ? "" : "v1/metrics"}`,
    bad: `ftp://u:${SECRET}@host/?key=${SECRET}`,
    shown: '"ftp://***@host/?key=***"',
  },
  apiToken: {
    text: (i) => `token${i}`,
    read: send(({ destination }) => destination.authorization),
    meaning: (i, name) => ({ kind: "value", value: `Api-Token token${i}`, from: name }),
    bad: `dt0c01.PUBLIC.${SECRET} and more`,
    shown: "dt0c01.PUBLIC.***",
  },
  tokenFile: {
    text: (i) => `file${i}`,
    read: send(({ destination }) => destination.authorization),
    meaning: (i, name) => ({ kind: "token-file", path: `file${i}`, from: name }),
  },
  header: {
    text: (i) => `x-a=${i}`,
    read: send(({ destination }) => destination.headers),
    meaning: (i) => [["x-a", String(i)]],
    bad: SECRET,
    shown: "(value not shown)",
  },
  envFile: {
    text: (i) => `file${i}`,
    async read({ args }) {
      let read = "";
      await readVariables(parseFlags("check", args).envFile, {
        ...SYSTEM,
        readTextFile: (path) => Promise.resolve(read = path),
      });
      return read;
    },
    meaning: (i) => `/cwd/file${i}`,
  },
  insecure: toggle(send(({ destination }) => destination.tls.insecure), "maybe"),
  ca: text(send(({ destination }) => destination.tls.ca?.value)),
  clientCert: text(
    send(({ destination }) => destination.tls.client?.cert.value, { clientKey: "k" }),
  ),
  clientKey: text(
    send(({ destination }) => destination.tls.client?.key.value, { clientCert: "c" }),
  ),
  metric: { ...text(send(({ metric }) => metric.name)), bad: "1st" },
  unit: text(send(({ metric }) => metric.unit)),
  description: text(send(({ metric }) => metric.description)),
  buckets: {
    text: (i) => `1,${i + 2}`,
    read: send(({ metric }) => metric.bounds),
    meaning: (i) => [1, i + 2],
    bad: "2,1",
  },
  exponential: {
    text: (i) => i % 2 === 0 ? "base2_exponential_bucket_histogram" : "explicit_bucket_histogram",
    read: send(({ metric }) => metric.bounds === "exponential"),
    meaning: (i) => i % 2 === 0,
    bad: "round",
  },
  service: text(send(({ metric }) => metric.resource["service.name"])),
  resource: {
    text: (i) => `a=${i}`,
    read: send(({ metric }) => metric.resource["a"]),
    meaning: String,
    bad: "a",
  },
  attr: {
    text: (i) => `a=${i}`,
    read: send(({ metric }) => metric.attributes["a"]),
    meaning: String,
    bad: "a",
  },
  maxSeries: number(send(({ metric }) => metric.maxSeries), "1.5"),
  value: {
    text: (i) => String(i),
    read: source("values"),
    meaning: (i) => [i],
    bad: "",
  },
  since: {
    text: (i) => String(1e9 + i),
    read: source("start"),
    meaning: (i) => (1e9 + i) * 1000,
    bad: "soon",
  },
  input: {
    text: (i) => `file${i}`,
    read: source("paths"),
    meaning: (i) => [`file${i}`],
    bad: "",
  },
  from: {
    text: (i) => i % 2 === 0 ? "start" : "end",
    read: source("begin", { input: ["f"], follow: true, loop: true }),
    meaning: (i) => i % 2 === 0 ? "start" : "end",
    bad: "middle",
  },
  inputFormat: {
    text: () => "csv",
    read: source("format", input),
    meaning: () => "csv",
    bad: "xml",
  },
  valueField: { ...text(source("valueField", input)), bad: "" },
  attrField: {
    text: (i) => `f${i}=k`,
    read: source("attrFields", input),
    meaning: (i) => [{ name: `f${i}`, key: "k" }],
    bad: "",
  },
  pattern: {
    text: (i) => `(?<f${i}>.)`,
    read: send(({ source }) => source.kind === "input" && source.pattern?.fields, input),
    meaning: (i) => [`f${i}`],
    bad: "(?<",
  },
  logFormat: {
    text: (i) => `$f${i}`,
    read: send(({ source }) => source.kind === "input" && source.logFormat?.value, input),
    meaning: (i) => `$f${i}`,
    bad: "combined",
  },
  delimiter: {
    text: () => "|",
    read: source("delimiter", input),
    meaning: () => "|",
    bad: "||",
  },
  pathTemplate: {
    text: (i) => `f${i}`,
    read: source("pathFields", input),
    meaning: (i) => [`f${i}`],
    bad: "",
  },
  unwrap: { ...text(source("unwrap", input)), bad: "" },
  columns: {
    text: (i) => `value,c${i}`,
    read: source("columns", input),
    meaning: (i) => ["value", `c${i}`],
    bad: "a,,b",
  },
  where: {
    text: (i) => `f${i}=1`,
    read: send(({ source }) => source.kind === "input" && source.where[0]?.field, input),
    meaning: (i) => `f${i}`,
    bad: "f",
  },
  scale: number(source("scale", input), "0"),
  timeField: {
    ...text(send(({ source }) => source.kind === "input" && source.time?.field, input)),
    bad: "",
  },
  timeFormat: {
    text: () => "us",
    read: send(({ source }) => source.kind === "input" && source.time?.format, timed),
    meaning: () => "us",
    bad: "roman",
  },
  timeZone: {
    text: (i) => `+0${i}:00`,
    read: send(
      ({ source }) => source.kind === "input" && source.time?.zone?.offsetAt(0),
      timed,
    ),
    meaning: (i) => i * 3_600_000,
    bad: "Mars/Olympus",
  },
  lateness: number(
    send(({ source }) => source.kind === "input" && source.time?.latenessMs, timed),
    "-1",
    1000,
  ),
  scrape: {
    text: (i) => `http://host${i}/metrics`,
    read: send(({ source }) => source.kind === "scrape" && source.url.href, { loop: true }),
    meaning: (i) => `http://host${i}/metrics`,
    bad: "ftp://host",
  },
  scrapeHeader: {
    text: (i) => `X-A=${SECRET}${i}`,
    read: source("headers", scraped),
    meaning: (i) => [["x-a", `${SECRET}${i}`]],
    bad: SECRET,
  },
  replay: { ...text(source("path")), bad: "" },
  retime: toggle(({ args }) => parseFlags("send", args).retime),
  speed: number(source("speed", { replay: "-" }), "0"),
  scenario: text(source("path")),
  series: number(source("series"), "0"),
  count: number(source("count"), "-1"),
  rate: number(source("rate", loop), "0"),
  slo: number(
    send(({ load }) => load.sloMs, { ...loop, duration: "10", rate: "1..9" }),
    "0",
  ),
  workers: number(send(({ load }) => load.workers, series), "0"),
  shards: number(send(({ load }) => load.share.of, { ...series, shard: "0" }), "0"),
  shard: number(send(({ load }) => load.share.index, { ...series, shards: "100" }), "100"),
  distribution: {
    text: (i) => `constant(${i})`,
    read: send(({ source }) => source.kind === "synthetic" && source.draw(() => 0.5), series),
    meaning: (i) => i,
    bad: "bell",
  },
  seed: text(source("seed", series)),
  loop: toggle(send(({ schedule }) => schedule.loop)),
  interval: number(send(({ schedule }) => schedule.intervalMs), "soon", 1000),
  iterations: number(send(({ schedule }) => schedule.iterations, loop), "0"),
  duration: number(send(({ schedule }) => schedule.durationMs, loop), "0", 1000),
  compression: {
    text: (i) => i % 2 === 0 ? "none" : "gzip",
    read: send(({ destination }) => destination.compression),
    meaning: (i) => i % 2 === 0 ? "none" : "gzip",
    bad: "zstd",
  },
  timeout: {
    text: (i) => String(i + 1),
    read: send(({ destination }) => destination.timeoutMs),
    meaning: (i, name) => name === "--timeout" ? (i + 1) * 1000 : i + 1,
    bad: "0",
  },
  retryFor: number(send(({ keep }) => keep.retryForMs), "-1", 1000),
  spool: text(send(({ keep }) => keep.spool?.value)),
  maxPendingMb: number(send(({ keep }) => keep.maxPendingBytes), "0", 1e6),
  maxAge: number(send(({ keep }) => keep.maxAgeMs), "0", 1000),
  strict: toggle(send(({ strict }) => strict)),
  canary: toggle(({ args }) => parseFlags("check", args).canary),
  host: { ...text(receive(({ receiver }) => receiver.host)), bad: "" },
  port: number(receive(({ receiver }) => receiver.port), "65536"),
  tlsCert: text(({ args }) => parseFlags("receive", args).tlsCert),
  tlsKey: text(({ args }) => parseFlags("receive", args).tlsKey),
  rules: {
    text: () => "dynatrace",
    read: receive(({ receiver }) => receiver.limits === undefined ? "" : "dynatrace"),
    meaning: () => "dynatrace",
    bad: "mine",
  },
  demandedToken: {
    text: (i) => `file${i}`,
    read: receive(({ receiver }) => receiver.token?.()),
    meaning: (i) => `Api-Token token-of-/cwd/file${i}`,
  },
  respond: {
    text: (i) => `50${i}`,
    read: receive(({ receiver }) => receiver.respond),
    meaning: (i) => [{ kind: "status", status: 500 + i, retryAfter: undefined }],
    bad: "soon",
  },
  requests: number(receive(({ receiver }) => receiver.requests), "0"),
  ui: toggle(receive(({ ui }) => ui)),
  save: {
    text: (i) => `file${i}`,
    read: receive(({ save }) => save?.path),
    meaning: (i) => `/cwd/file${i}`,
    bad: "",
  },
  saveMb: number(receive(({ save }) => save?.mostBytes, { save: "f" }), "0", 1e6),
  failOn: {
    text: () => "warning",
    read: receive(({ gate }) => gate.failOn),
    meaning: () => "warning",
    bad: "always",
  },
  expect: {
    text: (i) => `m${i}`,
    read: receive(({ gate }) => gate.expect),
    meaning: (i) => [`m${i}`],
    bad: "",
  },
  wait: number(receive(({ waitMs }) => waitMs), "0", 1000),
  dryRun: toggle(({ args }) => parseFlags("send", args).dryRun),
  decimalComma: toggle(({ args }) => parseFlags("send", args).decimalComma),
  follow: toggle(({ args }) => parseFlags("send", args).follow),
  output: {
    text: () => "json",
    read: ({ args }) => outputConfig(parseFlags("check", args)).format,
    meaning: () => "json",
    bad: "xml",
  },
  quiet: toggle(send(({ output }) => output.level === "quiet")),
  verbose: toggle(send(({ output }) => output.level === "verbose")),
  health: {
    text: (i) => `127.0.0.1:80${i}`,
    read: send(({ health }) => health?.port),
    meaning: (i) => Number(`80${i}`),
    bad: "8080",
  },
  plot: toggle(send(({ plot }) => plot !== undefined)),
  suggestBuckets: number(
    ({ args }) => plotConfig(parseFlags("plot", args), () => undefined).suggest,
    "101",
  ),
  noColor: {
    text: () => "1",
    read: send(({ plot }) => plot?.color, { plot: true }),
    meaning: () => false,
  },
};

type Source = "command line" | "environment" | ".env";

/** A row's sources in the order of the contract: of each variable the environment, then `.env`. */
function sourcesOf(key: SettingKey): readonly (readonly [name: string, source: Source])[] {
  const { flag, variables = [] } = rowOf(key);
  return [
    ...flag === false ? [] : [[flagName(key), "command line"] as const],
    ...variables.flatMap((name) => [[name, "environment"] as const, [name, ".env"] as const]),
  ];
}

/** Only what `texts` has is given. */
function given(key: SettingKey, texts: readonly (readonly [string, Source, string])[]): Given {
  const isToggle = rowOf(key).kind === "toggle";
  const of = (source: Source) =>
    texts.filter(([, from]) => from === source).map(([name, , value]) => [name, value] as const);
  return {
    args: of("command line").map(([name, value]) => isToggle ? name : `${name}=${value}`),
    environment: new Map(of("environment")),
    dotenv: new Map(of(".env")),
  };
}

for (const key of SETTING_KEYS) {
  const { text, read, meaning, bad, shown } = EXAMPLES[key];
  const sources = sourcesOf(key);
  const names = [...new Set(sources.map(([name]) => name))].join(", ");

  Deno.test(`${names}: each source works, and beats those after it`, async () => {
    for (let first = 0; first < sources.length; first++) {
      const texts = sources.map(([name, source], i) => [name, source, text(i, name)] as const);
      const [name = ""] = sources[first] ?? [];
      assert.deepEqual(
        await read(given(key, texts.slice(first))),
        meaning(first, name),
        `${sources[first]}`,
      );
    }
  });

  if (bad === undefined) continue;
  Deno.test(`${names}: a value that makes no sense is explained with its source`, async () => {
    for (const [name, source] of sources) {
      // A variable that is set but blank counts as not set; a toggle's flag has no value.
      const isTaken = source === "command line" ? rowOf(key).kind !== "toggle" : bad !== "";
      if (!isTaken) continue;
      const message = await refusal(async () => await read(given(key, [[name, source, bad]])));
      const value = message.includes("(value not shown)")
        ? "(value not shown)"
        : shown ?? `"${bad}"`;
      assert.ok(message.startsWith(`Invalid ${name} ${value} (${source}): expected `), message);
      assert.doesNotMatch(message, new RegExp(SECRET));
    }
  });
}

Deno.test("a default of the table is a value that the program takes", async () => {
  for (const key of SETTING_KEYS) {
    const { default: value, flag } = rowOf(key);
    if (value === undefined || flag === false) continue;
    await EXAMPLES[key].read(given(key, [[flagName(key), "command line", value]]));
  }
});

async function refusal(of: () => Promise<unknown>): Promise<string> {
  try {
    await of();
  } catch (thrown) {
    if (thrown instanceof UsageError) return thrown.message;
    throw thrown;
  }
  throw new Error("It was taken");
}
