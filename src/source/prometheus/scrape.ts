import type { Clock } from "../../platform/clock.ts";
import { oneLine } from "../../console/escape.ts";
import { counted } from "../../console/plural.ts";
import { redactUrlText } from "../../redact/redact.ts";
import type { ScrapeConfig } from "./scrape_config.ts";
import type { GetResult } from "../../http/get.ts";
import { proxyFailureHint, proxyStatusHint, type Route } from "../../http/proxy_hints.ts";
import { readHistograms, type ScrapeReading } from "./cumulative.ts";
import { ScrapeDeltas } from "./deltas.ts";
import { exposedOf } from "./exposed.ts";
import { MOST_UNREADABLE } from "./exposition.ts";
import type { Interval } from "../../aggregate/interval.ts";
import {
  type Filled,
  type LiveSource,
  NO_INPUT,
  type RecordFamilies,
  type Records,
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

/**
 * Source of what the classic histograms of a Prometheus endpoint gain from one scrape to the next. A scrape that fails
 * gives a warning, and the next one brings what was added since the last that did not. Series beyond `mostSeries` are
 * forgotten when they are gone.
 */
export function scrapeSource(
  { shown, intervalMs, timeoutMs, route }:
    & Pick<ScrapeConfig, "shown" | "intervalMs" | "timeoutMs">
    & { readonly route?: Route | undefined },
  scrape: Scrape,
  recordFamilies: RecordFamilies,
  mostSeries: number,
  clock: Clock,
  { warn, note }: Say,
): LiveSource {
  const deltas = new ScrapeDeltas(mostSeries);
  const skips = new Warnings(warn, "more of the endpoint is not used");
  const remarks = new Warnings(warn, "the same is true of more series");
  /** Series and lines of the last reading that were not used. */
  let invalid = 0;
  let failures = 0;
  let started = false;
  let closed = false;
  let held = false;
  let failed: string | undefined;
  /** When the last scrape was made that did not fail. */
  let last: { readonly wall: number; readonly monotonic: number } | undefined;

  /** Scrapes and records; the interval since the scrape before, undefined for the first and for one that failed. */
  const add = async (records: Records, stop: AbortSignal): Promise<Filled> => {
    const at = { wall: clock.wall(), monotonic: clock.monotonic() };
    const got = await bounded(
      (signal) => scrape(Math.min(timeoutMs, intervalMs), signal),
      clock,
      stop,
    );
    const reading = readAnswer(got, route);
    if ("why" in reading) {
      failures++;
      if (failed === reading.why) return NOTHING;
      failed = reading.why;
      const consequence = last === undefined
        ? "the first one that succeeds is the base line"
        : "what is added meanwhile comes with the next one";
      warn(`the scrape of ${shown} failed: ${failed}; ${consequence}${hintOf(reading.hint)}`);
      return NOTHING;
    }
    if (failures > 0) {
      note(`the scrape of ${shown} succeeds again, after ${counted(failures, "failure")}`);
    }
    failed = undefined;
    failures = 0;
    const { histograms, families, unreadable, native } = reading;
    const gain = deltas.next(reading, last?.wall ?? at.wall);
    invalid = unreadable.length + gain.skipped.length;
    for (const { line, reason } of unreadable) skips.add(`not used: line ${line}: ${reason}`);
    for (const problem of gain.skipped) skips.add(`not used: ${problem}`);
    for (const remark of gain.remarks) remarks.add(remark);
    const before = last;
    last = at;
    if (before === undefined) {
      const classic = histograms.filter(({ name }) => !native.has(name)).length;
      if (classic > 0) {
        note(`first scrape: ${counted(classic, "histogram")}, nothing to send yet`);
      } else {
        warn(`${shown} has no classic histogram yet (a family of TYPE histogram): nothing to send`);
      }
      return NOTHING;
    }
    if (gain.resets > 0) {
      note(
        `${
          counted(gain.resets, "histogram")
        } began anew since the scrape before (a restart?), and ` +
          "counts from 0",
      );
    }
    const measurements = recordFamilies(records, exposedOf(families, gain.deltas));
    return { measurements, ended: false, interval: intervalOf(before, at) };
  };

  return {
    kind: "live",
    get status() {
      const broken = failed === undefined
        ? undefined
        : last === undefined
        ? `no scrape of ${shown} succeeded: ${failed}; nothing was sent`
        : `the last scrape of ${shown} failed: ${failed}; what was added since the one before is not sent`;
      return { ...NO_INPUT, invalid, broken };
    },
    hold(waiting) {
      held = waiting;
    },
    close() {
      closed = true;
    },
    async fill(records, until, stop) {
      if (closed) return NOTHING;
      if (!started) await add(records, stop);
      started = true;
      await clock.sleep((until ?? clock.monotonic() + intervalMs) - clock.monotonic(), stop);
      // The endpoint goes on counting while nothing can be sent. Without a base line there is nothing to add at the end.
      if (stop.aborted ? last === undefined : held) return NOTHING;
      return await add(records, stop);
    },
  };
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
  from: { readonly wall: number; readonly monotonic: number },
  to: { readonly wall: number; readonly monotonic: number },
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
          ? "check that the endpoint is running, and its port"
          : got.cause === "timeout"
          ? "allow more with --timeout, or with a longer --interval"
          : got.cause === "certificate"
          ? "its certificate has to be signed by an authority that this machine knows (DENO_CERT)"
          : undefined,
      };
    case "too-large":
      return { why: "its answer is larger than 64 MiB" };
    case "answer": {
      const type = got.headers.get("content-type") ?? "";
      if (got.status !== 200) {
        const hint = route && proxyStatusHint(got.status, got.headers, route);
        return { why: `status ${got.status}`, hint: hint ?? statusHint(got) };
      }
      if (/html|json/.test(type)) {
        return {
          why: `it answers with ${oneLine(type)}, not with metrics`,
          hint: "check the path, which is often /metrics",
        };
      }
      return readMetrics(got.text, type);
    }
  }
}

function readMetrics(text: string, type: string): ScrapeReading | ScrapeFailure {
  if (text.trim() === "") return { why: "its answer is empty" };
  // OpenMetrics 1.0, "Overall Structure".
  if (type.startsWith("application/openmetrics-text") && !/#[ \t]*EOF\s*$/.test(text.slice(-100))) {
    return { why: "its answer is cut off: it does not end with # EOF" };
  }
  const reading = readHistograms(text);
  if (typeof reading === "string") return { why: `its answer is too large: ${reading}` };
  const { unreadable: [first, ...others] } = reading;
  if (first === undefined || others.length + 1 < MOST_UNREADABLE) return reading;
  return {
    why: `its answer is not an exposition: line ${first.line}: ${first.reason}, ` +
      `and ${others.length} lines more`,
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
  return status === 404 ? "check the path, which is often /metrics" : undefined;
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
