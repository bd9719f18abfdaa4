import type { Endpoint } from "../../http/endpoint.ts";
import { explain } from "../../receivers/dynatrace/explain.ts";
import { failureHint, statusHint, wantsHttps, wordsHint } from "../../http/hints.ts";
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

/** Statuses that come from something other than an OTLP receiver, or in front of it. */
const NOT_THE_RECEIVER = [404, 405, 407, 502, 503, 504];
/** Statuses with which a receiver rejects a request whatever it holds. */
const REFUSALS = [401, 403, 413, 415, 429];

type AnsweredPost = Extract<PostResult, { answer: ExportAnswer }>;

/**
 * Whether a response is neither success nor a known rejection: a receiver may just not accept a request without data.
 */
export function isUndecidedAnswer(result: PostResult): boolean {
  if (!("answer" in result)) return false;
  const { status } = result.reply;
  return !isSuccess(status) && !isPlainToTls(result) && (status < 300 || status >= 400) &&
    status < 500 && !NOT_THE_RECEIVER.includes(status) && !REFUSALS.includes(status);
}

/** Whether the server says that it received plain HTTP on a port for TLS. */
function isPlainToTls({ reply, answer }: AnsweredPost): boolean {
  return reply.status === 400 && wantsHttps(messageIn(answer));
}

