/** Why a test that needs the program that a variable names cannot run; undefined when it can. */
export function missing(variable: string): string | undefined {
  return Deno.env.get(variable) ? undefined : `${variable} names no program`;
}

/** Program that a variable names; call it in tests that are ignored when it is missing. */
export function tool(variable: string): string {
  const named = Deno.env.get(variable);
  if (!named) throw new Error(`${variable} is not set`);
  return named;
}

/** The reason why a test cannot run here, unless the condition holds. */
export function reasonUnless(condition: boolean, reason: string): string | undefined {
  return condition ? undefined : reason;
}

/** Why a test that needs a shell, pipes with names or modes of files cannot run here. */
export const noPosix = reasonUnless(Deno.build.os !== "windows", "Windows is not POSIX");
/** Why a test that needs a part of Linux cannot run here. */
export const noLinux = reasonUnless(Deno.build.os === "linux", "it needs Linux");

/** A test's `name` and `ignore`: what is not run says why in its name. */
export function namedUnless(reason: string | undefined, name: string) {
  return reason === undefined
    ? { name, ignore: false }
    : { name: `${name} (not run: ${reason})`, ignore: true };
}
