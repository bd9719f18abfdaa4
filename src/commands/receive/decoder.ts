import { messageOf } from "../../platform/errors.ts";
import { decodeRequest } from "../../otlp/decode.ts";
import { fromJsonRequest } from "../../otlp/json_request.ts";
import {
  type ExportMetricsServiceRequest,
  ExportMetricsServiceRequestSchema,
} from "../../otlp/gen/opentelemetry/proto/collector/metrics/v1/metrics_service_pb.ts";
import type { Judge, Verdict } from "../../receivers/profile.ts";
import { type ReceiveLimits, tooLargeMessage } from "./body.ts";
import { ByteBuffer } from "../../platform/byte_buffer.ts";
import { Semaphore } from "./semaphore.ts";
import type { Encoding, Media } from "./media.ts";
import { refusalOf, type Refused } from "./refused.ts";
import { unpack } from "./unpack.ts";
import { decodedJsonSize, decodedSize } from "./decoded_size.ts";

/** Decoded request with the verdict on it, or the refusal of its body. */
export type Decoded = Refused | {
  readonly outcome: "decoded";
  readonly request: ExportMetricsServiceRequest;
  readonly verdict: Verdict;
};

/** Creates the function that unpacks, decodes and judges bodies, one at a time because this takes the most memory. */
export function createDecoder(
  judge: Judge,
  limits: ReceiveLimits,
): (body: Uint8Array<ArrayBuffer>, media: Media) => Promise<Decoded> {
  const decoding = new Semaphore(1);
  const scratch = new ByteBuffer();
  return async (body, { format, encoding }) => {
    const leave = await decoding.enter();
    try {
      const bytes = encoding === undefined
        ? body
        : await unpackBody(body, encoding, limits, scratch);
      if (!(bytes instanceof Uint8Array)) return bytes;
      const decode = format === "json" ? decodeJson : decodeProtobuf;
      const request = decode(bytes, limits);
      return "outcome" in request
        ? request
        : { outcome: "decoded", request, verdict: judge(request) };
    } finally {
      leave();
    }
  };
}

async function unpackBody(
  packed: Uint8Array<ArrayBuffer>,
  encoding: Encoding,
  limits: ReceiveLimits,
  scratch: ByteBuffer,
): Promise<Uint8Array | Refused> {
  try {
    return await unpack(packed, encoding, limits.body.bytes, scratch) ??
      refusalOf(413, limits.body.tooLarge.rule, tooLargeMessage(limits, "the unpacked body"));
  } catch (thrown) {
    return refusalOf(400, `body-${encoding}`, `the body is not ${encoding}: ${messageOf(thrown)}`);
  }
}

type Request = ExportMetricsServiceRequest | Refused;

function decodeProtobuf(bytes: Uint8Array, { decodedBytes }: ReceiveLimits): Request {
  try {
    const weight = decodedSize(ExportMetricsServiceRequestSchema, bytes, decodedBytes);
    return weight > decodedBytes ? tooManyParts() : decodeRequest(bytes);
  } catch (thrown) {
    return refusalOf(
      400,
      "body-decode",
      `the body is not an OTLP metrics request: ${decodeFailure(thrown)}`,
    );
  }
}

function decodeJson(bytes: Uint8Array, { decodedBytes }: ReceiveLimits): Request {
  if (decodedJsonSize(bytes) > decodedBytes) return tooManyParts();
  try {
    return fromJsonRequest(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (thrown) {
    const why = thrown instanceof RangeError ? "it is nested too deeply" : decodeFailure(thrown);
    return refusalOf(400, "body-decode", `the body is not an OTLP metrics request in JSON: ${why}`);
  }
}

/** Says why bytes are not a request. Of those that it decodes here, a TextDecoder alone throws a TypeError. */
function decodeFailure(thrown: unknown): string {
  return thrown instanceof TypeError
    ? "a text in it is not valid UTF-8. Encode names, units and attribute values as UTF-8, or send bytes_value"
    : messageOf(thrown);
}

function tooManyParts(): Refused {
  return refusalOf(413, "body-size", "the request has too many parts to decode");
}