/** Judges the step `http`: whether there is an OTLP receiver at this URL. */
export function judgeHttp(result: PostResult, endpoint: Endpoint, now: number): Step {
  const url = endpoint.shown;
  const posted = `POST ${url}`;
  if (!("answer" in result)) {
    const { message, cause } = result.reply;
    const hint = failureHint(result.reply, endpoint);
    // The waiting time is among the facts.
    const detail = cause === "timeout" ? "no answer in time" : message;
    return withFacts(failedStep(detail, hint), { url }, `${posted}: ${message}`);
  }
  const { reply, answer } = result;
  const { status, headers } = reply;
  const server = oneLine(headers.get("server") ?? "", 100);
  const facts = { url, status, ...server !== "" && { server } };
  const from = server === "" ? "" : `, server ${server}`;
  const skew = skewHint(headers.get("date"), now);
  const hint = statusHint(status, headers, endpoint, messageIn(answer));
  const isRedirect = status >= 300 && status < 400;
  if (
    isRedirect || NOT_THE_RECEIVER.includes(status) || isPlainToTls(result) ||
    (isSuccess(status) && answer.kind === "refused")
  ) {
    const to = isRedirect ? headers.get("location") : null;
    const where = to === null ? "" : `, to ${oneLine(redirectTarget(to, endpoint))}`;
    const step = failedStep(messageWithoutStatus(answer, status) + where, hint, skew);
    return withFacts(step, facts, `${posted} -> ${messageIn(answer)}${where}${from}`);
  }
  if (isUndecidedAnswer(result) && !isOtlp(reply)) {
    const what = "an HTTP server answers; whether it is an OTLP receiver cannot be told";
    return withFacts(undecidedStep(what, skew), facts, `${posted}: ${what}${from}`);
  }
  // A later step reports a rejection; here it is just not a success.
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

/** Returns the receiver's message with its status: `401 Unauthorized: …`. */
function messageIn(answer: ExportAnswer): string {
  return "message" in answer ? answer.message : "";
}

/** Returns the receiver's message without its status, which is a fact of its own. */
function messageWithoutStatus(answer: ExportAnswer, status: number): string {
  const text = messageIn(answer).replace(new RegExp(`^${status}[ ,:]*`), "");
  return text === "" ? "refused" : text;
}

const MOST_SKEW_MS = 600_000;

/** Hint about a wrong clock: Dynatrace accepts data points from an hour ago to ten minutes ahead. */
function skewHint(date: string | null, now: number): string | undefined {
  const theirs = parseHttpDate(date ?? "", now);
  const skew = now - theirs;
  if (Number.isNaN(theirs) || Math.abs(skew) <= MOST_SKEW_MS) return undefined;
  const minutes = Math.round(Math.abs(skew) / 60_000);
  return `this machine's clock is ${minutes} minutes ${
    skew > 0 ? "ahead of" : "behind"
  } the receiver's (its Date header): data points may be refused for their time; set the clock right`;
}

/** Judges the step `token`: a receiver answers 401 or 403 to a wrong one. */
export function judgeToken(
  result: AnsweredPost,
  endpoint: Endpoint,
  token: "sent" | "none",
): Step {
  const { status } = result.reply;
  if (status === 401 || status === 403) return rejectedStep(result, endpoint);
  if (token === "none") return passedStep("none is sent, and none was asked for");
  return isUndecidedAnswer(result)
    ? undecidedStep("not refused, but the answer does not tell that it is right")
    : passedStep("not refused");
}

/** Judges the step `ingest` for the empty request. */
export function judgeIngest(result: AnsweredPost, endpoint: Endpoint): Step {
  const { reply: { status, headers }, answer } = result;
  if (answer.kind === "accepted") {
    return judgeAccepted("an empty request", status, answer, endpoint);
  }
  if (!isUndecidedAnswer(result)) return rejectedStep(result, endpoint);
  const what = "it cannot be told from an empty request, which was answered with";
  return withFacts(
    undecidedStep(
      `${what}: ${messageWithoutStatus(answer, status)}`,
      "a receiver may refuse a request without data, and a wrong path may be answered so, too: check --canary sends " +
        "one measurement, which tells",
      statusHint(status, headers, endpoint, messageIn(answer)),
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
): Step {
  if (unseen?.kind === "not-otlp") {
    const step = undecidedStep(
      `${what} was answered as a success, but ${unseen.why}`,
      `check that ${endpoint.shown} is an OTLP receiver: its response to a success is empty, protobuf or OTLP/JSON`,
    );
    return withFacts(step, { status });
  }
  const addition = warning === undefined ? "" : `, with a warning: ${warning}`;
  const open = unseen === undefined ? [] : [unseenText(unseen)];
  return withFacts(passedStep(`${what} was accepted${addition}`, ...open, ...hints), { status });
}

function unseenOf(answer: ExportAnswer): Unseen | undefined {
  return answer.kind === "accepted" ? answer.unseen : undefined;
}

function rejectedStep(
  { reply: { status, headers }, answer }: AnsweredPost,
  endpoint: Endpoint,
): Step {
  // A receiver that rejects points with a 2xx is one: nothing is wrong with the URL.
  const hint = answer.kind === "partial"
    ? undefined
    : statusHint(status, headers, endpoint, messageIn(answer));
  return withFacts(
    failedStep(messageWithoutStatus(answer, status), hint),
    { status },
    messageIn(answer),
  );
}

/** Judges the step `ingest` for a sample measurement, which has to be accepted. */
export function judgeCanary(
  result: PostResult,
  metric: string,
  endpoint: Endpoint,
  where: readonly string[],
): Step {
  const what = `one sample measurement of ${metric}`;
  if (!("answer" in result)) {
    return failedStep(`${what}: ${result.reply.message}`, failureHint(result.reply, endpoint));
  }
  const { reply: { status, headers }, answer } = result;
  if (answer.kind === "accepted") {
    const hints = [...where, ...explain(answer.warning ?? "")];
    return judgeAccepted(what, status, answer, endpoint, hints);
  }
  // A hint that names the status says what an explanation would say once more.
  const hint = answer.kind === "partial"
    ? wordsHint(answer.message)
    : statusHint(status, headers, endpoint, messageIn(answer));
  const hints = hint === undefined ? explain(answer.message) : [hint];
  return withFacts(
    failedStep(`${what} was not accepted: ${messageWithoutStatus(answer, status)}`, ...hints),
    { status },
    `${what} was not accepted: ${messageIn(answer)}`,
  );
}
