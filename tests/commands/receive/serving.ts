import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { systemClock } from "../../../src/platform/clock.ts";
import { ExportMetricsServiceRequestSchema } from "../../../src/otlp/gen/opentelemetry/proto/collector/metrics/v1/metrics_service_pb.ts";
import { AggregationTemporality } from "../../../src/otlp/gen/opentelemetry/proto/metrics/v1/metrics_pb.ts";
import { judgeOtlp } from "../../../src/receivers/otlp/rules.ts";
import { limitsFor, type ReceiveLimits } from "../../../src/commands/receive/body.ts";
import { PROFILES } from "../../../src/receivers/profiles.ts";
import type { RequestEvent } from "../../../src/commands/receive/event.ts";
import {
  type Receiver,
  type ReceiverOptions,
  startReceiver,
} from "../../../src/commands/receive/server.ts";

/** Limits of an OTLP receiver. */
export const OTLP = limitsFor(PROFILES.otlp.body);

/** A request as plain objects. */
export type RequestShape = MessageInitShape<typeof ExportMetricsServiceRequestSchema>;

/** The headers of a request in protobuf. */
export const PROTOBUF = { "Content-Type": "application/x-protobuf" };

/** A data point that breaks no rule. */
export const GOOD = {
  startTimeUnixNano: 1n,
  timeUnixNano: 2n,
  count: 3n,
  sum: 120.5,
  min: 20,
  max: 61.25,
  bucketCounts: [0n, 2n, 1n, 0n],
  explicitBounds: [10, 50, 100],
};

/** A request with these data points, encoded. */
export function request(...points: (typeof GOOD)[]): Uint8Array<ArrayBuffer> {
  return toBinary(
    ExportMetricsServiceRequestSchema,
    create(ExportMetricsServiceRequestSchema, init(points)),
  );
}

/** A request with these data points, as plain objects. */
export function init(points: (typeof GOOD)[]): RequestShape {
  const value = { aggregationTemporality: AggregationTemporality.DELTA, dataPoints: points };
  return {
    resourceMetrics: [{
      resource: { attributes: [text("service.name", "my service")] },
      scopeMetrics: [{
        metrics: [{ name: "http.server.duration", unit: "ms", data: { case: "histogram", value } }],
      }],
    }],
  };
}

/** An attribute of text. */
export function text(key: string, value: string) {
  return { key, value: { value: { case: "stringValue" as const, value } } };
}

/** A receiver that runs, and what it reports; disposing of it stops it. */
export interface Running extends AsyncDisposable {
  readonly receiver: Receiver;
  readonly url: string;
  readonly events: RequestEvent[];
  /** Resolves when so many requests have been reported. */
  told(count: number): Promise<void>;
}

/** The report of an accepted request, with changes. */
export function eventOf(change: Partial<RequestEvent>): RequestEvent {
  return {
    time: 0,
    method: "POST",
    path: "/v1/metrics",
    status: 200,
    outcome: "accepted",
    points: 1,
    measurements: 0,
    rejectedPoints: 0,
    rejected: new Set(),
    bytes: 10,
    problems: [],
    request: undefined,
    ...change,
  };
}

/** Starts a receiver on a free port of 127.0.0.1. */
export function start(
  change: Partial<ReceiverOptions> & { limit?: Partial<ReceiveLimits> } = {},
  note: (message: string) => void = () => {},
  page?: Parameters<typeof startReceiver>[2],
): Running {
  const { limit, ...options } = change;
  const events: RequestEvent[] = [];
  const waiting: { count: number; resolve: () => void }[] = [];
  const receiver = startReceiver(
    {
      host: "127.0.0.1",
      port: 0,
      tls: undefined,
      token: undefined,
      respond: [],
      requests: undefined,
      judge: judgeOtlp,
      limits: { ...OTLP, ...limit },
      clock: systemClock,
      ...options,
    },
    (event) => {
      events.push(event);
      waiting.filter((it) => events.length >= it.count).forEach((it) => it.resolve());
    },
    page,
    { warn() {}, note },
  );
  return {
    receiver,
    url: receiver.url,
    events,
    told: (count) =>
      new Promise((resolve) =>
        events.length >= count ? resolve() : waiting.push({ count, resolve })
      ),
    async [Symbol.asyncDispose]() {
      receiver.stop();
      await receiver.finished;
    },
  };
}

/** Posts a body to the receiver. */
export async function post(
  url: string,
  body: BodyInit,
  headers: Record<string, string> = {},
): Promise<{ status: number; headers: Headers; body: Uint8Array }> {
  const response = await fetch(url, { method: "POST", body, headers: { ...PROTOBUF, ...headers } });
  return {
    status: response.status,
    headers: response.headers,
    body: new Uint8Array(await response.arrayBuffer()),
  };
}

/** Sends text over a bare connection and reads all that comes until the other side closes or `enough`. */
export async function raw(url: string, sent: string, enough: RegExp): Promise<string> {
  using connection = await Deno.connect({ hostname: "127.0.0.1", port: Number(new URL(url).port) });
  await connection.write(new TextEncoder().encode(sent));
  const buffer = new Uint8Array(4096);
  let got = "";
  while (!enough.test(got)) {
    const count = await connection.read(buffer);
    if (count === null) break;
    got += new TextDecoder().decode(buffer.subarray(0, count));
  }
  return got;
}
