import type { Clock } from "../../platform/clock.ts";
import type { Checkpoint, KeptCheckpoint } from "../checkpoint.ts";
import type { Pending, Store } from "../delivering.ts";
import { messageOf, UsageError } from "../../platform/errors.ts";
import { oneLine } from "../../console/escape.ts";
import { lockFile } from "../../platform/older_deno.ts";
import { type Files, syncDirectory, systemFiles } from "./files.ts";
import {
  encodeFile,
  fileName,
  halfName,
  PART,
  type Stored,
  type StoredCheckpoint,
  unsentName,
} from "./spool_file.ts";
import { CHECKPOINT, LOCK, OLD_CHECKPOINT, readLeft, type SpoolContents } from "./left.ts";

/** A directory that keeps requests from before they are first sent until they are settled. */
export interface Spool {
  readonly store: Store;
  /** Requests that an earlier process left, oldest first. */
  readonly left: readonly Pending[];
  /** The newest checkpoint of an earlier process. */
  readonly checkpoint: KeptCheckpoint | undefined;
  /** Keeps where a source begins, so that it is found again though none of its requests was kept yet. */
  beginAt(checkpoint: Checkpoint): Promise<void>;
  readonly warnings: readonly string[];
  close(): void;
}

/*
 * A file is written under a temporary name, synced, renamed, and the directory is synced: after a crash at any
 * instruction there is a whole file or none under the final name, and the checksum tells a whole one from a torn one.
 */
/**
 * Opens the directory, makes it if it is missing, and locks it. Throws a UsageError when another process has it or
 * when it is not a directory; one that cannot be used is a warning in the place of a spool.
 */
export async function openSpool(
  directory: string,
  name: string,
  clock: Clock,
  files: Files = systemFiles,
): Promise<Spool | { readonly unusable: string }> {
  try {
    const lock = new Lock(directory, files);
    if (!await lock.take()) {
      throw new UsageError(
        `Another process uses the spool "${name}": wait until it ends, or choose another directory with --spool`,
      );
    }
    try {
      const found = await readLeft(directory, name, clock, files);
      return {
        ...found,
        store: storeIn(directory, name, found, lock, files),
        beginAt: (begin) =>
          writeCheckpoint(
            directory,
            { ...begin, sequence: found.checkpoint?.sequence ?? 0 },
            files,
          ),
        close: () => lock.close(),
      };
    } catch (thrown) {
      lock.close();
      throw thrown;
    }
  } catch (thrown) {
    if (thrown instanceof UsageError) throw thrown;
    if (await isFile(directory)) {
      throw new UsageError(`Cannot use the spool "${name}": it is a file, not a directory`);
    }
    return { unusable: cannot("use", name, thrown) };
  }
}

/** The directory, and the right to write in it; both can be removed while the process runs. */
class Lock {
  readonly #directory: string;
  readonly #files: Files;
  #held: { close(): void } | undefined;
  #inode: number | null = null;

  constructor(directory: string, files: Files) {
    this.#directory = directory;
    this.#files = files;
  }

