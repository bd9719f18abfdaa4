/** A request that is turned down before its data were judged. */
export interface Refused {
  readonly outcome: "refused";
  /** null when nobody is left to answer. */
  readonly status: number | null;
  readonly rule: string;
  readonly message: string;
  /** Of the answer. */
  readonly headers?: Readonly<Record<string, string>>;
}
