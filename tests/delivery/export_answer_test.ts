import assert from "node:assert/strict";
import { type ExportAnswer, readExportAnswer } from "../../src/delivery/export_answer.ts";
import { partialSuccess, rpcStatus } from "../support/decode.ts";

const NOW = Date.UTC(2026, 0, 31);
const PROTOBUF = { "content-type": "application/x-protobuf" };
const JSON_ = { "content-type": "application/json; charset=utf-8" };
const HTML = { "content-type": "text/html" };

function read(
  status: number,
  headers: Readonly<Record<string, string>> = {},
  body: string | Uint8Array = "",
  unread?: string,
): Promise<ExportAnswer> {
  const bytes = typeof body === "string" ? new TextEncoder().encode(body) : body;
  return readExportAnswer(
    { kind: "reply", status, headers: new Headers(headers), body: bytes, unread },
    NOW,
    (text) => text,
  );
}

/** A message with one more field, of the type string. */
function withField(number: number, message: Uint8Array): Uint8Array {
  const text = new TextEncoder().encode("new");
  return Uint8Array.of(...message, number << 3 | 2, text.length, ...text);
}

const accepted = { kind: "accepted", warning: undefined } as const;

for (
  const [what, headers, body, answer] of [
    ["an empty body", {}, "", accepted],
    ["an empty body of any type", HTML, "", accepted],
    ["an empty JSON object", JSON_, "{}", accepted],
    ["an empty partial success", PROTOBUF, partialSuccess(0, ""), accepted],
    ["an empty partial success in JSON", JSON_, '{"partialSuccess":{}}', accepted],
    ["a warning", PROTOBUF, partialSuccess(0, "old\nversion"), {
      kind: "accepted",
      warning: "old version",
    }],
    [
      "a warning in JSON",
      JSON_,
      '{"partialSuccess":{"errorMessage":"old"}}',
      { kind: "accepted", warning: "old" },
    ],
    ["rejected points", PROTOBUF, partialSuccess(300, "why"), {
      kind: "partial",
      rejectedPoints: 300,
      message: "why",
    }],
    ["rejected points without a content type", {}, partialSuccess(1, ""), {
      kind: "partial",
      rejectedPoints: 1,
      message: "",
    }],
    ["no partial success, in JSON", JSON_, '{"partialSuccess":null}', accepted],
    ["nothing named, in JSON", JSON_, '{"partialSuccess":{"rejectedDataPoints":null}}', accepted],
    [
      "nothing but null in JSON",
      JSON_,
      '{"partial_success":{"rejected_data_points":null,"error_message":null}}',
      accepted,
    ],
    [
      "a field that nobody knows, in JSON",
      JSON_,
      '{"partialSuccess":{"new":1},"new":[]}',
      accepted,
    ],
    ["a field that nobody knows", PROTOBUF, withField(7, partialSuccess(0, "")), accepted],
    [
      "a field that nobody knows beside rejected points",
      PROTOBUF,
      withField(7, partialSuccess(2, "why")),
      { kind: "partial", rejectedPoints: 2, message: "why" },
    ],
    [
      "rejected points as a whole number in JSON",
      JSON_,
      '{"partialSuccess":{"rejectedDataPoints":2.0}}',
      { kind: "partial", rejectedPoints: 2, message: "" },
    ],
    [
      "rejected points as a string in JSON",
      JSON_,
      '{"partial_success":{"rejected_data_points":"7"}}',
      {
        kind: "partial",
        rejectedPoints: 7,
        message: "",
      },
    ],
  ] as const
) {
  Deno.test(`readExportAnswer() takes a 200 with ${what} by OTLP`, async () => {
    assert.deepEqual(await read(200, headers, body), answer);
  });
}

for (
  const [what, headers, body, message] of [
    [
      "a page",
      HTML,
      "<title> Log\nin </title>",
      /^200, but the body is not an OTLP response: a web page, "Log in"$/,
    ],
    ["a page without a title", HTML, "<!DOCTYPE html><p>", /: a web page$/],
    ["text of a page's type", HTML, "Log in", /: Log in$/],
    ["a page that says it is protobuf", PROTOBUF, "<html>", /: a web page$/],
    ["a page that says it is JSON", JSON_, " \r\n<html>", /: a web page$/],
    ["a page behind a byte order mark", {}, "\ufeff<html>", /: a web page$/],
    ["XML", { "content-type": "text/xml" }, "<error/>", /: <error\/>$/],
  ] as const
) {
  Deno.test(`readExportAnswer() refuses a 2xx with ${what}`, async () => {
    for (const status of [200, 202]) {
      const answer = await read(status, headers, body);
      assert.ok(answer.kind === "refused");
      assert.equal(answer.reason, "sign-in");
      assert.match(answer.message.replace(/^202/, "200"), message);
    }
    // However the page ends.
    const cut = await read(200, headers, body, "was cut off");
    assert.deepEqual([cut.kind, "reason" in cut && cut.reason], ["refused", "sign-in"]);
  });
}

