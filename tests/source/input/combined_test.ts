import assert from "node:assert/strict";
import { COMBINED_FIELDS } from "../../../src/source/input/combined.ts";
import { bytesOf, readChunks, readText } from "./reading.ts";

const ALL = COMBINED_FIELDS.map((name) => ({ name, key: name }));

/** Every field of one line; its value is the status. */
async function fieldsOf(line: string) {
  const { measurements, invalid } = await readText(`${line}\n${line}\r\n`, {
    format: "combined",
    valueField: "status",
    attrFields: ALL,
  });
  assert.deepEqual(invalid, []);
  const [first, second] = measurements;
  assert.deepEqual(first, second);
  return first?.[1];
}

const TIME = "10/Oct/2000:13:55:36 -0700";
const ROOT = {
  remote_addr: "10.0.0.1",
  time: TIME,
  method: "GET",
  path: "/",
  protocol: "HTTP/1.1",
  status: "200",
  bytes: "5",
};

for (
  const [name, line, expected] of [
    [
      "nginx",
      `203.0.113.9 - - [${TIME}] "GET /index.html?a=1&b=2 HTTP/1.1" 200 612 "https://example.com/" "curl/8.5.0"`,
      {
        remote_addr: "203.0.113.9",
        time: TIME,
        method: "GET",
        path: "/index.html",
        query: "a=1&b=2",
        protocol: "HTTP/1.1",
        status: "200",
        bytes: "612",
        referer: "https://example.com/",
        agent: "curl/8.5.0",
      },
    ],
    [
      "nginx with its request time",
      `2001:db8::1 - frank [${TIME}] "POST /api HTTP/2.0" 201 0 "-" "Mozilla/5.0 (X11; Linux x86_64)" 0.012`,
      {
        remote_addr: "2001:db8::1",
        user: "frank",
        time: TIME,
        method: "POST",
        path: "/api",
        protocol: "HTTP/2.0",
        status: "201",
        bytes: "0",
        agent: "Mozilla/5.0 (X11; Linux x86_64)",
        request_time: "0.012",
      },
    ],
    [
      "nginx with a forwarded address and a time",
      `10.0.0.1 - - [${TIME}] "GET / HTTP/1.1" 200 5 "-" "-" "198.51.100.7" 1.5`,
      { ...ROOT, request_time: "1.5" },
    ],
    [
      "nginx with a time in quotes",
      `10.0.0.1 - - [${TIME}] "GET / HTTP/1.1" 200 5 "-" "-" "0.5"`,
      { ...ROOT, request_time: "0.5" },
    ],
    [
      "Apache's common form",
      `127.0.0.1 - frank [${TIME}] "GET /apache_pb.gif HTTP/1.0" 200 -`,
      {
        remote_addr: "127.0.0.1",
        user: "frank",
        time: TIME,
        method: "GET",
        path: "/apache_pb.gif",
        protocol: "HTTP/1.0",
        status: "200",
        bytes: "0",
      },
    ],
    [
      "Apache's common form with microseconds",
      `127.0.0.1 ident - [${TIME}] "GET / HTTP/1.0" 304 - 1234`,
      {
        remote_addr: "127.0.0.1",
        time: TIME,
        method: "GET",
        path: "/",
        protocol: "HTTP/1.0",
        status: "304",
        bytes: "0",
        request_time: "1234",
      },
    ],
    [
      "Apache's vhost_combined, and its escapes",
      `example.com:80 ::1 - John Doe [${TIME}] "GET /\\xc3\\xa9\\"x HTTP/1.1" 404 12 "-" "a \\"b\\" c"`,
      {
        remote_addr: "::1",
        user: "John Doe",
        time: TIME,
        method: "GET",
        path: '/é"x',
        protocol: "HTTP/1.1",
        status: "404",
        bytes: "12",
        agent: 'a "b" c',
      },
    ],
    [
      "no request",
      `10.0.0.1 - - [${TIME}] "-" 408 0 "-" "-"`,
      { remote_addr: "10.0.0.1", time: TIME, status: "408", bytes: "0" },
    ],
    [
      "TLS on a plain port",
      `10.0.0.1 - - [${TIME}] "\\x16\\x03\\x01\\x02\\x00\\x01\\x00\\x01\\xFC\\x03\\x03" 400 157 "-" "-"`,
      { remote_addr: "10.0.0.1", time: TIME, status: "400", bytes: "157" },
    ],
    [
      "quotes that nobody escaped",
      `10.0.0.1 - - [${TIME}] "GET /"a" b HTTP/1.1" 400 157 "-" "say "hi" twice"`,
      {
        remote_addr: "10.0.0.1",
        time: TIME,
        method: "GET",
        path: '/"a" b',
        protocol: "HTTP/1.1",
        status: "400",
        bytes: "157",
        agent: 'say "hi',
      },
    ],
    [
      "HTTP/0.9, and no user agent",
      `10.0.0.1 - - [${TIME}] "GET /old" 200 157 "" ""`,
      {
        remote_addr: "10.0.0.1",
        time: TIME,
        method: "GET",
        path: "/old",
        status: "200",
        bytes: "157",
      },
    ],
  ] as const
) {
  Deno.test(`readInput() finds the fields of a combined line: ${name}`, async () =>
    assert.deepEqual(await fieldsOf(line), expected));
}

const START = `10.0.0.1 - - [${TIME}] "GET / HTTP/1.1" 200 5 "-" "-"`;
const several = (text: string) =>
  `several numbers in ${
    JSON.stringify(text)
  } may be the request time: describe the lines with --log-format`;

