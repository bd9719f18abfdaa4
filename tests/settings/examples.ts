import { REFUSAL_RULES } from "../../src/commands/receive/refused.ts";
import { readVariables } from "../../src/settings/dotenv_file.ts";
import { outputConfig } from "../../src/settings/output_config.ts";
import { plotConfig } from "../../src/commands/plot/plot_config.ts";
import { sendConfig } from "../../src/commands/send_config.ts";
import { variables } from "../../src/settings/setting.ts";
import { type SettingKey } from "../../src/settings/settings.ts";
import { parseFlags } from "../../src/cli/arguments.ts";

import {
  type Example,
  file,
  input,
  loop,
  number,
  oauth,
  receive,
  scraped,
  SECRET,
  send,
  series,
  source,
  SYSTEM,
  text,
  timed,
  toggle,
  verify,
} from "./reading.ts";

/** One for every row: the compiler asks for the example of a new one. */
export const EXAMPLES: Readonly<Record<SettingKey, Example>> = {
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
  queryUrl: {
    text: (i) => `http://host${i}/base/`,
    read: verify(({ query }) => query.endpoint.url.href),
    meaning: (i) => `http://host${i}/base`,
    bad: `ftp://u:${SECRET}@host/?key=${SECRET}`,
    shown: '"ftp://***@host/?key=***"',
  },
  backend: {
    text: () => "metrics-v2",
    read: verify(({ query }) => query.backend, { queryUrl: "http://q" }),
    meaning: () => "metrics-v2",
    bad: "sql",
  },
  queryTokenFile: {
    text: (i) => `file${i}`,
    read: verify(({ query: { authorization } }) =>
      authorization.kind === "token-file" ? authorization.setting.value : undefined
    ),
    meaning: (i) => `file${i}`,
  },
  queryToken: {
    text: (i) => `token${i}`,
    read: verify(({ query: { authorization } }) =>
      authorization.kind === "token" ? authorization.setting.value : undefined
    ),
    meaning: (i) => `token${i}`,
  },
  queryClientId: {
    text: (i) => `dt0s02.${i}`,
    read: oauth(({ id }) => id.value, ["DT_QUERY_CLIENT_SECRET", "secret"]),
    meaning: (i) => `dt0s02.${i}`,
  },
  queryClientSecret: {
    text: (i) => `secret${i}`,
    read: oauth(({ secret }) => secret.value, ["DT_QUERY_CLIENT_ID", "dt0s02.X"]),
    meaning: (i) => `secret${i}`,
  },
  queryHeader: {
    text: (i) => `x-a=${SECRET}${i}`,
    read: verify(({ query }) => query.headers),
    meaning: (i) => ({ "x-a": `${SECRET}${i}` }),
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
  valueField: {
    text: (i) => `f${i}`,
    read: source("values", input),
    meaning: (i) => [{ field: `f${i}`, metric: undefined }],
    bad: "",
  },
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
      ({ source }) => source.kind === "input" && source.timeZone?.offsetAt(0),
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
  pointRate: number(send(({ load }) => load.pointRate?.to, { ...loop, series: "5" }), "0"),
  pointsPerRequest: number(
    send(({ load }) => load.pointRate?.pointsPerRequest, { ...loop, series: "5", pointRate: "9" }),
    "0",
  ),
  slo: number(
    send(({ load }) => load.pointRate?.sloMs, {
      ...loop,
      series: "5",
      duration: "10",
      pointRate: "1..9",
    }),
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
  exam: toggle(receive(({ receiver }) => receiver.exam !== undefined)),
  requests: number(receive(({ receiver }) => receiver.requests), "0"),
  ui: toggle(receive(({ ui }) => ui)),
  save: file(receive(({ save }) => save?.path)),
  saveMb: number(receive(({ save }) => save?.mostBytes, { save: "f" }), "0", 1e6),
  failOn: {
    text: () => "warning",
    read: receive(({ gate }) => gate.failOn),
    meaning: () => "warning",
    bad: "always",
  },
  ignore: {
    text: (i) => REFUSAL_RULES[i] ?? "",
    read: receive(({ gate }) => [...gate.ignore]),
    meaning: (i) => [REFUSAL_RULES[i]],
    bad: "",
  },
  repeat: number(verify(({ repeat }) => repeat), "0"),
  expect: { ...text(receive(({ gate }) => gate.expect[0]?.metric)), bad: "" },
  junit: file(receive(({ junit }) => junit)),
  wait: number(receive(({ waitMs }) => waitMs), "0", 1000),
  ignoreAttr: {
    text: (i) => `key${i}`,
    read: ({ args }) => parseFlags("diff", args).ignoreAttr,
    meaning: (i) => [`key${i}`],
  },
  ignoreResource: toggle(({ args }) => parseFlags("diff", args).ignoreResource),
  ignoreScope: toggle(({ args }) => parseFlags("diff", args).ignoreScope),
  dryRun: toggle(({ args }) => parseFlags("send", args).dryRun),
  decimalComma: toggle(({ args }) => parseFlags("send", args).decimalComma),
  follow: toggle(({ args }) => parseFlags("send", args).follow),
  output: {
    text: () => "json",
    read: ({ args }) => outputConfig(parseFlags("check", args)).format,
    meaning: () => "json",
    bad: "xml",
  },
  plotOutput: {
    text: () => "scenario",
    read: ({ args }) => plotConfig(parseFlags("plot", args), () => undefined).output.format,
    meaning: () => "scenario",
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
    ({ args }) => plotConfig(parseFlags("plot", args), () => undefined).suggest?.most,
    "101",
  ),
  keepBound: {
    text: (i) => String(i + 2),
    read: ({ args }) =>
      plotConfig(parseFlags("plot", ["--suggest-buckets", ...args]), () => undefined).suggest?.keep,
    meaning: (i) => [i + 2],
    bad: "-1",
  },
  noColor: {
    text: () => "1",
    read: send(({ plot }) => plot?.color, { plot: true }),
    meaning: () => false,
  },
};
