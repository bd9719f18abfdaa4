import assert from "node:assert/strict";
import { parseCondition } from "../../../src/source/input/where.ts";
import { readInput } from "../../../src/source/input/input.ts";
import {
  bytesOf,
  type Options,
  pieces,
  readChunks,
  readText,
  type ScrapeReading,
} from "./reading.ts";

const CSV: Options = { format: "csv" };
const named = (...names: readonly string[]): Options => ({
  attrFields: names.map((name) => ({ name, key: name })),
});

async function reads(text: string, expected: ScrapeReading, options: Options = {}): Promise<void> {
  assert.deepEqual(await readText(text, { ...CSV, ...options }), expected);
}

const measured = (...measurements: ScrapeReading["measurements"]): ScrapeReading => ({
  measurements,
  invalid: [],
});

Deno.test("readInput() makes string attributes of the CSV columns that are named, and of no others", async () => {
  const text = "method,value,status\nGET,12.5,200\nPOST,7,201\n";
  await reads(
    text,
    measured([12.5, { method: "GET", status: "200" }], [7, { method: "POST", status: "201" }]),
    named("method", "status"),
  );
  await reads(text, measured([12.5, {}], [7, {}]));
  await reads(text, measured([12.5, {}], [7, {}]), named());
});

Deno.test("readInput() reads CSV with quotes, commas and line breaks inside quotes, CRLF and a byte order mark", () =>
  reads(
    '\ufeff"value","a ""b""",c\r\n"1,5",x,y\r\n"15","a,b","l1\r\nl2\nl3"\r\n\r\n2,"""","say ""hi"""\r\n3, x ,5" disk\r\n',
    {
      measurements: [
        [15, { 'a "b"': "a,b", c: "l1\r\nl2\nl3" }],
        [2, { 'a "b"': '"', c: 'say "hi"' }],
        [3, { 'a "b"': " x ", c: '5" disk' }],
      ],
      invalid: [[2, '"value" has a decimal comma, but --decimal-comma is not set: "1,5"']],
    },
    named('a "b"', "c"),
  ));

Deno.test("readInput() leaves empty cells and blank lines out", () =>
  reads(
    'value,a,,b\n\n  \n1,,x,""\n2,y,z,w\n',
    measured([1, {}], [2, { a: "y", b: "w" }]),
    named("a", "b"),
  ));

Deno.test("readInput() takes the CSV columns that are named, and only those", () =>
  reads(
    "time,ms,route,method\n1,0.5,/a,GET\n2,0.25,/b,\n",
    measured([500, { "http.route": "/a", method: "GET" }], [250, { "http.route": "/b" }]),
    {
      valueField: "ms",
      scale: 1000,
      attrFields: [{ name: "route", key: "http.route" }, { name: "method", key: "method" }],
    },
  ));

Deno.test("readInput() names the line where a CSV record begins when it cannot be used", () =>
  reads(
    'value,a\n1,x\n2\n3,x,y\n,x\nabc,"1\n2\n3"\n-4,x\n5,"x"y\n6,y\ninf,x\n1e400,x\n',
    {
      measurements: [[1, { a: "x" }], [6, { a: "y" }]],
      invalid: [
        [3, "1 field, but the header has 2 fields"],
        [4, "3 fields, but the header has 2 fields"],
        [5, '"value" is not a number: ""'],
        [6, '"value" is not a number: "abc"'],
        [9, '"value" is negative: "-4"'],
        [10, "text after a closing quote"],
        [12, '"value" is not finite: "inf"'],
        [13, '"value" is not finite: "1e400"'],
      ],
    },
    named("a"),
  ));

Deno.test("readInput() reads CSV with one column", () =>
  reads("value\n1\n2\r\n\n3", measured([1, {}], [2, {}], [3, {}])));

Deno.test("readInput() goes on after a CSV line whose quote never closes", () =>
  reads('value,a\n1,x\n2,"y\n3,z\n4,w', {
    measurements: [[1, { a: "x" }], [3, { a: "z" }], [4, { a: "w" }]],
    invalid: [[3, "a quote that is not closed"]],
  }, named("a")));

