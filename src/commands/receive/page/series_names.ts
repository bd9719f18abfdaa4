import { attributeWords } from "../../../draw/words.ts";
import { escapeText } from "../../../console/escape.ts";
import type { DataPoint } from "../../../otlp/data_points.ts";
import type { KeyValue } from "../../../otlp/gen/opentelemetry/proto/common/v1/common_pb.ts";
import type { Metric } from "../../../otlp/gen/opentelemetry/proto/metrics/v1/metrics_pb.ts";
import type { Hide } from "../../../redact/secrets.ts";
import { temporalityOf } from "../metric_list.ts";

/** Names that distinguish a series, for people: safe for any display, never markup. */
export interface SeriesNames {
  readonly name: string;
  readonly unit: string;
  readonly type: string;
  readonly temporality: string | null;
  readonly resource: readonly string[];
  readonly scope: string;
  readonly attributes: readonly string[];
}

/** Returns the names of a data point's series, with secrets hidden by `hide`. */
export function namesOfSeries(
  metric: Metric,
  point: DataPoint,
  resource: readonly KeyValue[],
  scope: string,
  hide: Hide,
): SeriesNames {
  return {
    name: escapeText(hide(metric.name)),
    unit: escapeText(hide(metric.unit)),
    type: metric.data.case ?? "none",
    temporality: temporalityOf(metric),
    resource: attributeWords(resource, hide),
    scope: escapeText(hide(scope)),
    attributes: attributeWords(point.attributes, hide),
  };
}

/** Approximate memory of names, in bytes. */
export function bytesOfNames(names: SeriesNames): number {
  return BYTES_A_CHARACTER * JSON.stringify(names).length;
}

/** Memory of a character of a string, in bytes. */
export const BYTES_A_CHARACTER = 2;
