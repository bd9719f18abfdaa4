import type { Exposed } from "./exposed.ts";
import type { Instrument } from "../../aggregate/instrument.ts";
import type { RecordFamilies } from "../source.ts";

/** Records families as instruments. `attributes` are on every data point; `found` is called with each new instrument. */
export function familyInstruments(
  attributes: Instrument["attributes"],
  found: (instrument: Instrument) => void,
): RecordFamilies {
  const indices = new Map<string, number>();
  return (records, exposed) => {
    let count = 0;
    for (const { family, histograms } of exposed) {
      const index = indices.get(family.name) ?? add(family, histograms[0]?.bounds ?? []);
      records.addHistograms(histograms, index);
      count += histograms.reduce((sum, histogram) => sum + histogram.count, 0);
    }
    return count;

    function add(family: Exposed["family"], bounds: readonly number[]): number {
      const instrument = { ...family, bounds, attributes };
      const index = records.addInstrument(instrument);
      indices.set(family.name, index);
      found(instrument);
      return index;
    }
  };
}
