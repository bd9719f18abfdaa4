/** Finds the word that was probably meant: the nearest one, if it is near enough. */
export function findNearest(typed: string, words: readonly string[]): string | undefined {
  const most = Math.max(1, Math.floor(typed.length / 3));
  let best: string | undefined;
  let least = most + 1;
  for (const word of words) {
    const isBeginning = typed.length >= 3 && word.startsWith(typed);
    // The distance is at least the difference in length.
    if (!isBeginning && Math.abs(word.length - typed.length) >= least) continue;
    const far = isBeginning ? 1 : distance(typed, word);
    if (far < least) [best, least] = [word, far];
  }
  return best;
}

/**
 * Returns the number of letters left out, added, replaced or exchanged with their neighbour (optimal string
 * alignment).
 */
function distance(a: string, b: string): number {
  const rows = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  const at = (i: number, j: number) => rows[i]?.[j] ?? Infinity;
  for (let i = 1; i <= a.length; i++) {
    rows.push([i]);
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      const exchanged = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      rows[i]?.push(Math.min(
        at(i - 1, j) + 1,
        at(i, j - 1) + 1,
        at(i - 1, j - 1) + (same ? 0 : 1),
        exchanged ? at(i - 2, j - 2) + 1 : Infinity,
      ));
    }
  }
  return at(a.length, b.length);
}
