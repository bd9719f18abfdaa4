import assert from "node:assert/strict";
import { bytesOf, type Options, readChunks, readText, type ScrapeReading } from "./reading.ts";

const NDJSON: Options = { format: "ndjson" };

async function reads(text: string, expected: ScrapeReading, options: Options = {}): Promise<void> {
  assert.deepEqual(await readText(text, { ...NDJSON, ...options }), expected);
}

const measured = (...measurements: ScrapeReading["measurements"]): ScrapeReading => ({
  measurements,
  invalid: [],
});
/** A line before it that has the same attributes, none: what is remembered of them must not help a wrong line. */
const GOOD = '{"value":3}\n{"value":"4","a":1}\n';
const refused = (reason: string): ScrapeReading => ({
  measurements: [[3, {}], [4, {}]],
  invalid: [[3, reason]],
});

Deno.test("readInput() keeps the types of NDJSON attributes", () =>
  reads(
    '{"value":12.5,"attributes":{"s":"x","b":true,"f":false,"i":200,"d":0.5,"n":-3,"e":""}}\n',
    measured([12.5, { s: "x", b: true, f: false, i: 200, d: 0.5, n: -3, e: "" }]),
  ));

Deno.test("readInput() makes JSON text of nested NDJSON attributes and leaves null out", () =>
  reads(
    '{"value":1,"attributes":{"list":["a",1],"object":{"k":"v"},"none":null,"":"no key"}}',
    measured([1, { list: '["a",1]', object: '{"k":"v"}' }]),
  ));

for (
  const line of [
    '{"value":1}',
    '{"value":1,"attributes":{}}',
    '{"value":1,"attributes":null}',
    '{"attributes":{},"other":[1,{"value":2}],"value":1}',
    ' \t{ "value" : 1 , "attributes" : { } } \r',
    '{"value":"1"}',
    '{"value":" 1.0 "}',
    '{"value":"+1"}',
    '{"value":1e0}',
    '{"value":"10E-1"}',
    '{"\\u0076alue":1}',
    '{"value":2,"value":1}',
    '{"value":"x","value":1}',
    '{"attributes":{"a":1},"value":1,"attributes":{}}',
    `{"a":${"[".repeat(99)}${"]".repeat(99)},"value":1}`,
    '{"a":{"value":5},"value":1}',
    '{"a":"\\"value\\":5","value":1}',
    '{"a":"\\\\","value":1}',
    '{"VALUE":7,"Value":8,"value":1,"values":9}',
  ]
) {
  Deno.test(`readInput() reads 1 from the NDJSON line ${JSON.stringify(line)}`, () =>
    reads(`${line}\n${line}`, measured([1, {}], [1, {}])));
}

