import { messageOf } from "../base/errors.ts";
import { type CertificateFacts, certificateFacts } from "./certificate.ts";
import { type PemBlock, pemBlocks } from "./pem.ts";

// The runtime of an executable ends with a stack trace when it is given a key that does not fit its certificate, or
// one that is none: so both are looked at before. Loads node:crypto: import this module dynamically.

/** Which of the two files cannot be used, why, and what to do. */
export interface Unusable {
  readonly file: "certificate" | "key";
  readonly reason: string;
}

/** Looks at a client's certificate and its key, as PEM; undefined: they can be used. */
export async function unusableClient(
  certificate: string,
  key: string,
): Promise<Unusable | undefined> {
  const chain = certificatesIn(certificate);
  if (typeof chain === "string") return { file: "certificate", reason: chain };
  const publicKey = await publicKeyOf(key);
  if (typeof publicKey === "string") return { file: "key", reason: publicKey };
  const [own] = chain;
  if (own === undefined) return { file: "certificate", reason: NO_CERTIFICATE };
  if (!isSame(own.publicKey, publicKey)) {
    const at = chain.findIndex((other) => isSame(other.publicKey, publicKey));
    return at < 0
      ? {
        file: "key",
        reason:
          "the key does not fit the certificate: they are not of one pair; give the key that " +
          "the certificate was made with",
      }
      : {
        file: "certificate",
        reason: `the chain is in the wrong order: the client's own certificate is number ${
          at + 1
        } in the file; put it first, then the one that signed it, and so on`,
      };
  }
  const wrong = misplaced(chain);
  return wrong === undefined ? undefined : {
    file: "certificate",
    reason: `the chain is in the wrong order: certificate ${wrong.issuer + 1} signed certificate ${
      wrong.signed + 1
    } and must follow it`,
  };
}

const NO_CERTIFICATE = "expected a PEM file with -----BEGIN CERTIFICATE-----";

/** The certificates of a PEM file, at least one, or what is wrong with the file. */
export function certificatesIn(text: string): readonly CertificateFacts[] | string {
  if (text.trim() === "") return `${NO_CERTIFICATE}, and it is empty`;
  const blocks = pemBlocks(text);
  const found = blocks.filter(({ label }) => label === "CERTIFICATE");
  if (found.length === 0) return noCertificate(text, blocks);
  const facts: CertificateFacts[] = [];
  for (const [i, { der }] of found.entries()) {
    const read = der === undefined ? undefined : certificateFacts(der);
    if (read === undefined) {
      return `${found.length === 1 ? "the certificate" : `certificate ${i + 1}`} in it is damaged`;
    }
    facts.push(read);
  }
  return facts;
}

function noCertificate(text: string, blocks: readonly PemBlock[]): string {
  const [first] = blocks;
  if (first?.label === "TRUSTED CERTIFICATE") {
    return "it is in OpenSSL's own form: convert it with openssl x509 -in FILE -out NEW.pem";
  }
  if (first !== undefined) return `${NO_CERTIFICATE}, and it holds ${first.label}`;
  if (text.includes("-----BEGIN")) return "it is cut off: its -----END … line is missing";
  return text.startsWith("0") && /[^\t\n\r -~]/.test(text)
    ? `${NO_CERTIFICATE}, and it seems to be DER: convert it with openssl x509 -inform der -in FILE -out NEW.pem`
    : NO_CERTIFICATE;
}

/** The first certificate whose signer is in the file, but not next to it. */
function misplaced(
  chain: readonly CertificateFacts[],
): { readonly signed: number; readonly issuer: number } | undefined {
  for (const [signed, { issuer, subject }] of chain.entries()) {
    const next = chain[signed + 1];
    if (next === undefined || isSame(issuer, subject) || isSame(next.subject, issuer)) continue;
    const found = chain.findIndex((other) => isSame(other.subject, issuer));
    if (found >= 0) return { signed, issuer: found };
  }
  return undefined;
}

const NO_KEY = "expected a PEM file with -----BEGIN PRIVATE KEY-----";
const KINDS = "RSA of 2,048 bits or more, P-256, P-384, P-521 or Ed25519";

/** The public half of a PEM private key (SubjectPublicKeyInfo as DER), or what is wrong with the file. */
async function publicKeyOf(text: string): Promise<Uint8Array | string> {
  if (text.trim() === "") return `${NO_KEY}, and it is empty`;
  const key = pemBlocks(text).find(({ label }) => label.endsWith("PRIVATE KEY"));
  if (key === undefined) {
    return text.includes("PRIVATE KEY-----")
      ? "it is cut off: its -----END … line is missing"
      : NO_KEY;
  }
  if (key.label === "ENCRYPTED PRIVATE KEY" || key.text.includes("Proc-Type: 4,ENCRYPTED")) {
    return "the key is encrypted, and nobody is asked for its passphrase: " +
      "decrypt it with openssl pkey -in FILE -out NEW.key";
  }
  const { createPrivateKey, createPublicKey } = await import("node:crypto");
  try {
    const held = createPrivateKey(key.text);
    const { asymmetricKeyType: type, asymmetricKeyDetails: details } = held;
    const isKnown = type === "rsa"
      ? (details?.modulusLength ?? 0) >= 2048
      : type === "ed25519" || (type === "ec" && details?.namedCurve !== "secp256k1");
    if (!isKnown) return `the key is of a kind that this program cannot use: give ${KINDS}`;
    return createPublicKey(held).export({ type: "spki", format: "der" });
  } catch (thrown) {
    // Deno 2.6 knows P-256 and P-384 alone.
    return /curve/.test(messageOf(thrown))
      ? "the key's curve is one that this program cannot use: give a key of P-256 or P-384"
      : "the key in it is damaged, or is none";
  }
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
