import type { Advice } from "../../receivers/profile.ts";
import type { Sender } from "./ahead.ts";
import type { Clock } from "../../platform/clock.ts";
import { type SendConfig, sendConfig } from "../send_config.ts";
import { conventionsFor } from "../../aggregate/metric_config.ts";
import { outputConfig } from "../../settings/output_config.ts";
import type { Delivering } from "../../delivery/delivering.ts";
import { Delivery, type DeliveryDependencies } from "../../delivery/delivery.ts";
import { addKnownSecrets } from "../../http/known_secrets.ts";
import { readCredentials } from "../../http/credentials.ts";
import type { Credentials } from "../../http/exchange.ts";
import { findingText } from "../../receivers/finding.ts";
import { endpointFindings, RECEIVERS } from "../../receivers/profiles.ts";
import { readVariables } from "../../settings/dotenv_file.ts";
import { UsageError } from "../../platform/errors.ts";
import type { System } from "../../platform/system.ts";
import { type RequestFormat, withByteLimit } from "../../otlp/request.ts";
import { resolvePath } from "../../platform/paths.ts";
import type { Post } from "../../http/reply.ts";
import type { Health } from "./health.ts";
import { reporter } from "./report/report.ts";
import { reportContext } from "./report/report_context.ts";
import { run } from "./run.ts";
import type { RunEvent } from "./run_event.ts";
import { RequestFigures } from "./request_figures.ts";
import { type SendFlags, variablesOf } from "../../settings/settings.ts";
import { openRecording, type Recording } from "../../source/open.ts";
import { emptySource, type Source } from "../../source/source.ts";
import { Console } from "../../console/console.ts";
import type { Spool } from "../../delivery/spool/spool.ts";
import type { PointRate } from "../../source/generate/load_config.ts";
import { serviceNote } from "./service_note.ts";
import { tellFindings } from "./tell_findings.ts";
import { openTransport, type Transport } from "../../http/transport.ts";
import { USER_AGENT } from "../../platform/version.ts";

/** Changes that another command makes to a send. */
export interface SendChanges {
  /** Changes the configuration that the settings make. */
  readonly configure: (config: SendConfig) => SendConfig;
  /** Puts something around each connection. */
  readonly around: (post: Post) => Post;
  /** Whether to warn and send without a spool that another process uses, or that is damaged. */
  readonly isSpoolOptional: boolean;
  /** Command whose variables are read. */
  readonly command: "send" | "exec";
}

const UNCHANGED: SendChanges = {
  configure: (config) => config,
  around: (post) => post,
  isSpoolOptional: false,
  command: "send",
};

