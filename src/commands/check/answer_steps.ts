import type { Endpoint } from "../../http/endpoint.ts";
import { requiresHttps } from "../../http/hints.ts";
import {
  type ExportAnswer,
  isSuccess,
  readExportAnswer,
  type Unseen,
} from "../../delivery/export_answer.ts";
import { unseenText } from "../../delivery/result.ts";
import { parseHttpDate } from "../../delivery/retry_after.ts";
import { oneLine } from "../../console/escape.ts";
import type { Hide } from "../../redact/secrets.ts";
import type { Failure, Reply } from "../../http/reply.ts";
import type { Explainer, ReceiverProfile, StoredMetric } from "../../receivers/profile.ts";
import { failedStep, passedStep, type Step, undecidedStep, withFacts } from "./step.ts";

/** Response to a request of `check`, or the failure to get one; the steps http, token and ingest judge it. */
export type PostResult =
  | { readonly reply: Failure }
  | { readonly reply: Reply; readonly answer: ExportAnswer };

/** Reads the response to a request. `now` is in ms since 1970. */
export async function readPostResult(
  reply: Reply | Failure,
  now: number,
  hide: Hide,
): Promise<PostResult> {
  if (reply.kind === "failure") return { reply };
  return { reply, answer: await readExportAnswer(reply, now, hide) };
}

/** Statuses that no OTLP receiver sends, or that something in front of it sends. */
const NOT_THE_RECEIVER = [404, 405, 407, 502, 503, 504];
/** Statuses of a receiver that refuses a request whatever it holds. */
const REFUSALS = [401, 403, 413, 415, 429];

/** Receiver that is checked, and the explanations of its responses. */
export interface CheckedReceiver {
  readonly endpoint: Endpoint<ReceiverProfile>;
  readonly explainer: Explainer;
}

type Reached = Extract<PostResult, { answer: ExportAnswer }>;

/** Tells whether a response is neither a success nor a known refusal: a receiver may just reject an empty request. */
export function isUndecidedAnswer(response: PostResult): boolean {
  if (!("answer" in response)) return false;
  const { status } = response.reply;
  return !isSuccess(status) && !isPlainToTls(response) && (status < 300 || status >= 400) &&
    status < 500 && !NOT_THE_RECEIVER.includes(status) && !REFUSALS.includes(status);
}

/** Plain HTTP was sent to a port for TLS, and its server has said so. */
function isPlainToTls({ reply, answer }: Reached): boolean {
  return reply.status === 400 && requiresHttps(messageIn(answer));
}

/** The step `http`: is there an OTLP receiver at this URL at all? */
export function judgeHttp(response: PostResult, receiver: CheckedReceiver, now: number): Step {
  const { endpoint, explainer } = receiver;
  const url = endpoint.shown;
  const posted = `POST ${url}`;
  if (!("answer" in response)) {
    const { message, cause } = response.reply;
    const hint = explainer.hint(response.reply, endpoint);
    // The time it took is among the facts.
    const detail = cause === "timeout" ? "no response in time" : message;
    return withFacts(failedStep(detail, hint), { url }, `${posted}: ${message}`);
  }
  const { reply, answer } = response;
  const { status, headers } = reply;
  const server = oneLine(headers.get("server") ?? "", 100);
  const facts = { url, status, ...server !== "" && { server } };
  const from = server === "" ? "" : `, server ${server}`;
  const skew = skewHint(headers.get("date"), now, endpoint.profile);
  const hint = explainer.hint(reply, endpoint, messageIn(answer));
  const isRedirect = status >= 300 && status < 400;
  if (
    isRedirect || NOT_THE_RECEIVER.includes(status) || isPlainToTls(response) ||
    (isSuccess(status) && answer.kind === "refused")
  ) {
    const to = isRedirect ? headers.get("location") : null;
    const where = to === null ? "" : `, to ${oneLine(redirectTarget(to, endpoint))}`;
    const step = failedStep(messageWithoutStatus(answer, status) + where, hint, skew);
    return withFacts(step, facts, `${posted} -> ${messageIn(answer)}${where}${from}`);
  }
  if (isUndecidedAnswer(response) && !isOtlp(reply)) {
    const what = "an HTTP server answers; it may not be an OTLP receiver";
    return withFacts(undecidedStep(what, skew), facts, `${posted}: ${what}${from}`);
  }
  // A later step reports what a receiver refuses; here it is not a success.
  const isKnown = isSuccess(status) && unseenOf(answer) === undefined;
  const what = isKnown ? "an OTLP receiver answers" : "a receiver answers";
  const text = isSuccess(status) ? `${posted} -> ${status}` : `${posted}: ${what}`;
  return withFacts(passedStep(what, skew), facts, text + from);
}

/**
 * Whether an error comes from an OTLP receiver: it carries a Status in the form of the request (OTLP specification,
 * "Failures").
 */
function isOtlp({ headers }: Reply): boolean {
  return /^application\/x-protobuf\b/i.test(headers.get("content-type") ?? "");
}

/** Formats the target of a redirect without its query, which may hold a token. */
function redirectTarget(location: string, endpoint: Endpoint): string {
  const target = URL.parse(location, endpoint.url);
  return target === null ? "somewhere" : `${target.origin}${target.pathname}`;
}

/** Returns the message of the receiver with its status: `401 Unauthorized: …`. */
function messageIn(answer: ExportAnswer): string {
  return "message" in answer ? answer.message : "";
}

/** Returns the message without the status, which is a fact of its own. */
function messageWithoutStatus(answer: ExportAnswer, status: number): string {
  const text = messageIn(answer).replace(new RegExp(`^${status}(, but)?[ ,:]*`), "");
  return text === "" ? "rejected" : text;
}

