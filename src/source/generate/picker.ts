/** Maps a number in [0, 1) to an index, each as often as its weight says. */
export type Picker = (uniform: number) => number;

/** Makes a picker of indexes by weights, of which at least one is above 0. */
export function picker(weighted: readonly { readonly weight: number }[]): Picker {
  const total = totalWeight(weighted);
  let sum = 0;
  const ends = weighted.map(({ weight }) => (sum += weight) / total);
  const last = weighted.findLastIndex(({ weight }) => weight > 0);
  return (uniform) => {
    // An entry that ends where the one before does has no weight, and is never picked.
    const index = ends.findIndex((end) => uniform < end);
    return index < 0 ? last : index;
  };
}

/** Adds the weights up. */
export function totalWeight(weighted: readonly { readonly weight: number }[]): number {
  return weighted.reduce((sum, { weight }) => sum + weight, 0);
}
