/**
 * Faults against four senders, side by side, as the Markdown table of docs/comparison.md:
 *
 *   PREDECESSOR=… TELEMETRYGEN=… OTLP_HISTOGRAM_BIN=… deno run -A bench/faults.ts
 *
 * A sender whose variable is not set is left out; this program runs from source when its own is not. Every sender has a
 * timeout of 3 seconds a request, and is killed after 20; after a SIGTERM, within 10, as Docker does it.
 */
import { fromBinary } from "@bufbuild/protobuf";
import {
  ExportMetricsServiceRequestSchema,
} from "../src/otlp/gen/opentelemetry/proto/collector/metrics/v1/metrics_service_pb.ts";
import { partialSuccess, rpcStatus } from "../tests/support/decode.ts";
import { gzip } from "../tests/support/gzip.ts";
import {
  type ExportAnswer,
  isTaken,
  type Receiver,
  type Reply,
  startReceiver,
} from "../tests/support/receiver.ts";
import { onWire, type WireResponse } from "../tests/support/wire_response.ts";
import { inTempFolder, machine, predecessor, table } from "./support.ts";

const MOST_MS = 20_000;
/** Duration of a loop, and of the receiver's absence in it. */
const LOOP_SECONDS = 10;
const AWAY_SECONDS = 5;

interface Fault {
  readonly name: string;
  readonly answers?: readonly ExportAnswer[];
  /** Whether nothing listens at the receiver's port. */
  readonly stopped?: boolean;
  /** Whether the sender loops with a send per second, while the receiver is away for a time; then SIGTERM. */
  readonly loop?: boolean;
  /** Whether the sender loops with a timeout of a minute per request; SIGTERM after the first request. */
  readonly signalled?: boolean;
  /** Whether standard output is a full disk. */
  readonly fullOutput?: boolean;
  /** Whether the directory of unsent data is removed during the first request; then SIGTERM. */
  readonly spoolRemoved?: boolean;
  /** Data points that the receiver rejects. */
  readonly rejects?: "some" | "all";
}

const PROTOBUF = { "content-type": "application/x-protobuf" };
const HTML = { "content-type": "text/html" };
const TEXT = { "content-type": "text/plain" };
const always = (answer: ExportAnswer) => Array.from({ length: 1000 }, () => answer);

/** Converts a response to the wire format of servers that are not ours. */
function wire(response: WireResponse): Reply {
  const reply = onWire(response, "HTTP/1.1 in chunks");
  if (reply === undefined) throw new Error("HTTP/1.1 cannot express it");
  return reply;
}

const GZIP = { "content-encoding": "gzip" };
const zipped = await gzip(new Uint8Array(partialSuccess(0, "a warning that goes unread")));
const zippedStatus = await gzip(new Uint8Array(rpcStatus(16, "no token")));