/** The command `send`; resolves to its exit status. Throws a UsageError for settings that make no sense. */
export async function runSend(
  flags: SendFlags,
  system: System,
  { configure, around, isSpoolOptional, command } = UNCHANGED,
): Promise<number> {
  const console = new Console(system, outputConfig(flags));
  const use = command === "send" ? "own" : "shared";
  const variables = variablesOf(command, await readVariables(flags.envFile, system, use));
  addKnownSecrets(system.secrets, flags, variables, system.env);
  if (flags.dryRun) {
    return await (await import("./dry_run.ts")).dryRun(flags, variables, console, system);
  }
  const config = configure(
    sendConfig(flags, variables, system.env, await conventionsFor(flags)),
  );
  await inspectHost(config, console);
  const credentials = await readCredentials(config.destination, RECEIVERS.tokens, system);
  const transports = await openTransports(config, credentials, system);
  const opened = await openKept(config, system, isSpoolOptional);
  const spool = "store" in opened ? opened : undefined;
  const recording = await openRecording(
    config,
    system,
    console,
    {
      // With --strict everything is checked before anything is sent.
      inOne: config.strict && !config.schedule.loop,
      isLive: config.schedule.loop,
      intervalMs: config.schedule.loop ? config.schedule.intervalMs : undefined,
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
  const warnings = [...config.warnings, ...opened.warnings];
  try {
    return await sending({ ...config, warnings }, {
      credentials,
      posts: transports.map(({ post }) => around(post)),
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
async function inspectHost(config: SendConfig, console: Console): Promise<void> {
  const { endpoint } = config.destination;
  const findings = await endpointFindings(endpoint, "own-host");
  const fatal = findings.filter(({ level }) => level === "error").map(findingText);
  if (fatal.length > 0) throw new UsageError(`${fatal.join("\n")}\nNothing was sent`);
  // The preflight of a vendor's profile reports them with the rest of the configuration.
  if (endpoint.profile.vendor === undefined) tellFindings(findings, config, console);
}

/** The spool, loaded only when it is asked for, or just the warning why it cannot be used. */
async function openKept(
  { keep, source }: SendConfig,
  system: System,
  isOptional: boolean,
): Promise<Spool | { readonly warnings: readonly string[] }> {
  if (keep.spool === undefined) return { warnings: [] };
  const { value } = keep.spool;
  const { openSpool } = await import("../../delivery/spool/spool.ts");
  const opening = openSpool(resolvePath(system.cwd, value), value, system.clock);
  const spool = await opening.catch((thrown: unknown) => {
    if (!isOptional || !(thrown instanceof UsageError)) throw thrown;
    return { unusable: `${thrown.message}. The data is sent without it` };
  });
  if (!("unusable" in spool)) return spool;
  if (source.kind === "spool") throw new UsageError(spool.unusable);
  return { warnings: [spool.unusable] };
}

/** Everything that a send opens, and closes at its end. */
interface Opened {
  readonly credentials: Credentials;
  readonly posts: readonly Post[];
  readonly spool: Spool | undefined;
  readonly recording: Recording;
  readonly console: Console;
}

/** Send that is ready to start. */
interface Session extends Opened {
  readonly config: SendConfig;
  readonly system: System;
  readonly advice: Advice;
  readonly report: ReturnType<typeof reporter>;
  readonly figures: RequestFigures;
}

/** Delivery of a send, with the sender of its requests. */
interface Outgoing {
  readonly sender: Sender;
  /** How requests are encoded for now. */
  readonly format: () => RequestFormat;
  readonly delivery: Delivering;
  readonly health: Health | undefined;
}

async function sending(config: SendConfig, opened: Opened, system: System): Promise<number> {
  const { console, recording: { metrics }, credentials } = opened;
  config.warnings.forEach(console.warn);
  const advice = await config.destination.endpoint.profile
    .preflight({ ...config, credentials, metrics });
  tellFindings(advice.findings, config, console);
  const hidden = metrics.map((name) => system.secrets.hide(name));
  const report = reporter(reportContext(config, hidden), advice);
  console.print(report.start());
  const figures = new RequestFigures(system.clock);
  const session: Session = { ...opened, config, system, advice, report, figures };
  const outgoing = await openOutgoing(session);
  const { health } = outgoing;
  if (health !== undefined) console.print(report.serving(health.url));
  return await reportRun(startRun(session, outgoing, await runner(opened)), session, outgoing);
}

/** Function that makes the run: one for all sources, and one for data points at a rate. */
async function runner({ recording: { points } }: Pick<Opened, "recording">): Promise<typeof run> {
  if (points === undefined || points.lanes.length === 0) return run;
  const { pointRun } = await import("./point_rate/point_run.ts");
  return (dependencies) => pointRun(points, dependencies);
}

/** Opens the delivery, with what an earlier process left in the spool, and the health endpoints that watch it. */
async function openOutgoing(
  { config, system, console, posts, spool, recording }: Session,
): Promise<Outgoing> {
  const { destination: { endpoint, compression, timeoutMs }, keep } = config;
  const { clock, random, secrets } = system;
  const format = (): RequestFormat => ({
    limits: withByteLimit(delivery.largestRequest, endpoint.profile.limits),
    compression,
  });
  const sender = await senderOf(config, { ...recording, posts }, format, clock);
  const openDelivery = await deliveryOpener(sender.posts, config.load.pointRate);
  const health = config.health && (await import("./health.ts")).openHealth(config.health, {
    clock,
    // A request that is under way is given up after its timeout; a disk may also be slow.
    stuckAfterMs: timeoutMs + 30_000,
    ledger: () => delivery.ledger,
    pendingBytes: () => delivery.pendingBytes,
    warn: console.warn,
  });
  const delivery = openDelivery({
    hide: (text) => secrets.hide(text),
    clock: health?.clock ?? clock,
    random,
    limits: { maxPendingBytes: keep.maxPendingBytes, maxAgeMs: keep.maxAgeMs },
    store: spool?.store,
    whenDenied: isLoop(config) || spool !== undefined ? "wait" : "refuse",
  });
  delivery.adopt(spool?.left ?? []);
  return { sender, format, delivery, health };
}

/** Starts the run; its last events are printed even where the process has to be ended by force. */
function startRun(
  { config, system, console, advice, report, figures, recording }: Session,
  { sender: { source, records, requests }, format, delivery, health }: Outgoing,
  start: typeof run,
): AsyncGenerator<RunEvent> {
  const { schedule, keep, destination: { timeoutMs } } = config;
  const { clock, random, stop, kill } = system;
  const noteService = serviceNote(recording, console);
  let last: ((why: string) => readonly RunEvent[]) | undefined;
  const events = start({
    source,
    records,
    requests,
    phase: recording.phase,
    delivery,
    clock,
    random,
    schedule,
    startDelayMs: startDelayMs(config, recording.source, random),
    figures,
    ...health && { pulse: health },
    keep,
    format,
    timeoutMs,
    review: async ({ requests, measured }, isFirst) => {
      noteService();
      // Once something was sent, a finding no longer ends the program.
      const rules = { strict: config.strict && isFirst };
      const found = advice.untimely(measured, clock.wall());
      tellFindings(found, rules, console);
      if (isFirst) tellFindings(await advice.review(requests, clock.wall(), found), rules, console);
    },
    stop,
    kill,
    forced: (lastEvents) => last = lastEvents,
  });
  system.lastWords((why) => {
    for (const event of last?.(why) ?? []) console.print(report.event(event));
    return last !== undefined;
  });
  return events;
}

/** Prints each event of a run, and passes it to whatever else follows the run; resolves to the exit code. */
async function reportRun(
  events: AsyncGenerator<RunEvent>,
  { config, system, console, report, figures, recording }: Session,
  { delivery, health }: Outgoing,
): Promise<number> {
  const live = isLive(config, system)
    ? (await import("./live_line.ts")).liveLine(
      figures,
      { ledger: () => delivery.ledger, phase: recording.phase },
      console,
      system,
    )
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
      console.print(report.event(event));
      if (plot !== undefined) console.print({ out: await plot(event), err: [] });
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

/** Opens the delivery over one connection, or over each of several. */
async function deliveryOpener(
  posts: readonly Post[],
  pointRate: PointRate | undefined,
): Promise<(dependencies: Omit<DeliveryDependencies, "post" | "shared">) => Delivering> {
  const [post, second] = posts;
  if (post === undefined) throw new RangeError("There is no connection");
  const open = pointRate?.isRising
    ? (await import("../../delivery/one_try.ts")).openOneTry
    : (dependencies: DeliveryDependencies) => new Delivery(dependencies);
  if (second === undefined) return (dependencies) => open({ ...dependencies, post });
  const { Lanes } = await import("../../delivery/lanes.ts");
  return (dependencies) =>
    new Lanes(
      posts.map((post) => (shared) => open({ ...dependencies, post, shared })),
    );
}

/** Shards that start together do not send together: each waits for some part of the interval. */
function startDelayMs(
  { schedule: { loop, intervalMs }, load: { share, pointRate } }: SendConfig,
  source: Source,
  random: () => number,
): number {
  // The requests of a point rate come by turns as they are.
  return share.of > 1 && pointRate === undefined && loop && source !== emptySource
    ? random() * intervalMs
    : 0;
}

/** Whether a loop has a status line: it prints nothing for a while, or too much to read. Inputs have their own line. */
function isLive(
  { schedule, source, output, load: { pointRate } }: SendConfig,
  { stderrIsTerminal }: System,
): boolean {
  const isFast = schedule.intervalMs === 0 || pointRate !== undefined ||
    ("rate" in source && source.rate !== undefined) ||
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

const STDIN_IGNORED = "standard input is a pipe or a file, but sample measurements are sent: " +
  "to send the measurements in it, add --input -";