for (const count of [70_000, 120_000]) {
  Deno.test(`readInput() goes on after a CSV quote that closes only after ${count} lines`, async () => {
    const rows = Array.from({ length: count }, (_, i) => `${i},row ${i}`);
    const bytes = bytesOf(`value,a\n9,"open\n${rows.join("\n")}\n8,close"\n7,x\n`);
    for (const size of [bytes.length, 10_000]) {
      const { measurements, invalid } = await readChunks(pieces(bytes, size), {
        ...CSV,
        ...named("a"),
      });
      assert.deepEqual(invalid, [[2, "a quote that is not closed"]]);
      assert.equal(measurements.length, count + 2);
      assert.ok(
        rows.every((_, i) => measurements[i]?.[0] === i && measurements[i]?.[1].a === `row ${i}`),
      );
      assert.deepEqual(measurements.slice(-2), [[8, { a: 'close"' }], [7, { a: "x" }]]);
    }
  });
}

Deno.test("readInput() gives an open CSV quote up as soon as 1 MiB has come, and holds no more", async () => {
  const open = bytesOf(`1,"${"x\n".repeat(2 ** 17)}`);
  const more = bytesOf("x\n".repeat(2 ** 17));
  let given = 0;
  const known: number[] = [];
  function* chunks() {
    yield bytesOf("value,a\n");
    for (; given < 6; given++) {
      yield given === 0 ? open : more;
      known.push(invalid);
    }
  }
  let invalid = 0;
  const input = readInput(ReadableStream.from(chunks()), {
    format: "csv",
    values: [{ field: "value" }],
    attrFields: undefined,
    scale: 1,
    onInvalid: () => invalid++,
  });
  assert.deepEqual(await Array.fromAsync(input), []);
  // The first line, and then each line that it had swallowed.
  assert.equal(known[2], 0);
  assert.equal(known[3], 4 * 2 ** 17);
  assert.equal(invalid, 6 * 2 ** 17);
});

Deno.test("readInput() takes no longer for a CSV quote that is open over thousands of chunks", async () => {
  const bytes = bytesOf(`value,a\n1,"${"\n".repeat(2 ** 20 - 10)}`);
  const began = performance.now();
  const { measurements, invalid } = await readChunks(pieces(bytes, 32), CSV);
  assert.deepEqual(measurements, []);
  assert.deepEqual(invalid, [[2, "a quote that is not closed"]]);
  // Looked at once, a second at most; looked at again with every chunk, minutes.
  assert.ok(performance.now() - began < 30_000);
});

Deno.test("readInput() throws a UsageError that names the columns when the CSV header lacks one", async () => {
  await assert.rejects(readText("time,ms\n1,2\n", CSV), {
    name: "UsageError",
    message:
      'The first line of the CSV input has no column "value", only "time", "ms". Name the right one with --value-field',
  });
  await assert.rejects(
    readText("value,ms\n1,2\n", { ...CSV, attrFields: [{ name: "method", key: "m" }] }),
    { name: "UsageError", message: /no column "method".*--attr-field$/ },
  );
});

Deno.test("readInput() gives the same object when CSV attributes are the same", async () => {
  const text = 'a,value,b\nx,1,y\nx,2,"y"\n"x",3,y\nx,4,y\nxy,5,\n,6,xy\n';
  const { measurements } = await readText(text, { ...CSV, ...named("a", "b") });
  assert.equal(new Set(measurements.slice(0, 4).map(([, a]) => a)).size, 1);
  assert.deepEqual(measurements.slice(4), [[5, { a: "xy" }], [6, { b: "xy" }]]);
});

