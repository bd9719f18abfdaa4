/** Export request as bytes, which are sent, retried, kept and spooled unchanged. */
export interface EncodedRequest {
  /** Body as it goes over the wire. */
  readonly body: Uint8Array<ArrayBuffer>;
  readonly encoding: "gzip" | "identity";
  readonly points: number;
  /** Sum of the data points' counts. */
  readonly measurements: number;
  /** Connection that its series keep to, if there are several; undefined for any. */
  readonly lane?: number;
}

/** Maximum size of one request. */
export interface RequestLimits {
  readonly points: number;
  /** Bytes before compression. */
  readonly bytes: number;
}

/** Format of encoded requests: their limits and compression. */
export interface RequestFormat {
  readonly limits: RequestLimits;
  readonly compression: "gzip" | "none";
}

/** Lowers the limits to a number of bytes. */
export function withByteLimit(bytes: number, limits: RequestLimits): RequestLimits {
  return bytes < limits.bytes ? { ...limits, bytes } : limits;
}

/** Limits for a request that is looked at and not sent. */
export const ONE_REQUEST: RequestLimits = { points: Infinity, bytes: Infinity };
