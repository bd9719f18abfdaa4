/** Open file that the spool writes. */
export interface OpenFile {
  write(bytes: Uint8Array): Promise<number>;
  sync(): Promise<void>;
  close(): void;
}

/** File system as the spool uses it to make files last; passed in so that a test sees what is synced and read. */
export interface Files {
  /** Makes a file that is not there yet, for its user alone. */
  create(path: string): Promise<OpenFile>;
  /** How long it is, in bytes. */
  size(path: string): Promise<number>;
  /** All of it. */
  read(path: string): Promise<Uint8Array<ArrayBuffer>>;
  /** Makes what was written to a file last through a power failure; for a directory, what was renamed or made in it. */
  sync(path: string): Promise<void>;
}

/** File system of the machine. */
export const systemFiles: Files = {
  create: (path) => Deno.open(path, { createNew: true, write: true, mode: 0o600 }),
  size: async (path) => (await Deno.stat(path)).size,
  read: (path) => Deno.readFile(path),
  async sync(path) {
    using opened = await Deno.open(path);
    await opened.sync();
  },
};

/** Windows has no such call for a directory, and needs none. */
export async function syncDirectory(directory: string, files: Files): Promise<void> {
  if (Deno.build.os !== "windows") await files.sync(directory);
}
