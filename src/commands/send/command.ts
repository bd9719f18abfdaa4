import type { Sender } from "./ahead.ts";
import type { Clock } from "../../platform/clock.ts";
import { type DryRunConfig, dryRunConfig, type SendConfig, sendConfig } from "../send_config.ts";
import { outputConfig } from "../../settings/output_config.ts";
import type { Delivering } from "../../delivery/delivering.ts";
import { Delivery, type DeliveryDependencies } from "../../delivery/delivery.ts";
import { addKnownSecrets } from "../../http/known_secrets.ts";
import { readCredentials } from "../../http/credentials.ts";
import type { Credentials } from "../../http/exchange.ts";
import { type Finding, findingText } from "../../receivers/finding.ts";
import { endpointFindings, RECEIVERS } from "../../receivers/profiles.ts";
import { readVariables } from "../../settings/dotenv_file.ts";
import { UsageError } from "../../platform/errors.ts";
import type { System } from "../../platform/system.ts";
import { ONE_REQUEST, type RequestFormat, withByteLimit } from "../../otlp/request.ts";
import { resolvePath } from "../../platform/paths.ts";
import type { Post } from "../../http/reply.ts";
import { reporter } from "./report/report.ts";
import { reportContext } from "./report/report_context.ts";
import { cutShortText, overflowText } from "./report/trouble.ts";
import { run } from "./run.ts";
import type { RunEvent } from "./run_event.ts";
import { RequestFigures } from "./request_figures.ts";
import type { SendFlags } from "../../settings/settings.ts";
import { openRecording, type Recording } from "../../source/open.ts";
import { emptySource, type Source } from "../../source/source.ts";
import { Console } from "../../console/console.ts";
import { escapedLines } from "../../console/lines.ts";
import type { Spool } from "../../delivery/spool/spool.ts";
import { openTransport, type Transport } from "../../http/transport.ts";
import type { Variables } from "../../settings/setting.ts";
import { USER_AGENT } from "../../platform/version.ts";

/** The command `send`; resolves to its exit status. Throws a UsageError for settings that make no sense. */
export async function runSend(flags: SendFlags, system: System): Promise<number> {
  const console = new Console(system, outputConfig(flags));
  const variables = await readVariables(flags.envFile, system);
  addKnownSecrets(system.secrets, flags, variables, system.env);
  if (flags.dryRun) return await dryRun(flags, variables, console, system);
  const config = sendConfig(flags, variables, system.env);
  const ofHost = await hostWarnings(config);
  const credentials = await readCredentials(config.destination, RECEIVERS.tokens, system);
  const transports = await openTransports(config, credentials, system);
  const opened = await openKept(config, system);
  const spool = "store" in opened ? opened : undefined;
  const recording = await openRecording(
    config,
    system,
    console,
    {
      // With --strict everything is checked before anything is sent.
      inOne: config.strict && !config.schedule.loop,
      isLive: config.schedule.loop,
      checkpoints: spool && { kept: spool.checkpoint },
    },
  ).catch((thrown) => {
    spool?.close();
    throw thrown;
  });
  const { checkpoint } = recording.source.status;
  if (checkpoint !== undefined && spool?.checkpoint?.id !== checkpoint.id) {
    await spool?.beginAt(checkpoint);
  }
  const warnings = [
    ...config.warnings,
    ...ofHost,
    ...opened.warnings,
  ];
  try {
    return await sending({ ...config, warnings }, {
      credentials,
      posts: transports.map(({ post }) => post),
      spool,
      recording,
      console,
    }, system);
  } finally {
    recording.close();
    spool?.close();
    for (const transport of transports) transport.close();
  }
}

/** Opens one connection per worker. */
async function openTransports(
  { destination, load: { workers } }: SendConfig,
  credentials: Credentials,
  system: System,
): Promise<readonly Transport[]> {
  const connection = workers === 1 ? "shared" : "own";
  return await Promise.all(
    Array.from(
      { length: workers },
      () => openTransport(destination, credentials, USER_AGENT, system, connection),
    ),
  );
}

/**
 * Checks a URL whose host is a vendor's. A host that cannot be its API ends the program, as it ends `check`, before a
 * token leaves.
 */
async function hostWarnings({ destination: { endpoint } }: SendConfig): Promise<readonly string[]> {
  const findings = await endpointFindings(endpoint, "own-host");
  const fatal = findings.filter(({ level }) => level === "error").map(findingText);
  if (fatal.length > 0) throw new UsageError(`${fatal.join("\n")}\nNothing was sent`);
  // The preflight of a vendor's profile reports them with the rest of the configuration.
  return endpoint.profile.vendor !== undefined ? [] : findings.map(findingText);
}

