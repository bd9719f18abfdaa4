/** Numbers in [0, 1) that are the same in every run (Park and Miller's minimal standard generator). */
export function seeded(seed: number): () => number {
  let state = Math.abs(seed) % 2_147_483_646 + 1;
  return () => (state = state * 48_271 % 2_147_483_647) / 2_147_483_647;
}