for (
  const [name, header, line] of [
    ["commas", "value,a;b,c", "5,x;y,z"],
    ["semicolons", 'value;"a;b";c,d', '5;"x;y";z'],
    ["tabs", "value\ta;b\tc,d", "5\tx;y\tz"],
    ["one column", "value", "5"],
    ["semicolons, though it has more commas", "a,b,c,d,e;value;f", "1;5;2"],
    ["spaces around semicolons", "a ; value", "1;5"],
  ] as const
) {
  Deno.test(`readInput() finds the delimiter of a CSV header with ${name}`, () =>
    reads(`\n${header}\r\n${line}\r\n`, measured([5, {}])));
}

Deno.test("readInput() reads a CSV header with line breaks in quotes, cut anywhere", async () => {
  const rows = '"Pfad\n(lang)";"a\r\nb";value\r\n/x;1;5\r\n"/y\nz";2;6\r\n';
  for (const text of [rows, `sep=;\r\n${rows}`]) {
    for (const size of [1, 7, text.length]) {
      const { measurements, invalid } = await readChunks(pieces(bytesOf(text), size), {
        attrFields: [{ name: "Pfad\n(lang)", key: "path" }],
      });
      assert.deepEqual(measurements, [[5, { path: "/x" }], [6, { path: "/y\nz" }]]);
      assert.deepEqual(invalid, []);
    }
  }
  const tabs = '"open\tvalue\n"x\t5\ny"\t6\n';
  for (const size of [1, tabs.length]) {
    const { measurements } = await readChunks(pieces(bytesOf(tabs), size));
    assert.deepEqual(measurements, [[5, {}], [6, {}]]);
    await assert.rejects(readChunks(pieces(bytesOf('"open\tb\n1\t2\n'), size)), {
      message: /has no column "value", only "\\"open", "b"\. /,
    });
  }
});

Deno.test("readInput() reads the line that names Excel's separator, and no column of that name", async () => {
  const expected = measured([1.5, { name: "a,b" }], [2, { name: "c" }]);
  for (const format of ["auto", "csv"] as const) {
    for (
      const [first, separator] of [["sep=;", ";"], ['"sep=|"', "|"], ["SEP=\t", "\t"]] as const
    ) {
      const rows = [["name", "value"], ["a,b", "1.5"], ["c", "2"]];
      const text = rows.map((row) => row.join(separator)).join("\r\n");
      const options = { ...named("name"), format };
      await reads(`\ufeff${first}\r\n${text}\r\n`, expected, options);
    }
  }
  await reads("sep=x,value\n1,2\n", measured([2, { "sep=x": "1" }]), named("sep=x"));
});

Deno.test("readInput() splits CSV at the delimiter that is named", async () => {
  const attrFields = [{ name: "a", key: "a" }];
  await reads("a|value\nx,y|5\n", measured([5, { a: "x,y" }]), { delimiter: "|", attrFields });
  await assert.rejects(readText("a,value\n1,2\n", { ...CSV, delimiter: ";" }), {
    message: /has no column "value", only "a,value"\. /,
  });
});

Deno.test("readInput() knows no quotes in TSV, unless --delimiter chose the tab", async () => {
  const attrFields = [{ name: "a", key: "a" }];
  const text = 'a\tvalue\n"two words\t11\n,\t6\n"x"\t"7"\nopen"\t"8\nx\t"9x\n';
  const expected = {
    ...measured([11, { a: '"two words' }], [6, { a: "," }], [7, { a: '"x"' }]),
    invalid: [[5, '"value" is not a number: "\\"8"'], [6, '"value" is not a number: "\\"9x"']],
  } as const;
  await reads(text, expected, { format: "tsv", attrFields });
  await reads(text, expected, { format: "auto", attrFields });
  await reads(text, expected, { format: "csv", attrFields });
  await reads('a\tvalue\n"x\ty"\t5\n', measured([5, { a: "x\ty" }]), {
    format: "csv",
    delimiter: "\t",
    attrFields,
  });
});

Deno.test("readInput() takes CSV lines that begin with # for comments before the header, and for rows after it", () =>
  reads(
    '# made by hand\n#a,value\na,value\nx,1\n#2,2\n"l1\n#l2",3\n# a comment\n',
    {
      measurements: [[1, { a: "x" }], [2, { a: "#2" }], [3, { a: "l1\n#l2" }]],
      invalid: [[8, "1 field, but the header has 2 fields"]],
    },
    named("a"),
  ));

