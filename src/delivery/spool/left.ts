import type { Clock } from "../../platform/clock.ts";
import type { Pending } from "../delivering.ts";
import { type KeptCheckpoint, unreadableCheckpoint } from "../checkpoint.ts";
import { messageOf } from "../../platform/errors.ts";
import { oneLine } from "../../console/escape.ts";
import type { EncodedRequest } from "../../otlp/request.ts";
import type { Files } from "./files.ts";
import {
  decodeFile,
  PART,
  plainName,
  type Stored,
  type StoredCheckpoint,
  wholeOf,
} from "./spool_file.ts";

/** Contents of a spool that an earlier process left, with warnings about the directory. */
export interface SpoolContents {
  /** Unsent requests, oldest first. */
  readonly left: readonly Pending[];
  /** The newest checkpoint, whether its request is left or settled. */
  readonly checkpoint: KeptCheckpoint | undefined;
  readonly files: readonly {
    readonly file: string;
    readonly parts: number;
    readonly checkpoint: StoredCheckpoint | undefined;
  }[];
  readonly warnings: readonly string[];
}

/** The file by which one process holds the directory. */
export const LOCK = "lock";
/** The file of the newest checkpoint whose requests had been settled. */
export const CHECKPOINT = "checkpoint";
/** Name of that file in a spool of version 2.0. */
export const OLD_CHECKPOINT = "place";
/** Both, and the part of one whose process was killed while it wrote. */
const CHECKPOINT_FILES = /^(checkpoint|place)(\.part)?$/;

const SET_ASIDE = "set-aside";
/** Most bytes of a file that is read: more than any of ours, so that a foreign file cannot fill the memory. */
const LARGEST_FILE = 256 * 2 ** 20;

/** Reads every request of the directory; a file that is not a request is never sent and never fatal. */
export async function readLeft(
  directory: string,
  shown: string,
  clock: Clock,
  fileSystem: Files,
): Promise<SpoolContents> {
  const files: string[] = [];
  for await (const { isFile, name } of Deno.readDir(directory)) {
    if (isFile && name !== LOCK && !CHECKPOINT_FILES.test(name)) files.push(name);
  }
  const present = new Set(files.map((file) => plainName(file)?.name ?? file));
  const foreign: string[] = [];
  const left: Pending[] = [];
  const kept: SpoolContents["files"][number][] = [];
  const warnings: string[] = [];
  let checkpoint = await readCheckpoint(directory, shown, fileSystem);
  for (const file of files.sort()) {
    const plain = plainName(file);
    if (plain === undefined) {
      foreign.push(file);
      continue;
    }
    try {
      const whole = wholeOf(plain.name);
      if (whole !== undefined && present.has(whole)) {
        // The process died while it split a request: the whole is still there, and no half was sent.
        await Deno.remove(`${directory}/${file}`);
        continue;
      }
      const found = await read(`${directory}/${file}`, fileSystem);
      if (found === undefined) {
        await setAside(directory, file);
        warnings.push(
          `"${oneLine(file)}" in the spool "${shown}" is torn or not a spool file: ` +
            `not sent, set aside in ${SET_ASIDE}/`,
        );
        continue;
      }
      await rename(directory, file, plain.name, fileSystem);
      for (const request of found.requests) {
        left.push(pendingFrom(request, found.recordedAt, plain.name, !plain.unsent, clock));
      }
      kept.push({ file: plain.name, parts: found.requests.length, checkpoint: found.checkpoint });
      if (found.checkpoint && found.checkpoint.sequence > (checkpoint?.sequence ?? 0)) {
        checkpoint = { ...found.checkpoint, file: `${shown}/${plain.name}` };
      }
    } catch (thrown) {
      warnings.push(
        `Cannot take over "${oneLine(file)}" in the spool "${shown}" (${
          oneLine(messageOf(thrown))
        }): left unsent and unchanged`,
      );
    }
  }
  if (foreign.length > 0) warnings.unshift(foreignWarning(foreign, shown));
  return { left, checkpoint, files: kept, warnings };
}

/** The newest checkpoint in a file of its own. Throws a UsageError when one is there and cannot be read. */
async function readCheckpoint(
  directory: string,
  shown: string,
  fileSystem: Files,
): Promise<KeptCheckpoint | undefined> {
  let newest: KeptCheckpoint | undefined;
  for (const name of [CHECKPOINT, OLD_CHECKPOINT]) {
    let reason = "it is damaged";
    const stored = await read(`${directory}/${name}`, fileSystem).catch((thrown) => {
      if (thrown instanceof Deno.errors.NotFound) return null;
      reason = oneLine(messageOf(thrown));
      return undefined;
    });
    if (stored === null) continue;
    const file = `${shown}/${name}`;
    if (stored?.checkpoint === undefined) throw unreadableCheckpoint(file, reason);
    if (newest === undefined || stored.checkpoint.sequence > newest.sequence) {
      newest = { ...stored.checkpoint, file };
    }
  }
  return newest;
}

async function read(path: string, fileSystem: Files): Promise<Stored | undefined> {
  if (await fileSystem.size(path) > LARGEST_FILE) return undefined;
  return await decodeFile(await fileSystem.read(path));
}

async function rename(
  directory: string,
  file: string,
  name: string,
  fileSystem: Files,
): Promise<void> {
  if (file === name) return;
  // Whole as it is, it may not be on the disk yet: its process died before it could know.
  if (file.endsWith(PART)) await fileSystem.sync(`${directory}/${file}`);
  await Deno.rename(`${directory}/${file}`, `${directory}/${name}`);
}

async function setAside(directory: string, file: string): Promise<void> {
  await Deno.mkdir(`${directory}/${SET_ASIDE}`, { recursive: true });
  await Deno.rename(`${directory}/${file}`, `${directory}/${SET_ASIDE}/${file}`);
}

/** Warning about foreign files. They stay where they are: a mistyped directory may hold somebody's work. */
function foreignWarning(files: readonly string[], shown: string): string {
  const some = files.slice(0, 3).map((file) => `"${oneLine(file)}"`).join(", ");
  const more = files.length > 3 ? ` and ${files.length - 3} more` : "";
  return `${some}${more} in the spool "${shown}": not spool files, left unsent and unchanged`;
}

function pendingFrom(
  request: EncodedRequest,
  recordedAt: number,
  stored: string,
  mayHaveArrived: boolean,
  clock: Clock,
): Pending {
  // A clock that was set back since then makes nothing younger than new.
  const age = Math.max(0, clock.wall() - recordedAt);
  return {
    request,
    iteration: null,
    recordedAt,
    bornAt: clock.monotonic() - age,
    stored,
    attempts: 0,
    mayHaveArrived,
    possiblyDuplicated: false,
  };
}
