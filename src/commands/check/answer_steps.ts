import type { Endpoint } from "../../http/endpoint.ts";
import { wantsHttps } from "../../http/hints.ts";
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
import { failed, passed, type Step, undecided, withFacts } from "./step.ts";

/** A receiver's answer to the empty request, or why there is none; the steps http, token and ingest look at it. */
export type Answered =
  | { readonly reply: Failure }
  | { readonly reply: Reply; readonly answer: ExportAnswer };

/** `now` in ms since 1970. */
export async function answered(
  reply: Reply | Failure,
  now: number,
  hide: Hide,
): Promise<Answered> {
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

type Reached = Extract<Answered, { answer: ExportAnswer }>;

/** Tells whether a response is neither a success nor a known refusal: a receiver may just reject an empty request. */
export function isUndecided(response: Answered): boolean {
  if (!("answer" in response)) return false;
  const { status } = response.reply;
  return !isSuccess(status) && !isPlainToTls(response) && (status < 300 || status >= 400) &&
    status < 500 && !NOT_THE_RECEIVER.includes(status) && !REFUSALS.includes(status);
}

/** Plain HTTP was sent to a port for TLS, and its server has said so. */
function isPlainToTls({ reply, answer }: Reached): boolean {
  return reply.status === 400 && wantsHttps(messageOf(answer));
}

/** The step `http`: is there an OTLP receiver at this URL at all? */
export function judgeHttp(response: Answered, receiver: CheckedReceiver, now: number): Step {
  const { endpoint, explainer } = receiver;
  const url = endpoint.shown;
  const posted = `POST ${url}`;
  if (!("answer" in response)) {
    const { message, cause } = response.reply;
    const hint = explainer.hint(response.reply, endpoint);
    // The time it took is among the facts.
    const detail = cause === "timeout" ? "no answer in time" : message;
    return withFacts(failed(detail, hint), { url }, `${posted}: ${message}`);
  }
  const { reply, answer } = response;
  const { status, headers } = reply;
  const server = oneLine(headers.get("server") ?? "", 100);
  const facts = { url, status, ...server !== "" && { server } };
  const from = server === "" ? "" : `, server ${server}`;
  const skew = skewHint(headers.get("date"), now, endpoint.profile);
  const hint = explainer.hint(reply, endpoint, messageOf(answer));
  const isRedirect = status >= 300 && status < 400;
  if (
    isRedirect || NOT_THE_RECEIVER.includes(status) || isPlainToTls(response) ||
    (isSuccess(status) && answer.kind === "refused")
  ) {
    const to = isRedirect ? headers.get("location") : null;
    const where = to === null ? "" : `, to ${oneLine(redirectTarget(to, endpoint))}`;
    const step = failed(words(answer, status) + where, hint, skew);
    return withFacts(step, facts, `${posted} -> ${messageOf(answer)}${where}${from}`);
  }
  if (isUndecided(response) && !isOtlp(reply)) {
    const what = "an HTTP server answers; whether it is an OTLP receiver cannot be told";
    return withFacts(undecided(what, skew), facts, `${posted}: ${what}${from}`);
  }
  // A later step reports what a receiver refuses; here it is not a success.
  const isKnown = isSuccess(status) && unseenOf(answer) === undefined;
  const what = isKnown ? "an OTLP receiver answers" : "a receiver answers";
  const text = isSuccess(status) ? `${posted} -> ${status}` : `${posted}: ${what}`;
  return withFacts(passed(what, skew), facts, text + from);
}

/** Errors of an OTLP receiver carry a Status, in the form of the request (OTLP specification, "Failures"). */
function isOtlp({ headers }: Reply): boolean {
  return /^application\/x-protobuf\b/i.test(headers.get("content-type") ?? "");
}

/** Without its query, which may hold a token of somebody's sign-in. */
function redirectTarget(location: string, endpoint: Endpoint): string {
  const target = URL.parse(location, endpoint.url);
  return target === null ? "somewhere" : `${target.origin}${target.pathname}`;
}

/** Returns the message of the receiver with its status: `401 Unauthorized: …`. */
function messageOf(answer: ExportAnswer): string {
  return "message" in answer ? answer.message : "";
}

/** Returns the message without the status, which is a fact of its own. */
function words(answer: ExportAnswer, status: number): string {
  const text = messageOf(answer).replace(new RegExp(`^${status}(, but)?[ ,:]*`), "");
  return text === "" ? "refused" : text;
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
  } the receiver's (its Date header): data points may be refused for their time; set the clock right`;
}

