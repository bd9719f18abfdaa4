import assert from "node:assert/strict";
import type { Layout, Place } from "../../../../src/source/input/place.ts";
import { UsageError } from "../../../../src/platform/errors.ts";
import { followInput } from "../../../../src/source/input/input.ts";
import type { InputOptions } from "../../../../src/source/input/line_readers.ts";

const OPTIONS: Omit<InputOptions, "onInvalid"> = {
  format: "auto",
  values: [{ field: "took", unit: "ms" }],
  attrFields: [{ name: "id", key: "id" }],
  where: [],
  scale: 1,
  timeField: undefined,
  timeFormat: undefined,
};

interface Outcome {
  /** The attribute `id` and the value of each line that counts. */
  readonly lines: readonly string[];
  readonly invalid: readonly string[];
  readonly place: Place | undefined;
}

/** Reads files as the followed path names them one after the other. */
async function follow(
  files: readonly string[],
  { layout, head, ...options }: Partial<InputOptions> & {
    readonly layout?: Layout | undefined;
    readonly head?: string;
  } = {},
): Promise<Outcome> {
  const lines: string[] = [];
  const invalid: string[] = [];
  const input = await followInput(
    (consumer) =>
      Promise.resolve({
        place: { files: [], known: [], knownUntil: 0 },
        bytes: 0,
        async *[Symbol.asyncIterator]() {
          for (const [i, file] of files.entries()) {
            const first = i === 0 && head !== undefined
              ? new TextEncoder().encode(head)
              : undefined;
            consumer(first).push(new TextEncoder().encode(file));
            yield await Promise.resolve();
          }
        },
      }),
    { ...OPTIONS, ...options, onInvalid: (line, reason) => invalid.push(`${line}: ${reason}`) },
    { layout },
  );
  let { place } = input;
  for await (const batch of input) {
    place = batch.place;
    for (const { value, attributes } of batch.measurements) {
      lines.push(`${attributes["id"]}=${value}`);
    }
  }
  return { lines, invalid, place };
}

const CSV = "id,took\na,1\n";

Deno.test("FollowedLines reads a CSV file that begins with a line of text by the header before", async () => {
  const { lines, invalid, place } = await follow([CSV, "Server started\nb,2\n"]);
  assert.deepEqual(lines, ["a=1", "b=2"]);
  assert.deepEqual(invalid, ["3: 1 field, but the header has 2 fields"]);
  assert.deepEqual(place?.layout, { format: "csv", header: "id,took\n" });
});

Deno.test("FollowedLines reads CSV after a truncation, with and without a header, and with another one", async () => {
  const files = [CSV, "b,2\n", CSV.replace("a,1", "c,3"), "took,id\n4,d\n", "5,e\n"];
  const { lines, invalid } = await follow(files);
  assert.deepEqual(lines, ["a=1", "b=2", "c=3", "d=4", "e=5"]);
  assert.deepEqual(invalid, []);
});

Deno.test("FollowedLines counts no line that NULs of a truncation stand before", async () => {
  for (const format of ["auto", "csv"] as const) {
    const { lines, invalid } = await follow([CSV, `${"\0".repeat(3000)}b,2\nc,3\n`], { format });
    assert.deepEqual(lines, ["a=1", "c=3"]);
    assert.deepEqual(invalid, ["3: starts with NULs, left by a truncation"]);
  }
});

Deno.test("FollowedLines keeps the format of the file before", async () => {
  const { lines, invalid } = await follow([
    '{"id":"a","took":1}\n',
    'Server started\n\n{"id":"b","took":2}\n',
  ]);
  assert.deepEqual(lines, ["a=1", "b=2"]);
  assert.equal(invalid.length, 1);
});

Deno.test("FollowedLines takes format and header from the spool, whatever the file's first line is", async () => {
  const layout = { format: "csv", header: "id,took\n" };
  const outcome = await follow(["b,2\n"], { layout, head: "Server started\n" });
  assert.deepEqual(outcome.lines, ["b=2"]);
  const { lines } = await follow(["took=3 id=c\n"], { layout, head: "Hi\n", format: "logfmt" });
  assert.deepEqual(lines, ["c=3"], "a format that is given overrides it");
});

Deno.test("FollowedLines keeps the last header of a file for a restart", async () => {
  for (
    const [first, header, rest] of [
      ["id,took\na,1\ntook,id\n2,b\n", "took,id\n", "3,c\n"],
      ["sep=;\nid;took\na;1\nb;2\n", "sep=;\nid;took\n", "c;3\n"],
      ["#Fields: id took\na 1\n#Fields: took id\n2 b\n", "#Fields: took id\n", "3 c\n"],
      ["#Fields: x id took\n- a 1\n#Fields: id took\nb 2\n", "#Fields: id took\n", "c 3\n"],
    ] as const
  ) {
    const before = await follow([first]);
    assert.deepEqual(before.lines, ["a=1", "b=2"]);
    assert.equal(before.place?.layout?.header, header);
    const head = first.slice(0, first.indexOf("\n") + 1);
    const after = await follow([rest], { layout: before.place?.layout, head });
    assert.deepEqual([after.lines, after.invalid], [["c=3"], []]);
  }
});

Deno.test("FollowedLines reads a container's lines after a restart as its first line says", async () => {
  const cri = (text: string) => `2026-01-31T12:00:05Z stdout F ${text}\n`;
  const { lines, invalid } = await follow([cri("5") + cri('{"took":6,"id":"a"}')], {
    layout: { format: "ndjson" },
    head: cri('{"took":1}'),
  });
  assert.deepEqual(lines, ["a=6"]);
  assert.deepEqual(invalid, ['1: no field "took"']);
});

Deno.test("FollowedLines refuses a first file whose columns it does not know", async () => {
  await assert.rejects(follow(["Server started\na,1\n"]), UsageError);
});

Deno.test("FollowedLines says what a first line is that cannot be read, as of a file that does not grow", async () => {
  const refused = async (text: string, options: Parameters<typeof follow>[1] = {}) => {
    const thrown = await follow([text], options).then(() => undefined, (thrown) => thrown);
    assert.ok(thrown instanceof UsageError);
    return thrown.message;
  };
  assert.equal(
    await refused("t\0o\0o\0k\0\r\0\n\0"),
    "The input is UTF-16 (little endian), which this program cannot read. Convert it: " +
      "… | iconv -f UTF-16LE -t UTF-8 | otlp-histogram --input -",
  );
  assert.match(await refused('[\n{"took":1},\n'), /^The input is a JSON array, .*jq -c '\.\[\]'/);
  assert.match(
    await refused("Server started\n"),
    /^The input was read as CSV, because .* has no column "took", .* use --pattern, or --log-format$/,
  );
  assert.match(await refused("Server started\n", { format: "csv" }), /^The first line of the CSV/);
  assert.match(await refused("t\0o\0\n\0", { format: "ndjson" }), /UTF-16/);
  const dump = await follow(['{\n}\n[\n{"took":1,"id":"a"}\n'], { format: "ndjson" });
  assert.deepEqual(dump.lines, ["a=1"]);
  assert.deepEqual((await follow(["a\0\0=b\ntook=1 id=a\n"], { format: "logfmt" })).lines, ["a=1"]);
  const { lines } = await follow(["b,2\n", "[c,3\n"], {
    layout: { format: "csv", header: "id,took\n" },
  });
  assert.deepEqual(lines, ["b=2", "[c=3"]);
});
