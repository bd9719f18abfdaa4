import type { Clock } from "../../platform/clock.ts";
import { oneLine } from "../../console/escape.ts";
import { counted } from "../../console/plural.ts";
import { redactUrlText } from "../../redact/redact.ts";
import type { ScrapeConfig } from "./scrape_config.ts";
import type { GetResult } from "../../http/get.ts";
import { proxyFailureHint, proxyStatusHint, type Route } from "../../http/proxy_hints.ts";
import { readHistograms, type ScrapeReading } from "./cumulative.ts";
import { type Gain, ScrapeDeltas } from "./deltas.ts";
import { exposedOf } from "./exposed.ts";
import { MOST_UNREADABLE } from "./exposition.ts";
import type { Interval } from "../../aggregate/interval.ts";
import {
  type Filled,
  type LiveSource,
  NO_INPUT,
  type RecordFamilies,
  type Records,
  type SourceStatus,
} from "../source.ts";

/** Requests the endpoint, and waits for `timeoutMs` at most. */
export type Scrape = (timeoutMs: number, signal: AbortSignal) => Promise<GetResult>;

/** Receivers of a source's messages. */
export interface Say {
  readonly warn: (message: string) => void;
  readonly note: (message: string) => void;
}

/** After a signal the last scrape may take so long: what was added since the one before would be lost. */
const LAST_MS = 2000;

/** Warnings of one kind that are given one by one. */
const MOST_NAMED = 10;

const NOTHING: Filled = { measurements: 0, ended: false };

/** Settings and dependencies of a source that scrapes. */
export interface ScrapeSourceOptions
  extends Pick<ScrapeConfig, "shown" | "intervalMs" | "timeoutMs"> {
  readonly route?: Route | undefined;
  readonly scrape: Scrape;
  readonly recordFamilies: RecordFamilies;
  readonly mostSeries: number;
  readonly clock: Clock;
  readonly say: Say;
}

/** Moment of a scrape on both clocks. */
interface Moment {
  readonly wall: number;
  readonly monotonic: number;
}

/**
 * Source of what the classic histograms of a Prometheus endpoint gain from one scrape to the next. A scrape that fails
 * gives a warning, and the next one brings what was added since the last that did not. Series beyond `mostSeries` are
 * forgotten when they are gone.
 */
export class ScrapeSource implements LiveSource {
  readonly kind = "live";
  readonly #options: ScrapeSourceOptions;
  readonly #deltas: ScrapeDeltas;
  readonly #skips: Warnings;
  readonly #remarks: Warnings;
  /** Series and lines of the last reading that were not used. */
  #invalid = 0;
  #failures = 0;
  #started = false;
  #closed = false;
  #held = false;
  #failed: string | undefined;
  /** When the last scrape was made that did not fail. */
  #last: Moment | undefined;

  constructor(options: ScrapeSourceOptions) {
    const { mostSeries, say: { warn } } = options;
    this.#options = options;
    this.#deltas = new ScrapeDeltas(mostSeries);
    this.#skips = new Warnings(warn, "more parts of the endpoint are not used");
    this.#remarks = new Warnings(warn, "the same applies to more series");
  }

