import { outputConfig, type SendConfig, sendConfig, type SendFlags } from "./config.ts";
import { Delivery } from "./delivery.ts";
import { readCredentials } from "./destination.ts";
import { readVariables } from "./dotenv_file.ts";
import { histogramRecorder } from "./histogram.ts";
import { UsageError } from "./errors.ts";
import type { Io } from "./io.ts";
import type { Measurement } from "./measurements/measurement.ts";
import { sampleBatch } from "./measurements/sample.ts";
import { DYNATRACE_REQUEST, OTLP_REQUEST } from "./otlp/request.ts";
import { resolvePath } from "./paths.ts";
import type { Post } from "./reply.ts";
import { type Lines, reported, reporter, warningLines } from "./report.ts";
import { run } from "./run.ts";
import type { Spool } from "./spool.ts";
import { openTransport } from "./transport.ts";
import { USER_AGENT } from "./version.ts";

/** The command `send`; resolves to its exit status. Throws a UsageError for settings that make no sense. */
export async function runSend(flags: SendFlags, io: Io): Promise<number> {
  outputConfig(flags);
  const config = sendConfig(flags, await readVariables(flags.envFile, io), io.env);
  const secrets: string[] = [];
  const credentials = await readCredentials(config.destination, io, secrets);
  const transport = await openTransport(config.destination, credentials, USER_AGENT, io.env);
  const opened = await openKept(config, io);
  const spool = "store" in opened ? opened : undefined;
  const warnings = [...config.warnings, ...opened.warnings];
  try {
    return await sending({ ...config, warnings }, transport.post, spool, io, secrets);
  } finally {
    spool?.close();
    transport.close();
  }
}

/** The spool, loaded only when it is asked for, or just the warning why it cannot be used. */
async function openKept(
  { keep, count }: SendConfig,
  io: Io,
): Promise<Spool | { readonly warnings: readonly string[] }> {
  if (keep.spool === undefined) return { warnings: [] };
  const { value } = keep.spool;
  const { openSpool } = await import("./spool.ts");
  const spool = await openSpool(resolvePath(io.cwd, value), value, io.clock);
  if (!("unusable" in spool)) return spool;
  if (count === 0) throw new UsageError(spool.unusable);
  return { warnings: [spool.unusable] };
}

async function sending(
  config: SendConfig,
  post: Post,
  spool: Spool | undefined,
  io: Io,
  secrets: readonly string[],
): Promise<number> {
  const { destination, metric, pace, keep, output } = config;
  const { clock, random, stop, kill } = io;
  const print = ({ out, err }: Lines) => {
    for (const line of err) io.stderr(`${line}\n`);
    for (const line of out) io.stdout(`${line}\n`);
  };
  const report = reporter(reported(config), secrets);
  for (const warning of config.warnings) {
    print({ out: [], err: warningLines(output.format, warning) });
  }
  print(report.start());
  const { endpoint } = destination;
  const delivery = new Delivery({
    post,
    endpoint,
    clock,
    random,
    limits: { maxPendingBytes: keep.maxPendingBytes, maxAgeMs: keep.maxAgeMs },
    store: spool?.store,
  });
  delivery.adopt(spool?.left ?? []);
  const events = run({
    source: config.count === 0 ? nothing() : samples(random),
    recorder: histogramRecorder(metric, clock),
    delivery,
    clock,
    pace,
    keep,
    limits: endpoint.dynatrace ? DYNATRACE_REQUEST : OTLP_REQUEST,
    compression: destination.compression,
    timeoutMs: destination.timeoutMs,
    stop,
    kill,
  });
  let exitCode = 1;
  for await (const event of events) {
    print(report.event(event));
    if (event.type === "summary") exitCode = event.exitCode;
  }
  return exitCode;
}

async function* nothing(): AsyncGenerator<readonly Measurement[]> {}

async function* samples(random: () => number): AsyncGenerator<readonly Measurement[]> {
  while (true) yield sampleBatch(random);
}
