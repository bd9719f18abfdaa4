/** What of the destination has been read from files. */
export interface Credentials {
  /** PEM, added to the public roots. */
  readonly ca: string | undefined;
  /** PEM. */
  readonly client: { readonly cert: string; readonly key: string } | undefined;
  /** The value of the Authorization header, asked for before every request; `signal` ends reading it. */
  readonly authorization: (signal?: AbortSignal) => Promise<string | undefined>;
}

/** Nothing of a request can have arrived: there never was a connection for it. */
export class NotSent extends Error {}

/** Header values by lower-case name. A plain object, because fetch makes its own Headers of it anyway. */
export type RequestHeaders = Readonly<Record<string, string>>;

/** One request and the beginning of its response; rejects when none comes. */
export type Exchange = (
  body: Uint8Array<ArrayBuffer>,
  headers: RequestHeaders,
  signal: AbortSignal,
) => Promise<{
  readonly status: number;
  readonly headers: Headers;
  /** The body as it came, in the coding that the headers name; null without one. */
  readonly chunks: AsyncIterable<Uint8Array> | null;
}>;
