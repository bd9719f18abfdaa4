import type { Clock } from "../../base/clock.ts";
import type { Pending, Store } from "../delivery.ts";
import { messageOf, UsageError } from "../../base/errors.ts";
import { oneLine } from "../../base/escape.ts";
import { lockFile } from "../../base/older_deno.ts";
import { encodeFile, fileName, halfName, PART, unsentName } from "./spool_file.ts";
import { readLeft } from "./left.ts";
import { syncDirectory } from "./sync.ts";

/** A directory that keeps requests from before they are first sent until they are settled. */
export interface Spool {
  readonly store: Store;
  /** What an earlier process left, oldest first. */
  readonly left: readonly Pending[];
  readonly warnings: readonly string[];
  close(): void;
}

/*
 * A file is written under a temporary name, synced, renamed, and the directory is synced: after a crash at any
 * instruction there is a whole file or none under the final name, and the checksum tells a whole one from a torn one.
 */
const LOCK = "lock";

/**
 * Opens the directory, makes it if it is missing, and locks it. Throws a UsageError when another process has it or
 * when it is no directory; one that cannot be used is a warning in the place of a spool.
 */
export async function openSpool(
  directory: string,
  name: string,
  clock: Clock,
): Promise<Spool | { readonly unusable: string }> {
  try {
    await makeDirectory(directory);
    const lock = await lockFile(`${directory}/${LOCK}`);
    if (lock === undefined) {
      throw new UsageError(
        `Another process uses the spool "${name}": wait for it to end, or name another directory with --spool`,
      );
    }
    try {
      const found = await readLeft(directory, name, LOCK, clock);
      return { ...found, store: storeIn(directory, name), close: () => lock.close() };
    } catch (thrown) {
      lock.close();
      throw thrown;
    }
  } catch (thrown) {
    if (thrown instanceof UsageError) throw thrown;
    if (await isFile(directory)) {
      throw new UsageError(`Cannot use the spool "${name}": it is a file, expected a directory`);
    }
    return { unusable: cannot("use", name, thrown) };
  }
}

/** A new directory is made to last: one that is gone after a power failure has kept nothing. */
async function makeDirectory(directory: string): Promise<void> {
  if (await Deno.stat(directory).then(({ isDirectory }) => isDirectory, () => false)) return;
  await Deno.mkdir(directory, { recursive: true });
  let above = directory;
  for (let depth = directory.split(/[\\/]+/).length; depth > 1; depth--) {
    above += "/..";
    // One that may not be opened was there before.
    await syncDirectory(above).catch(() => {});
  }
}

function cannot(what: string, name: string, thrown: unknown): string {
  return `Cannot ${what} the spool "${name}" (${
    oneLine(messageOf(thrown))
  }): unsent data is kept in memory only and is lost when the program ends`;
}

async function isFile(path: string): Promise<boolean> {
  try {
    return !(await Deno.stat(path)).isDirectory;
  } catch {
    return false;
  }
}

function storeIn(directory: string, name: string): Store {
  let counter = 0;
  let failing = false;
  return {
    async save(pending, half) {
      const file = half === undefined || pending.stored === undefined
        ? fileName(pending.recordedAt, counter++)
        : halfName(pending.stored, half);
      try {
        await write(directory, file, await encodeFile(pending));
        failing = false;
        return { stored: file, warning: undefined };
      } catch (thrown) {
        const warning = failing ? undefined : cannot("write to", name, thrown);
        failing = true;
        return { stored: undefined, warning };
      }
    },
    async forget(file) {
      try {
        // Made to last by the next file's sync: until then a power failure may bring it back, and it is sent twice.
        await Deno.remove(`${directory}/${file}`);
        return undefined;
      } catch (thrown) {
        if (thrown instanceof Deno.errors.NotFound) return undefined;
        return `Cannot remove ${file} from the spool "${name}" (${
          oneLine(messageOf(thrown))
        }): the next start will send it again`;
      }
    },
    async markUnsent(file) {
      try {
        await Deno.rename(`${directory}/${file}`, `${directory}/${unsentName(file)}`);
      } catch {
        // Without the mark the next process says "possibly duplicated", which is the safe side.
      }
    },
  };
}

async function write(directory: string, file: string, bytes: Uint8Array): Promise<void> {
  const whole = `${directory}/${file}`;
  const part = whole + PART;
  try {
    const opened = await Deno.open(part, { createNew: true, write: true, mode: 0o600 });
    try {
      for (let at = 0; at < bytes.length;) at += await opened.write(bytes.subarray(at));
      await opened.sync();
    } finally {
      opened.close();
    }
    await Deno.rename(part, whole);
    await syncDirectory(directory);
  } catch (thrown) {
    // What is not kept for certain is kept in memory; a file of it would be sent twice.
    for (const path of [part, whole]) await Deno.remove(path).catch(() => {});
    throw thrown;
  }
}