for (
  const [what, headers, body, why] of [
    ["text", { "content-type": "text/plain" }, "OK", "is not OTLP: OK"],
    ["a line break", {}, "\n", "is not OTLP: "],
    ["JSON of another kind", JSON_, '{"status":"ok"}', 'is not OTLP: {"status":"ok"}'],
    ["JSON that breaks off", JSON_, "{", "is not OTLP: {"],
    ["an array", JSON_, "[]", "is not OTLP: []"],
    ["a field that nobody knows, of no type", {}, withField(7, partialSuccess(0, "")), /new$/],
    ["a partial success that is none", JSON_, '{"partialSuccess":[]}', /\[\]/],
    ...['"x"', '""', "0.5", '"0.5"', "true", "false", "[2]", "{}", '"1e3"', '" 2"'].map((count) =>
      [
        `a rejected count that is ${count}`,
        JSON_,
        `{"partialSuccess":{"rejectedDataPoints":${count}}}`,
        /rejectedDataPoints/,
      ] as const
    ),
  ] as const
) {
  Deno.test(`readExportAnswer() accepts a 2xx with ${what}, and tells what that hides`, async () => {
    const answer = await read(200, headers, body);
    assert.ok(answer.kind === "accepted");
    assert.equal(answer.warning, undefined);
    assert.equal(answer.unseen?.kind, "not-otlp");
    const told = answer.unseen?.why ?? "";
    if (typeof why === "string") assert.equal(told, `the response body ${why}`);
    else assert.match(told, why);
  });
}

for (const body of ["", "{}", "OK", partialSuccess(2, "why")]) {
  Deno.test(`readExportAnswer() accepts a 2xx whose body could not be read: ${body.length} bytes`, async () => {
    assert.deepEqual(await read(200, PROTOBUF, body, "was cut off"), {
      kind: "accepted",
      warning: undefined,
      unseen: { kind: "unreadable", why: "the response body was cut off" },
    });
  });
}

Deno.test("readExportAnswer() reads JSON under any type", async () => {
  const body = '{"partialSuccess":{"rejectedDataPoints":2,"errorMessage":"why"}}';
  for (const headers of [{}, PROTOBUF, { "content-type": "text/plain" }]) {
    assert.deepEqual(await read(200, headers, body), {
      kind: "partial",
      rejectedPoints: 2,
      message: "why",
    });
  }
});

Deno.test("readExportAnswer() tells retryable statuses, too large and refused apart", async () => {
  const kinds = new Map<string, number[]>();
  for (let status = 200; status < 600; status++) {
    const { kind } = await read(status);
    kinds.set(kind, [...kinds.get(kind) ?? [], status]);
  }
  assert.deepEqual(kinds.get("accepted"), Array.from({ length: 100 }, (_, i) => 200 + i));
  assert.deepEqual(kinds.get("retry"), [429, 502, 503, 504]);
  assert.deepEqual(kinds.get("too-large"), [413]);
  assert.deepEqual([...kinds.keys()].sort(), ["accepted", "refused", "retry", "too-large"]);
  assert.equal(kinds.get("refused")?.length, 300 - 5);
});

Deno.test("readExportAnswer() knows 401 and 403 from what the data is refused for", async () => {
  for (const [status, reason] of [[401, "credentials"], [403, "credentials"], [404, undefined]]) {
    const answer = await read(Number(status));
    assert.ok(answer.kind === "refused");
    assert.equal(answer.reason, reason);
  }
});

