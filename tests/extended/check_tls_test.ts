import assert from "node:assert/strict";
import { createAuthority, selfSigned } from "../support/certificates.ts";
import type { Setup } from "../support/fixture.ts";
import { startProxy } from "../support/proxy.ts";
import { type Receiver, type ReceiverOptions, startReceiver } from "../support/receiver.ts";
import { check, type Checked, failed, verificationCanBeOff } from "../support/check.ts";

async function withTls(
  tls: NonNullable<ReceiverOptions["tls"]>,
  setup: (receiver: Receiver, url: string) => Setup,
): Promise<Checked> {
  await using receiver = await startReceiver({ tls });
  return await check(setup(receiver, `https://localhost:${receiver.port}`));
}

const certificates = async () => {
  const authority = await createAuthority("Corporate CA");
  return { authority, ca: { "ca.pem": authority.certificate } };
};

Deno.test("check shows the certificate when it is trusted with --ca", async () => {
  const { authority, ca } = await certificates();
  const checked = await withTls(
    await authority.server(["localhost", "other.example"]),
    (_, url) => ({ args: ["--endpoint", url, "--ca", "ca.pem"], files: ca }),
  );
  assert.equal(checked.status, 0);
  const { detail, hint } = checked.step("tls");
  assert.match(detail, /certificate of localhost, other\.example, issued by Corporate CA/);
  assert.match(detail, /valid from \d{4}-\d\d-\d\d to \d{4}-\d\d-\d\d/);
  // Deno before 2.9 does not tell the version, and says so.
  assert.match(detail, /^TLS(v1\.[23];| \(version unknown to this Deno\);)/);
  // The certificates of these tests live for ten days.
  assert.match(hint ?? "", /the certificate expires in [89] days/);
});

const untrusted: readonly (readonly [
  what: string,
  make: (
    authority: Awaited<ReturnType<typeof createAuthority>>,
  ) => Promise<{ certificate: string; key: string }>,
  ca: boolean,
  detail: RegExp,
  hint: RegExp,
])[] = [
  [
    "the CA is unknown",
    (authority) => authority.server(["localhost"]),
    false,
    /UnknownIssuer; certificate of localhost, issued by Corporate CA/,
    /--ca FILE/,
  ],
  [
    "the certificate signed itself",
    () => selfSigned(["localhost"]),
    true,
    /UnknownIssuer; certificate of localhost, issued by localhost/,
    /--ca FILE/,
  ],
  [
    "a CA's certificate is the server's",
    () => selfSigned(["localhost"], { authority: true }),
    false,
    /UnknownIssuer|CaUsedAsEndEntity/,
    /--ca does not help\. Create one.*basicConstraints=CA:FALSE/,
  ],
  [
    "the certificate has expired",
    (authority) => authority.server(["localhost"], "expired"),
    true,
    /expired.*valid from/,
    /not valid now/,
  ],
  [
    "the certificate is not valid yet",
    (authority) => authority.server(["localhost"], "not yet"),
    true,
    /not valid yet|not valid before|NotValidYet/i,
    /not valid now/,
  ],
  [
    "the certificate is for another name",
    (authority) => authority.server(["other.example"]),
    true,
    /not valid for name.*certificate of other\.example/,
    /is not for the name localhost/,
  ],
];

for (const [what, make, withCa, detail, hint] of untrusted) {
  Deno.test(`check fails at tls when ${what}`, async () => {
    const { authority, ca } = await certificates();
    const checked = await withTls(await make(authority), (_, url) => ({
      args: ["--endpoint", url, ...withCa ? ["--ca", "ca.pem"] : []],
      files: ca,
    }));
    const step = failed(checked, "tls");
    assert.match(step.detail, detail);
    assert.match(step.hint ?? "", hint);
  });
}

