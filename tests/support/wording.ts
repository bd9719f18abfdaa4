import { like, type Line, type Output, repeated } from "./lines.ts";

// What the program prints whenever all is well or not, in one place: a fixture adds only what is its own.

/** `{secretUrl}` of a fixture as it may be shown. */
export const SHOWN_URL = "http://***:***@127.0.0.1:PORT/v1/metrics?key=***";
export const PLAIN_URL = "http://127.0.0.1:PORT/v1/metrics";

/** What one send of the sample prints before it is known what becomes of it. */
export function beforeSend(url: string = PLAIN_URL): readonly string[] {
  return before(url, "sample measurements");
}

/** What one send prints that was accepted by another receiver than Dynatrace. */
export function afterSend(measurements = 5): readonly string[] {
  return [`✓ Metrics exported successfully! Sent ${measurements} measurements.`];
}

/** What is said of the sample, in text and in JSON. */
export const SAMPLES = "The measurements are samples that this program makes up";
export const OWN =
  ": send your own with --value N, with --input FILE or, from a pipe, with --input -";

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

/** What one send of measurements that were named prints first. */
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

/** What a loop prints before its first send. */
export function loopHeading(
  seconds: number,
  url: string = SHOWN_URL,
  samples = true,
): readonly string[] {
  return [
    `Sending histogram metrics to: ${url}`,
    `Running in loop mode (sending every ${seconds} seconds)`,
    "Press Ctrl+C to stop...",
    ...samples ? [SAMPLES] : [],
    "",
  ];
}

export const recording = (iteration: number) =>
  `[TIME] Iteration ${iteration}: Recording measurements...`;
export const SENT = "[TIME] ✓ Sent 5 measurements";
/** What follows the first signal. */
export const STOPPING = ["", "", "Stopping... Flushing final metrics..."] as const;

/** What a load tester wants to know; the latency only where a request was answered. */
export const LOAD: readonly Line[] = [
  repeated(/^Rate: [\d,.]+ points\/s in [\d,.]+ requests\/s, over [\d,.]+ s$/),
  repeated(
    /^Latency of requests: p50 [\d,.]+ ms, p90 [\d,.]+ ms, p99 [\d,.]+ ms, greatest [\d,.]+ ms$/,
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
    ...LOAD,
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

/** That line, and its hint. */
export function lost(why: string | RegExp, hint: RegExp = /./): readonly Line[] {
  return [after(`ERROR: 5 ${LOST}`, why), hinted(hint)];
}

/** What the receiver has refused for good. */
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
  return new RegExp(`^${measurements} measurements taken only in part: .*(?:${unanchored(why)})`);
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
