import assert from "node:assert/strict";
import { parseLogFormat } from "../../../src/source/input/log_format.ts";
import type { Pattern } from "../../../src/source/input/pattern.ts";
import { parseCondition } from "../../../src/source/input/where.ts";
import { bytesOf, type Options, readChunks } from "./reading.ts";

function logFormat(text: string): Pattern {
  const parsed = parseLogFormat(text);
  if ("expected" in parsed) throw new Error(parsed.expected);
  return parsed;
}

/** The fields of a line that are not missing. */
function fieldsOf(format: string, line: string) {
  const found = logFormat(format).match(line);
  return found &&
    Object.fromEntries(Object.entries(found).filter(([, text]) => text !== undefined));
}

const UPSTREAMS = `'$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent '
  '"$http_referer" "$http_user_agent" rt=$request_time uct="$upstream_connect_time" '
  'urt="$upstream_response_time" ua=$upstream_addr us=$upstream_status'`;
const INGRESS = '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent ' +
  '"$http_referer" "$http_user_agent" $request_length $request_time [$proxy_upstream_name] ' +
  "[$proxy_alternative_upstream_name] $upstream_addr $upstream_response_length " +
  "$upstream_response_time $upstream_status $req_id";
const PIPES =
  "$time_iso8601|$msec|$request_method|$scheme://$host$request_uri|$status|$request_time|$http_user_agent";

