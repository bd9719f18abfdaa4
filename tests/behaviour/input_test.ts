import assert from "node:assert/strict";
import { concat } from "../support/http.ts";
import type { Point, Values } from "../support/decode.ts";
import { gzip } from "../support/gzip.ts";
import { assertHistogram, histogramOf, onePoint } from "../support/histogram.ts";
import { measure } from "../support/run_fixture.ts";

const lines = (...all: readonly string[]) => all.map((line) => `${line}\n`).join("");
/** Attributes of each data point that the program made, value by value. */
const attributesOf = (points: readonly Point[]) => points.map(({ attributes }) => attributes);

Deno.test("--input FILE takes NDJSON, with attributes of every type", async () => {
  const attributes = {
    text: 'Grüße, "Welt"\n',
    yes: true,
    whole: 200,
    negative: -7,
    part: 0.5,
    nothing: null,
    list: [1, "a"],
  };
  const sent = await measure({
    args: ["--input", "in.ndjson"],
    files: {
      "in.ndjson": lines(
        JSON.stringify({ value: 12, attributes }),
        JSON.stringify({ attributes, value: 120 }),
        '{"value":3}',
      ),
    },
  });
  const [typed, plain] = sent.points;
  assert.ok(typed !== undefined && plain !== undefined && sent.points.length === 2);
  assert.deepEqual(typed.attributes, {
    text: 'Grüße, "Welt"\n',
    yes: true,
    whole: 200n,
    negative: -7n,
    part: 0.5,
    list: '[1,"a"]',
  });
  assertHistogram(typed, [12, 120]);
  assert.deepEqual(plain.attributes, {});
  assertHistogram(plain, [3]);
});

Deno.test("--input - reads standard input", async () => {
  const sent = await measure({ args: ["--input", "-"], stdin: "5\n7\n" });
  assertHistogram(onePoint(sent), [5, 7]);
});

Deno.test("--input counts a last line without its end", async () => {
  const sent = await measure({ args: ["--input", "-"], stdin: "5\n7" });
  assertHistogram(onePoint(sent), [5, 7]);
});

Deno.test("--input takes CSV: quotes, commas and line breaks in them, CRLF, a byte order mark", async () => {
  const sent = await measure({
    args: ["--input", "in.csv", "--attr-field", "path", "--attr-field", "note"],
    files: {
      "in.csv": "\ufeffpath,value,note\r\n" +
        '/a,12,"one, ""two""\r\nthree"\r\n' +
        "/a, 30 ,plain\r\n" +
        "/b,4.5,\r\n" +
        '"/a",13,"one, ""two""\r\nthree"\r\n',
    },
  });
  const note = 'one, "two"\r\nthree';
  const expected: readonly (readonly [Values, readonly number[]])[] = [
    [{ path: "/a", note }, [12, 13]],
    [{ path: "/a", note: "plain" }, [30]],
    [{ path: "/b" }, [4.5]],
  ];
  assert.deepEqual(attributesOf(sent.points), expected.map(([attributes]) => attributes));
  sent.points.forEach((point, i) => assertHistogram(point, expected[i]?.[1] ?? []));
});

Deno.test("--input takes what ends in .gz, of several members too", async () => {
  const packed = concat([await gzip("1\n2\n3"), await gzip("0\n400\n")]);
  const sent = await measure({ args: ["--input", "in.txt.gz"], files: { "in.txt.gz": packed } });
  assertHistogram(onePoint(sent), [1, 2, 30, 400]);
});

const formats: readonly (readonly [string, string, readonly string[], readonly Values[]])[] = [
  ["NDJSON", lines("", "  ", '{"value":1,"attributes":{"a":"x"}}'), [], [{ a: "x" }]],
  ["NDJSON after a byte order mark", '\ufeff{"value":1}\n', [], [{}]],
  ["text", lines("", " 1 "), [], [{}]],
  ["text by its first line, whatever follows", lines("1", '{"value":1}'), [
    'line 2 not used: the value is not a number: "{\\"value\\":1}"',
  ], [{}]],
  ["CSV", lines("value,a", "1,x"), [], [{}]],
  ["CSV with quoted names", lines('"a","value"', '"x","1"'), [], [{}]],
  ["CSV with semicolons", lines("a;value", "x;1"), [], [{}]],
  ["logfmt", lines('level=info msg="x y" value=1'), [], [{}]],
  [
    "a combined log",
    lines('::1 - - [31/Jan/2026:12:00:00 +0000] "GET / HTTP/1.1" 200 5 "-" "-" 1'),
    [
      `"request_time" has no unit and is read as ms. nginx writes seconds, and Apache's %D microseconds: describe the lines with --log-format, or set --scale or --unit`,
      'the lines have a time in "time", but count as measured now. To count each at its time, set --time-field time',
    ],
    [{}],
  ],
];
for (const [format, stdin, said, attributes] of formats) {
  Deno.test(`--input-format auto finds ${format}`, async () => {
    const sent = await measure({
      args: ["--input", "-"],
      stdin,
      said,
      status: said.some((line) => line.includes("not used")) ? 1 : 0,
    });
    assert.deepEqual(attributesOf(sent.points), attributes);
    assertHistogram(onePoint(sent), [1]);
  });
}

