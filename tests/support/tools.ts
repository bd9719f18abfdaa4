/** Why a test that needs the program that a variable names cannot run; undefined when it can. */
export function missing(variable: string): string | undefined {
  return Deno.env.get(variable) ? undefined : `${variable} names no program`;
}

/** What the variable names; call it in tests that are ignored when it is missing. */
export function tool(variable: string): string {
  const named = Deno.env.get(variable);
  if (!named) throw new Error(`${variable} is not set`);
  return named;
}

/** A test's `name` and `ignore`: what is not run says why in its name. */
export function namedUnless(reason: string | undefined, name: string) {
  return reason === undefined
    ? { name, ignore: false }
    : { name: `${name} (not run: ${reason})`, ignore: true };
}
