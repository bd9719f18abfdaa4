import type { Cause, SentRun, ShownHistogram } from "../backend.ts";
import { countCause } from "../query/count_cause.ts";
import { nameMatcher, runSelectors } from "./selectors.ts";
import { baseName, type LastSample } from "./series.ts";

/** Finds the series that matchers select within the window of a run. */
export type PrometheusLook = (matchers: string) => Promise<readonly LastSample[]>;

/** Greatest difference of times in ms that are those of one data point. */
const SAME_TIME_MS = 2000;

/** Finds why a server of Prometheus' HTTP API does not show a run as it was sent. */
export async function diagnosePrometheus(
  run: SentRun,
  seen: ShownHistogram | undefined,
  look: PrometheusLook,
): Promise<Cause | undefined> {
  if (seen !== undefined) return countCause(run, seen, "the backend") ?? bucketCause(seen);
  for (const { matcher, label } of runSelectors(run)) {
    const [other] = await look(matcher);
    const name = other?.labels["__name__"];
    if (name !== undefined) {
      return {
        id: "metric-renamed",
        message: `the metric is there under another name, ${
          baseName(name)
        }, with ${label}=${run.id}`,
        remedy:
          `something between here and the backend renames it: look for a namespace, a prefix or a transform ` +
          "processor in the Collector's configuration",
      };
    }
  }
  const others = await look(nameMatcher(run));
  const labels = (samples: readonly LastSample[]) =>
    [...new Set(samples.flatMap(({ labels }) => Object.keys(labels)))]
      .filter((label) => label !== "__name__" && label !== "le").sort();
  const marks = runSelectors(run).map(({ label }) => label);
  // The data point keeps the time that this machine gave it; another run of that time has a mark of its own.
  const unmarked = others.filter(({ time, labels }) =>
    Math.abs(time - run.time) < SAME_TIME_MS && !marks.some((mark) => Object.hasOwn(labels, mark))
  );
  if (unmarked.length > 0) {
    return {
      id: "attribute-missing",
      message:
        `the metric is there, but without the attribute ${run.attribute} of this run; its labels are ${
          labels(unmarked).join(", ")
        }`,
      remedy:
        "something between here and the backend drops the attribute: look for an attributes or transform " +
        "processor, or for relabeling, that keeps only some of them",
    };
  }
  if (labels(others).some((label) => marks.includes(label))) {
    return {
      id: "point-missing",
      message:
        "earlier runs of this metric are there, but not this one: the path works, but not for every " +
        "data point",
      remedy:
        "look for a filter or sampling processor, a queue that is full, or one of several receivers that " +
        "forwards elsewhere, and read the Collector's log for dropped data",
    };
  }
  return {
    id: "metric-missing",
    message:
      `the backend has no series of ${run.metric}, under any name or label that such servers use`,
    remedy:
      "check that the receiver forwards to this backend, and read the Collector's log for dropped data; " +
      "Prometheus rejects or discards deltas unless it runs with --enable-feature=otlp-deltatocumulative or a Collector turns " +
      "them into cumulatives",
  };
}

/** Finds the cause of buckets that are not there; a native histogram has its own. */
function bucketCause({ metric, buckets, notes }: ShownHistogram): Cause | undefined {
  return buckets !== undefined || notes.buckets !== undefined ? undefined : {
    id: "no-buckets",
    message: `the metric is there without its buckets: no series ${metric}_bucket`,
    remedy:
      "something between here and the backend drops them: look for a filter processor, or for relabeling",
  };
}
