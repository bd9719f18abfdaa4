import assert from "node:assert/strict";
import { seededRandom } from "../../../src/source/generate/random.ts";
import { parseTime, type TimeFormat } from "../../../src/source/input/time.ts";
import { TimeReader } from "../../../src/source/input/time_reader.ts";
import { timeZoneOf, UTC } from "../../../src/source/input/time_zone.ts";
import { bytesOf } from "./reading.ts";

const AT = Date.UTC(2026, 0, 31, 12, 0, 5);

for (
  const [text, expected] of [
    ["2026-01-31T12:00:05Z", AT],
    ["2026-01-31t12:00:05z", AT],
    ["2026-01-31 12:00:05Z", AT],
    [" 2026-01-31T12:00:05.000Z ", AT],
    ["2026-01-31T12:00:05.25Z", AT + 250],
    ["2026-01-31T12:00:05,25Z", AT + 250],
    ["2026-01-31T12:00:05.123456789Z", AT + 123.456789],
    ["2026-01-31T12:00:05.1234567890123456789012Z", AT + 123.456789012345],
    ["2026-01-31T14:00:05+02:00", AT],
    ["2026-01-31T14:00:05+0200", AT],
    ["2026-01-31T14:00:05+02", AT],
    ["2026-01-31T06:15:05-05:45", AT],
    ["2026-01-31T12:00:05-00:00", AT],
    ["2026-02-01T01:00:05+13:00", AT],
    ["2026-01-31 12:00:05 +0000", AT],
    ["2026-01-31 12:00:05 UTC", AT],
    ["31/Jan/2026:12:00:05 +0000", AT],
    ["[31/Jan/2026:12:00:05 +0000]", AT],
    ["31/jan/2026:05:00:05 -0700", AT],
    ["31/Jan/2026:12:00:05.250 +0000", AT + 250],
    ["10/Oct/2000:13:55:36 -0700", Date.UTC(2000, 9, 10, 20, 55, 36)],
    [String(AT / 1000), AT],
    [`${AT / 1000}.25`, AT + 250],
    [String(AT), AT],
    [`${AT}.5`, AT + 0.5],
    [`${AT}000`, AT],
    [`${AT}000000`, AT],
    ["1e9", 1e12],
    ["1000000000000", 1e12],
    ["1000000000000000", 1e12],
    ["1000000000000000000", 1e12],
    ["0", 0],
    ["1970-01-01T00:00:00Z", 0],
    ["2261-12-31T23:59:59.999Z", 9_214_646_399_999],
    ["2024-02-29T00:00:00Z", Date.UTC(2024, 1, 29)],
    ["2000-02-29T00:00:00Z", Date.UTC(2000, 1, 29)],
    ["2016-12-31T23:59:60Z", Date.UTC(2017, 0, 1)],
    ["2016-12-31T23:59:60.5Z", Date.UTC(2017, 0, 1) + 500],
    ["2016-12-31T15:59:60-08:00", Date.UTC(2017, 0, 1)],
  ] as const
) {
  Deno.test(`parseTime() reads ${text}`, () => assert.equal(parseTime(text, "auto"), expected));
}

