import type { SentRun } from "../backend.ts";

/** A selector of PromQL that finds a run by one spelling of its attribute. */
export interface RunSelector {
  /** Label as the selector writes it. */
  readonly label: string;
  /** Expression that matches the label. */
  readonly matcher: string;
}

/**
 * Lists the spellings of an attribute as a label: as it is (VictoriaMetrics, Prometheus with UTF-8 names), and with
 * underscores (Prometheus and Mimir by default).
 */
export function runSelectors({ attribute, id }: SentRun): readonly RunSelector[] {
  const underscored = escapedLabel(attribute);
  const spelled = [
    { label: attribute, matcher: `${quotedString(attribute)}=${quotedString(id)}` },
    { label: underscored, matcher: `${underscored}=${quotedString(id)}` },
  ];
  return attribute === underscored ? spelled.slice(1) : spelled;
}

/** Attribute's key as a label without UTF-8 names (OpenTelemetry, "Prometheus and OpenMetrics Compatibility"). */
export function escapedLabel(key: string): string {
  const label = key.replace(/[^a-zA-Z0-9_]+/g, "_");
  return /^\d/.test(label) ? `key_${label}` : label;
}

/**
 * Matches the names under which servers store a histogram: as it is or with underscores, with or without the unit,
 * and with the suffixes of its series.
 */
export function nameMatcher({ metric }: Pick<SentRun, "metric">): string {
  const parts = metric.split(/[^a-zA-Z0-9:]+/).filter((part) => part !== "");
  return `__name__=~${quotedString(`${parts.join("[^a-zA-Z0-9]+")}(_[a-zA-Z_]+)?`)}`;
}

/** Quotes a string of PromQL. */
export function quotedString(text: string): string {
  return JSON.stringify(text);
}
