import { counted } from "../../../console/plural.ts";
import type { Cause, SentRun, ShownHistogram } from "../../backend.ts";
import { countCause } from "../../query/count_cause.ts";
import { BUCKET_SETTINGS, readBucketSetting } from "./bucket_setting.ts";
import { storedDimensionKey, storedMetricKey } from "../rules.ts";
import {
  dqlName,
  dqlString,
  figuresQuery,
  metadataQuery,
  rejectedQuery,
  seriesQuery,
} from "./dql.ts";
import { otherKeys, renamedTo } from "./keys.ts";
import { GRAIL_SCOPES, type GrailClient, slotsOf, totalOf } from "./grail_client.ts";

/** Finds why Grail does not show a run as it was sent: the first cause that holds. */
export async function diagnoseGrail(
  grail: GrailClient,
  run: SentRun,
  seen: ShownHistogram | undefined,
  now: number,
  signal: AbortSignal,
): Promise<Cause | undefined> {
  const look: Look = { grail, run, now, signal };
  if (seen === undefined) {
    return await renamedKey(look) ?? await missingAttribute(look) ?? await rejectedLater(look) ??
      unknownCause(run);
  }
  const differs = countCause(run, seen, "Grail");
  if (differs !== undefined) {
    const known = differs.id === "measurements-missing" ? await rejectedLater(look) : undefined;
    return known ?? (seen.sum === run.sum ? countedOtherwise(differs, seen, run) : differs);
  }
  return seen.percentile === undefined ? await missingBuckets(look) : undefined;
}

/** Cause of another count when the sum is right: all may be there, as what the rollups count is not documented. */
function countedOtherwise(
  { id, remedy }: Cause,
  { count }: ShownHistogram,
  { count: sent }: SentRun,
): Cause {
  return {
    id,
    message: `Grail counts ${count} of ${
      counted(sent, "measurement")
    }, but their sum is what was sent`,
    remedy: "all may be there: that either rollup counts measurements is not documented. " +
      `Otherwise ${remedy}`,
  };
}

interface Look {
  readonly grail: GrailClient;
  readonly run: SentRun;
  readonly now: number;
  readonly signal: AbortSignal;
}

async function renamedKey({ grail, run, now, signal }: Look): Promise<Cause | undefined> {
  for (const key of otherKeys(run.metric)) {
    const found = await grail.run(figuresQuery(key, run, now), signal);
    if (found.kind === "records" && found.records.length > 0) {
      return renamedTo(key);
    }
  }
  return undefined;
}

async function missingAttribute({ grail, run, signal }: Look): Promise<Cause | undefined> {
  const key = storedMetricKey(run.metric);
  const series = await grail.run(seriesQuery(key), signal);
  if (series.kind === "refused") {
    return {
      id: "query-scope",
      message: `the query token cannot list the series of a metric: ${series.message}`,
      remedy: `give it ${GRAIL_SCOPES}`,
    };
  }
  if (series.kind !== "records" || series.records.length === 0) return undefined;
  // A series of another run may be among the first ones, and the mark not.
  const attribute = dqlName(run.attribute);
  const own = await grail.run(
    seriesQuery(key, ` and ${attribute} == ${dqlString(run.id)}`),
    signal,
  );
  if (marksOf(own, run).includes(run.id)) {
    return {
      id: "outside-window",
      message: "the series of this run is there, but without a value at the time that was queried",
      remedy:
        "check the clock of this machine: Dynatrace moves a time that is more than 10 min ahead, and queries cover " +
        "15 min before and after the time that was sent. If the clock is right, run verify again with a longer --wait",
    };
  }
  const marked = await grail.run(seriesQuery(key, ` and isNotNull(${attribute})`), signal);
  if (marksOf(series, run).length > 0 || marksOf(marked, run).length > 0) {
    return {
      id: "point-missing",
      message: "earlier runs of this metric are there, but nothing of this one yet",
      remedy:
        "run verify again with a longer --wait; if it does not appear, look for dropped data: OpenPipeline routes, the " +
        "Collector's log",
    };
  }
  if (marked.kind !== "records") return undefined;
  return {
    id: "attribute-missing",
    message: `the metric is there, but without the attribute ${run.attribute}`,
    remedy:
      "see the deny list in Settings > Process and contextualize > OpenTelemetry metrics, on Classic the allow list " +
      "in Settings > Metrics > OpenTelemetry metrics, and the attributes processors of a Collector",
  };
}

/** Returns the values of the run's attribute in records of series. */
function marksOf(
  found: Awaited<ReturnType<GrailClient["run"]>>,
  { attribute }: SentRun,
): readonly unknown[] {
  if (found.kind !== "records") return [];
  const spellings = [attribute, storedDimensionKey(attribute)];
  return found.records.flatMap((record) => spellings.map((key) => record[key] ?? null))
    .filter((mark) => mark !== null);
}

async function rejectedLater({ grail, run, now, signal }: Look): Promise<Cause | undefined> {
  const rejected = await grail.run(rejectedQuery(run, now), signal);
  if (rejected.kind !== "records") return undefined;
  const reasons = rejected.records.flatMap((record) => {
    const points = totalOf(slotsOf(record, "rejected")) ?? 0;
    return points > 0 ? [`${points} as ${String(record["reason"] ?? "no reason")}`] : [];
  });
  return reasons.length === 0 ? undefined : {
    id: "points-rejected",
    message:
      `Dynatrace rejected data points after it had accepted the request, in this environment and time: ${
        reasons.join(", ")
      }`,
    remedy: "look the reason up in docs/dynatrace-rules.md; the figures include every other sender",
  };
}

async function missingBuckets({ grail, run, now, signal }: Look): Promise<Cause> {
  const setting = BUCKET_SETTINGS.grail;
  const { place, schema, property, scope } = setting;
  const turnOn = `turn on ${place} (${schema}, ${property})`;
  const state = await readBucketSetting(setting, grail.client, now, signal);
  if (state.kind === "off") {
    return {
      id: "no-buckets",
      message: `the metric is stored without buckets: ${place} is off in this environment`,
      remedy: turnOn,
    };
  }
  const metadata = await grail.run(metadataQuery(storedMetricKey(run.metric)), signal);
  const [described] = metadata.kind === "records" ? metadata.records : [];
  const type = described?.["metric.type"];
  if (type === "histogram") {
    return {
      id: "no-rate-card",
      message: "the metric is stored as a histogram, and percentile() has no result",
      remedy:
        'ask for the rate card "Metrics powered by Grail", which percentile() needs; how it behaves without one is ' +
        "not documented",
    };
  }
  const stored = typeof type === "string"
    ? `it is stored as ${type.slice(0, 40)}`
    : "percentile() has no result";
  return {
    id: "no-buckets",
    message: `the metric has no buckets: ${stored}`,
    remedy: state.kind === "on"
      ? `${place} is on: it may be newer than this metric, or the rate card "Metrics powered by Grail" is missing`
      : state.kind === "unset"
      ? `${turnOn}; this environment never set it, and its default is not documented`
      : state.kind === "gone"
      ? `this environment has no setting ${schema}; the rate card "Metrics powered by Grail" may be missing`
      : `${turnOn}; whether it is on could not be read, which needs the scope ${scope}`,
  };
}

function unknownCause({ metric }: SentRun): Cause {
  return {
    id: "unknown",
    message:
      `nothing of ${metric} is in Grail, under any key that Dynatrace is known to use, and no rejected data points are shown`,
    remedy:
      "wait longer (--wait 600): no document says how long data takes to become visible. A record-level rule or a " +
      "bucket that the token's user may not read hides data without an error, and a Collector in front may drop it",
  };
}