for (
  const [text, reason] of [
    ["", 'is not a time: ""'],
    ["yesterday", 'is not a time: "yesterday"'],
    ["2026-01-31", 'is not a time: "2026-01-31"'],
    ["12:00:05", 'is not a time: "12:00:05"'],
    [
      "2026-01-31T12:00:05",
      'has no time zone, such as Z or +02:00 (set --time-zone): "2026-01-31T12:00:05"',
    ],
    [
      "2026-01-31 12:00:05,123",
      'has no time zone, such as Z or +02:00 (set --time-zone): "2026-01-31 12:00:05,123"',
    ],
    ["2026-13-01T00:00:00Z", 'is not a time: "2026-13-01T00:00:00Z"'],
    ["2026-00-01T00:00:00Z", 'is not a time: "2026-00-01T00:00:00Z"'],
    ["2026-02-29T00:00:00Z", 'is not a time: "2026-02-29T00:00:00Z"'],
    ["1900-02-29T00:00:00Z", 'is not a time: "1900-02-29T00:00:00Z"'],
    ["2026-04-31T00:00:00Z", 'is not a time: "2026-04-31T00:00:00Z"'],
    ["2026-01-00T00:00:00Z", 'is not a time: "2026-01-00T00:00:00Z"'],
    ["2026-01-31T24:00:00Z", 'is not a time: "2026-01-31T24:00:00Z"'],
    ["2026-01-31T12:60:00Z", 'is not a time: "2026-01-31T12:60:00Z"'],
    ["2026-01-31T12:00:60Z", 'is not a time: "2026-01-31T12:00:60Z"'],
    ["2026-01-31T23:59:61Z", 'is not a time: "2026-01-31T23:59:61Z"'],
    ["2026-01-31T12:00:05+24:00", 'is not a time: "2026-01-31T12:00:05+24:00"'],
    ["2026-01-31T12:00:05+02:60", 'is not a time: "2026-01-31T12:00:05+02:60"'],
    ["2026-01-31T12:00:05.Z", 'is not a time: "2026-01-31T12:00:05.Z"'],
    ["10/Foo/2000:13:55:36 -0700", 'is not a time: "10/Foo/2000:13:55:36 -0700"'],
    ["31/Feb/2000:13:55:36 -0700", 'is not a time: "31/Feb/2000:13:55:36 -0700"'],
    [
      "10/Oct/2000:13:55:36",
      'has no time zone, such as Z or +02:00 (set --time-zone): "10/Oct/2000:13:55:36"',
    ],
    ["-5", 'is not in the years 1970 to 2261: "-5"'],
    ["1969-12-31T23:59:59Z", 'is not in the years 1970 to 2261: "1969-12-31T23:59:59Z"'],
    ["1970-01-01T00:00:00+01:00", 'is not in the years 1970 to 2261: "1970-01-01T00:00:00+01:00"'],
    ["2262-01-01T00:00:00Z", 'is not in the years 1970 to 2261: "2262-01-01T00:00:00Z"'],
    ["300000000000", 'is not in the years 1970 to 2261: "300000000000"'],
    ["1e30", 'is not in the years 1970 to 2261: "1e30"'],
  ] as const
) {
  Deno.test(`parseTime() says of ${JSON.stringify(text)} that it ${reason.split(":")[0]}`, () =>
    assert.equal(parseTime(text, "auto"), reason));
}

Deno.test("parseTime() takes the format that is named, and no other", () => {
  const texts = {
    rfc3339: "2026-01-31T12:00:05Z",
    clf: "31/Jan/2026:12:00:05 +0000",
    s: "1769860805",
    ms: "1769860805000",
    us: "1769860805000000",
    ns: "1769860805000000000",
  } as const;
  const named: readonly TimeFormat[] = ["rfc3339", "clf", "s", "ms", "us", "ns"];
  for (const format of named) {
    for (const [of, text] of Object.entries(texts)) {
      const time = parseTime(text, format);
      if (of === format) assert.equal(time, AT);
      else assert.notEqual(time, AT);
    }
  }
  assert.equal(parseTime("5", "s"), 5000);
  assert.equal(parseTime("5", "ms"), 5);
  assert.equal(parseTime("5", "us"), 0.005);
  assert.equal(
    parseTime("2026-01-31T12:00:05Z", "s"),
    'is not a number of seconds: "2026-01-31T12:00:05Z"',
  );
  assert.equal(parseTime("x", "clf"), 'is not a time of the common log format: "x"');
  assert.equal(parseTime("5", "rfc3339"), 'is not a time of RFC 3339: "5"');
});

const read = (reader: TimeReader, text: string) => {
  const bytes = bytesOf(`x${text} `);
  return reader.read(bytes, 1, bytes.length - 1);
};

