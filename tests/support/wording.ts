import { like, type Line, type Output, repeated } from "./lines.ts";

// Lines that the program prints in many fixtures: a fixture adds only its own.

/** `{secretUrl}` of a fixture as it may be shown. */
export const SHOWN_URL = "http://***:***@127.0.0.1:PORT/v1/metrics?key=***";
export const PLAIN_URL = "http://127.0.0.1:PORT/v1/metrics";

/** Lines of one send of the sample before its outcome is known. */
export function beforeSend(url: string = PLAIN_URL): readonly string[] {
  return before(url, "sample measurements");
}

/** Lines of one send that another receiver than Dynatrace has accepted. */
export function afterSend(measurements = 5): readonly string[] {
  return [`✓ Metrics exported successfully! Sent ${measurements} measurements.`];
}

/** Beginning of the warning about the sample, in text and in JSON. */
export const SAMPLES = "The measurements are built-in samples";
export const OWN =
  ". To send your own, use --value N, --input FILE, or --input - to read from a pipe";

/** All that one accepted send of the sample prints. */
export function sentOnce(url: string = PLAIN_URL): readonly string[] {
  return [...beforeSend(url), ...afterSend(), SAMPLES];
}

/** As `sentOnce`, to Dynatrace, where a user is told where to look. */
export function sentToDynatrace(url: string): readonly Line[] {
  return [
    ...beforeSend(url),
    ...afterSend(),
    SAMPLES + OWN,
    "",
    "Note: Check Dynatrace UI for the metric 'http.server.duration'",
    "",
    "Where to look in Dynatrace:",
    repeated(/^ {2}\S/, 1),
  ];
}

/** First lines of one send of the user's own measurements. */
export function beforeSendOfOwn(url: string = PLAIN_URL): readonly string[] {
  return before(url, "measurements");
}

function before(url: string, what: string): readonly string[] {
  return [
    `Sending histogram metrics to: ${url}`,
    `Recording ${what}...`,
    "Measurements recorded. Waiting for export...",
  ];
}

/** Lines of a loop before its first send. */
export function loopHeading(seconds: number, url: string = SHOWN_URL): readonly string[] {
  return [
    `Sending histogram metrics to: ${url}`,
    `Running in loop mode (sending every ${seconds} seconds)`,
    "Press Ctrl+C to stop...",
    SAMPLES,
    "",
  ];
}

export const recording = (iteration: number) =>
  `[TIME] Iteration ${iteration}: Recording measurements...`;
export const SENT = "[TIME] ✓ Sent 5 measurements";
/** Lines after the first signal. */
export const STOPPING = ["", "", "Stopping... Flushing final metrics..."] as const;

/** Figures at the end of a load test; the latency only where a request was answered. */
export const LOAD: readonly Line[] = [
  repeated(/^Rate: [\d,.]+ points\/s in [\d,.]+ requests\/s, over [\d,.]+ s$/),
  repeated(
    /^Latency of requests: p50 [\d,.]+ ms, p90 [\d,.]+ ms, p99 [\d,.]+ ms, max [\d,.]+ ms$/,
  ),
];

/** The last lines of a loop; `rest`: what became of those that were not delivered. */
export function loopEnd(
  delivered: number,
  recorded: number,
  sends: number,
  rest = "",
): readonly Line[] {
  const count = sends === 1 ? "1 send" : `${sends} sends`;
  return [
    `Delivered ${delivered} of ${recorded} measurements in ${count}${rest}.`,
    "Shutdown complete.",
  ];
}

/** All that a loop prints in which so many sends were accepted. */
export function loopOf(seconds: number, sends: number, url?: string): readonly Line[] {
  return [
    ...loopHeading(seconds, url),
    ...Array.from({ length: sends }, (_, i) => [recording(i + 1), SENT]).flat(),
    ...loopEnd(5 * sends, 5 * sends, sends),
  ];
}

