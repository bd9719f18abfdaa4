import type { Clock } from "../../platform/clock.ts";
import { oneLine } from "../../console/escape.ts";
import { counted } from "../../console/plural.ts";
import type { ScrapeConfig } from "./scrape_config.ts";
import type { Got } from "../../http/get.ts";
import { proxyFailureHint, proxyStatusHint, type Route } from "../../http/proxy_hints.ts";
import { histogramsOf } from "./cumulative.ts";
import { ScrapeDeltas } from "./deltas.ts";
import { exposedOf } from "./exposed.ts";
import { parseExposition } from "./exposition.ts";
import type { Interval } from "../../aggregate/interval.ts";
import {
  type Filled,
  type LiveSource,
  NO_INPUT,
  type RecordFamilies,
  type Records,
} from "../source.ts";

/** GETs the endpoint, within so many ms. */
export type Scrape = (timeoutMs: number, signal: AbortSignal) => Promise<Got>;

/** A source's words for people. */
export interface Say {
  readonly warn: (message: string) => void;
  readonly note: (message: string) => void;
}

/** After a signal the last scrape may take so long: what was added since the one before would be lost. */
const LAST_MS = 2000;

/** So many of an endpoint's contradictions are named one by one. */
const MOST_NAMED = 10;

const NOTHING: Filled = { measurements: 0, ended: false };

/**
 * What the classic histograms of a Prometheus endpoint gain from one scrape to the next. A scrape that fails is said, and
 * the next one brings what was added since the last that did not. Series beyond `mostSeries` are forgotten when they are
 * gone.
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
  const problems = new Problems(warn);
  let started = false;
  let closed = false;
  let held = false;
  let failed: string | undefined;
  /** Of the last scrape that did not fail. */
  let last: { readonly wall: number; readonly monotonic: number } | undefined;

  /** Scrapes and records; the interval since the scrape before, undefined for the first and for one that failed. */
  const add = async (records: Records, stop: AbortSignal): Promise<Filled> => {
    const at = { wall: clock.wall(), monotonic: clock.monotonic() };
    const got = await bounded(
      (signal) => scrape(Math.min(timeoutMs, intervalMs), signal),
      clock,
      stop,
    );
    const text = textOf(got, route);
    if (typeof text !== "string") {
      failed = text.why;
      const joined = last === undefined
        ? "the first one that succeeds is the base line"
        : "what is added meanwhile comes with the next one";
      warn(`the scrape of ${shown} failed: ${text.why}; ${joined}${hintOf(text.hint)}`);
      return NOTHING;
    }
    failed = undefined;
    const { histograms, families, problems: found } = histogramsOf(parseExposition(text));
    found.forEach((problem) => problems.add(problem));
    const resets = deltas.resets;
    const added = deltas.next(histograms, last?.wall ?? at.wall);
    const before = last;
    last = at;
    if (before === undefined) {
      const series = counted(histograms.length, "histogram");
      if (histograms.length > 0) note(`first scrape: ${series}, nothing to send yet`);
      else {warn(
          `${shown} has no classic histogram yet (a family of TYPE histogram): nothing to send`,
        );}
      return NOTHING;
    }
    if (deltas.resets > resets) {
      note(
        `${
          counted(deltas.resets - resets, "histogram")
        } began anew since the scrape before (a restart?), and ` +
          "counts from 0",
      );
    }
    const measurements = recordFamilies(records, exposedOf(families, added));
    return { measurements, ended: false, interval: intervalOf(before, at) };
  };

  return {
    kind: "live",
    get status() {
      const broken = failed === undefined ? undefined : `the last scrape failed: ${failed}`;
      return { ...NO_INPUT, invalid: problems.count, broken };
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
      // What cannot be sent now the endpoint goes on counting. Without a base line there is nothing to add at the end.
      if (stop.aborted ? last === undefined : held) return NOTHING;
      return await add(records, stop);
    },
  };
}

/** Lets `scrape` take LAST_MS more at most when the program is to stop. */
async function bounded(
  scrape: (signal: AbortSignal) => Promise<Got>,
  clock: Clock,
  stop: AbortSignal,
): Promise<Got> {
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

interface NoText {
  readonly why: string;
  readonly hint?: string | undefined;
}

/** The exposition, or why there is none. */
function textOf(got: Got, route: Route | undefined): string | NoText {
  switch (got.kind) {
    case "failure":
      return {
        why: got.message,
        // --ca is not for a scrape.
        hint: route !== undefined && got.cause !== "certificate"
          ? proxyFailureHint(got, route)
          : got.cause === "refused"
          ? "is the endpoint running, and is the port right?"
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
          hint: "is the path right? It is often /metrics",
        };
      }
      return got.text;
    }
  }
}

function statusHint({ status, headers }: Extract<Got, { kind: "answer" }>): string | undefined {
  if (status >= 300 && status < 400) {
    const to = headers.get("location");
    return `redirects are not followed${to === null ? "" : `; it names ${oneLine(to)}`}`;
  }
  if (status === 401 || status === 403) {
    return 'it wants credentials: --scrape-header "Authorization=Bearer …"';
  }
  return status === 404 ? "is the path right? It is often /metrics" : undefined;
}

function hintOf(hint: string | undefined): string {
  return hint === undefined ? "" : `. Hint: ${hint}`;
}

/** What an endpoint says that contradicts itself, each once, whatever its figures are by now. */
class Problems {
  readonly #warn: (message: string) => void;
  readonly #known = new Set<string>();

  constructor(warn: (message: string) => void) {
    this.#warn = warn;
  }

  get count(): number {
    return this.#known.size;
  }

  add(problem: string): void {
    const key = problem.replace(/\d+(\.\d+)?(e[+-]?\d+)?/g, "#");
    if (this.#known.has(key) || this.#known.size >= MOST_SERIES) return;
    this.#known.add(key);
    if (this.#known.size <= MOST_NAMED) this.#warn(`not used: ${oneLine(problem)}`);
    else if (this.#known.size === MOST_NAMED + 1) this.#warn("more of the endpoint is not used");
  }
}

/** Problems beyond these are no longer told from those before. */
const MOST_SERIES = 10_000;