/** The spool, loaded only when it is asked for, or just the warning why it cannot be used. */
async function openKept(
  { keep, source }: SendConfig,
  system: System,
): Promise<Spool | { readonly warnings: readonly string[] }> {
  if (keep.spool === undefined) return { warnings: [] };
  const { value } = keep.spool;
  const { openSpool } = await import("../../delivery/spool/spool.ts");
  const spool = await openSpool(resolvePath(system.cwd, value), value, system.clock);
  if (!("unusable" in spool)) return spool;
  if (source.kind === "spool") throw new UsageError(spool.unusable);
  return { warnings: [spool.unusable] };
}

interface Opened {
  readonly credentials: Credentials;
  readonly posts: readonly Post[];
  readonly spool: Spool | undefined;
  readonly recording: Recording;
  readonly console: Console;
}

async function sending(
  config: SendConfig,
  { credentials, posts, spool, recording, console }: Opened,
  system: System,
): Promise<number> {
  const { destination, schedule, keep } = config;
  const { print } = console;
  const { clock, random, stop, kill } = system;
  const hide = (text: string) => system.secrets.hide(text);
  config.warnings.forEach(console.warn);
  const { profile } = destination.endpoint;
  const { metrics } = recording;
  const advice = await profile.preflight({ ...config, credentials, metrics });
  const find = (findings: readonly Finding[], isFirst = true) =>
    tell(findings, { ...config, strict: config.strict && isFirst }, console);
  find(advice.findings);
  const report = reporter(reportContext(config, metrics.map(hide)), advice);
  print(report.start());
  const format = (): RequestFormat => ({
    limits: withByteLimit(delivery.largestRequest, profile.limits),
    compression: destination.compression,
  });
  const sender = await senderOf(config, { ...recording, posts }, format, clock);
  const figures = new RequestFigures(clock, await rampOf(config));
  const openDelivery = await deliveryOpener(sender.posts);
  const health = config.health && (await import("./health.ts")).openHealth(config.health, {
    clock,
    // A request that is under way is given up after its timeout; a disk may take its time, too.
    stuckAfterMs: destination.timeoutMs + 30_000,
    ledger: () => delivery.ledger,
    pendingBytes: () => delivery.pendingBytes,
    warn: console.warn,
  });
  const delivery = openDelivery({
    hide,
    clock: health?.clock ?? clock,
    random,
    limits: { maxPendingBytes: keep.maxPendingBytes, maxAgeMs: keep.maxAgeMs },
    store: spool?.store,
    whenDenied: isLoop(config) || spool !== undefined ? "wait" : "refuse",
  });
  if (health !== undefined) print(report.serving(health.url));
  delivery.adopt(spool?.left ?? []);
  let last: ((why: string) => readonly RunEvent[]) | undefined;
  const events = run({
    source: sender.source,
    records: sender.records,
    requests: sender.requests,
    delivery,
    clock,
    random,
    schedule,
    startDelayMs: startDelayMs(config, recording.source, random),
    figures,
    ...health && { pulse: health },
    keep,
    format,
    timeoutMs: destination.timeoutMs,
    review: async ({ requests, measured }, isFirst) => {
      const found = advice.untimely(measured, clock.wall());
      find(found, isFirst);
      if (isFirst) find(await advice.review(requests, clock.wall(), found));
    },
    stop,
    kill,
    forced: (lastEvents) => last = lastEvents,
  });
  system.lastWords((why) => {
    for (const event of last?.(why) ?? []) print(report.event(event));
    return last !== undefined;
  });
  const live = isLive(config, system)
    ? (await import("./live_line.ts")).liveLine(figures, () => delivery.ledger, console, system)
    : undefined;
  const plot = config.plot && (await import("./drawing.ts")).sendPlot(config, system);
  // Checked during the first send: the answer can take longer than the send.
  let ignored = config.source.kind === "sample" ? system.stdinHasData() : undefined;
  let exitCode = 1;
  try {
    for await (const event of events) {
      health?.event(event);
      live?.event(event);
      if (event.type === "send" && await ignored) console.warn(STDIN_IGNORED);
      if (event.type === "send") ignored = undefined;
      await report.prepare(event);
      print(report.event(event));
      if (plot !== undefined) print({ out: await plot(event), err: [] });
      if (event.type === "summary") exitCode = event.exitCode;
      await system.printed();
    }
  } finally {
    live?.close();
    health?.close();
  }
  return exitCode;
}

/** Whether more is sent after this send. A replay is a single run, in as many sends as it has requests. */
function isLoop({ schedule, source }: SendConfig): boolean {
  return schedule.loop && source.kind !== "replay";
}

