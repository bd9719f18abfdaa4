import assert from "node:assert/strict";
import { parseLogFormat } from "../../../src/source/input/log_format.ts";
import { each } from "../../support/cases.ts";
import { bytesOf, type Options, patternOf, readChunks } from "./reading.ts";

const VALUES = [{ field: "took", unit: "ms" }, { field: "size", unit: "By" }] as const;
const NAMED = [{ name: "at", key: "at" }] as const;

/** The value, index of the value field, and `at` of each measurement. */
async function read(text: string, options: Options) {
  const { batches, invalid, input } = await readChunks([bytesOf(text)], {
    values: VALUES,
    attrFields: NAMED,
    ...options,
  });
  const found = batches.flat().map(({ value, instrument, attributes }) =>
    [value, instrument, attributes["at"]] as const
  );
  return { found, invalid, skipped: input.progress.skipped, unseen: input.unseenValues?.() };
}

const ALL = [[1, 0, "/"], [2, 1, "/"]] as const;
const NO_TOOK = [[7, 1, "/"]] as const;
const NO_SIZE = [[1500, 0, "/"]] as const;
const EXPECTED = [...ALL, ...NO_TOOK, ...NO_SIZE];

/** Four lines each: both values, the second alone, the first alone, and neither. */
each<readonly [string, Options, string]>(
  [
    [
      "NDJSON",
      { format: "ndjson" },
      '{"took":1,"size":2,"at":"/"}\n{"size":7,"at":"/","took":null}\n' +
      '{"took":"1.5s","at":"/"}\n{"at":"/","took":"-"}\n',
    ],
    [
      "NDJSON with the values in strings",
      { format: "ndjson" },
      '{"took":"1ms","size":"2","at":"/"}\n{"size":"7","took":"-","at":"/"}\n' +
      '{"took":"1500","size":"","at":"/"}\n{"took":"","size":"-","at":"/"}\n',
    ],
    [
      "CSV",
      { format: "csv" },
      'at,size,took\n/,2,1\n/,7,-\n/,"",1.5s\n/,,\n',
    ],
    [
      "TSV",
      { format: "tsv" },
      "size\tat\ttook\n2\t/\t1\n7\t/\t\n-\t/\t1.5 s\n-\t/\t-\n",
    ],
    [
      "logfmt",
      { format: "logfmt" },
      "took=1 size=2 at=/\nsize=7 at=/\ntook=1.5s at=/ size=-\nat=/ size=\n",
    ],
    [
      "a pattern",
      { pattern: patternOf("^(?<at>\\S+) (?<took>\\S*) (?<size>\\S*)$"), format: "pattern" },
      "/ 1 2\n/ - 7\n/ 1500 -\n/ - \n",
    ],
    [
      "w3c",
      { format: "w3c" },
      "#Fields: at took size\n/ 1 2\n/ - 7\n#Fields: took at\n1500 /\n- /\n",
    ],
    [
      "container logs",
      { format: "auto" },
      ['{"took":1,"size":2,"at":"/"}', '{"size":7,"at":"/"}', "took=1.5s at=/", '{"at":"/"}']
        .map((line) => `2026-01-01T00:00:00.0Z stdout F ${line}\n`).join(""),
    ],
  ],
  ([format]) => `several value fields of ${format} are measured line by line`,
  async (
    [, options, text],
  ) => {
    const { found, invalid, unseen } = await read(text, options);
    assert.deepEqual(found, EXPECTED);
    const line = text.split("\n").length - 1;
    assert.deepEqual(invalid, [[line, 'no value in any of "took", "size"']]);
    assert.deepEqual(unseen, []);
  },
);

Deno.test("several value fields of an access log: the time may be missing, and a size of - is 0", async () => {
  const line = (rest: string) =>
    `10.0.0.1 - - [31/Jan/2026:12:00:00 +0000] "GET /a HTTP/1.1" 200 ${rest}\n`;
  const { found, invalid } = await read(
    line('5 "-" "-" 0.5') + line('6 "-" "-"') + line('- "-" "-" 20ms') + line('7 "-" "-" 1 2'),
    {
      format: "combined",
      attrFields: [{ name: "path", key: "at" }],
      values: [{ field: "value", unit: "ms" }, { field: "bytes" }],
      scale: 1,
    },
  );
  assert.deepEqual(found, [
    [0.5, 0, "/a"],
    [5, 1, "/a"],
    [6, 1, "/a"],
    [20, 0, "/a"],
    [0, 1, "/a"],
  ]);
  assert.equal(invalid.length, 1, "an ambiguous time makes the line invalid, its size too");
});

Deno.test("several value fields of a log format are converted to the unit of each metric", async () => {
  const pattern = parseLogFormat("$status $request_time $upstream_response_time $bytes_sent");
  if ("expected" in pattern) throw new Error(pattern.expected);
  const { found, invalid, skipped } = await read(
    "200 0.5 0.1, 0.2 30\n200 0.25 - 5\nnothing of that\n",
    {
      format: "pattern",
      pattern,
      attrFields: [],
      scale: 10,
      values: [
        { field: "value", unit: "ms" },
        { field: "upstream_response_time", unit: "s" },
        { field: "bytes_sent", unit: "By" },
      ],
    },
  );
  assert.deepEqual(
    found.map(([value, instrument]) => [instrument, Math.round(value * 1e9) / 1e9]),
    [
      [0, 500],
      [1, 0.3],
      [2, 300],
      [0, 250],
      [2, 50],
    ],
  );
  assert.deepEqual([invalid, skipped], [[], 1]);
});

Deno.test("a value that cannot be read makes the whole line invalid", async () => {
  for (
    const [format, text] of [
      ["ndjson", '{"took":1,"size":-2}\n{"took":"abc","size":2}\n{"took":1,"size":"5ms"}\n'],
      ["logfmt", "took=1 size=-2\ntook=abc size=2\ntook=1 size=5ms\n"],
    ] as const
  ) {
    const { found, invalid } = await read(text, { format });
    assert.deepEqual(found, []);
    assert.deepEqual(invalid, [
      [1, '"size" is negative: -2'].map((part) =>
        format === "logfmt" && typeof part === "string" ? part.replace("-2", '"-2"') : part
      ),
      [2, '"took" is not a number: "abc"'],
      [3, '"size" has a unit of time, but --unit is not a unit of time: "5ms"'],
    ]);
  }
});

Deno.test("a value field that no line has is named at the end", async () => {
  const { unseen } = await read('{"took":1}\n{"took":2,"size":"-"}\n', { format: "ndjson" });
  assert.deepEqual(unseen, ["size"]);
});

Deno.test("the same field may give two metrics, in units of their own", async () => {
  const values = [{ field: "took", unit: "ms" }, { field: "took", unit: "s" }];
  for (
    const [format, text] of [
      ["ndjson", '{"took":"2s"}\n'],
      ["csv", "took\n2s\n"],
      ["logfmt", "took=2s\n"],
    ] as const
  ) {
    const { found } = await read(text, { format, values, attrFields: [] });
    assert.deepEqual(found, [[2000, 0, undefined], [2, 1, undefined]], format);
  }
});

Deno.test("plain numbers and histograms belong to one metric", async () => {
  await assert.rejects(
    read("1\n", { attrFields: [] }),
    /without a field "took": remove --value-field/,
  );
  const histogram = '{"bounds":[1],"counts":[1,2]}\n';
  const { found, invalid } = await read(histogram, { format: "ndjson" });
  assert.deepEqual(found, []);
  assert.deepEqual(invalid, [[1, "a histogram, but --value-field names several metrics"]]);
});
