import assert from "node:assert/strict";
import { createAuthority, selfSigned } from "./certificates.ts";
import { startReceiver } from "./receiver.ts";
import { failure, post } from "./posting.ts";

Deno.test("createAuthority() makes certificates that Deno accepts when it is told of the authority", async () => {
  const authority = await createAuthority();
  const tls = await authority.server(["localhost", "127.0.0.1"]);
  await using receiver = await startReceiver({ tls });
  const caCerts = [authority.certificate];
  assert.equal((await post(receiver, "x", { caCerts })).status, 200);
  const url = `https://localhost:${receiver.port}`;
  assert.equal((await post(receiver, "x", { caCerts, url })).status, 200);
  assert.equal(receiver.requests.length, 2);
});

const REFUSED: Readonly<Record<string, (names: string[]) => Promise<readonly [Tls, Tls, RegExp]>>> =
  {
    "the authority is unknown": async (names) => [
      await (await createAuthority()).server(names),
      await createAuthority(),
      /UnknownIssuer|BadSignature/,
    ],
    "the certificate has expired": async (names) => {
      const authority = await createAuthority();
      return [await authority.server(names, "expired"), authority, /expired/i];
    },
    "the certificate is not valid yet": async (names) => {
      const authority = await createAuthority();
      return [await authority.server(names, "not yet"), authority, /not valid yet|NotValidYet/i];
    },
    "the certificate is for another name": async () => {
      const authority = await createAuthority();
      return [
        await authority.server(["other.test"]),
        authority,
        /not valid for name|NotValidForName/i,
      ];
    },
    "the certificate signed itself": async (names) => [
      await selfSigned(names),
      await createAuthority(),
      /UnknownIssuer/,
    ],
    "an authority is used as a server": async (names) => {
      const both = await selfSigned(names, { authority: true });
      return [both, both, /CaUsedAsEndEntity/];
    },
  };

interface Tls {
  readonly certificate: string;
  readonly key: string;
}

for (const [when, make] of Object.entries(REFUSED)) {
  Deno.test(`fetch() refuses a certificate of these when ${when}`, async () => {
    const [tls, { certificate }, says] = await make(["127.0.0.1"]);
    await using receiver = await startReceiver({ tls });
    assert.match(await failure(post(receiver, "x", { caCerts: [certificate] })), says);
    assert.equal(receiver.requests.length, 0);
  });
}

Deno.test("fetch() takes a certificate that signed itself when it is named as an authority", async () => {
  const tls = await selfSigned(["127.0.0.1"]);
  await using receiver = await startReceiver({ tls });
  assert.equal((await post(receiver, "x", { caCerts: [tls.certificate] })).status, 200);
});
