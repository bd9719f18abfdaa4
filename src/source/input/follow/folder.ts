/** File beside the followed one. */
export interface Sibling {
  readonly path: string;
  readonly name: string;
  readonly device: number;
  readonly inode: number;
  readonly size: number;
  /** When it was last written, in ms since 1970. */
  readonly mtime: number;
}

/** Splits a path into its directory and its last name. */
export function splitPath(path: string): { readonly folder: string; readonly name: string } {
  const [, folder = ".", name = path] = /^(.*)[\\/]([^\\/]*)$/.exec(path) ?? [];
  return { folder: folder === "" ? "/" : folder, name };
}

/** Lists a directory's regular files with accepted names, oldest first; none if it is missing or closed to this user. */
export async function filesIn(
  folder: string,
  acceptsName: (name: string) => boolean,
): Promise<readonly Sibling[]> {
  const siblings: Sibling[] = [];
  try {
    for await (const { isFile, name } of Deno.readDir(folder)) {
      if (!isFile || !acceptsName(name)) continue;
      const path = `${folder}/${name}`;
      const info = await Deno.stat(path).catch(unlessGone);
      if (info === undefined) continue;
      const { dev, ino, size, mtime } = info;
      siblings.push({
        ...{ path, name, size },
        ...{ device: dev, inode: ino ?? 0, mtime: mtime?.getTime() ?? 0 },
      });
    }
  } catch (thrown) {
    // A file can be followed though its directory cannot be listed.
    unlessClosed(thrown);
  }
  return siblings.sort((a, b) => a.mtime - b.mtime);
}

/** Lists the directories in a directory. */
export async function foldersIn(folder: string): Promise<readonly string[]> {
  const folders: string[] = [];
  try {
    for await (const { isDirectory, name } of Deno.readDir(folder)) {
      if (isDirectory) folders.push(`${folder}/${name}`);
    }
  } catch (thrown) {
    unlessClosed(thrown);
  }
  return folders;
}

/** Returns when a directory's files last came, went or changed names, in ms since 1970; undefined if it is missing. */
export async function changeOf(folder: string): Promise<number | undefined> {
  return (await Deno.stat(folder).catch(unlessGone))?.mtime?.getTime();
}

/** Returns undefined for the error that there is no such file, and throws any other. */
export function unlessGone(thrown: unknown): undefined {
  if (thrown instanceof Deno.errors.NotFound || thrown instanceof Deno.errors.NotADirectory) {
    return undefined;
  }
  throw thrown;
}

/** Returns undefined for the error that there is no such file, or that permission denied. */
export function unlessClosed(thrown: unknown): undefined {
  const { PermissionDenied, NotCapable } = Deno.errors;
  if (thrown instanceof PermissionDenied || thrown instanceof NotCapable) return undefined;
  return unlessGone(thrown);
}

/** A date, and a time if there is one: `20261130`, `2026-11-30T10-00-00.000`, `20261130-101112`. */
const DATE = String.raw`(?:19|20)\d\d-?[01]\d-?[0-3]\d[\d.T:_-]*`;
const NUMBER = String.raw`\d[\d.T:_-]*`;
const PACKED = /\.gz$/;

/**
 * Tells the names that rotation gives a file: `log.1`, `log-20261130`, `log.2.gz`, `app-20261130.log`. A number within
 * the name counts only once a file is known to have been rotated to such a name: `app-8080.log` may be of another
 * program. A link has rotated names too: `app.log` leads to `app-20261130.log`, and a day later to another file.
 */
export class RotatedNames {
  /** The name of the followed file. */
  readonly name: string;
  readonly #stems: readonly string[];
  readonly #pattern: RegExp;
  readonly #shapes = new Set<string>();

  /** `link` is the name that leads to the file; its own name where there is no link. */
  constructor(name: string, link: string) {
    const names = [...new Set([name, link])].map((each) => {
      const [, stem = each, ending = ""] = /^(.+?)(\.[^.]*)?$/.exec(each) ?? [];
      return { each, stem, ending };
    });
    this.name = name;
    this.#stems = names.map(({ stem }) => stem);
    const patterns = names.map(({ each, stem, ending }) =>
      `${escapeForPattern(each)}[.-]${NUMBER}|` +
      `${escapeForPattern(stem)}[.-]${DATE}${escapeForPattern(ending)}`
    );
    this.#pattern = new RegExp(`^(?:${patterns.join("|")})$`);
  }

  /** The followed file was rotated to this name. */
  learn(name: string): void {
    if (name !== this.name) this.#shapes.add(shapeOf(name));
  }

  /** Whether rotation of the followed file gives such a name. */
  has(name: string): boolean {
    return this.#pattern.test(name.replace(PACKED, "")) ||
      name !== this.name && this.#shapes.has(shapeOf(name));
  }

  /** Whether a copy of the followed file may have that name. */
  isLike(name: string): boolean {
    return this.#stems.some((stem) => name.startsWith(stem));
  }
}

/** A name without what one rotation has different from the next one. */
function shapeOf(name: string): string {
  return name.replace(PACKED, "").replace(
    /\d+/g,
    (digits) => digits.length < 4 ? "#" : "#".repeat(digits.length),
  );
}

function escapeForPattern(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}
