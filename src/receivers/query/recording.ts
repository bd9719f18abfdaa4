import { escapeJson } from "../../console/escape.ts";
import type { Requester } from "../../http/requester.ts";
import { percentDecode } from "../../redact/percent.ts";
import type { Hide } from "../../redact/secrets.ts";

/** Headers of a response that explain it; no other is recorded. */
const HEADERS = [
  "content-type",
  "date",
  "dynatrace-response-source",
  "retry-after",
  "server",
  "x-ratelimit-limit",
  "x-ratelimit-remaining",
  "x-ratelimit-reset",
];

/** Passes every request and its answer to `record`, a line of JSON each, with secrets removed. */
export function recorded(
  request: Requester["request"],
  record: (line: string) => void,
  hide: Hide,
): Requester["request"] {
  return async (asked, signal) => {
    const { method, url, body } = asked;
    const target = hide(percentDecode(`${url.host}${url.pathname}${url.search}`));
    record(escapeJson({
      type: "query",
      method,
      url: target,
      ...body !== undefined && { body: hide(body) },
    }));
    const reply = await request(asked, signal);
    record(escapeJson(
      reply.kind === "failure"
        ? { type: "answer", failure: reply.cause, message: reply.message }
        : {
          type: "answer",
          status: reply.status,
          headers: Object.fromEntries(
            HEADERS.flatMap((name) => {
              const value = reply.headers.get(name);
              return value === null ? [] : [[name, hide(value)]];
            }),
          ),
          body: hide(new TextDecoder().decode(reply.body)),
        },
    ));
    return reply;
  };
}
