import { namedUnless } from "./tools.ts";

/** One test of a list of cases. */
export interface TestCase {
  readonly name: string;
  /** Why it cannot run here: it is skipped, and its name says so. */
  readonly ignore?: string | undefined;
  readonly run: () => unknown;
}

/** Defines a test for each case; throws when there is none. */
export function testCases(cases: readonly TestCase[]): void {
  for (const { name, ignore, run } of atLeastOne(cases)) {
    Deno.test({ ...namedUnless(ignore, name), fn: async () => void await run() });
  }
}

/** Defines a test for each item; throws when there is none. */
export function each<T>(
  items: readonly T[],
  name: (item: T) => string,
  run: (item: T) => unknown,
): void {
  testCases(items.map((item) => ({ name: name(item), run: () => run(item) })));
}

/** The items, for a loop that asserts something of each: throws when there is none, where the loop would pass. */
export function atLeastOne<T>(items: readonly T[]): readonly T[] {
  if (items.length === 0) throw new Error("There is nothing to test: the list is empty");
  return items;
}
