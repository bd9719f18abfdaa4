/** Credentials of the destination, read from files. */
export interface Credentials {
  /** CA certificates as PEM, added to the public roots. */
  readonly ca: string | undefined;
  /** Client certificate and key as PEM. */
  readonly client: { readonly cert: string; readonly key: string } | undefined;
  /** Returns the Authorization value. Called before every request; `signal` ends reading it. */
  readonly authorization: (signal?: AbortSignal) => Promise<string | undefined>;
}

/** Header values by lower-case name. It is a plain object because fetch makes its own Headers of it anyway. */
export type RequestHeaders = Readonly<Record<string, string>>;

/** Sends one request and returns the beginning of its response; rejects if there is none. */
export type Exchange = (
  body: Uint8Array<ArrayBuffer>,
  headers: RequestHeaders,
  signal: AbortSignal,
) => Promise<{
  readonly status: number;
  readonly headers: Headers;
  /** Body in the coding that the headers name; null if there is none. */
  readonly chunks: AsyncIterable<Uint8Array> | null;
}>;
