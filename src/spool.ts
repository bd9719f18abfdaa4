import type { Clock } from "./clock.ts";
import type { Pending, Store } from "./delivery.ts";
import { messageOf, UsageError } from "./errors.ts";
import type { EncodedRequest } from "./otlp/request.ts";
import { printable } from "./redact.ts";

/** A directory that keeps requests from before they are first sent until they are settled. */
export interface Spool {
  readonly store: Store;
  /** What an earlier process left, oldest first. */
  readonly left: readonly Pending[];
  readonly warnings: readonly string[];
  close(): void;
}

/*
 * A request is a file of its own: a line of JSON that describes it, then the body as it goes over the wire. It is
 * written under a temporary name, synced, renamed, and the directory is synced: after a crash at any instruction there
 * is a whole file or none under the final name, and the checksum tells a whole one from a torn one. Nothing in it is
 * secret: no URL, token or header. The lock is one of the system on an open file, which ends with the process.
 */
const SUFFIX = ".otlp";
const PART_SUFFIX = ".otlp.part";
const LOCK = "lock";
const SET_ASIDE = "set-aside";
const FORMAT = "otlp-histogram spool 1";

/**
 * Opens the directory, makes it if it is missing, and locks it. Throws a UsageError when another process has it or when it
 * is no directory; a directory that cannot be written is a warning, and undefined in the place of a spool.
 */
export async function openSpool(
  directory: string,
  name: string,
  clock: Clock,
): Promise<Spool | { readonly unusable: string }> {
  let lock: Deno.FsFile;
  try {
    await Deno.mkdir(directory, { recursive: true });
    lock = await Deno.open(`${directory}/${LOCK}`, { create: true, write: true, read: true });
  } catch (thrown) {
    if (await isFile(directory)) {
      throw new UsageError(`Cannot use the spool "${name}": it is a file, expected a directory`);
    }
    return { unusable: cannot("write to", name, thrown) };
  }
  if (!await tryLock(lock)) {
    lock.close();
    throw new UsageError(
      `Another process uses the spool "${name}": wait for it to end, or name another directory with --spool`,
    );
  }
  try {
    return await spoolIn(directory, name, clock, lock);
  } catch (thrown) {
    lock.close();
    return { unusable: cannot("read", name, thrown) };
  }
}

function cannot(what: string, name: string, thrown: unknown): string {
  return `Cannot ${what} the spool "${name}" (${
    printable(messageOf(thrown))
  }): unsent data is kept in memory only and is lost when the program ends`;
}

async function isFile(path: string): Promise<boolean> {
  try {
    return !(await Deno.stat(path)).isDirectory;
  } catch {
    return false;
  }
}

/** Deno before 2.9 has no `tryLock`: there, waiting for the lock is given up by closing the file. */
async function tryLock(file: Deno.FsFile): Promise<boolean> {
  if ("tryLock" in file) return await file.tryLock(true);
  const timedOut = Symbol();
  let timer;
  const timeout = new Promise<typeof timedOut>((resolve) => {
    timer = setTimeout(() => resolve(timedOut), LOCK_WAIT_MS);
  });
  const locked = await Promise.race([lockFile(file), timeout]);
  clearTimeout(timer);
  return locked !== timedOut;
}

const LOCK_WAIT_MS = 300;

async function lockFile(file: Pick<Deno.FsFile, "lock">): Promise<void> {
  try {
    await file.lock(true);
  } catch {
    // Closed while it waited: the other process still has it.
  }
}

async function spoolIn(
  directory: string,
  name: string,
  clock: Clock,
  lock: Deno.FsFile,
): Promise<Spool> {
  const { left, warnings } = await readLeft(directory, name, clock);
  let written = 0;
  let failing = false;
  const store: Store = {
    async save(pending) {
      const file = `${String(pending.recordedAt).padStart(15, "0")}-${
        String(written++).padStart(8, "0")
      }-${crypto.randomUUID().slice(0, 8)}${SUFFIX}`;
      try {
        await write(directory, file, await encode(pending));
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
        await Deno.remove(`${directory}/${file}`);
        return undefined;
      } catch (thrown) {
        return `Cannot remove ${file} from the spool "${name}" (${
          printable(messageOf(thrown))
        }): the next start will send it again`;
      }
    },
  };
  return { store, left, warnings, close: () => lock.close() };
}

async function write(directory: string, file: string, bytes: Uint8Array): Promise<void> {
  const part = `${directory}/${file}.part`;
  try {
    const opened = await Deno.open(part, { createNew: true, write: true, mode: 0o600 });
    try {
      for (let at = 0; at < bytes.length;) at += await opened.write(bytes.subarray(at));
      await opened.sync();
    } finally {
      opened.close();
    }
    await Deno.rename(part, `${directory}/${file}`);
  } catch (thrown) {
    await Deno.remove(part).catch(() => {});
    throw thrown;
  }
  await syncDirectory(directory);
}

