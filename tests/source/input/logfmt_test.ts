import assert from "node:assert/strict";
import { readText } from "./reading.ts";

const named = (...names: readonly string[]) => names.map((name) => ({ name, key: name }));

Deno.test("readInput() reads what Go's slog, logrus and go-kit write", async () => {
  const lines = [
    'time=2026-01-31T12:00:00.123Z level=INFO msg="request done" method=GET path=/a?b=c&d=e status=200 duration=12.5ms',
    'time="2026-01-31T12:00:00Z" level=info msg="say \\"hi\\"" duration=1m2.5s method=GET status=200',
    'ts=2026-01-31T12:00:00.000000001Z caller=main.go:12 method=POST status=500 duration=340µs err="dial tcp: EOF"',
    "at=info method=PUT path=/ status=200 duration=3ms bytes=1653",
    "2026-01-31T12:00:00Z app[web.1]: method=PUT  status=201\tduration=4ms ",
  ];
  const { measurements, invalid } = await readText(lines.join("\n"), {
    unit: "ms",
    valueField: "duration",
    attrFields: named("method", "status", "err"),
  });
  assert.deepEqual(invalid, []);
  assert.deepEqual(measurements, [
    [12.5, { method: "GET", status: "200" }],
    [62_500, { method: "GET", status: "200" }],
    [0.34, { method: "POST", status: "500", err: "dial tcp: EOF" }],
    [3, { method: "PUT", status: "200" }],
    [4, { method: "PUT", status: "201" }],
  ]);
});

Deno.test("readInput() undoes the escapes of a quoted logfmt value", async () => {
  const values = {
    '"a \\"b\\" \\\\ c"': 'a "b" \\ c',
    '"l1\\nl2\\ttab\\r"': "l1\nl2\ttab\r",
    '"\\u00e9\\u20ac\\U0001f600"': "é€😀",
    '"\\xc3\\xa9\\033[0m"': "é\x1b[0m",
    '"\\xff"': "\ufffd",
    '"\\ud83d\\ude00"': "😀",
    '"\\q"': "q",
    '"=x y=z"': "=x y=z",
    'pl"ain"': 'pl"ain"',
    "a=b=c": "a=b=c",
    "'a b'": "a b",
    "'a value=7 \\'b\\' \\\\'": "a value=7 'b' \\",
    "''": undefined,
    "'tis": "'tis",
    "'a'b": "'a'b",
    "ключ": "ключ",
  };
  for (const [written, text] of Object.entries(values)) {
    for (
      const line of [`k=${written} value=1`, `value=1 k=${written}`, `x=1 k=${written}\tvalue=1\r`]
    ) {
      const { measurements } = await readText(`${line}\n${line}`, {
        format: "logfmt",
        attrFields: named("k"),
      });
      const attributes = text === undefined ? {} : { k: text };
      assert.deepEqual(measurements, [[1, attributes], [1, attributes]], line);
    }
  }
});

Deno.test("readInput() reads what structlog's KeyValueRenderer writes, wrapped too", async () => {
  const line = `event='took value=5' level='info' path="/it's" value=12 unit='ms'`;
  const options = { attrFields: named("event", "path") };
  const measured = [[12, { event: "took value=5", path: "/it's" }]];
  assert.deepEqual((await readText(`${line}\n`, options)).measurements, measured);
  const wrapped = `${JSON.stringify({ msg: line })}\n`;
  assert.deepEqual(
    (await readText(wrapped, { ...options, unwrap: "msg" })).measurements,
    measured,
  );
});

Deno.test("readInput() takes of a logfmt key that comes twice the last, and of one without a value none", async () => {
  const { measurements, invalid } = await readText(
    'k=a value=1 k=b value=2\nvalue=3 k\nvalue=4 k=\nvalue=5 k=""\nk=k value=6\n"k=x" value=7\n=x value=8 kk=1 K=2\n',
    { format: "logfmt", attrFields: named("k") },
  );
  assert.deepEqual(measurements, [[2, { k: "b" }], [3, {}], [4, {}], [5, {}], [6, { k: "k" }], [
    7,
    {},
  ], [8, {}]]);
  assert.deepEqual(invalid, []);
});

Deno.test("readInput() says why a logfmt line cannot be used", async () => {
  const { measurements, invalid } = await readText(
    'value=1\nvalue="2\nvalue="3"x\nvalue=4 msg="open\nlevel=info\nvalue\nvalue="x"\n\n \t\r\nvalue=5',
    { format: "logfmt" },
  );
  assert.deepEqual(measurements, [[1, {}], [5, {}]]);
  assert.deepEqual(invalid, [
    [2, "a quote that is not closed"],
    [3, "text after a closing quote"],
    [4, "a quote that is not closed"],
    [5, 'no field "value"'],
    [6, '"value" is not a number: ""'],
    [7, '"value" is not a number: "x"'],
  ]);
});
