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

/**
 * Limits for Dynatrace: 4 MB per request, and 3,000 data points, which it suggests, while it allows 15,000 (OTLP
 * ingest documentation).
 */
export const DYNATRACE_REQUEST: RequestLimits = { points: 3000, bytes: 4_000_000 - 1 };
/**
 * Limits for other receivers. OTLP over HTTP allows 64 MiB, but a Collector rejects more than 20 MiB unless it is
 * configured otherwise (confighttp's max_request_body_size).
 */
export const OTLP_REQUEST: RequestLimits = { points: Infinity, bytes: 16 * 2 ** 20 };
/** Lowers the limit of bytes to `bytes`. */
export function withByteLimit(bytes: number, limits: RequestLimits): RequestLimits {
  return bytes < limits.bytes ? { ...limits, bytes } : limits;
}

/** Limits for a request that is looked at and not sent. */
export const ONE_REQUEST: RequestLimits = { points: Infinity, bytes: Infinity };
