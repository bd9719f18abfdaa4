import { UsageError } from "../../platform/errors.ts";
import { findNearest } from "../../platform/nearest.ts";
import { fileOf, resolvePath, unreadable } from "../../platform/paths.ts";
import { demandUtf8 } from "../../platform/utf16.ts";
import type { System } from "../../platform/system.ts";

/** Scenarios that the program brings, by name. Each is a file of examples/, and loaded when it is asked for. */
const BUILT_IN = {
  "web-shop": () => import("../../../examples/web-shop.json", { with: { type: "json" } }),
  "latency-incident": () =>
    import("../../../examples/latency-incident.json", { with: { type: "json" } }),
} as const;

/** Names of the built-in scenarios. */
export const BUILT_IN_SCENARIOS: readonly string[] = Object.keys(BUILT_IN);

/**
 * Reads the text of a scenario: of the built-in one with this name, else of the file at this path. Throws a UsageError
 * if there is neither.
 */
export async function readScenario(
  nameOrPath: string,
  system: Pick<System, "cwd" | "readTextFile">,
): Promise<string> {
  if (isBuiltIn(nameOrPath)) {
    return JSON.stringify((await BUILT_IN[nameOrPath]()).default, undefined, 2);
  }
  let text: string;
  try {
    text = await system.readTextFile(resolvePath(system.cwd, nameOrPath));
  } catch (thrown) {
    throw thrown instanceof Deno.errors.NotFound
      ? unknownScenario(nameOrPath)
      : unreadable(fileOf("--scenario", nameOrPath), thrown);
  }
  demandUtf8(text, fileOf("--scenario", nameOrPath));
  return text;
}

function isBuiltIn(name: string): name is keyof typeof BUILT_IN {
  return Object.hasOwn(BUILT_IN, name);
}

function unknownScenario(nameOrPath: string): UsageError {
  const nearest = findNearest(nameOrPath, BUILT_IN_SCENARIOS);
  const meant = nearest === undefined ? "" : `; did you mean ${nearest}?`;
  return new UsageError(
    `Invalid --scenario "${nameOrPath}" (command line): no file and no built-in scenario has this name${meant}\n` +
      "  Hint: Give the path of a file, for example ./scenario.json, or a built-in scenario: " +
      BUILT_IN_SCENARIOS.join(", "),
  );
}
