import assert from "node:assert/strict";
import { COMBINED_FIELDS } from "../../../src/source/input/combined.ts";
import { readText } from "./reading.ts";

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
      {
        remote_addr: "10.0.0.1",
        time: TIME,
        method: "GET",
        path: "/",
        protocol: "HTTP/1.1",
        status: "200",
        bytes: "5",
        request_time: "1.5",
      },
    ],
    [
      "nginx with a time in quotes",
      `10.0.0.1 - - [${TIME}] "GET / HTTP/1.1" 200 5 "-" "-" "0.5"`,
      {
        remote_addr: "10.0.0.1",
        time: TIME,
        method: "GET",
        path: "/",
        protocol: "HTTP/1.1",
        status: "200",
        bytes: "5",
        request_time: "0.5",
      },
    ],
    [
      "two numbers, of which nobody knows which it is",
      `10.0.0.1 - - [${TIME}] "GET / HTTP/1.1" 200 5 "-" "-" 0.5 0.4`,
      {
        remote_addr: "10.0.0.1",
        time: TIME,
        method: "GET",
        path: "/",
        protocol: "HTTP/1.1",
        status: "200",
        bytes: "5",
      },
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

Deno.test("readInput() measures request_time of a combined log when no field is named, with its time", async () => {
  const line = (time: string) => `::1 - - [${TIME}] "GET / HTTP/1.1" 200 5 "-" "-" ${time}\n`;
  const { measurements, invalid } = await readText(line("0.5") + line("-") + line("2"), {
    scale: 1000,
  });
  assert.deepEqual(measurements, [[500, {}], [2000, {}]]);
  assert.deepEqual(invalid, [[2, 'no "request_time"']]);
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
    bad.map((_, i) => [i + 2, "not a line of a combined or common log"]),
  );
});

Deno.test("readInput() throws a UsageError that names the fields of a combined log", () =>
  assert.rejects(
    readText(`h - - [${TIME}] "-" 408 -\n`, { attrFields: [{ name: "vhost", key: "v" }] }),
    {
      name: "UsageError",
      message:
        'The input is a combined log, which has no field "vhost": it has remote_addr, user, time, method, path, query, protocol, status, bytes, referer, agent, request_time. For another log format, name the fields with --input-format pattern and --pattern',
    },
  ));
