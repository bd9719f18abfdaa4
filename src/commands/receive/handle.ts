import type { Clock } from "../../platform/clock.ts";
import type { DataPoint } from "../../otlp/data_points.ts";
import { RequestMeaning } from "../../receivers/meaning/request.ts";
import type { Judge } from "../../receivers/profile.ts";
import { errorResponse, type ReceiverAnswer, successResponse } from "./response.ts";
import { discard, readRequestBody, type ReceiveLimits, tooLargeMessage } from "./body.ts";
import { createDecoder, type Decoded } from "./decoder.ts";
import { refusalOf, type Refused } from "./refused.ts";
import type { Outcome, RequestEvent } from "./event.ts";
import { Semaphore } from "./semaphore.ts";
import type { Scripted } from "./script.ts";
import type { Exam } from "./exam.ts";
import { examAnswer } from "./exam_answer.ts";
import { grpcAnswer, grpcMessage, isGrpc } from "./grpc.ts";
import { contentFormat, type Format, mediaOf } from "./media.ts";
import { isMetricsPath, pathOf, pathRemedy } from "./request_path.ts";
import { type TokenReader, tokenRefusal } from "./token.ts";

/** Rules by which a receiver answers requests. */
export interface HandlerOptions {
  /** Reads the Authorization value that requests must carry; undefined accepts every request. */
  readonly token: TokenReader | undefined;
  /** Scripted responses to the first requests, in order of arrival. */
  readonly respond: readonly Scripted[];
  /** Exam that answers requests with troubles; undefined judges all of them. */
  readonly exam?: Exam | undefined;
  readonly judge: Judge;
  readonly limits: ReceiveLimits;
  readonly clock: Clock;
}

/** Response to a request, and the event that reports it. */
export interface Handled {
  readonly event: RequestEvent;
  readonly response: ReceiverAnswer;
}

type RequestHead = Pick<RequestEvent, "time" | "method" | "path">;

/** Creates the function that answers requests; `stop` ends the reading of bodies. */
export function createHandler(
  options: HandlerOptions,
  stop: AbortSignal,
): (request: Request) => Promise<Handled> {
  const { limits, clock } = options;
  const script = options.respond.values();
  const bodies = new Semaphore(limits.bodies);
  const large = new Semaphore(limits.largeBodies);
  const decode = createDecoder(options.judge, limits);
  const meaning = new RequestMeaning();

  return async (request) => {
    const about = { time: clock.wall(), method: request.method, path: pathOf(request.url) };
    const arrivedAt = clock.monotonic();
    const scripted = isExport(about) ? script.next().value ?? JUDGE : JUDGE;
    const format = contentFormat(request.headers) ?? "protobuf";
    const answerRefusal = (bytes: number, refused: Refused) =>
      refusedAnswer(about, bytes, refused, format);
    if (isGrpc(about.path, request.headers)) {
      const message = grpcMessage(request.url);
      const { event, response } = answerRefusal(
        await discard(request.body),
        refusalOf(415, "grpc", message),
      );
      const answer = grpcAnswer(request.headers, message);
      return answer === undefined
        ? { event, response }
        : { event: { ...event, status: answer.status }, response: answer };
    }
    const head = mediaOf(request.headers, limits.body);
    const refused = scripted.kind === "judge"
      ? checkHead(about, request, head, limits) ?? await tokenRefusal(request, options.token)
      : undefined;
    if (refused !== undefined) return answerRefusal(await discard(request.body), refused);
    // A scripted answer is given whatever came, and what cannot be read is not shown.
    const media = head.outcome === "taken" ? head.media : { format, encoding: undefined };
    const leave = await bodies.enter();
    try {
      const body = await readRequestBody(request.body, limits, large, stop);
      if (body.outcome !== "read") {
        return answerRefusal(body.length, refuseBody(body.outcome, limits));
      }
      const decoded = await decode(body.bytes, media).finally(body.release);
      if (scripted.kind !== "judge") {
        const answer = scriptedAnswer(about, body.bytes.length, decoded, scripted, format);
        return withMeaning(answer, meaning);
      }
      const bytes = body.bytes.length;
      if (decoded.outcome === "refused") return answerRefusal(bytes, decoded);
      const examination = options.exam?.examine(decoded, arrivedAt);
      const handled = examination === undefined
        ? judgedAnswer(about, bytes, decoded, format)
        : examAnswer({ ...about, bytes }, decoded, examination, format);
      return withMeaning(handled, meaning);
    } finally {
      leave();
    }
  };
}

const JUDGE: Scripted = { kind: "judge" };

function isExport(about: RequestHead): boolean {
  return about.method === "POST" && isMetricsPath(about.path);
}

