import { isObject, type JsonObject } from "../../../platform/json_object.ts";
import type { Cause, SentRun, ShownHistogram } from "../../backend.ts";
import { jsonList, lenientNumber, objectsIn, type QueryClient } from "../../query/query_client.ts";
import { countCause } from "../../query/count_cause.ts";
import { BUCKET_SETTINGS, readBucketSetting } from "./bucket_setting.ts";
import { storedDimensionKey, storedMetricKey } from "../rules.ts";
import { otherKeys, renamedTo, v2Keys } from "./keys.ts";

interface V2Look {
  readonly client: QueryClient;
  readonly run: SentRun;
  readonly now: number;
  readonly signal: AbortSignal;
}

/** Finds why the Metrics API v2 does not show a run as it was sent: the first cause that holds. */
export async function diagnoseMetricsV2(
  client: QueryClient,
  run: SentRun,
  seen: ShownHistogram | undefined,
  now: number,
  signal: AbortSignal,
): Promise<Cause | undefined> {
  const look: V2Look = { client, run, now, signal };
  if (seen === undefined) {
    return await describedMetric(look) ?? await similarKey(look) ?? await rejectedByReason(look) ??
      {
        id: "unknown",
        message: `nothing of ${run.metric} is there, under any key that Dynatrace is known to use`,
        remedy:
          "wait longer (--wait 600): it takes a minute or two, sometimes longer. Then look for a management zone that " +
          "hides it, and for a Collector in front that drops it",
      };
  }
  const differs = countCause(run, seen, "the backend");
  if (differs !== undefined) {
    return differs.id === "measurements-missing"
      ? await rejectedByReason(look) ?? differs
      : differs;
  }
  return seen.percentile !== undefined && seen.buckets !== undefined
    ? undefined
    : await unstoredBuckets(look);
}

async function unstoredBuckets({ client, now, signal }: V2Look): Promise<Cause> {
  const setting = BUCKET_SETTINGS["metrics-v2"];
  const { kind } = await readBucketSetting(setting, client, now, signal);
  const managed =
    "Managed stores at most 12 buckets since 1.324, with an ActiveGate of 1.321 or newer";
  return kind === "off" || kind === "unset"
    ? {
      id: "no-buckets",
      message: `the metric is stored without buckets: ${setting.place} is off in this environment`,
      remedy: `on Classic turn it on (${setting.schema}, ${setting.property}). ${managed}`,
    }
    : {
      id: "no-buckets",
      message: "the metric is stored without buckets, or with other buckets than were sent",
      remedy: kind === "on"
        ? `${setting.place} is on: it may be newer than this metric. ${managed}`
        : `on Classic turn on ${setting.place} (${setting.schema}, ${setting.property}). ${managed}`,
    };
}

/** Looks at the metric itself: it may be there without the attribute, or not be written any more. */
async function describedMetric({ client, run, signal }: V2Look): Promise<Cause | undefined> {
  for (const key of [...v2Keys(run.metric), ...otherKeys(run.metric)]) {
    const descriptor = await jsonAt(
      client,
      `/api/v2/metrics/${encodeURIComponent(key)}`,
      {},
      signal,
    );
    if (descriptor === undefined) continue;
    const dimensions = objectsIn(descriptor["dimensionDefinitions"]).map(({ key }) => String(key));
    const mark = storedDimensionKey(run.attribute);
    const lastWritten = lenientNumber(descriptor["lastWritten"]);
    if (!dimensions.includes(mark)) {
      return {
        id: "attribute-missing",
        message: `the metric is there as ${key}, but without the dimension ${mark}`,
        remedy:
          "see the allow list and the block list in Settings > Metrics > OpenTelemetry metrics, and the attributes " +
          "processors of a Collector",
      };
    }
    if (lastWritten !== undefined && lastWritten < run.time) {
      return {
        id: "point-missing",
        message: `the metric is there as ${key}, and was last written before this run`,
        remedy:
          "wait longer, and check the clock of this machine. On Managed 1.320 and 1.322 a metric whose key already ended in .histogram or _histogram " +
          "gets no data until it is deleted",
      };
    }
    if (!v2Keys(run.metric).includes(key)) return renamedTo(key);
    return {
      id: "point-missing",
      message:
        `the metric is there as ${key}, but nothing of this run at the time that was queried`,
      remedy:
        "run verify again with a longer --wait, and check the clock of this machine; if it does not appear, read the " +
        "Collector's log for dropped data",
    };
  }
  return undefined;
}

async function similarKey({ client, run, signal }: V2Look): Promise<Cause | undefined> {
  const key = storedMetricKey(run.metric);
  const found = await jsonAt(client, "/api/v2/metrics", {
    metricSelector: `${key}*`,
    writtenSince: String(run.time - 60_000),
  }, signal);
  const [metric] = objectsIn(found?.["metrics"]);
  return metric === undefined ? undefined : {
    id: "metric-renamed",
    message: `a metric of a similar name was just written, ${String(metric["metricId"])}`,
    remedy: "query that key: Dynatrace or something in front of it has changed the name",
  };
}

async function rejectedByReason({ client, run, now, signal }: V2Look): Promise<Cause | undefined> {
  const answer = await jsonAt(client, "/api/v2/metrics/query", {
    metricSelector:
      'dsfm:active_gate.metrics.ingest.otlp.datapoints.rejected:splitBy("reason"):sum',
    resolution: "Inf",
    from: String(run.time - 15 * 60_000),
    to: String(now + 60_000),
  }, signal);
  const reasons = objectsIn(answer?.["result"]).flatMap(({ data }) => objectsIn(data)).flatMap(
    ({ dimensionMap, values }) => {
      const points = jsonList(values).reduce<number>(
        (sum, value) => sum + (lenientNumber(value) ?? 0),
        0,
      );
      const reason = isObject(dimensionMap) ? dimensionMap["reason"] : undefined;
      return points > 0 ? [`${points} as ${String(reason ?? "no reason")}`] : [];
    },
  );
  return reasons.length === 0 ? undefined : {
    id: "points-rejected",
    message:
      `data points were rejected after the request was accepted, in this environment and time: ${
        reasons.join(", ")
      }`,
    remedy: "look the reason up in docs/dynatrace-rules.md; the figures include every other sender",
  };
}

async function jsonAt(
  client: QueryClient,
  path: string,
  parameters: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<JsonObject | undefined> {
  const answer = await client.ask({ method: "GET", path, parameters }, signal);
  return answer.kind === "answer" && answer.status === 200 ? answer.json : undefined;
}