// The lines are nginx's (1.22) and Apache's (2.4), with other times and sizes.
for (
  const [name, format, line, expected] of [
    [
      "nginx, two upstreams",
      UPSTREAMS,
      '127.0.0.1 - jane doe [30/Nov/2026:05:58:42 +0000] "GET /?a=1 HTTP/1.1" 200 3 "-" "Mozilla/5.0 (X11; \\x22q\\x22 Linux)" rt=0.502 uct="-, 0.001" urt="0.500, 0.002" ua=127.0.0.1:1, 127.0.0.1:8081 us=502, 200',
      {
        remote_addr: "127.0.0.1",
        remote_user: "jane doe",
        time_local: "30/Nov/2026:05:58:42 +0000",
        request: "GET /?a=1 HTTP/1.1",
        method: "GET",
        path: "/",
        query: "a=1",
        protocol: "HTTP/1.1",
        status: "200",
        body_bytes_sent: "3",
        http_user_agent: 'Mozilla/5.0 (X11; "q" Linux)',
        request_time: "0.502",
        upstream_connect_time: "-, 0.001",
        upstream_response_time: "0.500, 0.002",
        upstream_addr: "127.0.0.1:1, 127.0.0.1:8081",
        upstream_status: "502, 200",
      },
    ],
    [
      "nginx, no request",
      UPSTREAMS,
      '127.0.0.1 - - [30/Nov/2026:05:58:42 +0000] "\\x16\\x03\\x01" 400 157 "-" "-" rt=0.013 uct="-" urt="-" ua=- us=-',
      {
        remote_addr: "127.0.0.1",
        time_local: "30/Nov/2026:05:58:42 +0000",
        request: "\x16\x03\x01",
        status: "400",
        body_bytes_sent: "157",
        request_time: "0.013",
      },
    ],
    [
      "ingress-nginx",
      INGRESS,
      '10.0.0.1 - - [30/Nov/2026:05:58:42 +0000] "GET /a b HTTP/2.0" 200 3 "-" "curl/7.88.1" 139 0.512 [web-80] [] 10.0.0.7:80, 10.0.0.8:80 0, 3 0.500, 0.010 502, 200 2b886fbd64a91cc6',
      {
        remote_addr: "10.0.0.1",
        time_local: "30/Nov/2026:05:58:42 +0000",
        request: "GET /a b HTTP/2.0",
        status: "200",
        body_bytes_sent: "3",
        http_user_agent: "curl/7.88.1",
        request_length: "139",
        request_time: "0.512",
        proxy_upstream_name: "web-80",
        upstream_addr: "10.0.0.7:80, 10.0.0.8:80",
        upstream_response_length: "0, 3",
        upstream_response_time: "0.500, 0.010",
        upstream_status: "502, 200",
        req_id: "2b886fbd64a91cc6",
      },
    ],
    [
      "nginx, separated by |",
      PIPES,
      "2026-11-30T05:58:42+00:00|1796018322.053|GET|http://127.0.0.1/?a=1|200|0.004|Mozilla/5.0 (X11)",
      {
        time_iso8601: "2026-11-30T05:58:42+00:00",
        msec: "1796018322.053",
        request_method: "GET",
        scheme: "http",
        host: "127.0.0.1",
        request_uri: "/?a=1",
        status: "200",
        request_time: "0.004",
        http_user_agent: "Mozilla/5.0 (X11)",
      },
    ],
    [
      "nginx, as JSON",
      'log_format js escape=json \'{"t":"$time_iso8601","rt":$request_time,"ua":"${http_user_agent}"}\';',
      '{"t":"2026-11-30T05:58:42+00:00","rt":0.250,"ua":"say \\"q\\""}',
      {
        time_iso8601: "2026-11-30T05:58:42+00:00",
        request_time: "0.250",
        http_user_agent: 'say "q"',
      },
    ],
    [
      "Apache, %T and %D",
      'LogFormat "%v:%p %h %l %u %t \\"%r\\" %>s %O \\"%{Referer}i\\" \\"%{User-Agent}i\\" %T %D" td',
      'localhost:80 127.0.0.1 - jane doe [30/Nov/2026:05:59:38 +0000] "GET /?x=1&y=2 HTTP/1.1" 200 203 "-" "a \\"b\\" \\\\ c" 0 187',
      {
        host: "localhost",
        port: "80",
        remote_addr: "127.0.0.1",
        user: "jane doe",
        time: "30/Nov/2026:05:59:38 +0000",
        request: "GET /?x=1&y=2 HTTP/1.1",
        method: "GET",
        path: "/",
        query: "x=1&y=2",
        protocol: "HTTP/1.1",
        status: "200",
        bytes: "203",
        "user-agent": 'a "b" \\ c',
        agent: 'a "b" \\ c',
        request_time: "187",
      },
    ],
    [
      "Apache, %b and %{ms}T",
      '%h %l %u %t "%r" %>s %b %{ms}T',
      '127.0.0.1 - - [30/Nov/2026:05:59:38 +0000] "HEAD / HTTP/1.1" 200 - 12',
      {
        remote_addr: "127.0.0.1",
        time: "30/Nov/2026:05:59:38 +0000",
        request: "HEAD / HTTP/1.1",
        method: "HEAD",
        path: "/",
        protocol: "HTTP/1.1",
        status: "200",
        bytes: "0",
        request_time: "12",
      },
    ],
    [
      "Apache, the request in parts",
      '%a [%{%Y-%m-%dT%H:%M:%S%z}t] %m %U%q %H %s %D "%{X-Request-Id}i" %{Content-Type}o',
      '127.0.0.1 [2026-11-30T05:59:38+0000] GET /index.html?x=1&y=2 HTTP/1.1 200 187 "r 1" text/html; charset=utf-8',
      {
        remote_addr: "127.0.0.1",
        time: "2026-11-30T05:59:38+0000",
        method: "GET",
        path: "/index.html",
        query: "x=1&y=2",
        protocol: "HTTP/1.1",
        status: "200",
        request_time: "187",
        "x-request-id": "r 1",
        "content-type": "text/html; charset=utf-8",
      },
    ],
    [
      "Apache, mod_ssl and the time to the first byte",
      '%h %t %{SSL_PROTOCOL}x %{SSL_CIPHER}x "%r" %b %^FB',
      '::1 [30/Nov/2026:05:59:38 +0000] TLSv1.3 TLS_AES_256_GCM_SHA384 "GET / HTTP/2.0" 12 3456',
      {
        time: "30/Nov/2026:05:59:38 +0000",
        remote_addr: "::1",
        ssl_protocol: "TLSv1.3",
        ssl_cipher: "TLS_AES_256_GCM_SHA384",
        request: "GET / HTTP/2.0",
        method: "GET",
        path: "/",
        protocol: "HTTP/2.0",
        bytes: "12",
        first_byte_time: "3456",
      },
    ],
    [
      "nginx, a variable of map at the end",
      "$status,$request_time tenant=$tenant",
      "200,0.5 tenant=two words",
      { status: "200", request_time: "0.5", tenant: "two words" },
    ],
  ] as const
) {
  Deno.test(`parseLogFormat() finds the fields of a line: ${name}`, () => {
    assert.deepEqual(fieldsOf(format, line), expected);
    assert.equal(fieldsOf(format, line.replace(/ |\||,/, "")), undefined);
  });
}

