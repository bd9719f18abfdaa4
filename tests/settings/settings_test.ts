import assert from "node:assert/strict";
import { UsageError } from "../../src/platform/errors.ts";
import { flagName, rowOf, SETTING_KEYS, type SettingKey } from "../../src/settings/settings.ts";

import { EXAMPLES } from "./examples.ts";
import { type Given, SECRET } from "./reading.ts";

type Source = "command line" | "environment" | ".env";

/** A row's sources in the order of the contract: of each variable the environment, then `.env`. */
function sourcesOf(key: SettingKey): readonly (readonly [name: string, source: Source])[] {
  const { flag, variables = [] } = rowOf(key);
  return [
    ...flag === false ? [] : [[flagName(key), "command line"] as const],
    ...variables.flatMap((name) => [[name, "environment"] as const, [name, ".env"] as const]),
  ];
}

/** Only what `texts` has is given. */
function given(key: SettingKey, texts: readonly (readonly [string, Source, string])[]): Given {
  const isToggle = rowOf(key).kind === "toggle";
  const of = (source: Source) =>
    texts.filter(([, from]) => from === source).map(([name, , value]) => [name, value] as const);
  return {
    args: of("command line").map(([name, value]) => isToggle ? name : `${name}=${value}`),
    environment: new Map(of("environment")),
    dotenv: new Map(of(".env")),
  };
}

for (const key of SETTING_KEYS) {
  const { text, read, meaning, bad, shown } = EXAMPLES[key];
  const sources = sourcesOf(key);
  const names = [...new Set(sources.map(([name]) => name))].join(", ");

  Deno.test(`${names}: each source works, and beats those after it`, async () => {
    for (let first = 0; first < sources.length; first++) {
      const texts = sources.map(([name, source], i) => [name, source, text(i, name)] as const);
      const [name = ""] = sources[first] ?? [];
      assert.deepEqual(
        await read(given(key, texts.slice(first))),
        meaning(first, name),
        `${sources[first]}`,
      );
    }
  });

  if (bad === undefined) continue;
  Deno.test(`${names}: a value that makes no sense is explained with its source`, async () => {
    for (const [name, source] of sources) {
      // A variable that is set but blank counts as not set; a toggle's flag has no value.
      const isTaken = source === "command line" ? rowOf(key).kind !== "toggle" : bad !== "";
      if (!isTaken) continue;
      const message = await refusal(async () => await read(given(key, [[name, source, bad]])));
      const value = message.includes("(value not shown)")
        ? "(value not shown)"
        : shown ?? `"${bad}"`;
      assert.ok(message.startsWith(`Invalid ${name} ${value} (${source}): expected `), message);
      assert.doesNotMatch(message, new RegExp(SECRET));
    }
  });
}

Deno.test("a default of the table is a value that the program takes", async () => {
  for (const key of SETTING_KEYS) {
    const { default: value, flag } = rowOf(key);
    if (value === undefined || flag === false) continue;
    await EXAMPLES[key].read(given(key, [[flagName(key), "command line", value]]));
  }
});

async function refusal(of: () => Promise<unknown>): Promise<string> {
  try {
    await of();
  } catch (thrown) {
    if (thrown instanceof UsageError) return thrown.message;
    throw thrown;
  }
  throw new Error("It was taken");
}