  /** Makes the directory if it is missing, and locks it; false when another process has it. */
  async take(): Promise<boolean> {
    if (this.#held !== undefined && await this.#isThere()) return true;
    this.close();
    await makeDirectory(this.#directory, this.#files);
    const path = `${this.#directory}/${LOCK}`;
    this.#held = await lockFile(path);
    if (this.#held === undefined) return false;
    this.#inode = (await Deno.stat(path)).ino;
    return true;
  }

  /** Takes it again when it was removed; throws when another process was faster. */
  async demand(): Promise<void> {
    if (!await this.take()) throw new Error("it was removed, and another process uses it now");
  }

  close(): void {
    this.#held?.close();
    this.#held = undefined;
  }

  /** A lock on a file that was removed keeps nobody out. */
  async #isThere(): Promise<boolean> {
    try {
      return (await Deno.stat(`${this.#directory}/${LOCK}`)).ino === this.#inode;
    } catch (thrown) {
      if (thrown instanceof Deno.errors.NotFound) return false;
      throw thrown;
    }
  }
}

/** A new directory is made to last: one that is gone after a power failure has kept nothing. */
async function makeDirectory(directory: string, files: Files): Promise<void> {
  if (await Deno.stat(directory).then(({ isDirectory }) => isDirectory, () => false)) return;
  await Deno.mkdir(directory, { recursive: true });
  let above = directory;
  for (let depth = directory.split(/[\\/]+/).length; depth > 1; depth--) {
    above += "/..";
    // One that may not be opened was there before.
    await syncDirectory(above, files).catch(() => {});
  }
}

function cannot(what: string, name: string, thrown: unknown): string {
  return `Cannot ${what} the spool "${name}" (${
    oneLine(messageOf(thrown))
  }): unsent data is kept in memory only and is lost when the program ends`;
}

/** The file was removed, or its directory and something else stands there. */
function isGone(thrown: unknown): boolean {
  return thrown instanceof Deno.errors.NotFound || thrown instanceof Deno.errors.NotADirectory;
}

async function isFile(path: string): Promise<boolean> {
  try {
    return !(await Deno.stat(path)).isDirectory;
  } catch {
    return false;
  }
}

function storeIn(
  directory: string,
  name: string,
  { checkpoint: newest, files: left }: SpoolContents,
  lock: Lock,
  files: Files,
): Store {
  let counter = 0;
  let failing = false;
  let sequence = newest?.sequence ?? 0;
  /** The checkpoints that came with requests, by file. */
  const checkpoints = new Map<string, StoredCheckpoint>(
    left.flatMap(({ file, checkpoint }) => checkpoint === undefined ? [] : [[file, checkpoint]]),
  );
  /** The files of more than one request: a part of them may have been settled. */
  const batches = new Set(left.filter(({ parts }) => parts > 1).map(({ file }) => file));
  const saved = async (file: string, stored: Stored) => {
    try {
      await lock.demand();
      await write(directory, file, await encodeFile(stored), files);
      failing = false;
      return { stored: file, warning: undefined };
    } catch (thrown) {
      const warning = failing ? undefined : cannot("write to", name, thrown);
      failing = true;
      return { stored: undefined, warning };
    }
  };
  return {
    async save(pending, { half, checkpoint } = {}) {
      const [{ stored = undefined, recordedAt = 0 } = {}] = pending;
      const file = half === undefined || stored === undefined
        ? fileName(recordedAt, counter++)
        : halfName(stored, half);
      const numbered = checkpoint && { ...checkpoint, sequence: ++sequence };
      const requests = pending.map(({ request }) => request);
      const done = await saved(file, { requests, recordedAt, checkpoint: numbered });
      if (done.stored !== undefined) {
        if (numbered !== undefined) checkpoints.set(file, numbered);
        if (requests.length > 1) batches.add(file);
      }
      return done;
    },
    async forget(file) {
      const checkpoint = checkpoints.get(file);
      // The newest one has to outlive the request that it came with.
      if (checkpoint !== undefined && checkpoint.sequence === sequence) {
        try {
          await lock.demand();
          await writeCheckpoint(directory, checkpoint, files);
        } catch (thrown) {
          return `${
            cannot("write to", name, thrown)
          }; the next start will send again what is in ${file}`;
        }
      }
      checkpoints.delete(file);
      batches.delete(file);
      try {
        // Made to last by the next file's sync: until then a power failure may bring it back, and it is sent twice.
        await Deno.remove(`${directory}/${file}`);
        return undefined;
      } catch (thrown) {
        if (isGone(thrown)) return undefined;
        return `Cannot remove ${file} from the spool "${name}" (${
          oneLine(messageOf(thrown))
        }): the next start will send it again`;
      }
    },
    async holds(file, { body }) {
      try {
        const { isFile, size } = await Deno.stat(`${directory}/${file}`);
        return isFile && size > body.length;
      } catch {
        return false;
      }
    },
    async markUnsent(file) {
      if (batches.has(file)) return;
      try {
        await Deno.rename(`${directory}/${file}`, `${directory}/${unsentName(file)}`);
      } catch {
        // Without the mark the next process says "possibly duplicated", which is the safe side.
      }
    },
  };
}

async function writeCheckpoint(
  directory: string,
  checkpoint: StoredCheckpoint,
  files: Files,
): Promise<void> {
  // A process that was killed while it wrote leaves this behind.
  await Deno.remove(`${directory}/${CHECKPOINT}${PART}`).catch(() => {});
  const file = await encodeFile({ requests: [], recordedAt: 0, checkpoint });
  // Unless it is written the one before it holds.
  await write(directory, CHECKPOINT, file, files, [PART]);
  // Where it cannot be removed, its sequence says that it is the older one.
  await Deno.remove(`${directory}/${OLD_CHECKPOINT}`).catch(() => {});
}

/** `undone`: what is removed again when it is not kept for certain. */
async function write(
  directory: string,
  file: string,
  bytes: Uint8Array,
  files: Files,
  undone: readonly string[] = [PART, ""],
): Promise<void> {
  const whole = `${directory}/${file}`;
  const part = whole + PART;
  try {
    const opened = await files.create(part);
    try {
      for (let at = 0; at < bytes.length;) at += await opened.write(bytes.subarray(at));
      await opened.sync();
    } finally {
      opened.close();
    }
    await Deno.rename(part, whole);
    await syncDirectory(directory, files);
  } catch (thrown) {
    // A request that may not last in its file is kept in memory; with the file it would be sent twice.
    for (const ending of undone) await Deno.remove(whole + ending).catch(() => {});
    throw thrown;
  }
}
