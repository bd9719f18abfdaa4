/** An export request as bytes: what is sent, sent again, kept and spooled. */
export interface EncodedRequest {
  /** The body as it goes over the wire. */
  readonly body: Uint8Array<ArrayBuffer>;
  readonly encoding: "gzip" | "identity";
  readonly points: number;
  /** The sum of its data points' counts. */
  readonly measurements: number;
  /** Of several connections the one that its series keep to; undefined: any. */
  readonly lane?: number;
}

/** What one request may hold. */
export interface RequestLimits {
  readonly points: number;
  /** Uncompressed. */
  readonly bytes: number;
}

/** The limits, and at most so many bytes. */
export function atMost(bytes: number, limits: RequestLimits): RequestLimits {
  return bytes < limits.bytes ? { ...limits, bytes } : limits;
}

/** For what is looked at rather than sent. */
export const ONE_REQUEST: RequestLimits = { points: Infinity, bytes: Infinity };