for (
  const [what, headers, body] of [
    ["a Collector's text", { "content-type": "text/plain" }, "http: request body too large\n"],
    ["a Collector's Status", PROTOBUF, rpcStatus(3, "http: request body too large")],
    ["a Status in JSON", JSON_, '{"code":3,"message":"http: request body too large"}'],
    ["nginx's page", HTML, "<html><head><title>413 Request Entity Too Large</title></head></html>"],
    ["a page's text", HTML, "<html><title>Error</title><p>The message is\n too large</p></html>"],
    ["PayloadTooLarge in words", JSON_, '{"error":"Payload too large"}'],
    ["request is too large", {}, "Request is too large."],
    ["a constant", JSON_, '{"error":{"code":"OTLP_MESSAGE_MAX_SIZE_EXCEEDED"}}'],
  ] as const
) {
  Deno.test(`readExportAnswer() knows any 4xx that says the request is too large: ${what}`, async () => {
    for (const status of [400, 403, 413, 422]) {
      assert.equal((await read(status, headers, body)).kind, "too-large", String(status));
    }
    assert.equal((await read(500, headers, body)).kind, "refused");
    assert.equal((await read(429, headers, body)).kind, "retry");
  });
}

for (
  const body of [
    "<title>400 Request Header Or Cookie Too Large</title>",
    "414 Request-URI Too Large",
    "431 Request Header Fields Too Large",
    "the request has too many data points",
    "value too large",
  ]
) {
  Deno.test(`readExportAnswer() does not take for a request that is too large: ${body}`, async () => {
    assert.equal((await read(400, HTML, body)).kind, "refused");
  });
}

Deno.test("readExportAnswer() reads Retry-After of what may be tried again", async () => {
  const after = async (value: string) => {
    const answer = await read(503, { "retry-after": value });
    return answer.kind === "retry" ? answer.retryAfterMs : NaN;
  };
  assert.equal(await after("7"), 7000);
  assert.equal(await after("Sat, 31 Jan 2026 00:00:05 GMT"), 5000);
  assert.equal(await after("nonsense"), undefined);
});

for (
  const [what, headers, body, message] of [
    ["a Status", PROTOBUF, rpcStatus(16, "Wrong token"), "401 Unauthorized: Wrong token"],
    [
      "a Status without a content type",
      {},
      rpcStatus(16, "Wrong token"),
      "401 Unauthorized: Wrong token",
    ],
    [
      "Dynatrace's envelope",
      JSON_,
      '{"error":{"code":401,"message":"Token Authentication failed"}}',
      "401 Unauthorized: Token Authentication failed",
    ],
    ["a Status in JSON", JSON_, '{"code":16,"message":"no"}', "401 Unauthorized: no"],
    ["an error as text in JSON", JSON_, '{"error":"no"}', "401 Unauthorized: no"],
    ["JSON without a message", JSON_, '{"reason":1}', '401 Unauthorized: {"reason":1}'],
    ["text", { "content-type": "text/plain" }, " no\n entry ", "401 Unauthorized: no entry"],
    ["text that says it is protobuf", PROTOBUF, "no entry", "401 Unauthorized: no entry"],
    ["a page", HTML, "<html><title>Sign in", '401 Unauthorized: a web page, "Sign in"'],
    ["nothing", {}, "", "401 Unauthorized"],
  ] as const
) {
  Deno.test(`readExportAnswer() repeats an error's words when they are ${what}`, async () => {
    assert.deepEqual(await read(401, headers, body), {
      kind: "refused",
      message,
      reason: "credentials",
    });
  });
}

for (
  const [what, body, said] of [
    ["text", "no entry, becau", ": no entry, becau"],
    ["text that breaks off in a letter", "no entr\u00e9", ": no entr"],
    ["a page", "<title>Sign in</title><p", ': a web page, "Sign in"'],
    ["compressed", Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0), ""],
    ["zeros", new Uint8Array(9), ""],
  ] as const
) {
  Deno.test(`readExportAnswer() repeats what came of an error's words: ${what}`, async () => {
    const bytes = typeof body === "string" ? new TextEncoder().encode(body) : body;
    const came = what.includes("letter") ? bytes.slice(0, -1) : bytes;
    assert.deepEqual(await read(401, PROTOBUF, came, "was cut off"), {
      kind: "refused",
      reason: "credentials",
      message: `401 Unauthorized${said}`,
    });
    assert.equal((await read(503, PROTOBUF, came, "was cut off")).kind, "retry");
  });
}

Deno.test("readExportAnswer() names a status without a known reason by its number", async () => {
  assert.deepEqual(await read(599), { kind: "refused", message: "599" });
});
