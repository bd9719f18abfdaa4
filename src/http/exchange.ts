/** What of the destination has been read from files. */
export interface Credentials {
  /** PEM, added to the public roots. */
  readonly ca: string | undefined;
  /** PEM. */
  readonly client: { readonly cert: string; readonly key: string } | undefined;
  /** The value of the Authorization header, asked for before every request. */
  readonly authorization: () => Promise<string | undefined>;
}

/** One request and the beginning of its answer; rejects when none comes. */
export type Exchange = (
  body: Uint8Array<ArrayBuffer>,
  headers: Headers,
  signal: AbortSignal,
) => Promise<{
  readonly status: number;
  readonly headers: Headers;
  readonly chunks: ReadableStream<Uint8Array> | null;
}>;
