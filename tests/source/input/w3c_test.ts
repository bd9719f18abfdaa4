import assert from "node:assert/strict";
import { parseCondition } from "../../../src/source/input/where.ts";
import { type TimeZone, timeZoneOf } from "../../../src/source/input/time_zone.ts";
import { bytesOf, type Options, pieces, readChunks } from "./reading.ts";

/** As IIS writes it, with a second header after a change of its configuration. */
const IIS = `#Software: Microsoft Internet Information Services 10.0
#Version: 1.0
#Date: 2026-01-31 12:00:00
#Fields: date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) cs(Referer) sc-status sc-substatus sc-win32-status time-taken
2026-01-31 12:00:05 10.0.0.4 GET /index.html - 443 - 203.0.113.9 Mozilla/5.0+(X11) - 200 0 0 15
2026-01-31 12:00:06 10.0.0.4 POST /api x=1 443 - 203.0.113.9 - - 500 0 64 1200
2026-01-31 12:00:06 10.0.0.4 POST
2026-01-31 12:00:07 10.0.0.4 GET /a - 443 - 203.0.113.9 - - 200 0 0 -
#Date: 2026-01-31 13:00:00
#Fields: date time cs-method sc-status time-taken

2026-01-31 13:00:00 PUT 201 7
`.replaceAll("\n", "\r\n");

const OPTIONS: Options = {
  valueField: "time-taken",
  attrFields: [{ name: "cs-method", key: "method" }, { name: "cs-uri-query", key: "query" }],
  timeField: "time",
};

Deno.test("readInput() reads the logs of IIS, with headers that change, cut anywhere", async () => {
  for (const size of [1, 7, 100_000]) {
    const { measurements, times, invalid } = await readChunks(pieces(bytesOf(IIS), size), OPTIONS);
    assert.deepEqual(measurements, [
      [15, { method: "GET" }],
      [1200, { method: "POST", query: "x=1" }],
      [7, { method: "PUT" }],
    ]);
    assert.deepEqual(times, [
      Date.UTC(2026, 0, 31, 12, 0, 5),
      Date.UTC(2026, 0, 31, 12, 0, 6),
      Date.UTC(2026, 0, 31, 13),
    ]);
    assert.deepEqual(invalid, [
      [7, "4 fields, but #Fields: names 15"],
      [8, 'no field "time-taken"'],
    ]);
  }
});

Deno.test("readInput() reads the logs of CloudFront: tabs, seconds, either name of the time", async () => {
  const text =
    "#Version: 1.0\n#Fields: date time x-edge-location sc-bytes cs-method sc-status time-taken\n" +
    "2026-01-31\t12:00:05\tFRA56-P4\t1045\tGET\t200\t0.012\n";
  const { measurements, times } = await readChunks([bytesOf(text)], {
    valueField: "time-taken",
    scale: 1000,
    attrFields: [{ name: "sc-status", key: "status" }, { name: "date", key: "day" }],
    timeField: "date",
  });
  assert.deepEqual(measurements, [[12, { status: "200", day: "2026-01-31" }]]);
  assert.deepEqual(times, [Date.UTC(2026, 0, 31, 12, 0, 5)]);
  const { input } = await readChunks([bytesOf(text)], { valueField: "time-taken" });
  assert.equal(input.looksTimed(), "time");
});

Deno.test("--where compares the date and the time of W3C logs as one time, in UTC unless a zone is named", async () => {
  const where = async (text: string, timeZone?: TimeZone) => {
    const condition = parseCondition(text, { zone: timeZone });
    assert.ok("holds" in condition);
    const { measurements } = await readChunks([bytesOf(IIS)], {
      ...OPTIONS,
      attrFields: [],
      where: [condition],
      timeZone,
    });
    return measurements.map(([value]) => value);
  };
  assert.deepEqual(await where("time>=2026-01-31T13:00:00Z"), [7]);
  assert.deepEqual(await where("date<2026-01-31T12:00:06Z"), [15]);
  assert.deepEqual(await where("time>=2026-01-31T13:00:00Z", timeZoneOf("+01:00")), []);
  assert.deepEqual(await where("time>=2026-01-31 13:00:00", timeZoneOf("+01:00")), [7]);
  assert.deepEqual(await where("time=13:00:00"), [7]);
  assert.deepEqual(await where("time<12:00:06"), [15]);
});

Deno.test("readInput() keeps quoted texts of the W3C format together", async () => {
  const text = '#Fields: c value\n"a ""b"" c" 5\n"open 6\n- 7\n';
  const { measurements, invalid } = await readChunks([bytesOf(text)], {
    attrFields: [{ name: "c", key: "c" }],
  });
  assert.deepEqual(measurements, [[5, { c: 'a "b" c' }], [7, {}]]);
  assert.deepEqual(invalid, [[3, "1 field, but #Fields: names 2"]]);
});

Deno.test("readInput() names the columns of the W3C format when one is missing, and a line without a header", async () => {
  await assert.rejects(readChunks([bytesOf(IIS)], { ...OPTIONS, valueField: "value" }), {
    name: "UsageError",
    message:
      /^#Fields: has no column "value", only "date", .*Name the right one with --value-field$/,
  });
  await assert.rejects(
    readChunks([bytesOf(IIS)], { ...OPTIONS, attrFields: [{ name: "host", key: "h" }] }),
    { message: /no column "host".* with --attr-field$/ },
  );
  const { invalid } = await readChunks([bytesOf("5\n")], { ...OPTIONS, format: "w3c" });
  assert.deepEqual(invalid, [[1, "no #Fields: line before it"]]);
});