const FAULTS: readonly Fault[] = [
  { name: "200" },
  {
    name: "200 with `Content-Encoding: gzip` and no body",
    answers: [wire({ headers: GZIP })],
  },
  {
    name: "200 with a gzip body, cut off",
    answers: [wire({ headers: GZIP, body: zipped.subarray(0, zipped.length / 2) })],
  },
  {
    name: "200 with plain text under `Content-Encoding: gzip`",
    answers: [wire({ headers: GZIP, body: "{}" })],
  },
  { name: "202 with the text `OK`", answers: [{ status: 202, headers: TEXT, body: "OK" }] },
  { name: "204", answers: [204] },
  { name: "401", answers: always(401) },
  {
    name: "401 with a gzip body",
    answers: always(wire({ status: 401, headers: GZIP, body: zippedStatus })),
  },
  {
    name: "400 `http: request body too large`",
    answers: always({
      status: 400,
      headers: PROTOBUF,
      body: rpcStatus(3, "http: request body too large"),
    }),
  },
  { name: "404", answers: always(404) },
  { name: "503 once", answers: [503] },
  {
    name: "503 once, with a gzip body, cut off",
    answers: [wire({ status: 503, headers: GZIP, body: "\x1f" })],
  },
  { name: "503 for ever", answers: always(503) },
  {
    name: "429 with `Retry-After: 1` once",
    answers: [{ status: 429, headers: { "retry-after": "1" } }],
  },
  {
    name: "429 with `Retry-After: 60`",
    answers: always({ status: 429, headers: { "retry-after": "60" } }),
  },
  {
    name: "200, some points rejected",
    rejects: "some",
    answers: [{ headers: PROTOBUF, body: partialSuccess(1, "one is odd") }],
  },
  {
    name: "200, all points rejected",
    rejects: "all",
    answers: [
      ({ content }) => ({
        headers: PROTOBUF,
        body: partialSuccess(count(content).points, "all are odd"),
      }),
    ],
  },
  {
    name: "200 with a sign-in page",
    rejects: "all",
    answers: always({ headers: HTML, body: "<html><title>Sign in</title></html>" }),
  },
  { name: "redirect (307)", answers: [{ status: 307, headers: { location: "/elsewhere" } }] },
  { name: "refused", stopped: true },
  { name: "connection reset after the body, once", answers: ["reset-after-body"] },
  {
    name: "200 with half of its body",
    answers: [wire({ body: "only half of it", cut: true })],
  },
  { name: "no answer, once", answers: ["hang"] },
  {
    name: `receiver away for ${AWAY_SECONDS} s in a loop of ${LOOP_SECONDS} s, then SIGTERM`,
    loop: true,
  },
  { name: "SIGTERM while the receiver hangs", signalled: true, answers: always("hang") },
  { name: "standard output on a full disk (`/dev/full`)", fullOutput: true },
  {
    name: "the spool's folder removed, then SIGTERM",
    signalled: true,
    spoolRemoved: true,
    answers: always("hang"),
  },
];

interface Sender {
  readonly name: string;
  /** Builds the command line; `timeoutSeconds` applies per request. */
  readonly command: (url: string, loop: boolean, timeoutSeconds: number) => readonly string[];
  readonly env: (url: string, timeoutSeconds: number) => Readonly<Record<string, string>>;
  /** Directory where it keeps unsent data, if it can. */
  readonly spool?: string;
  /** Whether it ends its loop by itself, before the signal. */
  readonly endsItself?: boolean;
  /** Reads from its output how much it recorded in a loop, in its own unit. */
  readonly recorded: (output: string) => number;
  readonly counts: "points" | "measurements";
}

function senders(): readonly Sender[] {
  const old = predecessor();
  const telemetrygen = Deno.env.get("TELEMETRYGEN");
  const binary = Deno.env.get("OTLP_HISTOGRAM_BIN");
  const own = binary ? [binary] : [
    ...[Deno.execPath(), "run", "--quiet", "--no-prompt", "--allow-all"],
    new URL("../main.ts", import.meta.url).pathname,
  ];
  const matches = (text: string, what: RegExp) => [...text.matchAll(what)].length;
  return [
    ...old === undefined ? [] : [{
      name: "predecessor",
      command: (_: string, loop: boolean) => [...old, ...loop ? ["--loop", "--interval", "1"] : []],
      env: (url: string, timeoutSeconds: number) => ({
        DT_ENDPOINT: url,
        DT_API_TOKEN: "token",
        OTEL_EXPORTER_OTLP_TIMEOUT: String(timeoutSeconds),
        PYTHONUNBUFFERED: "1",
      }),
      recorded: (output: string) => 5 * matches(output, /Recording measurements/g),
      counts: "measurements" as const,
    }],
    {
      name: "OpenTelemetry JS",
      command: (url: string, loop: boolean) => [
        ...[Deno.execPath(), "run", "--quiet", "--allow-all"],
        new URL("stock_exporter.ts", import.meta.url).pathname,
        ...[url, ...loop ? [String(LOOP_SECONDS)] : []],
      ],
      env: () => ({}),
      recorded: (output: string) => Number(/recorded (\d+)/.exec(output)?.[1]),
      counts: "measurements" as const,
    },
    ...telemetrygen
      ? [{
        name: "telemetrygen",
        endsItself: true,
        command: (url: string, loop: boolean, timeoutSeconds: number) => [
          ...[telemetrygen, "metrics", "--otlp-http", "--otlp-insecure"],
          ...["--timeout", `${timeoutSeconds}s`],
          ...["--otlp-endpoint", new URL(url).host, "--metric-type", "Histogram"],
          ...["--aggregation-temporality", "delta", "--batch-size", "1"],
          ...loop
            ? ["--duration", `${LOOP_SECONDS}s`, "--allow-export-failures"]
            : ["--metrics", "1"],
        ],
        env: () => ({}),
        recorded: (output: string) => matches(output, /exported batch|exporter failed/g),
        counts: "points" as const,
      }]
      : [],
    {
      name: "otlp-histogram",
      command: (url: string, loop: boolean, timeoutSeconds: number) => [
        ...[...own, "--endpoint", url, "--timeout", String(timeoutSeconds), "--retry-for", "8"],
        ...["--spool", SPOOL],
        ...loop ? ["--loop", "--interval", "1"] : [],
      ],
      env: () => ({}),
      spool: SPOOL,
      recorded: (output: string) => Number(/Delivered \d+ of (\d+)/.exec(output)?.[1]),
      counts: "measurements" as const,
    },
  ];
}

