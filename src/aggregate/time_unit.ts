/** Units of time that a metric can have (UCUM), in nanoseconds. */
export const NANOSECONDS_OF: ReadonlyMap<string, number> = new Map([
  ["s", 1e9],
  ["ms", 1e6],
  ["us", 1e3],
  ["ns", 1],
  ["min", 60e9],
  ["h", 3600e9],
]);
