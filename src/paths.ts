/** A path as the user gave it, relative to where the command was given. */
export function resolvePath(cwd: string, path: string): string {
  return /^([/\\]|[a-z]:[/\\])/i.test(path) ? path : `${cwd}/${path}`;
}