for (
  const [line, reason] of [
    ["{", "not JSON"],
    ['{"value":1', "not JSON"],
    ['{"value":1}}', "not JSON"],
    ['{"value":1}{"value":2}', "not JSON; split several objects in one line with jq -c ."],
    ['{"value":1} {"value":2}', "not JSON; split several objects in one line with jq -c ."],
    ['{"value":1},', "a comma follows the object: remove it with sed 's/,[[:space:]]*$//'"],
    ['{"value":1} , ', "a comma follows the object: remove it with sed 's/,[[:space:]]*$//'"],
    ['{"value":1,},', "not JSON"],
    ['{"value":1,}', "not JSON"],
    ['{"value":01}', "not JSON"],
    ['{"value":1.}', "not JSON"],
    ['{"value":.5}', "not JSON"],
    ['{"value":+1}', "not JSON"],
    ['{"value":NaN}', "not JSON"],
    ['{"value":1e}', "not JSON"],
    ['{"value":1,"a":"\\x"}', "not JSON"],
    ['{"value":1,"a":"\\u12g4"}', "not JSON"],
    ['{"value":1,"a":"\t"}', "not JSON"],
    ['{"value":1,"a":1e}', "not JSON"],
    ['{"value":1,"a":-}', "not JSON"],
    ['{"value":1,"a" 1}', "not JSON"],
    ['{"value":1 "a":1}', "not JSON"],
    ['{"value":1,"a":[1 2]}', "not JSON"],
    ['{"value":1,"a":[1}}', "not JSON"],
    ['{"value":1,"a":{"b" 1}}', "not JSON"],
    ['{"value":1,"a":{"b":1]}', "not JSON"],
    ['{"value":"1,"a":2}', "not JSON"],
    ['{"value":1} x', "not JSON"],
    ['{"value":"1x}', "not JSON"],
    ['{"value":1,"a":tru}', "not JSON"],
    ['{"value":1,"a":nulll}', "not JSON"],
    ['{"value":1,"a":[1,]}', "not JSON"],
    ['{"value":1,"a":{"b"}}', "not JSON"],
    ['{"value":1,"a":[1}', "not JSON"],
    ["{'value':1}", "not JSON"],
    ["\ufeff\ufeff" + '{"value":1}', "not JSON"],
    ["12.5", "not a JSON object"],
    ["[1]", "not a JSON object"],
    ["null", "not a JSON object"],
    ['"x"', "not a JSON object"],
    ["{}", 'no field "value"'],
    ['{"a":1,"attributes":{"value":3}}', 'no field "value"'],
    ['{"value":null}', '"value" is not a number: null'],
    ['{"value":true}', '"value" is not a number: true'],
    ['{"value":""}', '"value" is not a number: ""'],
    ['{"value":"12 ms"}', '"value" has a unit of time, but --unit is not a unit of time: "12 ms"'],
    ['{"value":"0x10"}', '"value" is not a number: "0x10"'],
    ['{"value":[1]}', '"value" is not a number: [1]'],
    [`{"value":"${"x".repeat(99)}"}`, `"value" is not a number: "${"x".repeat(40)}…"`],
    ['{"value":"NaN"}', '"value" is not finite: "NaN"'],
    ['{"value":"-Infinity"}', '"value" is not finite: "-Infinity"'],
    ['{"value":"1e999"}', '"value" is not finite: "1e999"'],
    ['{"value":1e999}', '"value" is not finite: Infinity'],
    ['{"value":-0.001}', '"value" is negative: -0.001'],
    ['{"value":"-5"}', '"value" is negative: "-5"'],
    ['{"value":1,"attributes":"x"}', '"attributes" is not an object'],
    ['{"value":1,"attributes":[1]}', '"attributes" is not an object'],
  ] as const
) {
  Deno.test(`readInput() says why it cannot use the NDJSON line ${JSON.stringify(line).slice(0, 60)}`, () =>
    reads(GOOD + line, refused(reason)));
}

Deno.test("readInput() takes the fields that are named, of a path too, and only those", () =>
  reads(
    '{"request_time":"0.25","status":"200","request":{"method":"GET","x":{"y":1}},"a.b":1,"a":{"b":2},"attributes":{"no":1}}\n' +
      '{"request_time":0.5,"request":{"method":"GET"}}\n',
    measured(
      [250, { "http.status_code": "200", "http.method": "GET", "a.b": 1, "request.x": '{"y":1}' }],
      [500, { "http.method": "GET" }],
    ),
    {
      valueField: "request_time",
      scale: 1000,
      attrFields: [
        { name: "status", key: "http.status_code" },
        { name: "request.method", key: "http.method" },
        { name: "a.b", key: "a.b" },
        { name: "request.x", key: "request.x" },
      ],
    },
  ));

Deno.test("readInput() takes a value from a path, and an attribute from the same field", () =>
  reads('{"d":{"ms":5},"value":1}\n{"d":{"ms":6}}\n{"d.ms":7}\n{"d":"ms"}\n', {
    measurements: [[5, { ms: 5 }], [6, { ms: 6 }], [7, { ms: 7 }]],
    invalid: [[4, 'no field "d.ms"']],
  }, { valueField: "d.ms", attrFields: [{ name: "d.ms", key: "ms" }] }));

Deno.test("readInput() gives every number its own attributes when the value is an attribute too", () =>
  reads('{"value":5}\n{"value":6}\n', measured([5, { value: 5 }], [6, { value: 6 }]), {
    attrFields: [{ name: "value", key: "value" }],
  }));

Deno.test("readInput() keeps an attribute that is called like something of every object", async () => {
  const { measurements } = await readText(
    '{"value":1,"attributes":{"__proto__":"p","constructor":"c"}}\n{"value":2,"toString":"t"}\n',
    { ...NDJSON },
  );
  assert.deepEqual(Object.entries(measurements[0]?.[1] ?? {}), [["__proto__", "p"], [
    "constructor",
    "c",
  ]]);
  const named = await readText('{"value":2}\n', {
    ...NDJSON,
    attrFields: [{ name: "toString", key: "t" }, { name: "__proto__", key: "p" }],
  });
  assert.deepEqual(named.measurements, [[2, {}]]);
});

