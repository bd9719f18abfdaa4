import assert from "node:assert/strict";
import { unusableAuthorities, unusableClient } from "../../src/http/client_certificate.ts";
import { createAuthority, derOf } from "../support/certificates.ts";
import { seeded } from "../support/seeded.ts";

const authority = await createAuthority();
const { certificate, key } = await authority.client("pod-1");

function pem(label: string, der: Uint8Array): string {
  return `-----BEGIN ${label}-----\n${der.toBase64()}\n-----END ${label}-----\n`;
}

/** Up to three bytes are others, or the end is missing. */
function mutated(der: Uint8Array<ArrayBuffer>, random: () => number): Uint8Array {
  const copy = der.slice();
  for (let i = Math.floor(random() * 4); i > 0; i--) {
    copy[Math.floor(random() * copy.length)] = Math.floor(random() * 256);
  }
  return random() < 0.1 ? copy.slice(0, Math.floor(random() * copy.length)) : copy;
}

Deno.test("unusableClient() has a reason for each pair that the TLS library rejects", () => {
  const random = seeded(1);
  const reasons = new Set<string>();
  for (let i = 0; i < 2000; i++) {
    const pair = {
      cert: i % 2 === 0 ? pem("CERTIFICATE", mutated(derOf(certificate), random)) : certificate,
      key: i % 2 === 1 ? pem("PRIVATE KEY", mutated(derOf(key), random)) : key,
    };
    const wrong = unusableClient(pair.cert, pair.key);
    if (wrong === undefined) Deno.createHttpClient(pair).close();
    else reasons.add(`${wrong.file}: ${wrong.reason.replaceAll(/\(.*\)/g, "")}`);
  }
  assert.ok(reasons.size >= 4, [...reasons].join("\n"));
  assert.ok(reasons.size <= 12, [...reasons].join("\n"));
});

Deno.test("unusableAuthorities() has a reason for each file that the TLS library rejects", () => {
  const random = seeded(2);
  let usable = 0;
  for (let i = 0; i < 1000; i++) {
    const text = certificate + pem("CERTIFICATE", mutated(derOf(authority.certificate), random));
    const wrong = unusableAuthorities(text.replace("----------", "-----\n-----"));
    if (wrong === undefined) usable++;
    else assert.match(wrong, /^certificate 2 in it /);
  }
  assert.ok(usable > 100 && usable < 900, `${usable}`);
});

Deno.test("unusableAuthorities() finds the one that is rejected among thousands", () => {
  const bad = derOf(certificate);
  bad[bad.length - 1] = 0x7f;
  bad.fill(0xff, 30, 33);
  const text = `${certificate}\n`.repeat(3000) + pem("CERTIFICATE", bad) +
    `${certificate}\n`.repeat(100);
  assert.match(unusableAuthorities(text) ?? "", /^certificate 3001 in it /);
});
