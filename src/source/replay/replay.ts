import type { Clock } from "../../platform/clock.ts";
import { messageOf } from "../../platform/errors.ts";
import { counted } from "../../console/plural.ts";
import { InputError } from "../input/input_error.ts";
import type { ExportMetricsServiceRequest } from "../../otlp/gen/opentelemetry/proto/collector/metrics/v1/metrics_service_pb.ts";
import { fromJsonRequest } from "../../otlp/json_request.ts";
import {
  dataPointsIn,
  encodeMessage,
  latestTime,
  measurementCountOf,
  shiftTimes,
} from "../../otlp/message.ts";
import type { DataPoint } from "../../otlp/data_points.ts";
import type { Produced, RequestProducer } from "../../otlp/producer.ts";
import { RequestMeaning } from "../../receivers/meaning/request.ts";
import type { RequestFormat } from "../../otlp/request.ts";
import { type Filled, type LiveSource, NO_INPUT, type SourceStatus } from "../source.ts";

// Loads the OTLP schema: import this module dynamically.

/** A line of what is replayed; the text is undefined when it is too long to be held. */
export interface ReplayLine {
  /** From 1. */
  readonly number: number;
  readonly text: string | undefined;
}

/** Times at which kept requests are sent, the clock, and who hears of lines that cannot be used. */
export interface ReplayOptions {
  /** The first request is moved to now, and the others by as much. */
  readonly retime: boolean;
  /** How many times as fast as they were made they are sent; undefined: one right after the other. */
  readonly speed: number | undefined;
  readonly clock: Clock;
  readonly onInvalid: (line: number, reason: string) => void;
}

/** Which data points a receiver rejects is not known before it answers. */
const NONE: ReadonlySet<DataPoint> = new Set();
/** Maximum number of measurements in a request: the numbers of a run's requests must add up. */
const MOST_MEASUREMENTS = 2 ** 43;

/** Kept requests that are sent again: `fill()` reads the next one, `produce()` gives it away. */
export class Replay implements LiveSource, RequestProducer {
  readonly kind = "live";
  readonly isFull = false;
  readonly #lines: AsyncIterator<ReplayLine>;
  /** The line after the last one that was taken: whether there is one tells whether a signal cuts the replay short. */
  #ahead: Promise<IteratorResult<ReplayLine>> | undefined;
  #isWhole = false;
  #requests = 0;
  readonly #options: ReplayOptions;
  readonly #meaning = new RequestMeaning();
  #next: ExportMetricsServiceRequest | undefined;
  #ended = false;
  #invalid = 0;
  #broken: string | undefined;
  /** The time of the first request, and when it was sent (monotonic clock, ms). */
  #first: { readonly ns: bigint; readonly sentAt: number } | undefined;
  #shift: bigint | undefined;

  constructor(lines: AsyncIterable<ReplayLine>, options: ReplayOptions) {
    this.#lines = lines[Symbol.asyncIterator]();
    this.#options = options;
  }