/** Makes a rename last through a power failure. Windows has no such call for a directory, and needs none. */
async function syncDirectory(directory: string): Promise<void> {
  if (Deno.build.os === "windows") return;
  const opened = await Deno.open(directory);
  try {
    await opened.sync();
  } finally {
    opened.close();
  }
}

interface Header {
  readonly format: typeof FORMAT;
  readonly recordedAt: number;
  readonly encoding: EncodedRequest["encoding"];
  readonly points: number;
  readonly measurements: number;
  readonly length: number;
  readonly sha256: string;
}

async function encode({ request, recordedAt }: Pending): Promise<Uint8Array> {
  const header: Header = {
    format: FORMAT,
    recordedAt,
    encoding: request.encoding,
    points: request.points,
    measurements: request.measurements,
    length: request.body.length,
    sha256: await sha256(request.body),
  };
  const line = new TextEncoder().encode(`${JSON.stringify(header)}\n`);
  const bytes = new Uint8Array(line.length + request.body.length);
  bytes.set(line);
  bytes.set(request.body, line.length);
  return bytes;
}

async function decode(
  bytes: Uint8Array<ArrayBuffer>,
): Promise<{ request: EncodedRequest; recordedAt: number } | undefined> {
  const end = bytes.indexOf(0x0a);
  const header = parseHeader(new TextDecoder().decode(bytes.subarray(0, Math.max(end, 0))));
  const body = bytes.slice(end + 1);
  if (header === undefined || header.length !== body.length) return undefined;
  if (header.sha256 !== await sha256(body)) return undefined;
  const { encoding, points, measurements, recordedAt } = header;
  return { request: { body, encoding, points, measurements }, recordedAt };
}

function parseHeader(line: string): Header | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(line);
  } catch {
    return undefined;
  }
  return isHeader(parsed) ? parsed : undefined;
}

function isHeader(value: unknown): value is Header {
  if (typeof value !== "object" || value === null) return false;
  const header: Partial<Record<keyof Header, unknown>> = value;
  const counts = [header.recordedAt, header.points, header.measurements, header.length];
  return header.format === FORMAT && counts.every(Number.isSafeInteger) &&
    (header.encoding === "gzip" || header.encoding === "identity") &&
    typeof header.sha256 === "string";
}

async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Reads every request of the directory; what is none is never sent and never fatal. */
async function readLeft(
  directory: string,
  name: string,
  clock: Clock,
): Promise<{ left: readonly Pending[]; warnings: readonly string[] }> {
  const left: Pending[] = [];
  const warnings: string[] = [];
  const names = [];
  for await (const entry of Deno.readDir(directory)) {
    if (entry.isFile && entry.name !== LOCK) names.push(entry.name);
  }
  for (const file of names.sort()) {
    if (!file.endsWith(SUFFIX) && !file.endsWith(PART_SUFFIX)) {
      warnings.push(`"${printable(file)}" in the spool "${name}" is none of its files: left alone`);
      continue;
    }
    try {
      const found = await decode(await Deno.readFile(`${directory}/${file}`));
      if (found === undefined) {
        warnings.push(await setAside(directory, name, file));
        continue;
      }
      left.push(pendingFrom(found, await wholeName(directory, file), clock));
    } catch (thrown) {
      warnings.push(
        `Cannot read "${printable(file)}" in the spool "${name}" (${
          printable(messageOf(thrown))
        }): not sent, left alone`,
      );
    }
  }
  return { left, warnings };
}

/** A file that was written whole, but whose process died before it renamed it, counts like any other. */
async function wholeName(directory: string, file: string): Promise<string> {
  if (!file.endsWith(PART_SUFFIX)) return file;
  const whole = file.slice(0, -".part".length);
  await Deno.rename(`${directory}/${file}`, `${directory}/${whole}`);
  return whole;
}

async function setAside(directory: string, name: string, file: string): Promise<string> {
  await Deno.mkdir(`${directory}/${SET_ASIDE}`, { recursive: true });
  await Deno.rename(`${directory}/${file}`, `${directory}/${SET_ASIDE}/${file}`);
  return `"${
    printable(file)
  }" in the spool "${name}" is damaged: not sent, set aside in ${SET_ASIDE}/`;
}

function pendingFrom(
  { request, recordedAt }: { request: EncodedRequest; recordedAt: number },
  stored: string,
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
    mayHaveArrived: false,
    possiblyDuplicated: false,
  };
}
