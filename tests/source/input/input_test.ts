import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { gzipSync } from "node:zlib";
import { attrField } from "../../../src/source/input/fields.ts";
import { formatOf } from "../../../src/source/input/format.ts";
import { readInput } from "../../../src/source/input/input.ts";
import { bytesOf, type Options, pieces, readChunks, readText } from "./reading.ts";

const MIB = 2 ** 20;

for (
  const [text, format] of [
    ['{"value":1}', "ndjson"],
    ["{", "ndjson"],
    ["12.5", "text"],
    ["-1e3", "text"],
    ["value,method", "csv"],
    ["1,2", "csv"],
    ["GET /", "csv"],
    ["12ms", "text"],
    ["1m2.5s", "text"],
    ["340µs", "text"],
    ["12 ms", "text"],
    ["PT1.5S", "text"],
    ["00:00:01.500", "text"],
    ["#Fields: date time cs-method", "w3c"],
    ["# HELP http_requests_total Requests.", "prometheus"],
    ["# TYPE http_request_duration_seconds histogram", "prometheus"],
    ['# TYPE "http.server.duration" histogram', "prometheus"],
    ['{"http.server.duration_bucket", "http.method"="GET", le="5"} 1', "prometheus"],
    ['{"a \\"b\\" c"} 1', "prometheus"],
    ['{"http.server.duration" : 5}', "ndjson"],
    ['{"a": "b", "c": 5}', "ndjson"],
    ["# a comment", undefined],
    ["#value", undefined],
    ["level=info msg=done duration=12ms", "logfmt"],
    ['time=2026-01-31T12:00:00Z level=INFO msg="took a, b" ms=5', "logfmt"],
    ["value=5", "logfmt"],
    ["2026-01-31T12:00:00Z app[router]: at=info service=5ms", "logfmt"],
    ["a=1,b=2", "csv"],
    ["time,a=b,c", "csv"],
    ['127.0.0.1 - - [10/Oct/2000:13:55:36 -0700] "GET / HTTP/1.0" 200 2326', "combined"],
    ['::1 - frank [10/Oct/2000:13:55:36 -0700] "-" 408 - "-" "-"', "combined"],
    [
      'h:80 ::1 - - [10/Oct/2000:13:55:36 -0700] "GET /?a=b c=d HTTP/1.1" 200 1 "-" "x"',
      "combined",
    ],
  ] as const
) {
  Deno.test(`formatOf() says ${format} when the first line is ${text}`, () =>
    assert.equal(formatOf(text), format));
}

Deno.test("attrField() parses NAME and NAME=KEY", () => {
  assert.deepEqual(attrField("status"), { name: "status", key: "status" });
  assert.deepEqual(attrField(" a b = c=d "), { name: "a b", key: "c=d" });
  for (const wrong of ["", "=", "a=", "=b"]) assert.equal(attrField(wrong), undefined);
});

Deno.test("readInput() finds the format out by the first line that is not blank", async () => {
  for (const bom of ["", "\ufeff"]) {
    for (const blank of ["", "\n", " \t\r\n\n"]) {
      const before = bom + blank;
      assert.deepEqual((await readText(`${before} {"value":1}\n2\n`)).invalid, [
        [blank.split("\n").length + 1, "not a JSON object"],
      ]);
      assert.deepEqual((await readText(`${before} 1.5 \n{}`)).measurements, [[1.5, {}]]);
      assert.deepEqual((await readText(`${before}value,a\n1,x`)).measurements, [[1, {}]]);
    }
  }
});

Deno.test("readInput() yields nothing when the input is empty or blank", async () => {
  for (const text of ["", "\n", "\ufeff", " \n\n\t", "\r\n"]) {
    for (const format of ["auto", "ndjson", "csv", "text"] as const) {
      const { measurements, invalid, batches } = await readChunks([bytesOf(text)], { format });
      assert.deepEqual([measurements, invalid, batches], [[], [], []]);
    }
  }
});

