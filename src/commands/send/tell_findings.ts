import type { Console } from "../../console/console.ts";
import { UsageError } from "../../platform/errors.ts";
import { type Finding, findingText } from "../../receivers/finding.ts";

/** Reports the broken rules of a vendor; with `strict` that ends the program before anything is sent. */
export function tellFindings(
  findings: readonly Finding[],
  { strict }: { readonly strict: boolean },
  console: Console,
): void {
  const texts = findings.map(findingText);
  if (strict && texts.length > 0) {
    throw new UsageError(`${texts.join("\n")}\nNothing was sent, because of --strict`);
  }
  texts.forEach(console.warn);
}