for (
  const [name, rest, expected] of [
    ["one number", "0.5", 500],
    [
      "Traefik's counter, router, server and duration",
      '42 "web@docker" "http://10.0.0.9:80" 5ms',
      5,
    ],
    ["Traefik's line of a request without a router", '7 "-" "-" 0ms', 0],
    ["a unit of time beside a number and a -", "3 - 1.5s", 1500],
    ["two upstreams", "0.500, 0.002", 502],
    ["two upstreams in quotes", '"0.500, 0.002"', 502],
    ["two groups of upstreams", "0.100, 0.200 : 0.004", 304],
    ["a list without blanks", "0.1,0.2", 300],
    ["a number with a comma", "1,234", 'no field "request_time"'],
    ["a time of day", "12:30", 'no field "request_time"'],
    ["a forwarded address that is missing", '"-" 0.25', 250],
    ["the addresses of two upstreams", "10.0.0.1:80, 10.0.0.2:80 0.25", 250],
    ["times with units in a list", "5ms, 1.5s", 1505],
    [
      "one upstream without a time",
      "-, 0.5",
      'the request time lacks the time of one upstream: "-, 0.5"',
    ],
    ["no upstream with a time", "-, -", 'the request time lacks the time of one upstream: "-, -"'],
    ["nothing", "", 'no field "request_time"'],
    ["a -", "-", 'no field "request_time"'],
    ["two times", "0.5 0.4", several("0.5 0.4")],
    ["Apache's %T %D", "0 1234", several("0 1234")],
    ["a time and the - of no upstream", "0.500 -", several("0.500 -")],
    ["the - of no upstream and a time", "- 0.500", several("- 0.500")],
    ["both in quotes", '"0.500" "-"', several('0.500" "-')],
    ["a time and a list", "0.5 0.3, 0.2", several("0.5 0.3, 0.2")],
    ["two durations", "5ms 6ms", several("5ms 6ms")],
    [
      "ingress-nginx",
      "231 0.004 [web-80] [] 10.0.0.7:80 13 0.003 200 80802fbe7dd32b74",
      several("231 0.004 [web-80] [] 10.0.0.7:80 13 0.0…"),
    ],
  ] as const
) {
  Deno.test(`readInput() finds the request time of an access log behind the line: ${name}`, async () => {
    const { measurements, invalid } = await readText(`${START} ${rest}\n`, {
      scale: 1000,
      unit: "ms",
    });
    if (typeof expected === "string") {
      assert.deepEqual([measurements, invalid], [[], [[1, expected]]]);
    } else assert.deepEqual([measurements, invalid], [[[expected, {}]], []]);
  });
}

Deno.test("readInput() lets --where skip a line of an access log that has several times, and takes its size", async () => {
  const where = [{ field: "status", holds: (text: string | undefined) => text !== "200" }];
  const skipped = await readChunks([bytesOf(`${START} 0.5 0.4\n`)], { where });
  assert.deepEqual([skipped.invalid, skipped.input.progress.skipped], [[], 1]);
  const { measurements } = await readText(`${START} 0.5 0.4\n`, {
    valueField: "bytes",
    attrFields: [{ name: "request_time", key: "t" }],
  });
  assert.deepEqual(measurements, [[5, {}]]);
});

Deno.test("readInput() measures request_time of a combined log when no field is named, with its time", async () => {
  const line = (time: string) => `::1 - - [${TIME}] "GET / HTTP/1.1" 200 5 "-" "-" ${time}\n`;
  const { measurements, invalid } = await readText(line("0.5") + line("-") + line("2"), {
    scale: 1000,
  });
  assert.deepEqual(measurements, [[500, {}], [2000, {}]]);
  assert.deepEqual(invalid, [[2, 'no field "request_time"']]);
});

Deno.test("readInput() takes the bytes of a combined log as a value, where - is 0", async () => {
  const { measurements } = await readText(
    `h - - [${TIME}] "-" 408 -\nh - - [${TIME}] "-" 408 12\n`,
    { valueField: "bytes" },
  );
  assert.deepEqual(measurements, [[0, {}], [12, {}]]);
});

Deno.test("readInput() says that a line is none of a combined log", async () => {
  const good = `h - - [${TIME}] "GET / HTTP/1.1" 200 5`;
  const bad = [
    "x",
    "h - - GET / 200",
    `h - - [${TIME}] GET / 200 5`,
    `h - - [${TIME} "GET / HTTP/1.1" 200 5`,
    `h - - [${TIME}] "GET / HTTP/1.1`,
    `h - - [${TIME}] "GET / HTTP/1.1" 200`,
    `h - - [${TIME}] "GET / HTTP/1.1" 200 5 "open`,
    ` - [${TIME}] "GET / HTTP/1.1" 200 5`,
  ];
  const { measurements, invalid } = await readText([good, ...bad, "", " \t\r", good].join("\n"), {
    format: "combined",
    valueField: "bytes",
  });
  assert.deepEqual(measurements, [[5, {}], [5, {}]]);
  assert.deepEqual(
    invalid,
    bad.map((_, i) => [i + 2, "not a line of a combined or common access log"]),
  );
});

Deno.test("readInput() throws a UsageError that names the fields of a combined log", () =>
  assert.rejects(
    readText(`h - - [${TIME}] "-" 408 -\n`, { attrFields: [{ name: "vhost", key: "v" }] }),
    {
      name: "UsageError",
      message:
        'The input is a combined log, which has no field "vhost": it has remote_addr, user, time, method, path, query, protocol, status, bytes, referer, agent, request_time. For another log format, name the fields with --log-format or --pattern',
    },
  ));
