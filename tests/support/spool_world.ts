import assert from "node:assert/strict";
import type { Pending } from "../../src/delivery/delivering.ts";
import type { Files } from "../../src/delivery/spool/files.ts";
import { openSpool, type Spool } from "../../src/delivery/spool/spool.ts";
import { requestOf, SimulatedClock, UNTRIED } from "./simulation.ts";

/** Clock of every spool: it stands still. */
export const CLOCK = new SimulatedClock();
/** Time of `CLOCK`, ms since 1970. */
export const NOW = CLOCK.wall();

/** Opens the spool in a directory, which has to be usable. */
export async function open(directory: string, through?: Files): Promise<Spool> {
  const spool = await openSpool(directory, "the spool", CLOCK, through);
  assert.ok("store" in spool, `unusable: ${JSON.stringify(spool)}`);
  return spool;
}

/** Opens and closes a spool, as the next process, and gives what it found, its warnings too. */
export async function found(directory: string) {
  const spool = await open(directory);
  spool.close();
  return spool;
}

/** Makes a pending request that has a data point for each of these counts. */
export function pendingOf(counts: readonly number[], recordedAt = NOW): Pending {
  const request = requestOf(counts, counts[0]);
  return { ...UNTRIED, request, iteration: 1, recordedAt, bornAt: CLOCK.monotonic() };
}

/** Saves a request and gives its name. */
export async function save({ store }: Spool, pending: Pending, half?: 1 | 2): Promise<string> {
  const { stored, warning } = await store.save([pending], half === undefined ? {} : { half });
  assert.equal(warning, undefined);
  assert.ok(stored !== undefined);
  return stored;
}

/** Gives the measurements of each request. */
export function counts(left: readonly Pending[]): readonly number[] {
  return left.map(({ request }) => request.measurements);
}

/** Names the files of a directory, without the lock. */
export async function files(directory: string): Promise<readonly string[]> {
  const names: string[] = [];
  for await (const { name } of Deno.readDir(directory)) if (name !== "lock") names.push(name);
  return names.sort();
}
