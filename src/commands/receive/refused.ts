/** Refusal of a request before its data were judged. */
export interface Refused {
  readonly outcome: "refused";
  /** Status of the response; null if nobody is left to read it. */
  readonly status: number | null;
  readonly rule: string;
  readonly message: string;
  /** Extra headers of the response. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** Creates a refusal with its status, the rule that the request breaks, and the message for its sender. */
export function refusalOf(
  status: number | null,
  rule: string,
  message: string,
  headers: Readonly<Record<string, string>> = {},
): Refused {
  return { outcome: "refused", status, rule, message, headers };
}