/** The line of JSON of an accepted send, with what is different about it; keys in their order. */
export function sendJson(different: Readonly<Record<string, unknown>> = {}): string {
  return JSON.stringify({
    type: "send",
    time: "TIME",
    iteration: 1,
    measurements: 5,
    points: 3,
    outcome: "accepted",
    attempts: 1,
    status: 200,
    bytes: "N",
    durationMs: "N",
    rejectedPoints: 0,
    possiblyDuplicated: false,
    message: null,
    ...different,
  });
}

/** The line of JSON at the end, as `sendJson`. */
export function summaryJson(different: Readonly<Record<string, unknown>> = {}): string {
  return JSON.stringify({
    type: "summary",
    recorded: 5,
    delivered: 5,
    rejected: 0,
    dropped: 0,
    pending: 0,
    invalid: 0,
    skipped: 0,
    rejectedPoints: 0,
    sends: 1,
    exitCode: 0,
    elapsedMs: "N",
    requests: 1,
    points: 3,
    bytes: "N",
    latencyMs: "N",
    startTime: "TIME",
    latencyHistogram: "N",
    shard: null,
    ...different,
  });
}

/** `latencyMs` where no request was answered. */
export const NOT_ANSWERED = { p50: null, p90: null, p99: null, max: null } as const;

/** Lines of JSON of any number of sends, and the summary; what is in them is the fixture's own to check. */
export const SENDS_AND_SUMMARY: Output = [
  repeated(like({ type: /^(send|late)$/ })),
  like({ type: "summary" }),
];

/** The words of a loss, behind the number of measurements. */
const LOST = "measurements not delivered and lost: ";

/** The line about five measurements that are lost when the program ends; the reason whole, or a part of it. */
export function lostLine(why: string): string;
export function lostLine(why?: RegExp): RegExp;
export function lostLine(why: string | RegExp = /^/): string | RegExp {
  return after(`ERROR: 5 ${LOST}`, why);
}

/** The message of that line, as JSON has it. */
export function lostMessage(measurements = 5, why: RegExp = /^/): RegExp {
  return new RegExp(`^${measurements} ${LOST}.*(?:${unanchored(why)})`, why.flags);
}

/** Lines about measurements that the receiver has refused for good. */
export function notDelivered(why: string | RegExp, hint?: RegExp): readonly Line[] {
  const line = after("ERROR: 5 measurements not delivered: ", why);
  return hint === undefined ? [line] : [line, hinted(hint)];
}

/** The message about a 2xx whose body could not be read, with its reason. */
export function unseenMessage(why: RegExp): RegExp {
  return new RegExp(
    `^accepted with status \\d+, but a partial success could not have been seen: .*(?:${
      unanchored(why)
    })`,
  );
}

/** The message about measurements of which the receiver rejected a part, with its reason. */
export function partialMessage(why: RegExp, measurements = 5): RegExp {
  return new RegExp(`^${measurements} measurements only partly accepted: .*(?:${unanchored(why)})`);
}

/** The line on standard error that carries a message, as text. */
export function textOf(kind: "WARNING" | "ERROR", message: RegExp): RegExp {
  return new RegExp(`^${kind}: ${message.source.replace(/^\^/, "")}`, message.flags);
}

function after(start: string, rest: string | RegExp): string | RegExp {
  return typeof rest === "string"
    ? start + rest
    : new RegExp(`^${start}.*(?:${unanchored(rest)})`, rest.flags);
}

/** The beginning of a reason is not that of its line. */
function unanchored({ source }: RegExp): string {
  return source.replace(/^\^/, "");
}

function hinted(hint: RegExp): RegExp {
  return new RegExp(`^ {2}Hint: .*(?:${hint.source})`);
}

/** Note that nobody named the service of data from outside, on standard error; tests/behaviour/identity_test.ts holds it. */
export const SERVICE_NOTE =
  "The data is sent as service.name=unknown_service:otlp-histogram. Name your service with --service.";

/** Removes that note, in either form, from what was written to standard error. */
export function withoutServiceNote(stderr: string): string {
  return stderr.replace(`NOTE: ${SERVICE_NOTE}\n`, "")
    .replace(`${JSON.stringify({ type: "note", message: SERVICE_NOTE })}\n`, "");
}