  get status(): SourceStatus {
    const { shown } = this.#options;
    const broken = this.#failed === undefined
      ? undefined
      : this.#last === undefined
      ? `no scrape of ${shown} succeeded: ${this.#failed}; nothing was sent`
      : `the last scrape of ${shown} failed: ${this.#failed}; the increase since the previous one is not sent`;
    return { ...NO_INPUT, invalid: this.#invalid, broken };
  }

  hold(waiting: boolean): void {
    this.#held = waiting;
  }

  close(): void {
    this.#closed = true;
  }

  async fill(
    records: Records,
    until: number | undefined,
    stop: AbortSignal,
  ): Promise<Filled> {
    const { clock, intervalMs } = this.#options;
    if (this.#closed) return NOTHING;
    if (!this.#started) await this.#add(records, stop);
    this.#started = true;
    await clock.sleep((until ?? clock.monotonic() + intervalMs) - clock.monotonic(), stop);
    // The endpoint goes on counting while nothing can be sent. Without a base line there is nothing to add at the end.
    if (stop.aborted ? this.#last === undefined : this.#held) return NOTHING;
    return await this.#add(records, stop);
  }

  /** Scrapes and records; the interval since the scrape before, undefined for the first and for one that failed. */
  async #add(records: Records, stop: AbortSignal): Promise<Filled> {
    const { clock, scrape, timeoutMs, intervalMs, route, recordFamilies } = this.#options;
    const at = { wall: clock.wall(), monotonic: clock.monotonic() };
    const got = await bounded(
      (signal) => scrape(Math.min(timeoutMs, intervalMs), signal),
      clock,
      stop,
    );
    const reading = readAnswer(got, route);
    if ("why" in reading) {
      this.#fail(reading);
      return NOTHING;
    }
    this.#recover();
    const gain = this.#deltas.next(reading, this.#last?.wall ?? at.wall);
    this.#report(reading, gain);
    const before = this.#last;
    this.#last = at;
    if (before === undefined) {
      this.#reportBaseLine(reading);
      return NOTHING;
    }
    const measurements = recordFamilies(records, exposedOf(reading, gain.deltas));
    return { measurements, ended: false, interval: intervalOf(before, at) };
  }

  /** Warns about a failed scrape, once for as long as the reason stays the same. */
  #fail({ why, hint }: ScrapeFailure): void {
    this.#failures++;
    if (this.#failed === why) return;
    this.#failed = why;
    const consequence = this.#last === undefined
      ? "the first successful scrape is the baseline"
      : "the next successful scrape includes the increase in between";
    const { shown, say } = this.#options;
    say.warn(`the scrape of ${shown} failed: ${why}; ${consequence}${hintOf(hint)}`);
  }

  #recover(): void {
    if (this.#failures > 0) {
      const { shown, say } = this.#options;
      say.note(
        `the scrape of ${shown} succeeds again, after ${counted(this.#failures, "failure")}`,
      );
    }
    this.#failed = undefined;
    this.#failures = 0;
  }

  #report({ untyped, unreadable }: ScrapeReading, { skipped, remarks, resets }: Gain): void {
    this.#invalid = unreadable.length + skipped.length;
    for (const { line, reason } of unreadable) {
      this.#skips.add(`not used: line ${line}: ${reason}`);
    }
    for (const [name, reason] of untyped) this.#skips.add(`not used: ${name}: ${reason}`);
    for (const problem of skipped) this.#skips.add(`not used: ${problem}`);
    for (const remark of remarks) this.#remarks.add(remark);
    if (resets > 0) {
      this.#options.say.note(
        `${counted(resets, "histogram was", "histograms were")} reset since the previous scrape, ` +
          "probably by a restart: counting from 0",
      );
    }
  }

  #reportBaseLine({ histograms, native }: ScrapeReading): void {
    const { shown, say: { warn, note } } = this.#options;
    const classic = histograms.filter(({ name }) => !native.has(name)).length;
    if (classic > 0) {
      note(`first scrape: ${counted(classic, "histogram")}, nothing to send yet`);
    } else {
      warn(`${shown} has no classic histogram yet (a family of TYPE histogram): nothing to send`);
    }
  }
}

/** Lets `scrape` take LAST_MS more at most when the program is to stop. */
async function bounded(
  scrape: (signal: AbortSignal) => Promise<GetResult>,
  clock: Clock,
  stop: AbortSignal,
): Promise<GetResult> {
  const cut = new AbortController();
  const done = new AbortController();
  const soon = () => void clock.sleep(LAST_MS, done.signal).then(() => cut.abort());
  if (stop.aborted) soon();
  else stop.addEventListener("abort", soon, { once: true });
  try {
    return await scrape(cut.signal);
  } finally {
    stop.removeEventListener("abort", soon);
    done.abort();
  }
}

