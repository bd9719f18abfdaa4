/** The units of time that a metric can have (UCUM), in milliseconds. */
export const MILLISECONDS_OF: ReadonlyMap<string, number> = new Map([
  ["s", 1e3],
  ["ms", 1],
  ["us", 1e-3],
  ["ns", 1e-6],
  ["min", 60e3],
  ["h", 3600e3],
]);
