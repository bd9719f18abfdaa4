/**
 * Units of Prometheus as UCUM has them (OpenTelemetry specification, "Prometheus and OpenMetrics Compatibility", Metric
 * Metadata). Its table of 25 lacks `ratio`, which its earlier versions have.
 */
const UNITS: ReadonlyMap<string, string> = new Map([
  ["days", "d"],
  ["hours", "h"],
  ["minutes", "min"],
  ["seconds", "s"],
  ["milliseconds", "ms"],
  ["microseconds", "us"],
  ["nanoseconds", "ns"],
  ["bytes", "By"],
  ["kibibytes", "KiBy"],
  ["mebibytes", "MiBy"],
  ["gibibytes", "GiBy"],
  ["tebibytes", "TiBy"],
  ["kilobytes", "kBy"],
  ["megabytes", "MBy"],
  ["gigabytes", "GBy"],
  ["terabytes", "TBy"],
  ["meters", "m"],
  ["volts", "V"],
  ["amperes", "A"],
  ["joules", "J"],
  ["watts", "W"],
  ["grams", "g"],
  ["celsius", "Cel"],
  ["hertz", "Hz"],
  ["percent", "%"],
  ["ratio", "1"],
]);

/** Words after `_per_`. */
const PER_UNITS: ReadonlyMap<string, string> = new Map([
  ["second", "s"],
  ["minute", "min"],
  ["hour", "h"],
  ["day", "d"],
  ["week", "wk"],
  ["month", "mo"],
  ["year", "a"],
]);

/** The unit of OpenMetrics' UNIT, or the one that the family's name ends in; empty when there is none. */
export function unitOf(family: string, named: string | undefined): string {
  if (named !== undefined) {
    const [word = "", per] = named.split("_per_", 2);
    const unit = UNITS.get(word) ?? word;
    return per === undefined ? unit : `${unit}/${PER_UNITS.get(per) ?? per}`;
  }
  const [, word = "", per] = /_([a-z]+)(?:_per_([a-z]+))?$/.exec(family) ?? [];
  const unit = UNITS.get(word) ?? "";
  if (per === undefined || unit === "") return unit;
  const perUnit = PER_UNITS.get(per);
  return perUnit === undefined ? "" : `${unit}/${perUnit}`;
}
