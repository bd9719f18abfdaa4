import type { Clock } from "./clock.ts";
import { lacksDescriptors, messageOf } from "./errors.ts";

// All that is here only because an executable may be compiled with Deno 2.6: the project's own denort for places where
// that of the Deno which runs the sources cannot be downloaded. With the last such executable this file goes; "Then:"
// says what each of its callers does instead.

function isDenoBefore(major: number, minor: number): boolean {
  const [ownMajor = 0, ownMinor = 0] = Deno.version.deno.split(".").map(Number);
  return ownMajor < major || (ownMajor === major && ownMinor < minor);
}

/** Whether node:https verifies certificates even if it is told not to. Then: no warning of it. */
export const VERIFIES_REGARDLESS = isDenoBefore(2, 9);

/**
 * Reports whether fetch failed to decompress a body, which 2.6 does whatever was asked for. It fails alike for an
 * empty body and for one that was cut off: "maybe-empty". Then: undefined.
 */
export function decompressionError(thrown: unknown): "maybe-empty" | "failed" | undefined {
  const message = messageOf(thrown);
  if (!isDenoBefore(2, 9) || /connection/.test(message)) return undefined;
  return /unexpected (end of file|EOF)/i.test(message) ? "maybe-empty" : "failed";
}

/** Silences the warning of node:dns about a deprecated module of Deno's own. Then: nothing. */
export async function silenceDeprecations(): Promise<void> {
  const { default: process } = await import("node:process");
  Object.assign(process, { noDeprecation: true });
}

/** Lists the groups of this process besides its own, which 2.6 does not report. Then: `process.getgroups()`. */
export async function otherGroups(): Promise<readonly number[]> {
  const { default: process } = await import("node:process");
  return process.getgroups?.() ?? [];
}

/**
 * Throws the TLS library's objection to a client's certificate and its key, both PEM. 2.6 ends the process when a
 * client is given a pair that the library rejects; a server gets the same verdict as an error. Then:
 * `createHttpClient`, always.
 */
export function demandUsablePair(pair: { readonly cert: string; readonly key: string }): void {
  if (isDenoBefore(2, 9)) Deno.listenTls({ hostname: "127.0.0.1", port: 0, ...pair }).close();
  else Deno.createHttpClient(pair).close();
}

/** TLS version of a socket of node:tls, which 2.6 does not report. Then: `getProtocol()`. */
export function tlsVersion(
  socket: { getProtocol?: () => string | null },
): string {
  return socket.getProtocol?.() ?? "TLS (version unknown to this Deno)";
}

/**
 * Locks a file for as long as the process lives or until it is closed; undefined when another process has it. The lock is
 * SQLite's on an empty database, which ends with the process, however it ends: 2.6 has no lock of its own that does not
 * wait, and a process that waits for one cannot end. Then: `FsFile.tryLock`, once no process with this lock is left.
 */
export async function lockFile(path: string): Promise<{ close(): void } | undefined> {
  const { DatabaseSync } = await import("node:sqlite");
  const database = new DatabaseSync(path);
  try {
    // Nothing is ever written: no journal either.
    database.exec("PRAGMA journal_mode=MEMORY; BEGIN EXCLUSIVE");
    return database;
  } catch (thrown) {
    database.close();
    if (messageOf(thrown).includes("locked")) return undefined;
    throw thrown;
  }
}

/** Time that 2.6 waits for a lock, in ms. */
const LOCK_MS = 300;

/**
 * Locks a file that others may read and write meanwhile, until it is closed or the process ends; false when another
 * process has locked it. 2.6 can only wait for a lock, also after this has resolved to false: use a descriptor for
 * nothing else. Then: `FsFile.tryLock`.
 */
export async function tryLock(file: Deno.FsFile, clock: Clock): Promise<boolean> {
  if (!isDenoBefore(2, 9)) return await file.tryLock(true);
  const locked = file.lock(true).then(() => true);
  locked.catch(() => {}); // nobody waits any more when the file is closed later
  const off = new AbortController();
  try {
    return await Promise.race([locked, clock.sleep(LOCK_MS, off.signal).then(() => false)]);
  } finally {
    off.abort();
  }
}

/**
 * Returns the path of a script without an interpreter that the system refused to run, which a shell runs itself.
 * 2.6 has no such fallback. Then: undefined.
 */
export function interpretedByShell(thrown: unknown): string | undefined {
  return /^Failed to spawn '(.+)': Exec format error/s.exec(messageOf(thrown))?.[1];
}

/** Interval between checks that a server still listens, in ms. */
const LOOK_MS = 500;

/**
 * Resolves with true when nothing listens at an address any more: a Deno.serve() of 2.6 that ran out of descriptors says
 * so only when its last connection has ended. Never resolves on a later Deno, or after `over`. Then: nothing, since
 * `finished` of the server rejects at once.
 */
export async function listenerLost(
  address: { readonly hostname: string; readonly port: number },
  clock: Clock,
  over: AbortSignal,
): Promise<true> {
  while (isDenoBefore(2, 9) && !over.aborted) {
    await clock.sleep(LOOK_MS, over);
    try {
      Deno.listen(address).close();
      if (!over.aborted) return true;
    } catch (thrown) {
      if (lacksDescriptors(thrown)) return true;
      if (!(thrown instanceof Deno.errors.AddrInUse)) throw thrown;
    }
  }
  return new Promise(() => {});
}
