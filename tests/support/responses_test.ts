import assert from "node:assert/strict";
import { parseResponse } from "./responses.ts";

const ABOUT = "source: somewhere#1\nmeaning: Of the test.\nsend: retried\ncheck: ingest failed";

function bytes(response: string, about = ABOUT): string {
  const { bytes } = parseResponse("a-b.http", `${about}\n\n${response}`);
  return new TextDecoder("latin1").decode(bytes("http://host"));
}

Deno.test("a real response gets CRLF and Content-Length, and the receiver's URL", () => {
  assert.equal(
    bytes("HTTP/1.1 301 Moved\nLocation: {url}/x\n\n<p>\n\n</p>\n"),
    "HTTP/1.1 301 Moved\r\nLocation: http://host/x\r\nContent-Length: 9\r\n\r\n<p>\n\n</p>",
  );
  assert.equal(bytes("HTTP/1.1 204 None\n"), "HTTP/1.1 204 None\r\n\r\n");
  assert.equal(
    bytes("HTTP/1.1 200 OK\nConnection: close\n\nx"),
    "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nx",
  );
});

Deno.test("a real response may hold a Status or a partial success", () => {
  const head = "HTTP/1.1 400 Bad\n\n";
  assert.equal(bytes(`${head}{{status 3 no}}\n`).split("\r\n\r\n")[1], "\x08\x03\x12\x02no");
  assert.equal(
    bytes(`${head}{{partial 1 2 x no}}\n`).split("\r\n\r\n")[1],
    "\x0a\x08\x08\x01\x12\x04nono",
  );
});

Deno.test("a real response is told by its file's name, status and Retry-After", () => {
  const about = `${ABOUT}\nthrough: proxy\npython: refused: for a reason`;
  const response = "HTTP/1.1 429 Slow\nRetry-After: 30\n";
  const { name, status, retryAfter, throughProxy, others } = parseResponse(
    "a-b.http",
    `${about}\n\n${response}`,
  );
  assert.deepEqual([name, status, retryAfter, throughProxy, others], [
    "a-b",
    429,
    30,
    true,
    { python: "refused" },
  ]);
});

for (
  const [what, about, response, message] of [
    ["without a source", ABOUT.replace(/source.*\n/, ""), "HTTP/1.1 200 OK", /"source" is missing/],
    ["with an unknown key", `${ABOUT}\nsent: x`, "HTTP/1.1 200 OK", /unexpected "sent"/],
    [
      "with an unknown outcome",
      ABOUT.replace("retried", "sent"),
      "HTTP/1.1 200 OK",
      /send is none/,
    ],
    ["with a difference and no reason", `${ABOUT}\npython: refused`, "HTTP/1.1 200 OK", /reason/],
    ["without a status", ABOUT, "200 OK", /no status line/],
  ] as const
) {
  Deno.test(`a real response ${what} is refused, by its file's name`, () => {
    assert.throws(() => bytes(response, about), (thrown: Error) => {
      assert.match(thrown.message, /^tests\/fixtures\/responses\/a-b\.http: /);
      assert.match(thrown.message, message);
      return true;
    });
  });
}