for (
  const [format, expected] of [
    [
      "%Z %s",
      /^directives of Apache's LogFormat: %Z is not one; for another server, use --pattern$/,
    ],
    [
      "%^XY %s",
      /^directives of Apache's LogFormat: %\^XY is not one; for another server, use --pattern$/,
    ],
    ["%{fortnight}T", /%\{fortnight\}T is not one; /],
    ["plain text", /^at least one of nginx's \$variables or Apache's %directives$/],
    ["$http_a $http_b $http_c $status", /^text between the variables: /],
  ] as const
) {
  Deno.test(`parseLogFormat() says what is right in place of ${format}`, () => {
    const parsed = parseLogFormat(format);
    assert.ok("expected" in parsed);
    assert.match(parsed.expected, expected);
  });
}

async function measured(format: string, text: string, options: Options = {}) {
  const { measurements, invalid, input } = await readChunks([bytesOf(text)], {
    format: "pattern",
    pattern: logFormat(format),
    unit: "ms",
    scale: 7,
    ...options,
  });
  return {
    values: measurements.map(([value]) => value),
    reasons: invalid.map(([, reason]) => reason),
    skipped: input.progress.skipped,
  };
}

Deno.test("readInput() converts the times of a log format from their own unit, and scales nothing else", async () => {
  assert.deepEqual(await measured("$status $request_time", "200 0.005\n200 -\nx\n"), {
    values: [5],
    reasons: ['no field "request_time"'],
    skipped: 1,
  });
  const upstream = { valueField: "upstream_response_time" };
  assert.deepEqual(
    await measured(
      "$upstream_response_time $status",
      "0.500, 0.002 200\n0.1 : 0.3 200\n-, 0.5 200\n",
      upstream,
    ),
    {
      values: [502, 400],
      reasons: [`"upstream_response_time" lacks the time of one upstream: "-, 0.5"`],
      skipped: 0,
    },
  );
  assert.deepEqual((await measured("%s %D", "200 1500\n")).values, [1.5]);
  assert.deepEqual((await measured("%T %D", "1 1000500\n")).values, [1000.5]);
  assert.deepEqual((await measured("%T", "2\n", { unit: "s" })).values, [2]);
  const firstByte = { valueField: "first_byte_time" };
  assert.deepEqual((await measured("%D %^FB", "2000 1500\n", firstByte)).values, [1.5]);
  assert.deepEqual((await measured("%{us}T", "2\n", { unit: "us" })).values, [2]);
  assert.deepEqual((await measured("%s %B", "200 3\n", { valueField: "bytes" })).values, [21]);
  assert.deepEqual((await measured("$request_time", "2.5\n", { unit: "By" })).reasons, [
    '"request_time" has a unit of time, but --unit is not a unit of time: "2.5"',
  ]);
});

Deno.test("--where compares a time of a log format with durations, in its own unit", async () => {
  const where = async (text: string) => {
    const condition = parseCondition(text);
    assert.ok("holds" in condition);
    const lines = "200 0.250 -\n200 1.500 1.000, 0.5\n";
    const format = "$status $request_time $upstream_response_time";
    return (await measured(format, lines, { where: [condition] })).values;
  };
  assert.deepEqual(await where("request_time>1s"), [1500]);
  assert.deepEqual(await where("request_time<=250ms"), [250]);
  assert.deepEqual(await where("request_time<1"), [250]);
  assert.deepEqual(await where("upstream_response_time>=1.5s"), [1500]);
  assert.deepEqual(await where("status>=1s"), []);
});