Deno.test("TimeReader reads what parseTime() reads, and leaves to it what it does not know", () => {
  const random = seededRandom("times");
  const readers = new Map(
    (["auto", "rfc3339", "clf", "s", "ms", "us", "ns"] as const).map((
      format,
    ) => [format, new TimeReader(format)]),
  );
  const two = (most: number) => String(Math.floor(random() * (most + 1))).padStart(2, "0");
  const pick = (...list: readonly string[]) => list[Math.floor(random() * list.length)] ?? "";
  let decided = 0;
  for (let i = 0; i < 60_000; i++) {
    const year = pick("1970", "2024", "2026", "2000", "2100", "2261", "2262", "1969");
    const zone = pick(
      "Z",
      "z",
      "+00:00",
      "-07:00",
      "+05:45",
      "+0200",
      "+24:00",
      "",
      " UTC",
      "-07:6",
    );
    const fraction = pick("", "", ".5", ".123", ".123456789", ".", ",5", ".1234567890123456");
    const digits = `${Math.floor(random() * 1e9)}`;
    const text = pick(
      `${year}-${two(13)}-${two(31)}${pick("T", "t", " ", "x")}${two(24)}:${two(60)}:${
        two(61)
      }${fraction}${zone}`,
      `${two(31)}/${pick("Jan", "feb", "MAR", "Xyz", "Dec")}/${year}:${two(24)}:${two(60)}:${
        two(61)
      } ${pick("+0000", "-0730", "+2400", "+05:45", "x0000")}`,
      `${digits}${pick("", "000", "000000", "0000000000")}${fraction}`,
    );
    const quoted = random() < 0.3 ? `"${text}"` : text;
    for (const [format, reader] of readers) {
      const time = read(reader, quoted);
      if (Number.isNaN(time)) continue;
      decided++;
      assert.equal(time, parseTime(text, format), `${text} as ${format}`);
    }
  }
  assert.ok(decided > 50_000, String(decided));
  const usual = [
    "2026-01-31T12:00:05.123Z",
    "2026-01-31T12:00:05+02:00",
    "1769860805.5",
    '"1769860805000"',
  ];
  for (const text of [...usual, "31/Jan/2026:12:00:05 +0000"]) {
    assert.ok(!Number.isNaN(read(new TimeReader("auto"), text)), text);
  }
});

