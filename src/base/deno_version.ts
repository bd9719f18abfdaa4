/** Whether this runs on a Deno older than MAJOR.MINOR. */
export function isDenoBefore(major: number, minor: number): boolean {
  const [ownMajor = 0, ownMinor = 0] = Deno.version.deno.split(".").map(Number);
  return ownMajor < major || (ownMajor === major && ownMinor < minor);
}
