import { messageOf } from "../base/errors.ts";
import { decodeRequest } from "../otlp/decode.ts";
import {
  type ExportMetricsServiceRequest,
  ExportMetricsServiceRequestSchema,
} from "../otlp/gen/opentelemetry/proto/collector/metrics/v1/metrics_service_pb.ts";
import type { Judge, Verdict } from "../otlp/rules.ts";
import { type Limits, tooLargeMessage } from "./body.ts";
import { ByteBuffer } from "../base/byte_buffer.ts";
import { Semaphore } from "./semaphore.ts";
import { gunzip } from "../otlp/gzip.ts";
import { decodedSize } from "./decoded_size.ts";

export interface Refused {
  readonly outcome: "refused";
  /** null when nobody is left to answer. */
  readonly status: number | null;
  readonly rule: string;
  readonly message: string;
}

export type Decoded = Refused | {
  readonly outcome: "decoded";
  readonly request: ExportMetricsServiceRequest;
  readonly verdict: Verdict;
};

/** Makes the function that unpacks, decodes and judges bodies, one at a time: this takes the most memory. */
export function createDecoder(
  judge: Judge,
  limits: Limits,
): (body: Uint8Array<ArrayBuffer>, gzip: boolean) => Promise<Decoded> {
  const decoding = new Semaphore(1);
  const scratch = new ByteBuffer();
  return async (body, gzip) => {
    const leave = await decoding.enter();
    try {
      const bytes = gzip ? await unpack(body, limits, scratch) : body;
      return bytes instanceof Uint8Array ? decode(bytes, judge, limits) : bytes;
    } finally {
      leave();
    }
  };
}

async function unpack(
  packed: Uint8Array<ArrayBuffer>,
  limits: Limits,
  scratch: ByteBuffer,
): Promise<Uint8Array | Refused> {
  try {
    return await gunzip(packed, limits.bodyBytes, scratch) ??
      no(413, limits.tooLarge.rule, tooLargeMessage(limits, "the unpacked body"));
  } catch (thrown) {
    return no(400, "body-gzip", `the body is not gzip: ${messageOf(thrown)}`);
  }
}

function decode(bytes: Uint8Array, judge: Judge, limits: Limits): Decoded {
  let request: ExportMetricsServiceRequest;
  try {
    const weight = decodedSize(ExportMetricsServiceRequestSchema, bytes, limits.decodedBytes);
    if (weight > limits.decodedBytes) {
      return no(413, "body-size", "the request has too many parts to be decoded at once");
    }
    request = decodeRequest(bytes);
  } catch (thrown) {
    return no(400, "body-decode", `the body is no OTLP metrics request: ${messageOf(thrown)}`);
  }
  return { outcome: "decoded", request, verdict: judge(request) };
}

function no(status: number, rule: string, message: string): Refused {
  return { outcome: "refused", status, rule, message };
}