/** Inputs whose meaning hangs on where they could be cut. */
const TRICKY: Readonly<Record<string, readonly [text: string, options: Options]>> = {
  ndjson: [
    '\ufeff\r\n{"value":12.25,"attributes":{"ключ":"€😀","b":true}}\r\n{"value":"7","attributes":{"ключ":"€😀","b":true}}\n' +
    '\n{"value":-1}\n{"attributes":{"ключ":"\\ud83d\\ude00"},"value":1.5e1}\n\ufeff{"value":4}\nx\n{"value":3}',
    {},
  ],
  csv: [
    '\ufeffvalue,"näme ""q"""\r\n1,"a\r\n""b"", c"\r\n\r\n2,😀\r\n"3","x"y\r\n4\r\n5,"never\r\n6,z\r\n',
    {},
  ],
  "csv with fields": ['a,value,b\n"1,1",2,"x\ny"\n3,"4",z\n', {
    attrFields: [{ name: "b", key: "B" }],
  }],
  text: ["\ufeff\n 1.25\r\n2e1\n-3\nx\n\n4", {}],
};

for (const [name, [text, options]] of Object.entries(TRICKY)) {
  Deno.test(`readInput() reads ${name} alike when it is cut at any byte`, async () => {
    const bytes = bytesOf(text);
    const { measurements, invalid } = await readChunks([bytes], options);
    assert.ok(measurements.length >= 2);
    const same = async (chunks: Iterable<Uint8Array<ArrayBuffer>>) => {
      const cut = await readChunks(chunks, options);
      assert.deepEqual([cut.measurements, cut.invalid], [measurements, invalid]);
    };
    for (let at = 0; at <= bytes.length; at++) await same([bytes.slice(0, at), bytes.slice(at)]);
    for (const size of [1, 2, 3, 5, 7]) await same(pieces(bytes, size));
  });
}

for (const format of ["ndjson", "csv", "text"] as const) {
  Deno.test(`readInput() leaves a line out of ${format} when it is longer than 1 MiB`, async () => {
    const line = (length: number) =>
      format === "ndjson"
        ? `{"value":1,"a":"${"x".repeat(length - 18)}"}`
        : format === "csv"
        ? `1,${"x".repeat(length - 2)}`
        : "1" + " ".repeat(length - 1);
    const [first, short] =
      { ndjson: ['{"value":5}', '{"value":5}'], csv: ["value,a", "5,y"], text: ["5", "5"] }[format];
    const lines = [first, line(MIB), line(MIB + 1), short, line(3 * MIB), short, line(MIB + 1)];
    const bytes = bytesOf(lines.join("\n"));
    for (const size of [bytes.length, MIB + 1, 65_536, 1000]) {
      const { measurements, invalid } = await readChunks(pieces(bytes, size), { format });
      assert.deepEqual(invalid, [3, 5, 7].map((n) => [n, "longer than 1 MiB"]));
      assert.deepEqual(
        measurements.map(([value]) => value),
        format === "csv" ? [1, 5, 5] : [5, 1, 5, 5],
      );
    }
  });
}

Deno.test("readInput() unpacks gzip, also of several members", async () => {
  const members = ["1\n2", "3\n", "", "4\n5"].map((text) => gzipSync(text));
  const packed = new Uint8Array(Buffer.concat(members));
  for (const size of [packed.length, 1, 7]) {
    const { measurements } = await readChunks(pieces(packed, size));
    assert.deepEqual(measurements.map(([value]) => value), [1, 23, 4, 5]);
  }
});

Deno.test("readInput() unpacks a little at a time when gzip holds a thousand times more than it takes", async () => {
  const packed = new Uint8Array(gzipSync("1\n".repeat(10 * MIB)));
  let most = 0;
  let count = 0;
  const input = readInput(ReadableStream.from([packed]), {
    format: "auto",
    values: [{ field: "value" }],
    attrFields: undefined,
    scale: 1,
    onInvalid: () => {},
  });
  for await (const { measurements } of input) {
    most = Math.max(most, measurements.length);
    count += measurements.length;
  }
  assert.equal(count, 10 * MIB);
  assert.ok(most <= 65_536, String(most));
  assert.equal(input.progress.bytes, packed.length);
  assert.equal(input.progress.lines, 10 * MIB);
});

