/** A request that is turned down before its data were judged. */
export interface Refused {
  readonly outcome: "refused";
  /** null when nobody is left to answer. */
  readonly status: number | null;
  readonly rule: string;
  readonly message: string;
  /** Extra headers of the response. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** A refusal with this status, the rule that the request breaks, and the message for its sender. */
export function refusalOf(
  status: number | null,
  rule: string,
  message: string,
  headers: Readonly<Record<string, string>> = {},
): Refused {
  return { outcome: "refused", status, rule, message, headers };
}