Deno.test("readInput() names the fields of a log format that lacks the one that is meant", () =>
  assert.rejects(measured("$status $body_bytes_sent", "200 5\n"), {
    name: "UsageError",
    message:
      'The log format has no field "request_time", which --value-field names: it has "status", "body_bytes_sent"',
  }));

Deno.test("parseLogFormat() reads whole directives, with comments between their pieces", () => {
  const directive = `log_format json escape=json '{' # it's JSON
    "\\"t\\":$request_time," # the 'time'
    '"s":"$status"}';`;
  assert.deepEqual(fieldsOf(directive, '{"t":0.5,"s":"200"}'), {
    request_time: "0.5",
    status: "200",
  });
  for (
    const text of [
      'CustomLog "logs/a log" "%T %s" env=x',
      'CustomLog logs/access_log "%T %s"',
      'LogFormat "%T %s" name',
      "'%T %s'",
    ]
  ) {
    assert.deepEqual(fieldsOf(text, "5 200"), { request_time: "5", status: "200" }, text);
  }
  assert.deepEqual(fieldsOf('"$status" "$request_time"', '"200" "0.5"'), {
    status: "200",
    request_time: "0.5",
  });
});

Deno.test("parseLogFormat() finds texts that have the character which ends them", () => {
  const time = "[30/Nov/2026:05:58:42 +0000]";
  for (
    const [format, line, expected] of [
      [
        '$http_x_forwarded_for - $remote_user [$time_local] "$request" $status',
        `- - - ${time} "GET / HTTP/1.1" 200`,
        { status: "200", method: "GET" },
      ],
      [
        '$http_x_forwarded_for - $remote_user [$time_local] "$request" $status',
        `1.2.3.4, a-b - bob ${time} "GET / HTTP/1.1" 200`,
        { http_x_forwarded_for: "1.2.3.4, a-b", remote_user: "bob", status: "200" },
      ],
      [
        "ua=$http_user_agent rt=$request_time",
        "ua=Mozilla/5.0 (for rt) rt=0.5",
        { http_user_agent: "Mozilla/5.0 (for rt)", request_time: "0.5" },
      ],
      [
        "$time_iso8601,$http_user_agent,$request_uri,$status,$request_time",
        "2026-11-30T05:58:42+00:00,Mozilla/5.0 (KHTML, like Gecko),/a,b?c=d,200,0.5",
        {
          http_user_agent: "Mozilla/5.0 (KHTML, like Gecko)",
          request_uri: "/a,b?c=d",
          request_time: "0.5",
        },
      ],
      [
        "$remote_addr:$remote_port $request_time",
        "2001:db8::1:4711 0.5",
        { remote_addr: "2001:db8::1", remote_port: "4711", request_time: "0.5" },
      ],
      [
        '%{X-Forwarded-For}i %l %u %t "%r" %>s %D',
        `1.2.3.4, 5.6.7.8 - a b ${time} "GET / HTTP/1.1" 200 1500`,
        { "x-forwarded-for": "1.2.3.4, 5.6.7.8", user: "a b", request_time: "1500" },
      ],
      [
        '%{X-Forwarded-For}i - %u %t "%r" %>s %D',
        `- - - ${time} "GET / HTTP/1.1" 200 1500`,
        { status: "200", request_time: "1500" },
      ],
    ] as const
  ) {
    const fields = fieldsOf(format, line) ?? {};
    assert.deepEqual({ ...fields, ...expected }, fields, line);
  }
});

Deno.test("readInput() takes little time for lines that nearly match a log format", async () => {
  const parts = Array.from({ length: 1300 }, () => '- [ "').join(" ");
  const searching = "$http_x_forwarded_for - $remote_user,$http_cookie,$uri,$status $request_time";
  for (const format of [UPSTREAMS, searching]) {
    const { skipped } = await measured(format, `${parts}\n`.repeat(20));
    assert.equal(skipped, 20);
  }
});
