import type { TooLargeRule } from "../../receivers/profile.ts";

/** Ids of the rules by which a request is refused before its data are judged. */
export const REFUSAL_RULES = [
  "path",
  "method",
  "token",
  "grpc",
  "content-type",
  "content-encoding",
  "body-size",
  "body-time",
  "body-broken",
  "body-decode",
  "body-gzip",
  "body-deflate",
  "body-zstd",
  "stopped",
  "internal",
] as const;
type RefusalRule = typeof REFUSAL_RULES[number] | TooLargeRule;

/** Refusal of a request before its data were judged. */
export interface Refused {
  readonly outcome: "refused";
  /** Status of the response; null if nobody is left to read it. */
  readonly status: number | null;
  readonly rule: RefusalRule;
  readonly message: string;
  /** Extra headers of the response. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** Creates a refusal with its status, the rule that the request breaks, and the message for its sender. */
export function refusalOf(
  status: number | null,
  rule: RefusalRule,
  message: string,
  headers: Readonly<Record<string, string>> = {},
): Refused {
  return { outcome: "refused", status, rule, message, headers };
}