// A case that this Deno does not have is not a test that was left out.
for (const args of verificationCanBeOff ? [["--insecure"], []] : []) {
  Deno.test({
    name: `check passes tls, and says so, when verification is off (${
      args.join() || "INSECURE_SSL"
    })`,
    async fn() {
      const { authority } = await certificates();
      const checked = await withTls(await authority.server(["other.example"]), (_, url) => ({
        args: ["--endpoint", url, ...args],
        env: args.length === 0 ? { INSECURE_SSL: "true" } : {},
      }));
      const { ok, detail, hint } = checked.step("tls");
      assert.equal(ok, true);
      assert.match(
        detail,
        /^not verified, .*certificate of other\.example, issued by Corporate CA/,
      );
      assert.match(hint ?? "", /verification would fail: .*UnknownIssuer/);
      assert.match(checked.step("config").detail, /certificates not verified/);
      assert.equal(checked.status, 0);
    },
  });
}

Deno.test("check fails at http when the receiver wants a client certificate, and passes with one", async () => {
  const authority = await createAuthority();
  const server = await authority.server(["localhost"]);
  await using receiver = await startReceiver({
    tls: { ...server, clientAuthority: authority.certificate },
  });
  const client = await authority.client("check");
  const setup = (...args: string[]): Setup => ({
    args: ["--endpoint", `https://localhost:${receiver.port}`, "--ca", "ca.pem", ...args],
    files: { "ca.pem": authority.certificate, "c.pem": client.certificate, "k.pem": client.key },
  });
  const step = failed(await check(setup()), "http");
  assert.match(step.hint ?? "", /client certificate/);
  const checked = await check(setup("--client-cert", "c.pem", "--client-key", "k.pem"));
  assert.equal(checked.status, 0);
  assert.equal(receiver.requests[0]?.client, "check");
});

Deno.test("check fails at tls when the port speaks plain HTTP", async () => {
  await using receiver = await startReceiver();
  const args = ["--endpoint", `https://localhost:${receiver.port}`];
  const step = failed(await check({ args }), "tls");
  assert.match(step.hint ?? "", /http:\/\/ instead of https:\/\//);
});

Deno.test("check fails at tls when the handshake breaks off", async () => {
  const step = failed(
    await withTls("broken", (_, url) => ({ args: ["--endpoint", url] })),
    "tls",
  );
  assert.match(step.hint ?? "", /does not speak TLS as expected/);
});

Deno.test("check fails at tls when nobody answers the handshake", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  try {
    const args = ["--endpoint", `https://127.0.0.1:${listener.addr.port}`, "--timeout", "0.5"];
    const step = failed(await check({ args }), "tls");
    assert.match(step.detail, /no handshake in time/);
    assert.match(step.hint ?? "", /does not respond in time/);
  } finally {
    listener.close();
  }
});

Deno.test("check reaches TLS through a proxy, certificate and all", async () => {
  const { authority, ca } = await certificates();
  await using receiver = await startReceiver({ tls: await authority.server(["otlp.example"]) });
  await using proxy = startProxy({ to: receiver.port });
  const checked = await check({
    args: ["--endpoint", "https://otlp.example", "--ca", "ca.pem"],
    env: { HTTPS_PROXY: proxy.url },
    files: ca,
  });
  assert.equal(checked.status, 0);
  assert.match(checked.step("tls").detail, /certificate of otlp\.example, issued by Corporate CA/);
  // One for the certificate, one for the verdict, one for the request; Deno itself may ask for a package.
  const tunnels = proxy.requests.filter(({ target }) => target === "otlp.example:443");
  assert.equal(tunnels.length, 3);
});

Deno.test("check fails at tls when the proxy refuses the tunnel", async () => {
  await using proxy = startProxy({ credentials: { user: "u", password: "p" } });
  const step = failed(
    await check({ args: ["--endpoint", "https://otlp.example"], env: { HTTPS_PROXY: proxy.url } }),
    "tls",
  );
  assert.match(step.detail, /the proxy answered 407/);
  assert.match(step.hint ?? "", /requires a user name and password: set HTTPS_PROXY=/);
});