/** Warns of a wrong clock, which loses data points. */
function skewHint(
  date: string | null,
  now: number,
  { maxSkewMs }: ReceiverProfile,
): string | undefined {
  const theirs = parseHttpDate(date ?? "", now);
  const skew = now - theirs;
  if (Number.isNaN(theirs) || Math.abs(skew) <= maxSkewMs) return undefined;
  const minutes = Math.round(Math.abs(skew) / 60_000);
  return `this machine's clock is ${minutes} minutes ${
    skew > 0 ? "ahead of" : "behind"
  } the receiver's (its Date header): data points may be rejected for their time; correct the clock`;
}

/** The step `token`: 401 and 403 are what a receiver answers to a wrong one. */
export function judgeToken(response: Reached, receiver: CheckedReceiver, sent: boolean): Step {
  const { status } = response.reply;
  if (status === 401 || status === 403) return rejectedStep(response, receiver);
  if (!sent) return passedStep("none is sent, none was required");
  return isUndecidedAnswer(response)
    ? undecidedStep("not rejected, but the response does not confirm it")
    : passedStep("not rejected");
}

/** The step `ingest` for the empty request. */
export function judgeIngest(response: Reached, receiver: CheckedReceiver): Step {
  const { endpoint, explainer } = receiver;
  const { reply, answer } = response;
  const { status } = reply;
  if (answer.kind === "accepted") {
    return judgeAccepted("an empty request", status, answer, endpoint, [NOT_STORED], [TRY_CANARY]);
  }
  if (!isUndecidedAnswer(response)) return rejectedStep(response, receiver);
  const what = "unknown: the receiver answered the empty test request with";
  return withFacts(
    undecidedStep(
      `${what}: ${messageWithoutStatus(answer, status)}`,
      `some receivers reject requests without data, and a wrong path may look the same. ${TRY_CANARY}`,
      explainer.hint(reply, endpoint, messageIn(answer)),
    ),
    { status },
    `${what} ${messageIn(answer)}`,
  );
}

/** Judges a success. It is undecided if the body is readable and not OTLP: any web server may answer like that. */
function judgeAccepted(
  what: string,
  status: number,
  { warning, unseen }: Extract<ExportAnswer, { kind: "accepted" }>,
  endpoint: Endpoint,
  hints: readonly string[] = [],
  undecidedHints: readonly string[] = [],
): Step {
  if (unseen?.kind === "not-otlp") {
    const step = undecidedStep(
      `${what} was answered as a success, but ${unseen.why}`,
      `check that ${endpoint.shown} is an OTLP receiver: its response to a success is empty, protobuf or OTLP/JSON`,
      ...undecidedHints,
    );
    return withFacts(step, { status });
  }
  const warned = warning === undefined ? "" : `, with a warning: ${warning}`;
  const open = unseen === undefined ? [] : [unseenText(unseen)];
  return withFacts(passedStep(`${what} was accepted${warned}`, ...open, ...hints), { status });
}

function unseenOf(answer: ExportAnswer): Unseen | undefined {
  return answer.kind === "accepted" ? answer.unseen : undefined;
}

function rejectedStep(
  { reply, answer }: Reached,
  { endpoint, explainer }: CheckedReceiver,
): Step {
  const { status } = reply;
  // A receiver that rejects points with a 2xx is one: nothing is wrong with the URL.
  const hint = answer.kind === "partial"
    ? undefined
    : explainer.hint(reply, endpoint, messageIn(answer)) ?? faultHint(status);
  return withFacts(
    failedStep(messageWithoutStatus(answer, status), hint),
    { status },
    messageIn(answer),
  );
}

/** Remedy for a fault of the receiver that nothing explains. */
function faultHint(status: number): string | undefined {
  return status >= 500
    ? "the receiver, or a server before it, failed while it processed the request: read its log"
    : undefined;
}

/** Remedy for a doubt that an empty request leaves. */
const TRY_CANARY = "Run check --canary to send one measurement";
/** Limits of what an accepted request proves. */
const NOT_STORED =
  `an empty request does not prove that data is accepted, stored and visible. ${TRY_CANARY}, ` +
  "or verify to query the backend for the data";
const NOT_VISIBLE =
  "this does not prove that it is visible. Run verify to query the backend for the data";

/** Judges the step `ingest` for a sample measurement, which has to be accepted. */
export function judgeCanary(
  response: PostResult,
  stored: StoredMetric,
  { endpoint, explainer }: CheckedReceiver,
): Step {
  const what = `one sample measurement of ${stored.metric}`;
  if (!("answer" in response)) {
    return failedStep(
      `${what}: ${response.reply.message}`,
      explainer.hint(response.reply, endpoint),
    );
  }
  const { reply, answer } = response;
  const { status } = reply;
  if (answer.kind === "accepted") {
    const hints = [
      ...explainer.reasons(answer.warning ?? ""),
      NOT_VISIBLE,
      ...explainer.whereToLook([stored], endpoint),
    ];
    return judgeAccepted(what, status, answer, endpoint, hints);
  }
  // A hint that names the status says what an explanation would say once more.
  const trouble = answer.kind === "partial" ? undefined : reply;
  const hint = explainer.hint(trouble, endpoint, messageIn(answer)) ?? faultHint(status);
  const hints = hint === undefined ? explainer.reasons(answer.message) : [hint];
  return withFacts(
    failedStep(`${what} was not accepted: ${messageWithoutStatus(answer, status)}`, ...hints),
    { status },
    `${what} was not accepted: ${messageIn(answer)}`,
  );
}
