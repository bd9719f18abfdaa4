import type { Cause } from "../../backend.ts";
import { histogramKey, storedMetricKey } from "../rules.ts";

/** Names that Dynatrace is known to give to a histogram beside its own. */
export function otherKeys(metric: string): readonly string[] {
  const key = storedMetricKey(metric);
  return [...new Set([metric, histogramKey(key), `${key}_bucket`, `${key}.count`, `${key}.gauge`])]
    .filter((other) => other !== key);
}

/** Keys under which Managed and Classic store a histogram, likeliest first. */
export function v2Keys(metric: string): readonly string[] {
  const key = storedMetricKey(metric);
  return [...new Set([histogramKey(key), key, `${key}_bucket`])];
}

/** Quotes a key of a metric selector unless it has only usual characters. */
export function selectorKey(key: string): string {
  return /^[A-Za-z0-9_.:-]+$/.test(key) ? key : selectorString(key);
}

/** Quotes a string of a metric selector, whose escape character is a tilde. */
export function selectorString(text: string): string {
  return `"${text.replace(/["~]/g, "~$&")}"`;
}

/** Cause of a metric that is found under another key only. */
export function renamedTo(key: string): Cause {
  return {
    id: "metric-renamed",
    message: `the metric is there under another key, ${key}`,
    remedy: `query ${key}: Dynatrace or something in front of it has changed the name`,
  };
}