/** The second is Python's answer, zoneinfo with fold=0. */
const ZONED = [
  ["Europe/Berlin", "2026-01-31 12:00:05", 1769857205000],
  ["Europe/Berlin", "2026-07-01 00:00:00", 1782856800000],
  ["Europe/Berlin", "2026-03-29 01:59:59", 1774745999000],
  ["Europe/Berlin", "2026-03-29 02:30:00", 1774747800000],
  ["Europe/Berlin", "2026-03-29 03:00:00", 1774746000000],
  ["Europe/Berlin", "2026-10-25 01:59:59", 1792886399000],
  ["Europe/Berlin", "2026-10-25 02:30:00", 1792888200000],
  ["Europe/Berlin", "2026-10-25 03:00:00", 1792893600000],
  ["Europe/Berlin", "2026-03-08 02:30:00", 1772933400000],
  ["Europe/Berlin", "2026-11-01 01:30:00", 1793493000000],
  ["Europe/Berlin", "2026-04-05 01:45:00", 1775346300000],
  ["Europe/Berlin", "2026-10-04 02:15:00", 1791072900000],
  ["Europe/Berlin", "1999-12-31 23:59:59", 946681199000],
  ["America/New_York", "2026-01-31 12:00:05", 1769878805000],
  ["America/New_York", "2026-07-01 00:00:00", 1782878400000],
  ["America/New_York", "2026-03-29 01:59:59", 1774763999000],
  ["America/New_York", "2026-03-29 02:30:00", 1774765800000],
  ["America/New_York", "2026-03-29 03:00:00", 1774767600000],
  ["America/New_York", "2026-10-25 01:59:59", 1792907999000],
  ["America/New_York", "2026-10-25 02:30:00", 1792909800000],
  ["America/New_York", "2026-10-25 03:00:00", 1792911600000],
  ["America/New_York", "2026-03-08 02:30:00", 1772955000000],
  ["America/New_York", "2026-11-01 01:30:00", 1793511000000],
  ["America/New_York", "2026-04-05 01:45:00", 1775367900000],
  ["America/New_York", "2026-10-04 02:15:00", 1791094500000],
  ["America/New_York", "1999-12-31 23:59:59", 946702799000],
  ["Asia/Kolkata", "2026-01-31 12:00:05", 1769841005000],
  ["Asia/Kolkata", "2026-07-01 00:00:00", 1782844200000],
  ["Asia/Kolkata", "2026-03-29 01:59:59", 1774729799000],
  ["Asia/Kolkata", "2026-03-29 02:30:00", 1774731600000],
  ["Asia/Kolkata", "2026-03-29 03:00:00", 1774733400000],
  ["Asia/Kolkata", "2026-10-25 01:59:59", 1792873799000],
  ["Asia/Kolkata", "2026-10-25 02:30:00", 1792875600000],
  ["Asia/Kolkata", "2026-10-25 03:00:00", 1792877400000],
  ["Asia/Kolkata", "2026-03-08 02:30:00", 1772917200000],
  ["Asia/Kolkata", "2026-11-01 01:30:00", 1793476800000],
  ["Asia/Kolkata", "2026-04-05 01:45:00", 1775333700000],
  ["Asia/Kolkata", "2026-10-04 02:15:00", 1791060300000],
  ["Asia/Kolkata", "1999-12-31 23:59:59", 946664999000],
  ["Australia/Lord_Howe", "2026-01-31 12:00:05", 1769821205000],
  ["Australia/Lord_Howe", "2026-07-01 00:00:00", 1782826200000],
  ["Australia/Lord_Howe", "2026-03-29 01:59:59", 1774709999000],
  ["Australia/Lord_Howe", "2026-03-29 02:30:00", 1774711800000],
  ["Australia/Lord_Howe", "2026-03-29 03:00:00", 1774713600000],
  ["Australia/Lord_Howe", "2026-10-25 01:59:59", 1792853999000],
  ["Australia/Lord_Howe", "2026-10-25 02:30:00", 1792855800000],
  ["Australia/Lord_Howe", "2026-10-25 03:00:00", 1792857600000],
  ["Australia/Lord_Howe", "2026-03-08 02:30:00", 1772897400000],
  ["Australia/Lord_Howe", "2026-11-01 01:30:00", 1793457000000],
  ["Australia/Lord_Howe", "2026-04-05 01:45:00", 1775313900000],
  ["Australia/Lord_Howe", "2026-10-04 02:15:00", 1791042300000],
  ["Australia/Lord_Howe", "1999-12-31 23:59:59", 946645199000],
  ["America/St_Johns", "2026-01-31 12:00:05", 1769873405000],
  ["America/St_Johns", "2026-07-01 00:00:00", 1782873000000],
  ["America/St_Johns", "2026-03-29 01:59:59", 1774758599000],
  ["America/St_Johns", "2026-03-29 02:30:00", 1774760400000],
  ["America/St_Johns", "2026-03-29 03:00:00", 1774762200000],
  ["America/St_Johns", "2026-10-25 01:59:59", 1792902599000],
  ["America/St_Johns", "2026-10-25 02:30:00", 1792904400000],
  ["America/St_Johns", "2026-10-25 03:00:00", 1792906200000],
  ["America/St_Johns", "2026-03-08 02:30:00", 1772949600000],
  ["America/St_Johns", "2026-11-01 01:30:00", 1793505600000],
  ["America/St_Johns", "2026-04-05 01:45:00", 1775362500000],
  ["America/St_Johns", "2026-10-04 02:15:00", 1791089100000],
  ["America/St_Johns", "1999-12-31 23:59:59", 946697399000],
  ["Pacific/Apia", "2026-01-31 12:00:05", 1769814005000],
  ["Pacific/Apia", "2026-07-01 00:00:00", 1782817200000],
  ["Pacific/Apia", "2026-03-29 01:59:59", 1774702799000],
  ["Pacific/Apia", "2026-03-29 02:30:00", 1774704600000],
  ["Pacific/Apia", "2026-03-29 03:00:00", 1774706400000],
  ["Pacific/Apia", "2026-10-25 01:59:59", 1792846799000],
  ["Pacific/Apia", "2026-10-25 02:30:00", 1792848600000],
  ["Pacific/Apia", "2026-10-25 03:00:00", 1792850400000],
  ["Pacific/Apia", "2026-03-08 02:30:00", 1772890200000],
  ["Pacific/Apia", "2026-11-01 01:30:00", 1793449800000],
  ["Pacific/Apia", "2026-04-05 01:45:00", 1775306700000],
  ["Pacific/Apia", "2026-10-04 02:15:00", 1791033300000],
  ["Pacific/Apia", "1999-12-31 23:59:59", 946724399000],
  ["UTC", "2026-01-31 12:00:05", 1769860805000],
  ["UTC", "2026-07-01 00:00:00", 1782864000000],
  ["UTC", "2026-03-29 01:59:59", 1774749599000],
  ["UTC", "2026-03-29 02:30:00", 1774751400000],
  ["UTC", "2026-03-29 03:00:00", 1774753200000],
  ["UTC", "2026-10-25 01:59:59", 1792893599000],
  ["UTC", "2026-10-25 02:30:00", 1792895400000],
  ["UTC", "2026-10-25 03:00:00", 1792897200000],
  ["UTC", "2026-03-08 02:30:00", 1772937000000],
  ["UTC", "2026-11-01 01:30:00", 1793496600000],
  ["UTC", "2026-04-05 01:45:00", 1775353500000],
  ["UTC", "2026-10-04 02:15:00", 1791080100000],
  ["UTC", "1999-12-31 23:59:59", 946684799000],
] as const;

