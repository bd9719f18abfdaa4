import assert from "node:assert/strict";
import { parseCondition } from "../../../src/source/input/where.ts";
import { bytesOf, type Options, patternOf, readChunks } from "./reading.ts";

async function watch(text: string, options: Options) {
  const many: [string, readonly string[]][] = [];
  const { input } = await readChunks([bytesOf(text)], {
    onManyValues: (field, examples) => many.push([field, examples]),
    ...options,
  });
  return { many, unseen: input.unseenFields(), timed: input.looksTimed() };
}

const named = (...names: readonly string[]) => names.map((name) => ({ name, key: `key.${name}` }));

Deno.test("readInput() says once which field has more than a thousand values, with three of them", async () => {
  const rows = (count: number) =>
    Array.from({ length: count }, (_, i) => `${i % 7},id-${i},${i % 1000}`);
  for (const count of [1000, 1001, 80_000]) {
    const csv = ["value,id,n", ...rows(count)].join("\n");
    const { many } = await watch(csv, { format: "csv", attrFields: named("id", "n") });
    assert.deepEqual(many, count > 1000 ? [["id", ["id-0", "id-1", "id-2"]]] : []);
  }
  const lines = rows(1500).map((row) => {
    const [value, id, n] = row.split(",");
    return { logfmt: `value=${value} id=${id} n=${n}`, ndjson: { value, attributes: { id, n } } };
  });
  const expected = [["id", ["id-0", "id-1", "id-2"]]];
  const logfmt = await watch(lines.map(({ logfmt }) => logfmt).join("\n"), {
    attrFields: named("id", "n"),
  });
  assert.deepEqual(logfmt.many, expected);
  const ndjson = await watch(lines.map(({ ndjson }) => JSON.stringify(ndjson)).join("\n"), {});
  assert.deepEqual(ndjson.many, expected);
});

Deno.test("readInput() tells the named fields that no line had", async () => {
  const where = ["level=info", "levle!=debug"].map((text) => {
    const condition = parseCondition(text);
    if ("expected" in condition) throw new Error(condition.expected);
    return condition;
  });
  const options = { attrFields: named("method", "statsu"), where };
  const logfmt = "value=1 level=info method=GET\nvalue=2 level=info status=5\n";
  assert.deepEqual((await watch(logfmt, options)).unseen, ["statsu", "levle"]);
  const ndjson =
    '{"value":1,"level":"info","method":"GET","statsu":null}\n{"value":2,"level":"info"}\n';
  assert.deepEqual((await watch(ndjson, options)).unseen, ["statsu", "levle"]);
  // A skipped line was not looked at for attributes.
  assert.deepEqual((await watch("value=1 level=debug\n", options)).unseen, ["levle"]);
  assert.deepEqual((await watch("\n", options)).unseen, []);
});

for (
  const [name, text, field] of [
    [
      "NDJSON",
      '{"value":1,"msg":"at 2026-01-31","@timestamp":"2026-01-31T12:00:00Z"}',
      "@timestamp",
    ],
    ["NDJSON with an epoch", '{"value":1,"ts":1769860800.123}', "ts"],
    [
      "NDJSON whose second line has it",
      '{"value":1}\n{"value":1,"when":"2026-01-31 12:00:00+02:00"}',
      "when",
    ],
    ["CSV", "timeStamp,value\n1769860800123,5\n", "timeStamp"],
    ["CSV with another number", "time,value\n12.5,5\n", undefined],
    ["CSV with a number of that size", "id,value\n1769860800123,5\n", undefined],
    ["logfmt", 'time="2026-01-31T12:00:00Z" value=5', "time"],
    ["a combined log", '::1 - - [10/Oct/2000:13:55:36 -0700] "-" 408 - 5', "time"],
    ["plain numbers", "1769860800123\n", undefined],
    ["NDJSON with a date alone", '{"value":1,"day":"2026-01-31"}', undefined],
  ] as const
) {
  Deno.test(`readInput() tells the field that plainly carries a time: ${name}`, async () => {
    assert.equal((await watch(text, {})).timed, field);
    if (field === undefined) return;
    assert.equal((await watch(text, { timeField: field })).timed, undefined);
  });
}

Deno.test("readInput() reports once that an attribute has text that is not UTF-8, in every format", async () => {
  const texts: readonly (readonly [string, string, Options])[] = [
    ["ndjson", '{"value":1,"city":"K\xf6ln"}\n{"value":2,"city":"K\xe4ln"}\n', {}],
    ["csv", "value,city\n1,K\xf6ln\n2,K\xe4ln\n", {}],
    ["logfmt", "value=1 city=K\xf6ln\nvalue=2 city=K\xe4ln\n", {}],
    ["pattern", "1 K\xf6ln\n2 K\xe4ln\n", {
      format: "pattern",
      pattern: patternOf("(?<value>\\d) (?<city>.*)"),
    }],
  ];
  for (const [format, text, options] of texts) {
    const told: string[] = [];
    await readChunks([Uint8Array.from(text, (character) => character.charCodeAt(0))], {
      ...options,
      attrFields: [{ name: "city", key: "city" }],
      onNotUtf8: (field, text) => told.push(`${field} ${text}`),
    });
    assert.deepEqual(told, ["city K\ufffdln"], format);
  }
});
