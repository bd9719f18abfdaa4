/** Makes what was written to a file last through a power failure; for a directory, what was renamed or made in it. */
export async function syncPath(path: string): Promise<void> {
  const opened = await Deno.open(path);
  try {
    await opened.sync();
  } finally {
    opened.close();
  }
}

/** Windows has no such call for a directory, and needs none. */
export async function syncDirectory(directory: string): Promise<void> {
  if (Deno.build.os !== "windows") await syncPath(directory);
}
