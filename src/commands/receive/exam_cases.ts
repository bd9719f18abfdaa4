/** Answer that an exam gives to a request in place of the judge's. */
export type ExamTrouble =
  | { readonly kind: "status"; readonly status: number; readonly retryAfter?: number }
  /** 200 with a partial success that rejects one data point. */
  | { readonly kind: "partial" }
  /** 200 with Content-Encoding: gzip and a body of zero bytes. */
  | { readonly kind: "empty-gzip" }
  | { readonly kind: "no-content" }
  /** The connection breaks before a status. */
  | { readonly kind: "reset" }
  /** Nothing comes until the client gives up. */
  | { readonly kind: "hang" };

/** Case of an exam: what the exporter gets, what it has to do with the same request, and why. */
export interface ExamCase {
  readonly name: string;
  readonly trouble: ExamTrouble;
  /** Trouble as the end of "sent again 1.0 s after …". */
  readonly after: string;
  readonly expects: "repeat" | "no-repeat";
  /** Sentence of the specification, with the section that holds it. */
  readonly specification: string;
  /** Consequence for the data when the exporter does what is expected. */
  readonly kept: string;
  /** Consequence when it does the opposite, for deltas and for requests that hold cumulative data alone. */
  readonly broken: { readonly delta: string; readonly cumulative: string };
}

const LOST = {
  delta: "Exported data was lost.",
  cumulative: "Exported data was lost until the next cumulative export makes up for it.",
};
/** Consequence of a request that is sent again after it was accepted. */
export const COUNTED_TWICE = {
  delta: "Exported data was counted twice.",
  cumulative: "The receiver got the same data twice. Deltas would have been counted twice.",
};
const IN_VAIN = "Resending data that was rejected for good is useless and delays newer data.";

const ANSWERED =
  'The OTLP specification, "Full Success": a success says that the data was accepted.';

/** Cases in the order in which new requests get them. The one that takes longest comes last. */
export const EXAM_CASES: readonly ExamCase[] = [
  {
    name: "retry-503",
    trouble: { kind: "status", status: 503 },
    after: "503",
    expects: "repeat",
    specification:
      'The OTLP specification, "Retryable Response Codes": requests that get 429, 502, 503 or 504 SHOULD be retried.',
    kept: "No data was lost.",
    broken: LOST,
  },
  {
    name: "retry-after",
    trouble: { kind: "status", status: 429, retryAfter: 2 },
    after: "429 with Retry-After: 2",
    expects: "repeat",
    specification:
      'The OTLP specification, "OTLP/HTTP Throttling": the client SHOULD honour the interval in Retry-After, and ' +
      "retry a 429.",
    kept: "No data was lost.",
    broken: LOST,
  },
  {
    name: "no-retry-400",
    trouble: { kind: "status", status: 400 },
    after: "400",
    expects: "no-repeat",
    specification:
      'The OTLP specification, "Bad Data": the client MUST NOT retry a request that gets 400 Bad Request.',
    kept: "The rejected data was dropped, as required.",
    broken: { delta: IN_VAIN, cumulative: IN_VAIN },
  },
  {
    name: "no-retry-500",
    trouble: { kind: "status", status: 500 },
    after: "500",
    expects: "no-repeat",
    specification:
      'The OTLP specification, "Retryable Response Codes": all 4xx and 5xx but 429, 502, 503 and 504 MUST NOT be ' +
      "retried.",
    kept: "The rejected data was dropped, as required.",
    broken: {
      delta: "Data that the receiver stored before it failed is counted twice.",
      cumulative: IN_VAIN,
    },
  },
  {
    name: "no-resend-partial",
    trouble: { kind: "partial" },
    after: "a partial success",
    expects: "no-repeat",
    specification:
      'The OTLP specification, "Partial Success": the client MUST NOT retry a request that gets a partial success.',
    kept: "The rejected data point was dropped, the accepted ones were counted once.",
    broken: {
      delta: "The accepted data points were counted twice.",
      cumulative: COUNTED_TWICE.cumulative,
    },
  },
  {
    name: "reset",
    trouble: { kind: "reset" },
    after: "the connection broke",
    expects: "repeat",
    specification:
      'The OTLP specification, "All Other Responses": if the server disconnects without returning a response, the ' +
      "client SHOULD retry and send the same request.",
    kept: "No data was lost.",
    broken: LOST,
  },
  {
    name: "empty-gzip-200",
    trouble: { kind: "empty-gzip" },
    after: "200 with Content-Encoding: gzip and an empty body",
    expects: "no-repeat",
    specification: ANSWERED,
    kept: "The data was counted once.",
    broken: COUNTED_TWICE,
  },
  {
    name: "status-204",
    trouble: { kind: "no-content" },
    after: "204",
    expects: "no-repeat",
    specification:
      'RFC 9110, "Successful 2xx", which the OTLP specification refers to for other responses: 204 is a success.',
    kept: "The data was counted once.",
    broken: COUNTED_TWICE,
  },
  {
    name: "no-answer",
    trouble: { kind: "hang" },
    after: "no response",
    expects: "repeat",
    specification:
      'The OTLP specification, "Duplicate Data": without an acknowledgement the client will typically re-send the ' +
      "data to guarantee delivery.",
    kept: "No data was lost.",
    broken: LOST,
  },
];
