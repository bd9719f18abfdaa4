import type { Clock } from "../../platform/clock.ts";
import type { Filled, PullSource, Records, Source } from "../../source/source.ts";
import type { Interval } from "../../aggregate/interval.ts";
import type { Post } from "../../http/reply.ts";
import type { Produced, RequestProducer } from "../../otlp/producer.ts";
import type { RequestFormat } from "../../otlp/request.ts";

/** Source, recorder, requests and connections of a run. */
export interface Sender<From extends Source = Source> {
  readonly source: From;
  readonly records: Records;
  readonly requests: RequestProducer;
  /** Senders of requests, one per connection. */
  readonly posts: readonly Post[];
}

/** A request must be under way before this thread does something else: writing it also needs the thread. */
const UNDER_WAY_MS = 1;

/** A send that is made while the one before is under way. */
interface NextSend {
  readonly filled: Promise<Filled>;
  /** Its requests; undefined when it is empty. */
  readonly produced: Promise<Produced | undefined>;
}

/**
 * Makes the next send's data while the receiver is at work with this one's; in which order requests are sent stays the
 * same. For sends that follow each other immediately. Data that was made but never requested was not recorded.
 */
export class Ahead implements PullSource, RequestProducer {
  readonly kind = "pull";
  readonly #sender: Sender<PullSource>;
  readonly #format: () => RequestFormat;
  readonly #clock: Clock;
  #next: NextSend | undefined;
  /** The measurements of the next send are part of the run. */
  #isAsked = false;
  /** Measurements of the next send were recorded when it was their time. */
  #isFilled = false;

  constructor(sender: Sender<PullSource>, format: () => RequestFormat, clock: Clock) {
    this.#sender = sender;
    this.#format = format;
    this.#clock = clock;
  }

  /** The connections, each with the next send made while a request is under way. */
  get posts(): readonly Post[] {
    return this.#sender.posts.map((post): Post => (body, encoding, signal) => {
      const reply = post(body, encoding, signal);
      this.#clock.sleep(UNDER_WAY_MS, signal).then(() => this.#prepare(signal));
      return reply;
    });
  }

  get status() {
    return this.#sender.source.status;
  }

  close(): void {
    this.#sender.source.close();
  }

  async fill(records: Records, until: number | undefined, stop: AbortSignal): Promise<Filled> {
    if (this.#next === undefined) {
      this.#isFilled = true;
      return await this.#sender.source.fill(records, until, stop);
    }
    const filled = await this.#next.filled;
    if (filled.measurements === 0) this.#next = undefined;
    else this.#isAsked = true;
    return filled;
  }

  get isDue(): boolean {
    return this.#next === undefined ? this.#sender.requests.isDue : this.#isAsked;
  }

  get isFull(): boolean {
    return this.#sender.requests.isFull;
  }

  finish(): void {
    this.#sender.requests.finish();
  }

  async produce(format: RequestFormat, interval?: Interval): Promise<Produced> {
    const { requests } = this.#sender;
    const produced = this.#next?.produced ?? requests.produce(format, interval);
    this.#next = undefined;
    this.#isAsked = false;
    this.#isFilled = false;
    return await produced ?? await requests.produce(format, interval);
  }

  #prepare(stop: AbortSignal): void {
    if (this.#next !== undefined || this.#isFilled || stop.aborted) return;
    const { source, records, requests } = this.#sender;
    const filled = source.fill(records, undefined, stop);
    this.#next = {
      filled,
      produced: filled.then(async ({ measurements }) =>
        measurements === 0 ? undefined : await requests.produce(this.#format())
      ),
    };
  }
}
