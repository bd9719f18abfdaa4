import assert from "node:assert/strict";
import { createAuthority } from "../support/certificates.ts";
import { error, like, repeated } from "../support/lines.ts";
import { runFixture } from "../support/run_fixture.ts";
import type { TestCase } from "../support/cases.ts";
import {
  DELIVERED,
  DUPLICATED,
  type Fault,
  fixtureOf,
  inTurn,
  LOOP,
  LOST,
  LOST_SAID,
  RETRIES,
  RETRY,
  signal,
  testFaults,
  unseen,
  whenAsked,
  whenReported,
} from "../support/fault.ts";

const authority = await createAuthority();
const certificate = await authority.server(["127.0.0.1"]);

const faults: readonly Fault[] = [
  {
    name: "nobody at the port",
    stopped: true,
    args: ["--endpoint", "{url}", "--retry-for", "0.5"],
    posts: 0,
    said: [RETRIES, LOST_SAID],
    expect: LOST,
  },
  {
    name: "a connection closed before the request",
    answers: ["refuse"],
    ambiguous: true,
    posts: "any",
    // Whether it breaks before or after the request was written is chance.
    said: [RETRIES, repeated(DUPLICATED)],
    expect: DELIVERED,
  },
  {
    name: "a reset before the body",
    answers: ["reset-before-body"],
    ambiguous: true,
    posts: "any",
    said: [RETRIES, repeated(DUPLICATED)],
    expect: DELIVERED,
  },
  {
    name: "a reset after the body",
    answers: ["reset-after-body"],
    posts: 2,
    said: [RETRY, DUPLICATED],
    expect: { ...DELIVERED, possiblyDuplicated: true },
  },
  {
    name: "a reset after the body, every time",
    answers: Array.from({ length: 50 }, () => "reset-after-body" as const),
    args: ["--endpoint", "{url}", "--retry-for", "0.6"],
    posts: "any",
    said: [RETRIES, repeated(DUPLICATED), LOST_SAID],
    expect: LOST,
  },
  {
    name: "half an answer",
    answers: ["half-answer"],
    said: [unseen(/was cut off/)],
    expect: { ...DELIVERED, possiblyDuplicated: false },
  },
  {
    name: "an answer that trickles in, in time",
    answers: [{ everyMs: 5 }],
    expect: { ...DELIVERED, possiblyDuplicated: false },
  },
  {
    name: "an answer that trickles in, too slowly",
    answers: [{ everyMs: 1000 }],
    args: ["--endpoint", "{url}", "--timeout", "2"],
    ambiguous: true,
    posts: 2,
    said: [RETRY, DUPLICATED],
    expect: { ...DELIVERED, possiblyDuplicated: true },
  },
  {
    name: "an answer whose body never ends",
    answers: [{ headers: { "content-length": "9" }, body: "half", stuck: true }],
    args: ["--endpoint", "{url}", "--timeout", "2"],
    said: [unseen(/was not complete within 2 s/)],
    expect: { ...DELIVERED, possiblyDuplicated: false },
  },
  {
    name: "SIGTERM while the body of a 200 never ends",
    answers: [{ headers: { "content-length": "9" }, body: "half", stuck: true }],
    args: ["--endpoint", "{url}", "--timeout", "60"],
    meanwhile: inTurn(whenAsked(1), signal("SIGTERM")),
    said: [unseen(/was not complete before the program was interrupted/)],
    expect: { ...DELIVERED, possiblyDuplicated: false },
  },
  {
    name: "an answer without end",
    answers: ["endless"],
    said: [unseen(/was larger than the 4 MiB/)],
    expect: DELIVERED,
  },
  {
    name: "an answer of more than 4 MiB",
    answers: [{ body: new Uint8Array(4 * 2 ** 20 + 1) }],
    said: [unseen(/was larger than the 4 MiB/)],
    expect: DELIVERED,
  },
  {
    name: "a 503 of more than 4 MiB, then 200",
    answers: [{ status: 503, body: new Uint8Array(4 * 2 ** 20 + 1) }],
    posts: 2,
    said: [RETRY],
    expect: DELIVERED,
  },
  {
    name: "no answer, then 200",
    answers: ["hang"],
    args: ["--endpoint", "{url}", "--timeout", "2"],
    posts: 2,
    said: [RETRY, DUPLICATED],
    expect: { ...DELIVERED, possiblyDuplicated: true },
  },
  {
    name: "no answer, ever",
    answers: Array.from({ length: 50 }, () => "hang" as const),
    args: ["--endpoint", "{url}", "--timeout", "0.4", "--retry-for", "0.5"],
    posts: "any",
    said: [RETRIES, repeated(DUPLICATED), error(/lost: no response within 0\.4 s/)],
    expect: LOST,
  },
  {
    name: "a name that nobody knows",
    // Within one send it is not tried again.
    args: ["--endpoint", "http://nobody.invalid:4318"],
    posts: 0,
    said: [error(/lost: .*the name nobody\.invalid cannot be resolved/)],
    expect: LOST,
  },
  {
    name: "a proxy that wants a password",
    tls: certificate,
    env: { HTTPS_PROXY: "{proxy}" },
    proxy: { credentials: { user: "user", password: "password" } },
    posts: 0,
    said: [LOST_SAID],
    expect: LOST,
    check: ({ proxy }) => assert.equal(proxy?.requests.length, 1, "not tried again"),
  },
  {
    name: "TLS that breaks off half-way",
    tls: "broken",
    args: ["--endpoint", "{url}", "--retry-for", "0.5"],
    posts: 0,
    said: [RETRIES, LOST_SAID],
    expect: LOST,
  },
  {
    name: "a certificate that nobody signed",
    tls: certificate,
    posts: 0,
    said: [LOST_SAID],
    expect: LOST,
    check: ({ receiver }) => assert.equal(receiver.connections, 1, "not tried again within a send"),
  },
  {
    name: "plain HTTP where TLS is expected",
    args: ["--endpoint", "https://127.0.0.1:{port}", "--retry-for", "0.5"],
    posts: 0,
    said: [RETRIES, LOST_SAID],
    expect: LOST,
  },
  {
    name: "a receiver that is stopped and started again during a loop",
    args: [...LOOP, "--interval", "0.3", "--iterations", "6"],
    ambiguous: true,
    meanwhile: async ({ receiver, program }) => {
      await whenReported(1)({ receiver, program });
      await receiver.stop();
      await whenReported(3)({ receiver, program });
      await receiver.restart();
    },
    posts: "any",
    said: [repeated(like({ type: /^(warning|error)$/ }))],
    expect: { recorded: 30, delivered: 30, sends: [repeated(like({ type: /^(send|late)$/ }), 6)] },
    check: ({ points }) =>
      assert.equal(new Set(points.map(({ end }) => end)).size, 6, "each send with its own time"),
  },
];

const stories: readonly TestCase[] = [
  {
    name: "garbage in the place of HTTP",
    run: () => againstRaw("SSH-2.0-OpenSSH_9.9\r\n\r\n"),
  },
  {
    name: "HTTP with a broken head",
    run: () => againstRaw("HTTP/1.1 200\x00 OK\r\nno colon here\r\n\r\n"),
  },
];

testFaults(faults, stories);

async function againstRaw(text: string): Promise<void> {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  let connections = 0;
  const serving = (async () => {
    for await (const connection of listener) {
      connections++;
      await connection.read(new Uint8Array(65536)).catch(() => {});
      await connection.write(new TextEncoder().encode(text)).catch(() => {});
      connection.close();
    }
  })();
  const { port } = listener.addr;
  await runFixture(fixtureOf({
    name: "",
    args: ["--endpoint", `http://127.0.0.1:${port}`, "--retry-for", "0.5"],
    posts: 0,
    said: [RETRIES, repeated(DUPLICATED), LOST_SAID],
    expect: LOST,
  }));
  assert.ok(connections >= 1);
  listener.close();
  await serving.catch(() => {});
}
