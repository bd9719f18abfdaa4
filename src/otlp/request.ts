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

/** How requests are encoded. */
export interface RequestFormat {
  readonly limits: RequestLimits;
  readonly compression: "gzip" | "none";
}

/** Dynatrace's OTLP ingest documentation: 4 MB a request; 3,000 data points suggested, 15,000 allowed. */
export const DYNATRACE_REQUEST: RequestLimits = { points: 3000, bytes: 4_000_000 - 1 };
/**
 * OTLP over HTTP allows 64 MiB, but a Collector refuses more than 20 MiB unless it is configured otherwise
 * (confighttp's max_request_body_size).
 */
export const OTLP_REQUEST: RequestLimits = { points: Infinity, bytes: 16 * 2 ** 20 };
/** The limits, and at most so many bytes. */
export function atMost(bytes: number, limits: RequestLimits): RequestLimits {
  return bytes < limits.bytes ? { ...limits, bytes } : limits;
}

/** For what is looked at rather than sent. */
export const ONE_REQUEST: RequestLimits = { points: Infinity, bytes: Infinity };