Deno.test("--input-format is not guessed when it is named", async () => {
  const files = { "in": lines("12", "a,value", "x,3", '{"value":4}') };
  const ndjson = await measure({
    args: ["--input", "in", "--input-format", "ndjson"],
    files,
    status: 1,
    said: [
      "line 1 not used: not a JSON object",
      "line 2 not used: not JSON",
      "line 3 not used: not JSON",
    ],
  });
  assertHistogram(onePoint(ndjson), [4]);
  const text = await measure({
    args: ["--input", "in", "--input-format", "text"],
    files,
    status: 1,
    said: [2, 3, 4].map((line) => new RegExp(`^line ${line} not used: `)),
  });
  assert.equal(text.summary["invalid"], 3);
  assertHistogram(onePoint(text), [12]);
});

Deno.test("an nginx access log in JSON, as the README shows it", async () => {
  const log = (time: string, status: number, method: string) =>
    `{"request_time":${time},"status":${status},"request_method":"${method}"}`;
  const sent = await measure({
    args: [
      ...["--input", "-", "--value-field", "request_time", "--scale", "1000"],
      ...["--attr-field", "status=http.response.status_code"],
      ...["--attr-field", "request_method=http.request.method"],
    ],
    stdin: lines(log("0.012", 200, "GET"), log("1.500", 500, "POST"), log("0.000", 200, "GET")),
  });
  const [get, post] = sent.points;
  assert.ok(get !== undefined && post !== undefined && sent.points.length === 2);
  assert.deepEqual(get.attributes, {
    "http.response.status_code": 200n,
    "http.request.method": "GET",
  });
  assertHistogram(get, [12, 0]);
  assert.deepEqual(post.attributes, {
    "http.response.status_code": 500n,
    "http.request.method": "POST",
  });
  assertHistogram(post, [1500]);
});

Deno.test("--input takes numbers that come as strings", async () => {
  const sent = await measure({
    args: ["--input", "-", "--scale", "10"],
    stdin: lines('{"value":"1.5"}', '{"value":" 2e1 "}', '{"value":3}'),
  });
  assertHistogram(onePoint(sent), [15, 200, 30]);
});

Deno.test("--value-field and --attr-field find inner fields by their path", async () => {
  const sent = await measure({
    args: ["--input", "-", "--value-field", "http.ms", "--attr-field", "http.route=route"],
    stdin: lines('{"http":{"ms":4,"route":"/a"},"other":1}', '{"http.ms":9,"http.route":"/a"}'),
  });
  assert.deepEqual(onePoint(sent).attributes, { route: "/a" });
  assertHistogram(onePoint(sent), [4, 9]);
});

Deno.test("--attr-field takes these columns of a CSV and no others", async () => {
  const sent = await measure({
    args: ["--input", "-", "--value-field", "s", "--attr-field", "b=B", "--scale", "1000"],
    stdin: lines("a,b,s", "1,x,0.25", "2,x,0.75"),
  });
  assert.deepEqual(onePoint(sent).attributes, { B: "x" });
  assertHistogram(onePoint(sent), [250, 750]);
});

Deno.test("--attr is on every data point of an input, and beats its own", async () => {
  const sent = await measure({
    args: ["--input", "-", "--attr", "a=fixed", "--attr", "host=h1"],
    stdin: lines('{"value":1,"attributes":{"a":"own","b":2}}'),
  });
  assert.deepEqual(onePoint(sent).attributes, { a: "fixed", b: 2n, host: "h1" });
});

Deno.test("--input names what it cannot use, the first ten one by one, then counts", async () => {
  const bad = [
    '{"value":1',
    "[1]",
    "{}",
    '{"value":"fast"}',
    '{"value":-3}',
    '{"value":1e999}',
    '{"value":null}',
    '{"value":"NaN"}',
    '{"value":1,"attributes":[]}',
    "plain",
    '{"value":true}',
    '{"value":-4}',
  ];
  const sent = await measure({
    args: ["--input", "-"],
    stdin: lines('{"value":1}', ...bad, '{"value":2}'),
    status: 1,
    said: [
      "line 2 not used: not JSON",
      "line 3 not used: not a JSON object",
      'line 4 not used: no field "value"',
      'line 5 not used: "value" is not a number: "fast"',
      'line 6 not used: "value" is negative: -3',
      'line 7 not used: "value" is not finite: Infinity',
      'line 8 not used: "value" is not a number: null',
      'line 9 not used: "value" is not finite: "NaN"',
      'line 10 not used: "attributes" is not an object',
      "line 11 not used: not JSON",
      "2 more lines were not used",
    ],
  });
  assertHistogram(onePoint(sent), [1, 2]);
  const { recorded, delivered, invalid, exitCode } = sent.summary;
  assert.deepEqual({ recorded, delivered, invalid, exitCode }, {
    recorded: 2,
    delivered: 2,
    invalid: 12,
    exitCode: 1,
  });
});

