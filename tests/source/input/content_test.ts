import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import { bytesOf, pieces, readChunks, readStreams, readText } from "./reading.ts";

/** Inputs that are not read: what they are, and the command that converts each. */
const CASES: readonly (readonly [
  name: string,
  bytes: readonly number[] | string,
  what: string,
  command: string,
])[] = [
  ["zstd", [0x28, 0xb5, 0x2f, 0xfd, 4, 0, 41], "zstd", "zstd -dc"],
  ["xz", [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0, 0, 4], "xz", "xz -dc"],
  ["bzip2", [0x42, 0x5a, 0x68, 0x39, 0x31, 0x41, 0x59], "bzip2", "bzip2 -dc"],
  ["zip", [0x50, 0x4b, 3, 4, 20, 0], "a zip archive", "funzip"],
  ["UTF-16 with a mark", [0xff, 0xfe, 0x31, 0, 10, 0], "UTF-16", "iconv -f UTF-16 -t UTF-8"],
  ["big-endian with a mark", [0xfe, 0xff, 0, 0x31, 0, 10], "UTF-16", "iconv -f UTF-16 -t UTF-8"],
  ["UTF-16", [0x31, 0, 0x32, 0, 10, 0], "UTF-16 (little endian)", "iconv -f UTF-16LE -t UTF-8"],
  ["big-endian", [0, 0x31, 0, 0x32, 0, 10], "UTF-16 (big endian)", "iconv -f UTF-16BE -t UTF-8"],
  ["a JSON array", '[{"value":1},{"value":2}]', "a JSON array", "jq -c '.[]'"],
  ["an array over lines", '\ufeff\n [\n  {"value":1}\n]\n', "a JSON array", "jq -c '.[]'"],
  ["a JSON array of numbers", "[1.5, 2]", "a JSON array", "jq -c '.[]'"],
  ["a JSON array of one number", "[12]\n", "a JSON array", "jq -c '.[]'"],
  ["an empty JSON array", "[]\n", "a JSON array", "jq -c '.[]'"],
  ["XML", '<?xml version="1.0"?>\n<testsuite/>', "XML", "python3 -c '"],
  [
    "lines that end in CR",
    "value,a\r5,1\r6,2\r",
    "text whose lines end in a carriage return alone",
    String.raw`tr '\r' '\n'`,
  ],
  [
    "a JSON text sequence",
    '\x1e{"value":1}\n\x1e{"value":2}\n',
    "a JSON text sequence",
    String.raw`tr -d '\036'`,
  ],
  ["an XML element", '\n<testsuite time="5.1" >\n', "XML", "python3 -c '"],
];

for (const [name, input, what, command] of CASES) {
  Deno.test(`readInput() throws a UsageError that names the command which converts ${name}`, async () => {
    const bytes = typeof input === "string" ? bytesOf(input) : Uint8Array.from(input);
    const begin =
      `The input is ${what}, which this program cannot read. Convert it: … | ${command}`;
    for (const size of [bytes.length, 1, 3]) {
      await assert.rejects(readChunks(pieces(bytes, size)), (error) => {
        assert.ok(error instanceof Error && error.name === "UsageError");
        assert.ok(error.message.startsWith(begin), error.message);
        assert.match(error.message, / \| otlp-histogram --input -(?:; [^|]*)?$/);
        return true;
      });
    }
    const packed = new Uint8Array(gzipSync(bytes));
    await assert.rejects(readChunks([packed]), (error) => {
      assert.ok(error instanceof Error && error.name === "UsageError");
      assert.ok(error.message.includes(`Convert it: … | gzip -dc | ${command}`), error.message);
      return true;
    });
  });
}

Deno.test("readInput() throws a UsageError about an executable", async () => {
  const elf = Uint8Array.of(0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 0, 0, 0);
  await assert.rejects(readChunks([elf]), {
    name: "UsageError",
    message: /^The input is a binary file, not lines of text: convert it/,
  });
});

Deno.test("readInput() names the file in the command that converts it", async () => {
  for (
    const [name, command] of [
      ["logs/a-1.json", "jq -c '.[]' logs/a-1.json"],
      ["it's.json", `jq -c '.[]' 'it'\\''s.json'`],
    ] as const
  ) {
    const stream = ReadableStream.from([bytesOf("[{}]")]);
    await assert.rejects(readStreams([{ name, stream }]), {
      message: `The input ${
        JSON.stringify(name)
      } is a JSON array, which this program cannot read. Convert it: ${command} | otlp-histogram --input -`,
    });
  }
});

for (
  const text of [
    "[10/Oct/2000:13:55:36] value=5\n",
    "[error] value=5\n",
    "[1234] value=5\n",
    "10%\r20% value=5\n",
    "<134>Nov 30 11:08:55 haproxy[7]: value=5\n",
    "\x1b[36mINFO\x1b[0m value=\x1b[1;32m5\x1b[m\x1b[K\n",
    "[2026-01-31T12:00:00Z] value=5\n",
  ]
) {
  Deno.test(`readInput() takes ${JSON.stringify(text)} for lines of text`, async () => {
    for (let size = 1; size <= text.length; size++) {
      const { measurements } = await readChunks(pieces(bytesOf(text), size));
      assert.deepEqual(measurements, [[5, {}]]);
    }
  });
}

Deno.test("readInput() takes a bracket for one in a format that is no JSON", async () => {
  const { invalid } = await readText("[1]\n2\n", { format: "text" });
  assert.deepEqual(invalid, [[1, 'the value is not a number: "[1]"']]);
});

Deno.test("readInput() knows gzip by its first bytes, however it comes", async () => {
  const packed = new Uint8Array(gzipSync("1\n2\n"));
  for (const size of [1, 2, packed.length]) {
    assert.equal((await readChunks(pieces(packed, size))).measurements.length, 2);
  }
  await assert.rejects(readChunks([new Uint8Array(gzipSync(packed))]), {
    name: "UsageError",
    message: /^The input is compressed with gzip twice.*gzip -dc \| otlp-histogram/,
  });
});

Deno.test("readInput() leaves out the colours of a terminal in every format, and no other escape", async () => {
  const lines = [
    '\x1b[38;5;245m{"value":\x1b[33m5\x1b[39m}\x1b[0m',
    "\x1b[31m\x1b]0;title\x07\x1b[0m",
    '{"value":6}\x1b[',
    '{"value":7}',
  ].join("\n");
  const expected = await readText('{"value":5}\n\x1b]0;title\x07\n{"value":6}\x1b[\n{"value":7}', {
    format: "ndjson",
  });
  assert.deepEqual(expected.invalid.map(([line]) => line), [2, 3]);
  for (let size = 1; size <= lines.length; size++) {
    const { measurements, invalid } = await readChunks(pieces(bytesOf(lines), size), {
      format: "ndjson",
    });
    assert.deepEqual({ measurements, invalid }, expected);
  }
});
