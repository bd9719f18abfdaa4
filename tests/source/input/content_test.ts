import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import { bytesOf, pieces, readChunks, readStreams, readText } from "./reading.ts";

const CASES: readonly (readonly [name: string, bytes: readonly number[] | string, said: string])[] =
  [
    [
      "zstd",
      [0x28, 0xb5, 0x2f, 0xfd, 4, 0, 41],
      "zstd, which is not read here. Convert it: … | zstd -dc |",
    ],
    [
      "xz",
      [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0, 0, 4],
      "xz, which is not read here. Convert it: … | xz -dc |",
    ],
    [
      "bzip2",
      [0x42, 0x5a, 0x68, 0x39, 0x31, 0x41, 0x59],
      "bzip2, which is not read here. Convert it: … | bzip2 -dc |",
    ],
    [
      "zip",
      [0x50, 0x4b, 3, 4, 20, 0],
      "a zip archive, which is not read here. Convert it: … | funzip |",
    ],
    [
      "UTF-16 with a mark",
      [0xff, 0xfe, 0x31, 0, 10, 0],
      "UTF-16, which is not read here. Convert it: … | iconv -f UTF-16 -t UTF-8 |",
    ],
    [
      "big-endian UTF-16 with a mark",
      [0xfe, 0xff, 0, 0x31, 0, 10],
      "UTF-16, which is not read here. Convert it: … | iconv -f UTF-16 -t UTF-8 |",
    ],
    [
      "UTF-16",
      [0x31, 0, 0x32, 0, 10, 0],
      "UTF-16 (little endian), which is not read here. Convert it: … | iconv -f UTF-16LE -t UTF-8 |",
    ],
    [
      "big-endian UTF-16",
      [0, 0x31, 0, 0x32, 0, 10],
      "UTF-16 (big endian), which is not read here. Convert it: … | iconv -f UTF-16BE -t UTF-8 |",
    ],
    [
      "an executable",
      [0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 0, 0, 0],
      "a binary file, not lines of text: convert it",
    ],
    [
      "a JSON array",
      '[{"value":1},{"value":2}]',
      "a JSON array, which is not read here. Convert it: … | jq -c '.[]' |",
    ],
    [
      "a JSON array over lines",
      '\ufeff\n [\n  {"value":1}\n]\n',
      "a JSON array, which is not read here.",
    ],
    ["a JSON array of numbers", "[1.5, 2]", "a JSON array, which is not read here."],
    ["an empty JSON array", "[]\n", "a JSON array, which is not read here."],
  ];

for (const [name, input, said] of CASES) {
  Deno.test(`readInput() throws a UsageError that names the command which converts ${name}`, async () => {
    const bytes = typeof input === "string" ? bytesOf(input) : Uint8Array.from(input);
    for (const size of [bytes.length, 1, 3]) {
      await assert.rejects(readChunks(pieces(bytes, size)), (error) => {
        assert.ok(error instanceof Error && error.name === "UsageError");
        assert.ok(error.message.startsWith(`The input is ${said}`), error.message);
        assert.ok(
          error.message.endsWith(" | otlp-histogram --input -") || name === "an executable",
        );
        return true;
      });
    }
    const packed = new Uint8Array(gzipSync(bytes));
    await assert.rejects(readChunks([packed]), { name: "UsageError" });
  });
}

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
      } is a JSON array, which is not read here. Convert it: ${command} | otlp-histogram --input -`,
    });
  }
});

for (
  const text of [
    "[10/Oct/2000:13:55:36] value=5\n",
    "[error] value=5\n",
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
    message: /^The input is packed by gzip twice.*gzip -dc \| otlp-histogram/,
  });
});
