import { attributeKey } from "../../aggregate/attribute_key.ts";
import type { Attributes } from "../../aggregate/measurement.ts";

/** Target of an exposition, as a series of `target_info` describes it. */
export interface ScrapeTarget {
  /** Tells the target apart from others, and from itself with other labels. */
  readonly key: string;
  readonly resource: Attributes;
  /** The labels of a series without those that name this target. */
  without(labels: Attributes): Attributes;
}

/** The targets of an exposition: one, or those whose `job` and `instance` its series have. */
export class TargetList {
  readonly #byJob = new Map<string, ScrapeTarget>();

  /** `targets`: labels of each series of `target_info`. */
  constructor(targets: readonly Attributes[]) {
    const byJob = Map.groupBy(targets.map(present), jobKey);
    for (const [key, same] of byJob) {
      this.#byJob.set(key, describedTarget(Object.assign({}, ...same)));
    }
  }

  /** The target of a series; undefined when none is known to be its own. */
  of(labels: Attributes): ScrapeTarget | undefined {
    if (this.#byJob.size === 0) return undefined;
    const own = this.#byJob.get(jobKey(labels)) ?? this.#byJob.get(NO_JOB);
    if (own !== undefined || jobKey(labels) !== NO_JOB) return own;
    const [only, ...others] = this.#byJob.values();
    return others.length === 0 ? only : undefined;
  }
}

/** Prometheus takes an empty label for one that is missing. */
function present(labels: Attributes): Attributes {
  return Object.fromEntries(Object.entries(labels).filter(([, value]) => value !== ""));
}

function jobKey({ job = "", instance = "" }: Attributes): string {
  return JSON.stringify([job, instance]);
}

const NO_JOB = jobKey({});

function describedTarget(labels: Attributes): ScrapeTarget {
  const { job, instance, ...others } = labels;
  const service = others["service_name"];
  return {
    key: attributeKey(labels),
    resource: {
      ...job !== undefined && serviceOfJob(String(job)),
      ...instance !== undefined && { "service.instance.id": instance },
      // SDKs write service.name so where names have no dots.
      ...service !== undefined && { "service.name": service },
      ...others,
    },
    without(labels) {
      const { job: itsJob, instance: itsInstance, ...own } = labels;
      return {
        ...job === undefined && itsJob !== undefined && { job: itsJob },
        ...instance === undefined && itsInstance !== undefined && { instance: itsInstance },
        ...own,
      };
    },
  };
}

/** `job` is `<service.namespace>/<service.name>`, or the name alone (the same specification, Resource Attributes). */
function serviceOfJob(job: string): Attributes {
  const [namespace, name, ...others] = job.split("/");
  return namespace && name && others.length === 0
    ? { "service.namespace": namespace, "service.name": name }
    : { "service.name": job };
}