const SPOOL = "spool";
/** Time that Docker gives a container to stop. */
const DOCKER_MS = 10_000;

interface Outcome {
  readonly delivered: string;
  readonly judgeReport: string;
  readonly exit: string;
}

async function run(fault: Fault, sender: Sender, cwd: string): Promise<Outcome> {
  await using receiver = await startReceiver({ answers: fault.answers ?? [] });
  if (fault.stopped) await receiver.stop();
  if (fault.spoolRemoved && sender.spool === undefined) {
    return { delivered: "–", judgeReport: "it keeps nothing", exit: "–" };
  }
  const timeoutSeconds = fault.signalled ? 60 : 3;
  const isLoop = fault.loop ?? fault.signalled ?? false;
  const words = sender.command(receiver.url, isLoop, timeoutSeconds);
  const [command = "", ...args] = fault.fullOutput
    ? ["sh", "-c", '"$@" > /dev/full', "sh", ...words]
    : words;
  const child = new Deno.Command(command, {
    args,
    cwd,
    clearEnv: true,
    env: {
      PATH: Deno.env.get("PATH") ?? "",
      HOME: Deno.env.get("HOME") ?? "",
      ...sender.env(receiver.url, timeoutSeconds),
    },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const pid = { killed: false, ended: false };
  const timer = setTimeout(() => {
    pid.killed = true;
    child.kill("SIGKILL");
  }, MOST_MS);
  const outage = fault.loop
    ? receiverAway(receiver, sender.endsItself ? undefined : child, pid)
    : fault.signalled
    ? stopped(receiver, child, pid, fault.spoolRemoved ? `${cwd}/${sender.spool}` : undefined)
    : Promise.resolve();
  const output = await child.output();
  pid.ended = true;
  clearTimeout(timer);
  await outage;
  const kept = sender.spool === undefined ? false : await takeAway(`${cwd}/${sender.spool}`);
  const decoder = new TextDecoder();
  const all = `${decoder.decode(output.stdout)}\n${decoder.decode(output.stderr)}`;
  // telemetrygen prints its configuration, in which the word failures stands.
  const text = all.replaceAll(/^.*starting the metrics generator.*$/gm, "");
  if (Deno.env.get("SHOW")) {
    console.error(`== ${fault.name} / ${sender.name}: ${output.code}\n${text}`);
  }
  const accepted = receiver.requests.filter(isTaken);
  const took = accepted.reduce((sum, { content }) => sum + count(content)[sender.counts], 0);
  const recorded = fault.loop ? sender.recorded(text) : NaN;
  const whole = fault.rejects === undefined && (fault.loop ? took >= recorded : took > 0);
  return {
    delivered: fault.loop
      ? `${took} of ${recorded}`
      : fault.rejects === "some"
      ? "in part"
      : fault.rejects === "all" || took === 0
      ? kept ? "no: kept" : "no"
      : accepted.length > 1
      ? `${accepted.length} times`
      : "yes",
    judgeReport: said(whole, output.code, text, pid.killed),
    exit: !pid.killed
      ? String(output.code)
      : fault.signalled
      ? `killed ${DOCKER_MS / 1000} s after SIGTERM`
      : `killed after ${MOST_MS / 1000} s`,
  };
}

/** Stops a sender as `docker stop` does after the first request; `remove` is a directory to remove before. */
async function stopped(
  receiver: Receiver,
  child: Deno.ChildProcess,
  pid: { killed: boolean; readonly ended: boolean },
  remove: string | undefined,
): Promise<void> {
  await receiver.waitForRequests(1).catch(() => {});
  if (remove !== undefined) await Deno.remove(remove, { recursive: true });
  if (pid.ended) return;
  child.kill("SIGTERM");
  const until = performance.now() + DOCKER_MS;
  while (!pid.ended && performance.now() < until) await new Promise((done) => setTimeout(done, 50));
  if (pid.ended) return;
  pid.killed = true;
  child.kill("SIGKILL");
}

/** Removes a spool; returns whether it held a request. */
async function takeAway(spool: string): Promise<boolean> {
  const names: string[] = [];
  for await (const { name } of Deno.readDir(spool)) names.push(name);
  await Deno.remove(spool, { recursive: true });
  return names.some((name) => name.endsWith(".otlp"));
}

async function receiverAway(
  receiver: Receiver,
  child: Deno.ChildProcess | undefined,
  pid: { readonly ended: boolean },
): Promise<void> {
  const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
  await wait(2500);
  await receiver.stop();
  await wait(AWAY_SECONDS * 1000);
  await receiver.restart();
  await wait((LOOP_SECONDS - AWAY_SECONDS) * 1000 - 2500);
  if (!pid.ended) child?.kill("SIGTERM");
}

const FAILURE =
  /fail|error|reject|not delivered|refused|timed out|unable|unavailable|unauthorized/i;
const SUCCESS = /✓|successfully/;

/** Judges whether exit code and output report the outcome. */
function said(delivered: boolean, code: number, text: string, killed: boolean): string {
  if (killed) return "no";
  if (delivered && /write to standard output/i.test(text)) return "yes, and that its output is not";
  if (delivered) return code === 0 || code >= 128 ? "yes" : "no: it was delivered";
  // A process that a signal ends has no exit code of its own.
  if (code !== 0 && code < 128) return "yes";
  if (SUCCESS.test(text)) return "no: it prints success";
  return FAILURE.test(text) ? "in its log alone" : "no: not a word";
}

const FATES = new Map([["yes", "delivered"], ["no", "lost"], ["no: kept", "kept"]]);
const REPORTS = new Map([
  ["no: it was delivered", "reported as lost"],
  ["no: it prints success", "prints success"],
  ["no: not a word", "silent"],
  ["no", "silent"],
  ["in its log alone", "in its log"],
]);

/** Cell of the table in docs/comparison.md: what became of the data, what the sender reported, and its exit code. */
function outcomeCell(
  { delivered, judgeReport, exit }: Awaited<ReturnType<typeof run>>,
): string {
  if (delivered === "–") return "–";
  const fate = FATES.get(delivered) ?? delivered;
  const report = REPORTS.get(judgeReport) ?? "reported";
  const isPlain = fate === "delivered" && report === "reported";
  return `${isPlain ? fate : `${fate}, ${report}`} (${exit})`;
}

function count(content: Uint8Array): { readonly points: number; readonly measurements: number } {
  let [points, measurements] = [0, 0];
  for (
    const { scopeMetrics } of fromBinary(ExportMetricsServiceRequestSchema, content).resourceMetrics
  ) {
    for (const { data } of scopeMetrics.flatMap(({ metrics }) => metrics)) {
      if (data.case !== "histogram") continue;
      points += data.value.dataPoints.length;
      measurements += data.value.dataPoints.reduce((sum, point) => sum + Number(point.count), 0);
    }
  }
  return { points, measurements };
}

if (import.meta.main) {
  const all = senders();
  const head = ["fault", ...all.map(({ name }) => name)];
  const rows: string[][] = [];
  await inTempFolder(async (cwd) => {
    for (const fault of FAULTS) {
      const outcomes = await Promise.all(all.map((sender) => run(fault, sender, cwd)));
      rows.push([
        fault.name,
        ...outcomes.map(outcomeCell),
      ]);
    }
  });
  console.log(table([head, ...rows]));
  console.log(`\n${await machine()}`);
}