Deno.test("--input names the lines of a CSV that it cannot use", async () => {
  const sent = await measure({
    args: ["--input", "-"],
    stdin: lines("value,a", "1,x", "2", '3,"a"b', "x,x", ",x", "5,x,y", "6,x"),
    status: 1,
    said: [
      "line 3 not used: 1 field, but the header has 2 fields",
      "line 4 not used: text after a closing quote",
      'line 5 not used: "value" is not a number: "x"',
      'line 6 not used: "value" is not a number: ""',
      "line 7 not used: 3 fields, but the header has 2 fields",
    ],
  });
  assertHistogram(onePoint(sent), [1, 6]);
});

Deno.test("--input says so when no line can be used, and sends nothing", async () => {
  const sent = await measure({
    args: ["--input", "-", "--input-format", "text"],
    stdin: "a\nb\n",
    posts: 0,
    status: 1,
    said: [/^line 1 not used: /, /^line 2 not used: /],
  });
  assert.equal(sent.summary["invalid"], 2);
});

Deno.test("--input leaves out a line that is longer than 1 MiB", async () => {
  const long = (bytes: number) => {
    const frame = '{"value":2,"x":""}';
    return frame.replace('""', `"${"x".repeat(bytes - frame.length)}"`);
  };
  const sent = await measure({
    args: ["--input", "-"],
    stdin: lines('{"value":1}', long(2 ** 20), long(2 ** 20 + 1), long(3_000_000), '{"value":4}'),
    status: 1,
    said: ["line 3 not used: longer than 1 MiB", "line 4 not used: longer than 1 MiB"],
  });
  assertHistogram(onePoint(sent), [1, 2, 4]);
});

for (const packed of [false, true]) {
  Deno.test(`every bucket of 200,000 lines is exact${packed ? ", of .gz too" : ""}`, async () => {
    const routes = ["/", "/cart", "/Größe", 'a"b'];
    const reference = new Map<string, number[]>();
    const text: string[] = [];
    let state = 12345;
    for (let i = 0; i < 200_000; i++) {
      state = (Math.imul(state, 1103515245) + 12345) >>> 0;
      // Dyadic fractions add up without rounding in any order; many stand on a bound.
      const value = state % 7 === 0 ? [0, 5, 75, 5000][i % 4] ?? 0 : (state >>> 8) % 50_000 / 8;
      const route = routes[(state >>> 4) % routes.length] ?? "";
      const code = state % 11 === 0 ? 500 : 200;
      const key = `${route} ${code}`;
      const values = reference.get(key) ?? [];
      reference.set(key, values);
      values.push(value);
      text.push(JSON.stringify({ value, attributes: { route, code } }));
    }
    const whole = `${text.join("\n")}\n`;
    const name = packed ? "in.ndjson.gz" : "in.ndjson";
    const sent = await measure({
      args: ["--input", name],
      files: { [name]: packed ? await gzip(whole) : whole },
      said: [/^rule overflow-bucket: http\.server\.duration: 34345 of 200000 values/],
    });
    assert.equal(sent.summary["recorded"], 200_000);
    assert.equal(sent.points.length, 8);
    const found = new Map(sent.points.map((point) => {
      const { count, sum, min, max, counts, attributes } = point;
      return [`${attributes["route"]} ${attributes["code"]}`, { count, sum, min, max, counts }];
    }));
    for (const [key, values] of reference) {
      assert.deepEqual(found.get(key), histogramOf(values), key);
    }
  });
}

Deno.test("an empty input sends nothing, and that is no failure", async () => {
  for (const stdin of ["", "\n \n", "value,a\n"]) {
    const { summary } = await measure({ args: ["--input", "-"], stdin, posts: 0 });
    assert.equal(summary["recorded"], 0);
  }
});

Deno.test("a .gz that breaks off is said, and what came before is sent", async () => {
  const whole = await gzip(
    Array.from({ length: 50_000 }, (_, i) => `${i * 7919 % 6007}\n`).join(""),
  );
  const sent = await measure({
    args: ["--input", "in.gz"],
    files: { "in.gz": whole.subarray(0, whole.length - 2000) },
    status: 1,
    said: [
      /^rule overflow-bucket: /,
      /^could not read the rest of the input: Cannot unpack the gzip input: it ends too early;/,
    ],
  });
  const { count } = onePoint(sent);
  assert.ok(count > 10_000 && count < 50_000, `${count}`);
});

Deno.test("gzip is known by its first bytes, whatever its name", async () => {
  const files = { "in.gz": "1\n2\n", "in.txt": await gzip("1\n2\n") };
  for (const name of Object.keys(files)) {
    const sent = await measure({ args: ["--input", name], files });
    assertHistogram(onePoint(sent), [1, 2]);
  }
});
