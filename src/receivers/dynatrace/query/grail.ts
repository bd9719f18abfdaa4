import type { JsonObject } from "../../../platform/json_object.ts";
import type { Backend, Cause, Figure, SentRun, ShownHistogram, Sighting } from "../../backend.ts";
import { storedDimensionKey, storedMetricKey } from "../rules.ts";
import { countQuery, dqlName, dqlString, figuresQuery, medianQuery, seriesQuery } from "./dql.ts";
import { type GrailClient, slotsOf, totalOf } from "./grail_client.ts";
import { diagnoseGrail } from "./grail_diagnosis.ts";

/** Grail of Dynatrace SaaS, queried with DQL. */
export class GrailBackend implements Backend {
  readonly name = "grail";
  readonly cannot = { buckets: "DQL shows no buckets of a metric" };
  // Not documented: OTLP's min and max, or bounds of buckets.
  readonly hasVagueExtremes = true;
  readonly #grail: GrailClient;

  constructor(grail: GrailClient) {
    this.#grail = grail;
  }

  get shown(): string {
    return this.#grail.client.endpoint.shown;
  }

  spellings(key: string): readonly string[] {
    return [key, storedDimensionKey(key)];
  }

  async find(run: SentRun, now: number, signal: AbortSignal): Promise<Sighting> {
    const stored = await findInGrail(this.#grail, storedMetricKey(run.metric), run, now, signal);
    // With "Advanced OTLP metric dimensions" keys stay as they were sent.
    return stored.kind !== "nothing" || storedMetricKey(run.metric) === run.metric
      ? stored
      : await findInGrail(this.#grail, run.metric, run, now, signal);
  }

  async diagnose(
    run: SentRun,
    seen: ShownHistogram | undefined,
    now: number,
    signal: AbortSignal,
  ): Promise<Cause | undefined> {
    return await diagnoseGrail(this.#grail, run, seen, now, signal);
  }
}

/** Looks for a run under one key. */
async function findInGrail(
  grail: GrailClient,
  key: string,
  run: SentRun,
  now: number,
  signal: AbortSignal,
): Promise<Sighting> {
  const figures = await grail.run(figuresQuery(key, run, now), signal);
  if (figures.kind !== "records") return figures;
  const [record] = figures.records;
  const total = totalOf(figures.records.flatMap((each) => slotsOf(each, "n")));
  const sum = totalOf(figures.records.flatMap((each) => slotsOf(each, "s")));
  if (record === undefined || (total === undefined && sum === undefined)) {
    return { kind: "nothing" };
  }
  const { count, note } = await measurementsIn(grail, key, run, total, now, signal);
  const median = await grail.run(medianQuery(key, run, now), signal);
  if (median.kind === "trouble") return median;
  const percentile = median.kind === "records"
    ? median.records.flatMap((each) => slotsOf(each, "p50"))[0]
    : undefined;
  const extreme = (column: string, pick: (...numbers: number[]) => number) => {
    const slots = figures.records.flatMap((each) => slotsOf(each, column));
    return slots.length === 0 ? undefined : pick(...slots);
  };
  const notes: Partial<Record<Figure, string>> = {
    ...note !== undefined && { count: note },
    ...percentile === undefined && {
      percentile: median.kind === "records"
        ? "percentile() has no result"
        : `percentile() failed: ${median.message}`,
    },
  };
  return {
    kind: "shown",
    histogram: {
      metric: key,
      count,
      sum,
      min: extreme("mn", Math.min),
      max: extreme("mx", Math.max),
      percentile,
      buckets: undefined,
      dimensions: await dimensionsIn(grail, key, run, signal),
      notes,
    },
  };
}

/**
 * Decides which rollup is the count of measurements. No document says what `total` and the undocumented `count` are of
 * a histogram: both are asked if the first is not the number that was sent.
 */
async function measurementsIn(
  grail: GrailClient,
  key: string,
  run: SentRun,
  total: number | undefined,
  now: number,
  signal: AbortSignal,
): Promise<{ readonly count: number | undefined; readonly note: string | undefined }> {
  if (total === run.count) return { count: total, note: "rollup: total" };
  const counted = await grail.run(countQuery(key, run, now), signal);
  const other = counted.kind === "records"
    ? totalOf(counted.records.flatMap((each) => slotsOf(each, "n")))
    : undefined;
  const difference = `rollup: total is ${total ?? "empty"}, rollup: count is ${other ?? "empty"}`;
  if (other === run.count) return { count: other, note: `rollup: count; ${difference}` };
  return {
    count: total ?? other,
    note: `${difference}; whether either is the count of measurements is not documented`,
  };
}

/** Finds the dimensions of a run's series; undefined when there is no attribute to look for, or no answer. */
async function dimensionsIn(
  grail: GrailClient,
  key: string,
  { attribute, id, attributes }: SentRun,
  signal: AbortSignal,
): Promise<readonly string[] | undefined> {
  if (attributes.length === 0) return undefined;
  const condition = ` and ${dqlName(attribute)} == ${dqlString(id)}`;
  const series = await grail.run(seriesQuery(key, condition), signal);
  const [record] = series.kind === "records" ? series.records : [];
  return record && dimensionKeys(record);
}

/** Lists the fields of a record that have a value. */
export function dimensionKeys(record: JsonObject): readonly string[] {
  return Object.entries(record).filter(([, value]) => value !== null).map(([key]) => key);
}