/** Opens the measurement of a rising rate; undefined for a steady one. */
async function rampOf({ source, load: { sloMs = Infinity } }: SendConfig) {
  if (!("rate" in source) || typeof source.rate !== "object") return undefined;
  return new (await import("./ramp.ts")).Ramp(sloMs);
}

/** Opens the delivery over one connection, or over each of several. */
async function deliveryOpener(
  posts: readonly Post[],
): Promise<(dependencies: Omit<DeliveryDependencies, "post" | "shared">) => Delivering> {
  const [post, second] = posts;
  if (post === undefined) throw new RangeError("There is no connection");
  if (second === undefined) return (dependencies) => new Delivery({ ...dependencies, post });
  const { Lanes } = await import("../../delivery/lanes.ts");
  return (dependencies) =>
    new Lanes(
      posts.map((post) => (shared) => new Delivery({ ...dependencies, post, shared })),
    );
}

/** Shards that start together do not send together: each waits for some part of the interval. */
function startDelayMs(
  { schedule: { loop, intervalMs }, load: { share } }: SendConfig,
  source: Source,
  random: () => number,
): number {
  return share.of > 1 && loop && source !== emptySource ? random() * intervalMs : 0;
}

/** Whether a loop has a status line: it prints nothing for a while, or too much to read. Inputs have their own line. */
function isLive({ schedule, source, output }: SendConfig, { stderrIsTerminal }: System): boolean {
  const isFast = schedule.intervalMs === 0 || ("rate" in source && source.rate !== undefined) ||
    output.level === "quiet";
  return stderrIsTerminal && schedule.loop && isFast && source.kind !== "input";
}

/** The most measurements that are made beside a request under way: making them keeps everything else waiting. */
const MOST_AHEAD = 100_000;

/** Prepares the next send during the one before it, where generated data are sent as fast as possible. */
async function senderOf(
  { schedule, source }: SendConfig,
  sender: Sender,
  format: () => RequestFormat,
  clock: Clock,
): Promise<Sender> {
  const isFull = source.kind === "synthetic" && schedule.loop && schedule.intervalMs === 0 &&
    (source.count ?? source.series ?? 1) <= MOST_AHEAD;
  const { source: made } = sender;
  if (!isFull || made.kind !== "pull") return sender;
  const { Ahead } = await import("./ahead.ts");
  const ahead = new Ahead({ ...sender, source: made }, format, clock);
  return { source: ahead, records: sender.records, requests: ahead, posts: ahead.posts };
}

/** Reports the broken rules of a vendor; with --strict that ends the program before anything is sent. */
function tell(
  findings: readonly Finding[],
  { strict }: Pick<SendConfig, "strict">,
  console: Console,
): void {
  const texts = findings.map(findingText);
  if (strict && texts.length > 0) {
    throw new UsageError(`${texts.join("\n")}\nNothing was sent, because of --strict`);
  }
  texts.forEach(console.warn);
}

const STDIN_IGNORED = "standard input is a pipe or a file, but sample measurements are sent: " +
  "to send the measurements in it, add --input -";

/** Prints the request of one send, as OTLP/JSON, and sends nothing. */
async function dryRun(
  flags: SendFlags,
  variables: Variables,
  console: Console,
  system: System,
): Promise<number> {
  const config: DryRunConfig = dryRunConfig(flags, variables);
  const recording = await openRecording(config, system, console, { inOne: true });
  try {
    await recording.source.fill(recording.records, Infinity, system.stop);
    recording.source.close();
    recording.requests.finish();
    const { requests: [request], findings } = await recording.requests.produce({
      limits: ONE_REQUEST,
      compression: "none",
    });
    for (const finding of findings) {
      if (finding.type === "overflow") console.warn(overflowText(finding.overflow));
    }
    const { otlpJson } = await import("../../otlp/json.ts");
    console.print({ out: escapedLines(await otlpJson(request)), err: [] });
    if (config.plot !== undefined && request !== undefined) {
      const { dryRunPlot } = await import("./drawing.ts");
      // Standard output holds the one document, and nothing else.
      console.print({ out: [], err: await dryRunPlot(request, config.plot, system) });
    }
    const { invalid, broken, matchesNothing, unfinished } = recording.source.status;
    if (broken !== undefined) throw new UsageError(`The input broke off: ${broken}`);
    const progress = system.stop.aborted ? unfinished : undefined;
    if (progress !== undefined) console.error(cutShortText(progress));
    return invalid > 0 || matchesNothing || progress !== undefined ? 1 : 0;
  } finally {
    recording.close();
  }
}