Deno.test("readInput() reads the columns of JMeter, k6 and hey", async () => {
  const jmeter = [
    "timeStamp,elapsed,label,responseCode,responseMessage,threadName,dataType,success,failureMessage,bytes,sentBytes,grpThreads,allThreads,URL,Latency,IdleTime,Connect",
    '1769860800123,245,Home,200,OK,"Thread Group 1-1",text,true,,1270,118,1,1,https://example.com/,244,0,101',
    '1769860801000,31,Login,500,"Internal, Error","Thread Group 1-2",text,false,"Test failed: code expected to equal /\n/\n",0,0,1,1,null,30,0,0',
  ];
  const read = await readChunks([bytesOf(jmeter.join("\n"))], {
    valueField: "elapsed",
    timeField: "timeStamp",
    attrFields: [{ name: "label", key: "label" }, {
      name: "responseCode",
      key: "http.status_code",
    }],
  });
  assert.deepEqual(read.measurements, [
    [245, { label: "Home", "http.status_code": "200" }],
    [31, { label: "Login", "http.status_code": "500" }],
  ]);
  assert.deepEqual(read.times, [1769860800123, 1769860801000]);

  const k6 = [
    "metric_name,timestamp,metric_value,check,error,error_code,expected_response,group,method,name,proto,scenario,service,status,subproto,tls_version,url,extra_tags,metadata",
    "http_reqs,1769860800,1.000000,,,,true,,GET,https://test.k6.io/,HTTP/1.1,default,,200,,tls1.3,https://test.k6.io/,,",
    "http_req_duration,1769860800,118.532416,,,,true,,GET,https://test.k6.io/,HTTP/1.1,default,,200,,tls1.3,https://test.k6.io/,,",
    "vus,1769860801,10.000000,,,,,,,,,,,,,,,,",
  ];
  const k6Read = await readChunks([bytesOf(k6.join("\n"))], {
    valueField: "metric_value",
    timeField: "timestamp",
    attrFields: [{ name: "method", key: "method" }],
    where: [{ field: "metric_name", holds: (text) => text === "http_req_duration" }],
  });
  assert.deepEqual(k6Read.measurements, [[118.532416, { method: "GET" }]]);
  assert.deepEqual([k6Read.times, k6Read.input.progress.skipped], [[1769860800000], 2]);

  const hey = [
    "response-time,DNS+dialup,DNS,Request-write,Response-delay,Response-read,status-code,offset",
    "0.1207,0.0901,0.0310,0.0001,0.0302,0.0002,200,0.0000",
    "0.0310,0.0000,0.0000,0.0000,0.0308,0.0001,503,0.1208",
  ];
  await reads(hey.join("\n"), measured([120.7, { status: "200" }], [31, { status: "503" }]), {
    format: "auto",
    valueField: "response-time",
    scale: 1000,
    attrFields: [{ name: "status-code", key: "status" }],
  });
});

Deno.test("readInput() takes the names of columns where CSV has no header", async () => {
  const options: Options = {
    columns: ["a", "value"],
    attrFields: [{ name: "a", key: "a" }],
  };
  const rows = measured([5, { a: "x" }], [6, { a: "#y" }]);
  await reads("\nx,5\n#y,6\n", rows, options);
  await reads("x;5\n#y;6\n", rows, options);
  await reads("x\t5\n#y\t6\n", rows, { ...options, format: "tsv" });
  await reads("x|5\n#y|6\n1|2|3\n", {
    ...rows,
    invalid: [[3, "3 fields, but the header has 2 fields"]],
  }, { ...options, delimiter: "|" });
  await assert.rejects(readText("x,5\n", { ...CSV, ...options, valueField: "ms" }), {
    name: "UsageError",
    message:
      '--columns has no column "ms", only "a", "value". Name the right one with --value-field',
  });
});