/** Refuses a request by its head alone, if there is a reason. */
function checkHead(
  about: RequestHead,
  request: Request,
  head: ReturnType<typeof mediaOf>,
  limits: ReceiveLimits,
): Refused | undefined {
  if (!isMetricsPath(about.path)) {
    return refusalOf(404, "path", pathRemedy(request.url));
  }
  if (about.method !== "POST") {
    return refusalOf(405, "method", `${about.method} is not allowed: send metrics with POST`);
  }
  if (head.outcome === "refused") return head;
  if (Number(request.headers.get("Content-Length") ?? 0) > limits.body.bytes) {
    return refuseBody("too-large", limits);
  }
  return undefined;
}

function refuseBody(
  outcome: "too-large" | "too-late" | "broken" | "stopped",
  limits: ReceiveLimits,
): Refused {
  switch (outcome) {
    case "too-large":
      return refusalOf(413, limits.body.tooLarge.rule, tooLargeMessage(limits, "the body"));
    case "too-late":
      return refusalOf(408, "body-time", `the body took more than ${limits.bodyMs / 1000} seconds`);
    case "broken":
      return refusalOf(null, "body-broken", "the connection broke before the body was complete");
    case "stopped":
      return refusalOf(503, "stopped", "the receiver ended before the body was complete");
  }
}

const NONE: ReadonlySet<DataPoint> = new Set();

const NOTHING = {
  points: 0,
  measurements: 0,
  rejectedPoints: 0,
  rejected: NONE,
  request: undefined,
};

/** Creates the response to a request that is refused before its data are looked at. */
export function refusedAnswer(
  about: RequestHead,
  bytes: number,
  refused: Refused,
  format: Format = "protobuf",
): Handled {
  const { status, rule, message } = refused;
  const headers: Record<string, string> = { ...refused.headers };
  if (status === 405) headers["Allow"] = "POST";
  // The rest of such a body is not read.
  if (status === 408 || status === 413) headers["Connection"] = "close";
  return {
    event: {
      ...about,
      ...NOTHING,
      status,
      outcome: status === null ? "unanswered" : "rejected",
      bytes,
      problems: [{ rule, level: "error", metric: "", message }],
    },
    // Without a status nobody is left to read it.
    response: errorResponse(status ?? 400, message, headers, format),
  };
}

function scriptedAnswer(
  about: RequestHead,
  bytes: number,
  decoded: Decoded,
  scripted: Exclude<Scripted, { kind: "judge" }>,
  format: Format,
): Handled {
  const held = decoded.outcome === "refused" ? NOTHING : {
    points: decoded.verdict.points,
    measurements: decoded.verdict.measurements,
    rejectedPoints: 0,
    rejected: NONE,
    request: decoded.request,
  };
  const event = { ...about, ...held, bytes, problems: [] };
  if (scripted.kind === "hang") {
    return {
      event: { ...event, status: null, outcome: "unanswered" },
      response: { kind: "hang", whenLeft() {} },
    };
  }
  const { status, retryAfter } = scripted;
  const headers: Record<string, string> = {};
  if (retryAfter !== undefined) headers["Retry-After"] = String(retryAfter);
  // Every exporter takes any 2xx for a success.
  const isSuccess = status < 300;
  return {
    event: { ...event, status, outcome: isSuccess ? "accepted" : "rejected" },
    response: isSuccess
      ? successResponse(undefined, format, { status, headers })
      : errorResponse(status, `scripted response ${status}`, headers, format),
  };
}

function judgedAnswer(
  about: RequestHead,
  bytes: number,
  decoded: Extract<Decoded, { outcome: "decoded" }>,
  format: Format,
): Handled {
  const { request, verdict } = decoded;
  const { problems, points, measurements, rejectedPoints, rejected, status, message } = verdict;
  const response = status !== 200 ? errorResponse(status, message, {}, format) : successResponse(
    // A partial success that rejects nothing carries warnings (OTLP specification).
    rejectedPoints === 0 && message === ""
      ? undefined
      : { rejectedDataPoints: rejectedPoints, errorMessage: message },
    format,
  );
  let outcome: Outcome = "accepted";
  if (status !== 200 || (rejectedPoints > 0 && rejectedPoints === points)) outcome = "rejected";
  else if (rejectedPoints > 0) outcome = "partial";
  const event = {
    ...about,
    ...{ points, measurements, rejectedPoints, rejected, request, bytes, problems },
    status,
    outcome,
  };
  return { event, response };
}

/** Adds the problems of meaning, which are those of accepted data points. */
function withMeaning({ event, response }: Handled, meaning: RequestMeaning): Handled {
  const { outcome, request, rejected, problems } = event;
  if (request === undefined || (outcome !== "accepted" && outcome !== "partial")) {
    return { event, response };
  }
  return {
    event: { ...event, problems: [...problems, ...meaning.add(request, rejected)] },
    response,
  };
}