  get status(): SourceStatus {
    const unfinished = this.#isWhole
      ? undefined
      : `${counted(this.#requests, "request was", "requests were")} read`;
    return { ...NO_INPUT, invalid: this.#invalid, broken: this.#broken, unfinished };
  }

  get isDue(): boolean {
    return this.#next !== undefined;
  }

  /** Reads the next request and waits until it is due; reads nothing while there is one that was not given away. */
  async fill(_records: unknown, _until: number | undefined, stop: AbortSignal): Promise<Filled> {
    if (stop.aborted) this.close();
    if (this.#next !== undefined || this.#ended) return { measurements: 0, ended: this.#ended };
    const found = await this.#read(stop);
    if (found === undefined) {
      this.close();
      return { measurements: 0, ended: true };
    }
    this.#requests++;
    this.#lookAhead(stop);
    // A request that was read is sent, before it is due if a signal comes.
    await this.#untilDue(found.request, stop);
    this.#retime(found.request);
    this.#next = found.request;
    return { measurements: found.measurements, ended: false };
  }

  hold(): void {}

  close(): void {
    this.#ended = true;
  }

  finish(): void {}

  /** Gives away the request that `fill()` read, as it is; undefined if there is none. */
  take(): ExportMetricsServiceRequest | undefined {
    const request = this.#next;
    this.#next = undefined;
    return request;
  }

  async produce(format: RequestFormat): Promise<Produced> {
    const request = this.#next;
    this.#next = undefined;
    if (request === undefined) return { requests: [], findings: [], measured: [] };
    const findings = this.#meaning.add(request, NONE).map((problem) => ({
      type: "meaning" as const,
      ...problem,
    }));
    return { requests: await encodeMessage(request, format), findings, measured: [] };
  }

  /** The next line that is a request with data points; undefined at the end. */
  async #read(stop: AbortSignal) {
    for (;;) {
      let line: ReplayLine;
      try {
        const { done, value } = await this.#lookAhead(stop);
        this.#ahead = undefined;
        if (done === true) return undefined;
        line = value;
      } catch (thrown) {
        if (!(thrown instanceof InputError)) throw thrown;
        this.#broken = thrown.message;
        return undefined;
      }
      if (line.text?.trim() === "") continue;
      const read = readSendableLine(line.text);
      if (typeof read !== "string") {
        // There is nothing to send of a request without data points.
        if (read.points > 0) return read;
        continue;
      }
      this.#invalid++;
      this.#options.onInvalid(line.number, read);
    }
  }

  #lookAhead(stop: AbortSignal): Promise<IteratorResult<ReplayLine>> {
    if (this.#ahead === undefined) {
      this.#ahead = this.#lines.next();
      this.#ahead.then(
        // A signal also ends the lines.
        ({ done }) => this.#isWhole = done === true && !stop.aborted,
        () => {}, // whoever takes the line gets the error
      );
    }
    return this.#ahead;
  }

  async #untilDue(request: ExportMetricsServiceRequest, stop: AbortSignal): Promise<void> {
    const { speed, clock } = this.#options;
    const ns = latestTime(request);
    if (speed === undefined || ns === undefined) return;
    this.#first ??= { ns, sentAt: clock.monotonic() };
    const due = this.#first.sentAt + Number(ns - this.#first.ns) / 1e6 / speed;
    await clock.sleep(due - clock.monotonic(), stop);
  }

  #retime(request: ExportMetricsServiceRequest): void {
    const { retime, clock } = this.#options;
    if (!retime) return;
    if (this.#shift === undefined) {
      const first = latestTime(request);
      if (first === undefined) return;
      this.#shift = BigInt(Math.floor(clock.wall())) * 1_000_000n - first;
    }
    shiftTimes(request, this.#shift);
  }
}

/** Reads the request of a line, with its numbers of data points and measurements; or says why there is none. */
export function readRequestLine(text: string | undefined) {
  if (text === undefined) return "it is too long";
  if (hasMoreValues(text, MOST_VALUES)) {
    return `it has more than ${MOST_VALUES} objects and lists`;
  }
  let request: ExportMetricsServiceRequest;
  try {
    request = fromJsonRequest(text);
  } catch (thrown) {
    return `it is not an OTLP/JSON metrics request: ${messageOf(thrown)}`;
  }
  if (request.resourceMetrics.length === 0 && !NAMES_METRICS.test(text)) {
    return "it is not an OTLP/JSON metrics request: it has no resourceMetrics";
  }
  let points = 0;
  let measurements = 0;
  for (const point of dataPointsIn(request)) {
    points++;
    measurements += measurementCountOf(point);
  }
  return { request, points, measurements };
}

/** Reads the request of a line whose measurements can be added up as numbers. */
function readSendableLine(text: string | undefined) {
  const read = readRequestLine(text);
  const isTooMany = typeof read !== "string" && read.measurements > MOST_MEASUREMENTS;
  return isTooMany ? "its counts are too large to add up" : read;
}

/** Maximum number of objects and lists in a line: each takes some 100 bytes of memory, however short its text is. */
const MOST_VALUES = 2_000_000;

/** Whether a text opens more brackets than `most`; a bracket in a string also counts. */
function hasMoreValues(text: string, most: number): boolean {
  // Each takes at least two characters.
  if (text.length <= 2 * most) return false;
  let values = 0;
  for (const bracket of "{[") {
    for (let at = text.indexOf(bracket); at >= 0; at = text.indexOf(bracket, at + 1)) {
      if (++values > most) return true;
    }
  }
  return false;
}

const NAMES_METRICS = /"resource_?metrics"/i;
