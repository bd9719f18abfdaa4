import { escapeText } from "../console/escape.ts";
import { counted } from "../console/plural.ts";

/** Names of metrics that are not histograms, by type as in OTLP/JSON. */
export type OtherMetrics = ReadonlyMap<string, ReadonlySet<string>>;

/** Maximum number of names that are listed per type. */
const MOST_NAMES = 5;

/** Formats a sentence per type of the metrics that were left out, such as "Not drawn: 1 metric of type gauge (a)". */
export function otherMetricTexts(
  leftOut: "Not compared" | "Not drawn",
  others: readonly OtherMetrics[],
): readonly string[] {
  const names = new Map<string, ReadonlySet<string>>();
  for (const [type, ofType] of others.flatMap((each) => [...each])) {
    names.set(type, new Set([...names.get(type) ?? [], ...ofType]));
  }
  return [...names].map(([type, ofType]) => {
    const list = [...ofType].slice(0, MOST_NAMES).map((name) => escapeText(name)).join(", ");
    const number = counted(ofType.size, `metric of type ${type}`, `metrics of type ${type}`);
    return `${leftOut}: ${number} (${list}${ofType.size > MOST_NAMES ? ", …" : ""})`;
  });
}