for (
  const [name, damage, reason, lost] of [
    [
      "a wrong checksum",
      (b: Uint8Array) => b.with(b.length - 6, 7),
      "its checksum does not match",
      0,
    ],
    [
      "a wrong length",
      (b: Uint8Array) => b.with(b.length - 3, 7),
      "its checksum does not match",
      0,
    ],
    [
      "other bytes behind it",
      (b: Uint8Array) => Uint8Array.of(...b, 1, 2, 3),
      "other bytes follow it",
      0,
    ],
    ["its end missing", (b: Uint8Array) => b.slice(0, -5), "it ends too early", 0],
    [
      "a part of its contents missing",
      (b: Uint8Array) => b.slice(0, -500),
      "it ends too early",
      4096,
    ],
  ] as const
) {
  Deno.test(`readInput() throws on gzip with ${name}, and loses nothing that came before`, async () => {
    const count = 50_000;
    const text = Array.from({ length: count }, (_, i) => `${i}\n`).join("");
    const packed = damage(new Uint8Array(gzipSync(text)));
    for (const size of [packed.length, 1000, 1]) {
      let read = 0;
      const input = readInput(ReadableStream.from(pieces(Uint8Array.from(packed), size)), {
        format: "auto",
        values: [{ field: "value" }],
        attrFields: undefined,
        scale: 1,
        onInvalid: () => {},
      });
      await assert.rejects(async () => {
        for await (const { measurements } of input) read += measurements.length;
      }, { name: "InputError", message: `Cannot unpack the gzip input: ${reason}` });
      assert.ok(read <= count && read >= count - lost, String(read));
    }
  });
}

Deno.test("readInput() takes gzip with zeros behind it, and with every part of a header", async () => {
  const plain = new Uint8Array(gzipSync("5\n"));
  const parts = Uint8Array.of(
    ...[0x1f, 0x8b, 8, 2 | 4 | 8 | 16, 0, 0, 0, 0, 0, 3],
    ...[3, 0, 1, 2, 3],
    ...bytesOf("name\0comment\0"),
    ...[9, 9],
    ...plain.slice(10),
  );
  const padded = Uint8Array.of(...parts, ...plain, ...new Uint8Array(1024));
  for (const size of [padded.length, 1]) {
    const { measurements } = await readChunks(pieces(padded, size));
    assert.deepEqual(measurements, [[5, {}], [5, {}]]);
  }
});

Deno.test("readInput() throws an InputError when its stream fails, packed or not", async () => {
  const failing = (packed: boolean) => {
    const chunks = [packed ? new Uint8Array(gzipSync("1\n")) : bytesOf("1\n")];
    return new ReadableStream<Uint8Array>({
      pull(controller) {
        const chunk = chunks.pop();
        if (chunk === undefined) controller.error(new Error("the disk is gone"));
        else controller.enqueue(chunk);
      },
    });
  };
  for (const packed of [false, true]) {
    const input = readInput(failing(packed), {
      format: "text",
      values: [{ field: "value" }],
      attrFields: undefined,
      scale: 1,
      onInvalid: () => {},
    });
    await assert.rejects(Array.fromAsync(input), {
      name: "InputError",
      message: "the disk is gone",
    });
  }
});

function live(options: { readonly signal?: AbortSignal } = {}) {
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const invalid: string[] = [];
  const input = readInput(readable, {
    format: "auto",
    values: [{ field: "value" }],
    attrFields: undefined,
    scale: 1,
    onInvalid: (line, reason) => invalid.push(`${line}: ${reason}`),
    ...options,
  });
  return { input, invalid, batches: input[Symbol.asyncIterator](), writer: writable.getWriter() };
}

Deno.test("readInput() gives whole lines out as they come, and the last one at the end", async () => {
  const { batches, writer, invalid, input } = live();
  const next = async () =>
    (await batches.next()).value?.measurements.map(({ value }: { value: number }) => value);
  writer.write(bytesOf("1\n2\n3"));
  assert.deepEqual(await next(), [1, 2]);
  writer.write(bytesOf("4"));
  writer.write(bytesOf("5\nx\n"));
  assert.deepEqual(await next(), [345]);
  assert.deepEqual(invalid, ['4: the value is not a number: "x"']);
  assert.deepEqual({ ...input.progress }, {
    bytes: 10,
    lines: 4,
    measurements: 3,
    histograms: 0,
    invalid: 1,
    skipped: 0,
  });
  writer.write(bytesOf("6"));
  writer.close();
  assert.deepEqual(await next(), [6]);
  assert.equal(await next(), undefined);
});

