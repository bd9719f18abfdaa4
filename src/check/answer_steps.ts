import type { Endpoint } from "../config/endpoint.ts";
import { failureHint, statusHint } from "../http/hints.ts";
import { type ExportAnswer, readExportAnswer } from "../delivery/export_answer.ts";
import { oneLine } from "../base/escape.ts";
import type { Hide } from "../base/secrets.ts";
import type { Failure, Reply } from "../http/reply.ts";
import { failed, passed, type Step } from "./step.ts";

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

/** What no OTLP receiver answers, or something in front of it. */
const NOT_THE_RECEIVER = [404, 405, 407, 502, 503, 504];

/** The step `http`: is there an OTLP receiver at this URL at all? */
export function judgeHttp(it: Answered, endpoint: Endpoint, now: number): Step {
  if (!("answer" in it)) {
    return failed(it.reply.message, failureHint(it.reply, endpoint));
  }
  const { reply, answer } = it;
  const { status, headers } = reply;
  const server = headers.get("server");
  const from = server === null ? "" : `, server ${oneLine(server, 100)}`;
  const detail = `POST ${endpoint.url.pathname} -> ${said(answer, status)}${from}`;
  const skew = skewHint(headers.get("date"), now);
  if (status >= 300 && status < 400) {
    const to = headers.get("location");
    const where = to === null ? "" : `, to ${oneLine(redirectTarget(to, endpoint))}`;
    return failed(detail + where, statusHint(status, headers, endpoint), skew);
  }
  if (NOT_THE_RECEIVER.includes(status) || (status === 200 && answer.kind === "refused")) {
    return failed(detail, statusHint(status, headers, endpoint), skew);
  }
  return passed(detail, skew);
}

/** Without its query, which may hold a token of somebody's sign-in. */
function redirectTarget(location: string, endpoint: Endpoint): string {
  const target = URL.parse(location, endpoint.url);
  return target === null ? "somewhere" : `${target.origin}${target.pathname}`;
}

function said(answer: ExportAnswer, status: number): string {
  return "message" in answer && answer.message !== "" ? answer.message : String(status);
}

const MOST_SKEW_MS = 600_000;

/** Dynatrace takes data points from an hour ago to ten minutes ahead: a wrong clock loses them. */
function skewHint(date: string | null, now: number): string | undefined {
  const theirs = Date.parse(date ?? "");
  const skew = now - theirs;
  if (Number.isNaN(theirs) || Math.abs(skew) <= MOST_SKEW_MS) return undefined;
  const minutes = Math.round(Math.abs(skew) / 60_000);
  return `this machine's clock is ${minutes} minutes ${
    skew > 0 ? "ahead of" : "behind"
  } the receiver's (its Date header): data points may be refused for their time; set the clock right`;
}

/** The step `token`: 401 and 403 are what a receiver answers to a wrong one. */
export function judgeToken(
  it: Extract<Answered, { answer: ExportAnswer }>,
  endpoint: Endpoint,
  sent: boolean,
): Step {
  const { reply, answer } = it;
  if (reply.status === 401 || reply.status === 403) {
    return failed(said(answer, reply.status), statusHint(reply.status, reply.headers, endpoint));
  }
  return passed(sent ? "not refused" : "none is sent, and none was asked for");
}

/** The step `ingest` for the empty request. */
export function judgeIngest(
  it: Extract<Answered, { answer: ExportAnswer }>,
  endpoint: Endpoint,
): Step & { readonly inconclusive: boolean } {
  const { reply, answer } = it;
  if (answer.kind === "accepted") {
    const warning = answer.warning === undefined ? "" : `, with a warning: ${answer.warning}`;
    return { ...passed(`an empty request was accepted${warning}`), inconclusive: false };
  }
  if (reply.status === 400) {
    const step = passed(
      `inconclusive: an empty request was answered with ${said(answer, 400)}`,
      "a receiver may refuse a request without data: check --canary sends one measurement",
    );
    return { ...step, inconclusive: true };
  }
  const hint = statusHint(reply.status, reply.headers, endpoint);
  return { ...failed(said(answer, reply.status), hint), inconclusive: false };
}
