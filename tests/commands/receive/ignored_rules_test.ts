import assert from "node:assert/strict";
import { readIgnoredRules } from "../../../src/commands/receive/ignored_rules.ts";
import { RULES } from "../../../src/receivers/dynatrace/rules.ts";
import { PROFILES } from "../../../src/receivers/profiles.ts";

type Rules = keyof typeof PROFILES;

async function read(rules: Rules, ...values: readonly string[]): Promise<readonly string[]> {
  const settings = values.map((value) => ({ name: "--ignore", source: "command line", value }));
  return [...await readIgnoredRules(settings, PROFILES[rules], rules)];
}

for (const rules of ["otlp", "dynatrace"] as const) {
  Deno.test(`readIgnoredRules() takes rules of data, of meaning and of requests under ${rules}`, async () => {
    const ids = [
      "bucket-sum",
      "bounds-unit",
      "one-bucket",
      "overflow-bucket",
      "convention-unit",
      "path",
    ];
    assert.deepEqual(await read(rules, ...ids), ids);
  });
}

Deno.test("readIgnoredRules() takes the rules of the set in force alone", async () => {
  const ids = [...RULES.metric, ...RULES.request, ...RULES.dimension].map(({ id }) => id);
  assert.deepEqual(await read("dynatrace", ...ids), ids);
  assert.deepEqual(await read("otlp", "temporality"), ["temporality"]);
  await assert.rejects(read("otlp", "cumulative-sum"), { name: "UsageError" });
  // Dynatrace's rules say the same as temporality-missing.
  await assert.rejects(read("dynatrace", "temporality"), {
    name: "UsageError",
    message: /such as temporality-missing$/,
  });
  // It is about a URL, and a receiver has none.
  await assert.rejects(read("dynatrace", "endpoint-path"), { name: "UsageError" });
});

Deno.test("readIgnoredRules() names near rules, or all of them", async () => {
  await assert.rejects(read("otlp", "path", "bucket-sm"), {
    message:
      'Invalid --ignore "bucket-sm" (command line): expected a rule of --rules otlp, such as ' +
      "bucket-sum or bucket-count or max-bucket or min-bucket or one-bucket or overflow-bucket",
  });
  await assert.rejects(read("otlp", "everything"), {
    message: /expected a rule of --rules otlp: attribute-keys, body-broken, .*, value-missing$/,
  });
});