/** When the wall clock was set back, the time that really passed counts. */
function intervalOf(
  from: Moment,
  to: Moment,
): Interval {
  const start = from.wall < to.wall
    ? from.wall
    : to.wall - Math.round(to.monotonic - from.monotonic);
  return { start, end: to.wall };
}

/** Why a scrape brought no reading. */
interface ScrapeFailure {
  readonly why: string;
  readonly hint?: string | undefined;
}

/** Reads the histograms out of an endpoint's answer, or finds why there are none. */
function readAnswer(got: GetResult, route: Route | undefined): ScrapeReading | ScrapeFailure {
  switch (got.kind) {
    case "failure":
      return {
        why: got.message,
        // --ca is not for a scrape.
        hint: route !== undefined && got.cause !== "certificate"
          ? proxyFailureHint(got, route)
          : got.cause === "refused"
          ? "start the endpoint, or check its port"
          : got.cause === "timeout"
          ? "increase --timeout, or --interval"
          : got.cause === "certificate"
          ? "use a certificate of an authority that this machine trusts (DENO_CERT)"
          : undefined,
      };
    case "too-large":
      return { why: "its response is larger than 64 MiB" };
    case "answer": {
      const type = got.headers.get("content-type") ?? "";
      if (got.status !== 200) {
        const hint = route && proxyStatusHint(got.status, got.headers, route);
        return { why: `status ${got.status}`, hint: hint ?? statusHint(got) };
      }
      if (/html|json/.test(type)) {
        return {
          why: `it responds with ${oneLine(type)}, not with metrics`,
          hint: "check the path: it is often /metrics",
        };
      }
      return readMetrics(got.text, type);
    }
  }
}

function readMetrics(text: string, type: string): ScrapeReading | ScrapeFailure {
  if (text.trim() === "") return { why: "its response is empty" };
  // OpenMetrics 1.0, "Overall Structure".
  if (type.startsWith("application/openmetrics-text") && !/#[ \t]*EOF\s*$/.test(text.slice(-100))) {
    return { why: "its response is cut off: it does not end with # EOF" };
  }
  const reading = readHistograms(text);
  if (typeof reading === "string") return { why: `its response is too large: ${reading}` };
  const { unreadable: [first, ...others] } = reading;
  if (first === undefined || others.length + 1 < MOST_UNREADABLE) return reading;
  return {
    why: `its response is not an exposition: line ${first.line}: ${first.reason}, ` +
      `and ${others.length} more lines`,
  };
}

function statusHint(
  { status, headers }: Extract<GetResult, { kind: "answer" }>,
): string | undefined {
  if (status >= 300 && status < 400) {
    const to = headers.get("location");
    return `redirects are not followed${
      to === null ? "" : `; it names ${redactUrlText(oneLine(to))}`
    }`;
  }
  if (status === 401 || status === 403) {
    return 'it requires credentials: --scrape-header "Authorization=Bearer …"';
  }
  return status === 404 ? "check the path: it is often /metrics" : undefined;
}

function hintOf(hint: string | undefined): string {
  return hint === undefined ? "" : `. Hint: ${hint}`;
}

/** Warnings about an endpoint, each once, whatever its figures are by now. */
class Warnings {
  readonly #warn: (message: string) => void;
  readonly #more: string;
  readonly #known = new Set<string>();

  /** `more` is the last warning, when there are more than are named. */
  constructor(warn: (message: string) => void, more: string) {
    this.#warn = warn;
    this.#more = more;
  }

  add(message: string): void {
    if (this.#known.size > MOST_NAMED) return;
    const key = message.replace(/\d+(\.\d+)?(e[+-]?\d+)?/g, "#");
    if (this.#known.has(key)) return;
    this.#known.add(key);
    this.#warn(this.#known.size > MOST_NAMED ? this.#more : oneLine(message));
  }
}