/** The step `token`: 401 and 403 are what a receiver answers to a wrong one. */
export function judgeToken(response: Reached, receiver: CheckedReceiver, sent: boolean): Step {
  const { status } = response.reply;
  if (status === 401 || status === 403) return refused(response, receiver);
  if (!sent) return passed("none is sent, and none was asked for");
  return isUndecided(response)
    ? undecided("not refused, but the answer does not tell that it is right")
    : passed("not refused");
}

/** The step `ingest` for the empty request. */
export function judgeIngest(response: Reached, receiver: CheckedReceiver): Step {
  const { endpoint, explainer } = receiver;
  const { reply, answer } = response;
  const { status } = reply;
  if (answer.kind === "accepted") {
    return judgeAccepted("an empty request", status, answer, endpoint);
  }
  if (!isUndecided(response)) return refused(response, receiver);
  const what = "it cannot be told from an empty request, which was answered with";
  return withFacts(
    undecided(
      `${what}: ${words(answer, status)}`,
      "a receiver may refuse a request without data, and a wrong path may be answered so, too: check --canary sends " +
        "one measurement, which tells",
      explainer.hint(reply, endpoint, messageOf(answer)),
    ),
    { status },
    `${what} ${messageOf(answer)}`,
  );
}

/** A success; undecided when the body is readable and not OTLP: any web server may answer so. */
function judgeAccepted(
  what: string,
  status: number,
  { warning, unseen }: Extract<ExportAnswer, { kind: "accepted" }>,
  endpoint: Endpoint,
  hints: readonly string[] = [],
): Step {
  if (unseen?.kind === "not-otlp") {
    const step = undecided(
      `${what} was answered as a success, but ${unseen.why}`,
      `check that ${endpoint.shown} is an OTLP receiver: its response to a success is empty, protobuf or OTLP/JSON`,
    );
    return withFacts(step, { status });
  }
  const warned = warning === undefined ? "" : `, with a warning: ${warning}`;
  const open = unseen === undefined ? [] : [unseenText(unseen)];
  return withFacts(passed(`${what} was accepted${warned}`, ...open, ...hints), { status });
}

function unseenOf(answer: ExportAnswer): Unseen | undefined {
  return answer.kind === "accepted" ? answer.unseen : undefined;
}

function refused(
  { reply, answer }: Reached,
  { endpoint, explainer }: CheckedReceiver,
): Step {
  const { status } = reply;
  // A receiver that rejects points with a 2xx is one: nothing is wrong with the URL.
  const hint = answer.kind === "partial"
    ? undefined
    : explainer.hint(reply, endpoint, messageOf(answer));
  return withFacts(failed(words(answer, status), hint), { status }, messageOf(answer));
}

/** The step `ingest` for a sample measurement: nothing but its being accepted will do. */
export function judgeCanary(
  response: Answered,
  stored: StoredMetric,
  { endpoint, explainer }: CheckedReceiver,
): Step {
  const what = `one sample measurement of ${stored.metric}`;
  if (!("answer" in response)) {
    return failed(`${what}: ${response.reply.message}`, explainer.hint(response.reply, endpoint));
  }
  const { reply, answer } = response;
  const { status } = reply;
  if (answer.kind === "accepted") {
    const hints = [...explainer.whereToLook(stored), ...explainer.reasons(answer.warning ?? "")];
    return judgeAccepted(what, status, answer, endpoint, hints);
  }
  // A hint that names the status says what an explanation would say once more.
  const trouble = answer.kind === "partial" ? undefined : reply;
  const hint = explainer.hint(trouble, endpoint, messageOf(answer));
  const hints = hint === undefined ? explainer.reasons(answer.message) : [hint];
  return withFacts(
    failed(`${what} was not accepted: ${words(answer, status)}`, ...hints),
    { status },
    `${what} was not accepted: ${messageOf(answer)}`,
  );
}