Deno.test("readInput() gives the same object when attributes are the same, in any order and spelling", async () => {
  const same = [
    '{"value":1,"attributes":{"a":1,"b":"x"}}',
    '{"attributes":{"b":"x","a":1.0},"value":2}',
    '{"value":3,"attributes":{"b": "\\u0078", "a": 1e0}}',
    '{"value":1,"attributes":{"a":1,"b":"x"}}',
  ];
  const other = ['{"value":1,"attributes":{"a":"1","b":"x"}}', '{"value":1,"attributes":{"a":1}}'];
  const { measurements } = await readText([...same, ...other].join("\n"), NDJSON);
  assert.equal(new Set(measurements.map(([, attributes]) => attributes)).size, 3);
  assert.equal(new Set(measurements.slice(0, 4).map(([, attributes]) => attributes)).size, 1);
});

Deno.test("readInput() reads each number exactly as JSON.parse does", async () => {
  const numbers = [
    "0",
    "-0",
    "0.1",
    "5e-324",
    "2.2250738585072011e-308",
    "1.7976931348623157e308",
    "9007199254740993",
    "123456789012345678901234567890",
    "0.1234567890123456789",
    "0.30000000000000004",
    "1e22",
    "1e23",
    "8.5e-7",
    "179.99999999999997",
    "999999999999999",
    "99999999999999.9",
    "0.000000000000001",
    "4.35",
    "2.675",
    "1E+2",
    "1e-0",
  ];
  for (const scale of [1, 1000, 0.001]) {
    const lines = numbers.flatMap((
      n,
    ) => [`{"value":${n},"attributes":{"k":1}}`, `{"value":"${n}","attributes":{"k":1}}`]);
    const { measurements } = await readText(lines.join("\n"), { ...NDJSON, scale });
    const expected = numbers.map((n) => JSON.parse(n) * scale + 0).filter(Number.isFinite);
    assert.deepEqual(measurements.map(([value]) => value), expected.flatMap((n) => [n, n]));
  }
});

Deno.test("readInput() replaces what is no UTF-8 and uses the line", async () => {
  const line = bytesOf('{"value":1,"attributes":{"k":"x?y","ü":"€😀"}}\n').map((b) =>
    b === 63 ? 0xff : b
  );
  const { measurements } = await readChunks([line, line], NDJSON);
  const expected = { k: "x\ufffdy", ü: "€😀" };
  assert.deepEqual(measurements, [[1, expected], [1, expected]]);
});

Deno.test("readInput() tells more attribute sets apart than it remembers", async () => {
  const count = 150_000;
  const lines = Array.from(
    { length: count },
    (_, i) => `{"value":${i},"attributes":{"id":"user-${i % 70_000}"}}`,
  );
  const { measurements } = await readText(lines.join("\n"), NDJSON);
  assert.equal(measurements.length, count);
  assert.ok(measurements.every(([value, { id }]) => id === `user-${value % 70_000}`));
});

Deno.test("readInput() keeps the digits of integers that no double holds as attributes", async () => {
  const ids = ["9007199254740993", "9007199254740992", "-9007199254740993", "18446744073709551615"];
  const lines = ids.map((id) =>
    `{"value":1,"id":${id},"attributes":{"id":${id},"list":[${id}]}}\n`
  );
  const text = [...lines, '{"value":1,"id":9007199254740991}\n', ...lines].join("");
  const attributes = ids.map((id) => ({ id }));
  const expected = [...attributes, { id: 9007199254740991 }, ...attributes];
  // An escape leaves every line to JSON.parse.
  for (const all of [text, text.replaceAll('"value":1', '"value":1,"\\u0061":1')]) {
    const named = await readText(all, { attrFields: [{ name: "id", key: "id" }] });
    assert.deepEqual(named.measurements.map(([, found]) => found), expected);
    const { measurements } = await readText(all);
    assert.deepEqual(measurements[0]?.[1], { id: ids[0], list: `["${ids[0]}"]` });
    const where = [{ field: "id", holds: (text: string | undefined) => text === ids[0] }];
    assert.equal((await readText(all, { where })).measurements.length, 2);
  }
  assert.deepEqual(
    (await readText('{"value":9007199254740993}\n{"value":1e300,"id":1e300}\n', {
      attrFields: [{ name: "id", key: "id" }],
    })).measurements,
    [[9007199254740992, {}], [1e300, { id: 1e300 }]],
  );
});