Deno.test("readInput() ends without the line that has not ended when its signal is aborted", async () => {
  for (const gzip of [false, true]) {
    const stop = new AbortController();
    const { batches, writer, invalid } = live({ signal: stop.signal });
    const text = "1\n2\nx";
    writer.write(gzip ? new Uint8Array(gzipSync(text)).slice(0, -9) : bytesOf(text)).catch(
      () => {},
    );
    if (!gzip) assert.equal((await batches.next()).value?.measurements.length, 2);
    const ended = batches.next();
    stop.abort();
    const rest = await ended;
    if (!rest.done) assert.equal((await batches.next()).done, true);
    assert.deepEqual(invalid, []);
  }
  const stopped = live({ signal: AbortSignal.abort() });
  assert.equal((await stopped.batches.next()).done, true);
});

Deno.test("readInput() cancels its stream when the reading is given up", async () => {
  let cancelled = false;
  const stream = new ReadableStream<Uint8Array>({
    pull: (controller) => controller.enqueue(bytesOf("1\n")),
    cancel: () => {
      cancelled = true;
    },
  });
  const options = {
    format: "text",
    values: [{ field: "value" }],
    attrFields: undefined,
    scale: 1,
  } as const;
  for await (const _ of readInput(stream, { ...options, onInvalid: () => {} })) break;
  assert.equal(cancelled, true);
});

Deno.test("readInput() reads several inputs one after the other, each in its own way", async () => {
  const inputs = [
    ["a.csv", bytesOf('value,k\n1,x\n2,"open')],
    ["b.csv", bytesOf("k;value\ny;3\n\n")],
    ["empty", bytesOf("")],
    ["c.gz", new Uint8Array(gzipSync('{"value":4,"k":"z"}\n{"value":-1}\n5'))],
    ["d", bytesOf("value=6 k=x\nvalue=x")],
  ] as const;
  const invalid: string[] = [];
  const input = readInput(
    inputs.map(([name, bytes]) => ({ name, stream: ReadableStream.from(pieces(bytes, 3)) })),
    {
      format: "auto",
      values: [{ field: "value" }],
      attrFields: [{ name: "k", key: "k" }],
      scale: 1,
      onInvalid: (line, reason, name) => invalid.push(`${name}, line ${line}: ${reason}`),
    },
  );
  const batches = await Array.fromAsync(input);
  assert.deepEqual(
    batches.flatMap(({ measurements }) =>
      measurements.map(({ value, attributes }) => [value, attributes])
    ),
    [[1, { k: "x" }], [3, { k: "y" }], [4, { k: "z" }], [6, { k: "x" }]],
  );
  assert.deepEqual(invalid, [
    "a.csv, line 3: a quote that is not closed",
    'c.gz, line 2: "value" is negative: -1',
    "c.gz, line 3: not a JSON object",
    'd, line 2: "value" is not a number: "x"',
  ]);
  assert.deepEqual({ ...input.progress }, {
    bytes: inputs.reduce((sum, [, bytes]) => sum + bytes.length, 0),
    lines: 11,
    measurements: 4,
    histograms: 0,
    invalid: 4,
    skipped: 0,
  });
});

Deno.test("readInput() cancels the inputs that it does not come to", async () => {
  const cancelled: string[] = [];
  const endless = (name: string) => ({
    name,
    stream: new ReadableStream<Uint8Array>({
      pull: (controller) => controller.enqueue(bytesOf("1\n")),
      cancel: () => void cancelled.push(name),
    }),
  });
  const options = {
    format: "text",
    values: [{ field: "value" }],
    attrFields: undefined,
    scale: 1,
    onInvalid: () => {},
  } as const;
  for await (const _ of readInput([endless("a"), endless("b"), endless("c")], options)) break;
  assert.deepEqual(cancelled, ["a", "b", "c"]);
});