Deno.test("readInput() reads decimal commas where they are named, and no point that may mean anything", async () => {
  const decimalComma = true;
  const invalid = [
    [5, '"value" has a decimal point, but --decimal-comma is set: "1.5"'],
    [6, '"value" has a decimal point, but --decimal-comma is set: "1.234"'],
  ] as const;
  await reads("a;value\nx;1,5\nx;1.234,5\nx;7\nx;1.5\nx;1.234\nx;0,5 s\n", {
    ...measured([1.5, {}], [1234.5, {}], [7, {}], [500, {}]),
    invalid,
  }, { decimalComma, unit: "ms" });
  await reads('{"value":"1,5"}\n{"value":1.5}\n', measured([1.5, {}], [1.5, {}]), {
    decimalComma,
    format: "ndjson",
  });
  await reads('{"value":"1.5"}\n', {
    measurements: [],
    invalid: [[1, invalid[0][1]]],
  }, { decimalComma, format: "ndjson" });
  await reads("1,5\n2\n", measured([1.5, {}], [2, {}]), { decimalComma, format: "auto" });
  for (const text of ["value>1.5", "value>1,5"]) {
    const condition = parseCondition(text, { decimalComma });
    assert.ok("holds" in condition);
    assert.deepEqual(["1,6", "1,5", "2", "1.6"].map(condition.holds), [true, false, true, false]);
  }
});

Deno.test("readInput() takes a row that names the same columns for a header, as in files that were joined", async () => {
  const options: Options = { attrFields: [{ name: "a", key: "a" }] };
  const rows = measured([5, { a: "x" }], [6, { a: "7" }], [8, { a: "value" }]);
  await reads('a,value\nx,5\n"value","a"\n6,7\na,value\nvalue,8\n', rows, options);
  await reads("a,value\nx,5\nvalue,a\n6,7\nvalue,b\n8,value\n", {
    ...rows,
    measurements: [...rows.measurements],
    invalid: [[5, '"value" is not a number: "value"']],
  }, options);
  await reads("x,5\na,value\ny,6\n", measured([5, { a: "x" }], [6, { a: "y" }]), {
    ...options,
    columns: ["a", "value"],
  });
});

Deno.test("readInput() throws a UsageError when a column that it needs is there twice", async () => {
  await assert.rejects(readText("value,a,value\n1,2,3\n", CSV), {
    name: "UsageError",
    message:
      'The first line of the CSV input names the column "value" twice: name all columns with --columns, each differently, and skip the first line with tail -n +2',
  });
  await reads("a,value,a\n1,2,3\n", measured([2, {}]));
});

Deno.test("readInput() names --decimal-comma where a comma cannot separate thousands", async () => {
  const unset = (text: string) =>
    `"value" has a decimal comma, but --decimal-comma is not set: ${JSON.stringify(text)}`;
  const noNumber = (text: string) => `"value" is not a number: ${JSON.stringify(text)}`;
  const texts = ["1,5", "0,125", "1234,567", "1.234,5", "1,5 ms", "1,234", "1,234.5", "1,2,3"];
  const { invalid } = await readText(`a;value\n${texts.map((text) => `x;${text}\n`).join("")}`, {
    unit: "ms",
  });
  assert.deepEqual(
    invalid.map(([, reason]) => reason),
    [...texts.slice(0, 5).map(unset), ...texts.slice(5).map(noNumber)],
  );
});

Deno.test("readInput() names --decimal-comma where the first line is a number with one", async () => {
  const advice = (first: string) =>
    readText(`${first}\n2\n`).then(() => "", ({ message }) => /\. (For .*)$/.exec(message)?.[1]);
  const others = "CSV without a header use --columns; for lines of free text use --pattern, or " +
    "--log-format";
  assert.equal(
    await advice("1,5"),
    `For numbers with a decimal comma use --decimal-comma; for ${others}`,
  );
  assert.equal(await advice("1,500"), `For ${others}`);
});
