import type { Attributes, MeasuredHistogram } from "../../aggregate/measurement.ts";
import { counted } from "../../console/plural.ts";
import { exponentialBuckets } from "../../draw/bars.ts";
import { otherMetricTexts } from "../../draw/other_metrics.ts";
import { attributeJson } from "../../otlp/attribute_json.ts";
import { withAllBuckets } from "../../otlp/exponential_total.ts";
import { CaptureTotals, type SeriesTotal } from "../../otlp/capture_totals.ts";
import type { KeyValue } from "../../otlp/gen/opentelemetry/proto/common/v1/common_pb.ts";
import type { System } from "../../platform/system.ts";
import type { Filled, LiveSource, Records, SourceStatus } from "../source.ts";
import { openReplay } from "./open_replay.ts";
import type { Replay } from "./replay.ts";
import type { ReplayConfig } from "./replay_config.ts";

// Loads the OTLP schema: import this module dynamically.

/** Messages about what a capture holds besides histograms that can be drawn. */
export interface CaptureMessages {
  readonly warn: (message: string) => void;
  readonly note: (message: string) => void;
}

/** Opens a file of kept requests for their histograms, each series added up over the file. */
export async function openCapture(
  config: ReplayConfig,
  system: System,
  messages: CaptureMessages,
): Promise<{ source: Capture; instruments: readonly []; close: () => void }> {
  const { source, close } = await openReplay(config, system, messages.warn);
  return { source: new Capture(source, messages), instruments: [], close };
}

/** Histograms of a file of kept requests: deltas are added up, cumulative ones count what they gained. */
export class Capture implements LiveSource {
  readonly kind = "live";
  readonly #replay: Replay;
  readonly #messages: CaptureMessages;
  readonly #totals = new CaptureTotals({ attributes: [], resource: false, scope: false });

  constructor(replay: Replay, messages: CaptureMessages) {
    this.#replay = replay;
    this.#messages = messages;
  }

  get status(): SourceStatus {
    return this.#replay.status;
  }

  /** Reads the whole file, and then records what it holds. */
  async fill(records: Records, _until: number | undefined, stop: AbortSignal): Promise<Filled> {
    let measurements = 0;
    for (let ended = false; !ended;) {
      const filled = await this.#replay.fill(records, undefined, stop);
      const request = this.#replay.take();
      if (request !== undefined) this.#totals.add(request);
      measurements += filled.measurements;
      ended = filled.ended;
    }
    this.#record(records);
    return { measurements, ended: true };
  }

  hold(): void {}

  close(): void {
    this.#replay.close();
  }

  #record(records: Records): void {
    const { warn, note } = this.#messages;
    const all = this.#totals.totals().values();
    const metrics = Map.groupBy(all, ({ origin, metric }) => JSON.stringify([origin, metric]));
    const origins = new Set<string>();
    let unusable = 0;
    for (const series of metrics.values()) {
      const found = series.map((each) => histogramsOf(each));
      const histograms = found.flatMap((each) => each ?? []);
      unusable += found.filter((each) => each === undefined).length;
      const [first] = series;
      const [histogram] = histograms;
      if (first === undefined || histogram === undefined) continue;
      origins.add(first.origin);
      const units = new Set(series.flatMap((each) => [...each.units]));
      const [unit = ""] = units;
      if (units.size > 1) {
        const words = [...units].map((each) => each === "" ? '""' : each);
        warn(
          `${first.metric} has several units (${words.join(", ")}): all are drawn as ${words[0]}`,
        );
      }
      const isExponential = series.every(({ buckets }) => buckets.has("exponential"));
      const instrument = records.addInstrument({
        name: first.metric,
        unit,
        description: "",
        attributes: {},
        bounds: isExponential ? "exponential" : histogram.bounds,
      });
      records.addHistograms(histograms, instrument);
    }
    if (origins.size > 1) {
      note(`${origins.size} resources or scopes arrived: their series are drawn separately`);
    }
    if (unusable > 0) {
      warn(
        `${
          counted(unusable, "series is", "series are")
        } not drawn: a bound is infinite, or bounds, bucket counts and count do not agree`,
      );
    }
    otherMetricTexts("Not drawn", [this.#totals.others]).forEach(note);
  }
}

/** Maximum number of buckets on either side of zero, as the SDKs have by default. */
const MOST_BUCKETS = 160;

/** Returns the histograms of a series, one per layout of its buckets; undefined if their figures do not agree, or a bound is not finite. */
function histogramsOf(
  { attributes, count, sum, min, max, buckets }: SeriesTotal,
): readonly MeasuredHistogram[] | undefined {
  // Which part of the figures belongs to which layout is unknown.
  const figures = buckets.size === 1
    ? { sum, min, max }
    : { sum: undefined, min: undefined, max: undefined };
  const histograms = [...buckets.values()].map((total) => {
    const { bounds, counts } = total.kind === "explicit"
      ? total
      : exponentialBuckets(withAllBuckets(total, MOST_BUCKETS), MOST_BUCKETS);
    const numbers = counts.map(Number);
    return {
      ...figures,
      bounds,
      counts: numbers,
      count: numbers.reduce((all, each) => all + each, 0),
      attributes: plainAttributes(attributes),
    };
  });
  const isConsistent = histograms.every(({ bounds, counts }) =>
    counts.length === bounds.length + 1 &&
    bounds.every((bound, i) => Number.isFinite(bound) && bound > (bounds[i - 1] ?? -Infinity))
  );
  const all = histograms.reduce((total, histogram) => total + histogram.count, 0);
  return isConsistent && all === Number(count) ? histograms : undefined;
}

function plainAttributes(attributes: readonly KeyValue[]): Attributes {
  return Object.fromEntries(attributes.map(({ key, value }) => {
    const plain = attributeJson(value);
    const isSingle = typeof plain === "string" || typeof plain === "number" ||
      typeof plain === "boolean";
    return [key, isSingle ? plain : JSON.stringify(plain)];
  }));
}
