import type { RequestEvent } from "./event.ts";
import type { Decoded } from "./decoder.ts";
import type { Examination } from "./exam.ts";
import { CONTENT_TYPES, type Format } from "./media.ts";
import { errorResponse, type ReceiverAnswer, successResponse } from "./response.ts";
import { dataPointsOf, metricsIn } from "../../otlp/data_points.ts";

const NONE: RequestEvent["rejected"] = new Set();

type DecodedRequest = Extract<Decoded, { outcome: "decoded" }>;

/**
 * Answers a request as an exam wants it, whatever the judge says of it: the problems that the judge finds are
 * reported, but reject nothing.
 */
export function examAnswer(
  about: Pick<RequestEvent, "time" | "method" | "path" | "bytes">,
  { request, verdict }: DecodedRequest,
  { trouble, givenUp }: Examination,
  format: Format,
): { readonly event: RequestEvent; readonly response: ReceiverAnswer } {
  const { points, measurements, problems } = verdict;
  const base = {
    ...about,
    points,
    measurements,
    problems,
    request,
    rejectedPoints: 0,
    rejected: NONE,
  };
  const headers = { "Content-Type": CONTENT_TYPES[format] };
  switch (trouble.kind) {
    case "status": {
      const { status, retryAfter } = trouble;
      const wait = retryAfter === undefined ? {} : { "Retry-After": String(retryAfter) };
      return {
        event: { ...base, status, outcome: "rejected" },
        response: errorResponse(status, `exam: ${status}`, wait, format),
      };
    }
    case "partial": {
      const rejected = [...metricsIn(request)].flatMap(dataPointsOf).slice(0, 1);
      const isAll = points === 1;
      return {
        event: {
          ...base,
          status: 200,
          outcome: isAll ? "rejected" : "partial",
          rejectedPoints: 1,
          rejected: new Set(isAll ? [] : rejected),
        },
        response: successResponse(
          { rejectedDataPoints: 1, errorMessage: "exam: 1 data point is rejected" },
          format,
        ),
      };
    }
    case "empty-gzip":
      return {
        event: { ...base, status: 200, outcome: "accepted" },
        response: new Response(null, { headers: { ...headers, "Content-Encoding": "gzip" } }),
      };
    case "no-content":
      return {
        event: { ...base, status: 204, outcome: "accepted" },
        response: new Response(null, { status: 204 }),
      };
    case "reset":
      return {
        event: { ...base, status: null, outcome: "unanswered" },
        response: { kind: "reset" },
      };
    case "hang":
      return {
        event: { ...base, status: null, outcome: "unanswered" },
        response: { kind: "hang", whenLeft: givenUp },
      };
  }
}