Deno.test("parseTime() and TimeReader read times without a zone as Python's zoneinfo does", () => {
  for (const [name, text, expected] of ZONED) {
    const zone = timeZoneOf(name);
    assert.ok(zone !== undefined, name);
    assert.equal(parseTime(text, "auto", zone), expected, `${text} ${name}`);
    assert.equal(read(new TimeReader("auto", zone), text), expected, `${text} ${name}`);
    assert.equal(parseTime(`${text}Z`, "auto", zone), Date.parse(`${text}Z`));
  }
});

for (
  const [text, expected] of [
    ["2026-01-31 12:00:05,123", "2026-01-31T12:00:05.123Z"],
    ["[2026-01-31 12:00:05,123]", "2026-01-31T12:00:05.123Z"],
    ["[2026-01-31T12:00:05.123+01:00]", "2026-01-31T11:00:05.123Z"],
    ["2026/01/31 12:00:05", "2026-01-31T12:00:05Z"],
    ["2026-01-31 12:00", "2026-01-31T12:00:00Z"],
    ["31 Jan 2026 12:00:05,123", "2026-01-31T12:00:05.123Z"],
    ["31-Jan-2026 12:00:05", "2026-01-31T12:00:05Z"],
    ["31.01.2026 12:00", "2026-01-31T12:00:00Z"],
    ["1.2.2026 9:05:07", "2026-02-01T09:05:07Z"],
    ["1/31/2026 12:00", "2026-01-31T12:00:00Z"],
    ["31/01/2026 12:00:05", "2026-01-31T12:00:05Z"],
    ["1/2/2026 1:00:05 PM", "2026-01-02T13:00:05Z"],
    ["1/2/2026 12:00 AM", "2026-01-02T00:00:00Z"],
    ["2/2/2026 0:00", "2026-02-02T00:00:00Z"],
    ["31/Jan/2026:12:00:05.123", "2026-01-31T12:00:05.123Z"],
  ] as const
) {
  Deno.test(`parseTime() reads ${text}, with a zone that is named`, () =>
    assert.equal(parseTime(text, "auto", UTC), Date.parse(expected)));
}

for (
  const [text, reason] of [
    ["1/2/2026 12:00", "may start with the day or the month"],
    ["1/2/2026 13:00 PM", "is not a time"],
    ["13/31/2026 12:00", "is not a time"],
    ["12:00:05,123", "is not a time"],
    ["[2026-01-31 12:00:05", "is not a time"],
  ] as const
) {
  Deno.test(`parseTime() says of ${text} that it ${reason}, though a zone is named`, () =>
    assert.equal(parseTime(text, "auto", UTC), `${reason}: ${JSON.stringify(text)}`));
}

Deno.test("timeZoneOf() knows names and offsets", () => {
  for (const text of ["", "Mars/Olympus", "+25:00", "+02:60", "2", "CEST "]) {
    assert.equal(timeZoneOf(text), undefined, text);
  }
  assert.equal(timeZoneOf("-0330")?.offsetAt(0), -12_600_000);
  assert.equal(timeZoneOf("+02")?.offsetAt(0), 7_200_000);
});
