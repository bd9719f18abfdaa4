import "reflect-metadata"; // the next line's library needs it to be there before
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  Extension,
  KeyUsageFlags,
  KeyUsagesExtension,
  PemConverter,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509CertificateGenerator,
} from "@peculiar/x509";

const DAY_MS = 24 * 60 * 60 * 1000;

/** A certificate and its key, as PEM. */
export interface Certificate {
  readonly certificate: string;
  readonly key: string;
}

/** Oddity of a certificate: its key, its signature, its extensions. */
export interface Oddity {
  readonly key?: KeyKind;
  /** Hash of the signature, with a key of RSA. */
  readonly hash?: "SHA-1";
  /** Adds an extension that nobody knows, marked as critical. */
  readonly critical?: true;
  readonly use?: "server" | "client";
  readonly validity?: Validity;
  /** It is a CA's; a server may not show such a one. */
  readonly authority?: boolean;
}

export type KeyKind = "P-256" | "P-521" | "Ed25519" | "RSA-1024" | "RSA-2048";

/** When a certificate is valid, seen from now. */
export type Validity = "now" | "expired" | "not yet";

export interface Authority extends Certificate {
  /** A server's certificate for host names and IPv4 or IPv6 addresses. */
  server(names: readonly string[], validity?: Validity): Promise<Certificate>;
  client(commonName: string, validity?: Validity): Promise<Certificate>;
  /** An authority below this one, whose own certificate is to be sent along. */
  intermediate(commonName: string): Promise<Authority>;
}

/** Something that can sign certificates. */
interface Issuer {
  readonly name: string;
  readonly keys: CryptoKeyPair;
}

export async function createAuthority(
  commonName = "Test authority",
  above?: Issuer,
): Promise<Authority> {
  const issuer: Issuer = { name: `CN=${commonName}`, keys: await generateKeys("P-256") };
  return {
    ...await certify({
      subject: issuer.name,
      issuer: above ?? issuer,
      keys: issuer.keys,
      authority: true,
    }),
    async server(names, validity) {
      const subject = `CN=${names[0] ?? "server"}`;
      return await certify({ subject, issuer, keys: await generateKeys("P-256"), names, validity });
    },
    async client(commonName, validity) {
      return await certify({
        subject: `CN=${commonName}`,
        issuer,
        keys: await generateKeys("P-256"),
        validity,
      });
    },
    intermediate: (commonName) => createAuthority(commonName, issuer),
  };
}

/** A certificate that signed itself, of a server unless said otherwise. */
export async function selfSigned(
  names: readonly string[],
  { key = "P-256", use = "server", hash, ...oddity }: Oddity = {},
): Promise<Certificate> {
  const issuer: Issuer = {
    name: `CN=${names[0] ?? "server"}`,
    keys: await generateKeys(key, hash),
  };
  return await certify({ subject: issuer.name, issuer, keys: issuer.keys, names, use, ...oddity });
}

/** The same certificate as one of X.509 version 1, which has neither a version nor extensions. Its signature is wrong. */
export function asVersion1(certificate: string): string {
  const [content, ...signature] = elements(derOf(certificate));
  const [, ...fields] = elements(content ?? new Uint8Array());
  return PemConverter.encode(
    sequence([sequence(fields.slice(0, 6)), ...signature]),
    "CERTIFICATE",
  );
}

export function derOf(pem: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(PemConverter.decodeFirst(pem));
}

/** The elements of a DER sequence with lengths below 64 KiB. */
function elements(der: Uint8Array): Uint8Array[] {
  const found: Uint8Array[] = [];
  const header = (at: number) => 2 + Math.max(0, (der[at + 1] ?? 0) - 0x80);
  for (let at = header(0); at < der.length;) {
    const of = der.subarray(at + 1, at + header(at));
    const length = of.length === 1
      ? of[0] ?? 0
      : of.slice(1).reduce((sum, byte) => sum * 256 + byte, 0);
    found.push(der.subarray(at, at + header(at) + length));
    at += header(at) + length;
  }
  return found;
}

function sequence(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const content = parts.flatMap((part) => [...part]);
  const { length } = content;
  const header = length < 0x80
    ? [length]
    : length < 0x100
    ? [0x81, length]
    : [0x82, length >> 8, length & 0xff];
  return Uint8Array.from([0x30, ...header, ...content]);
}

interface Request extends Omit<Oddity, "key" | "hash" | "validity"> {
  readonly subject: string;
  readonly issuer: Issuer;
  readonly keys: CryptoKeyPair;
  /** Names of a server; a client's certificate has none. */
  readonly names?: readonly string[];
  readonly validity?: Validity | undefined;
}

async function certify(
  { subject, issuer, keys, authority = false, names, validity, use, critical }: Request,
): Promise<Certificate> {
  const signing = authority ? KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign : 0;
  const usage = (use ?? (names === undefined ? "client" : "server")) === "client"
    ? ExtendedKeyUsage.clientAuth
    : ExtendedKeyUsage.serverAuth;
  const certificate = await X509CertificateGenerator.create({
    subject,
    issuer: issuer.name,
    publicKey: keys.publicKey,
    signingKey: issuer.keys.privateKey,
    signingAlgorithm: { hash: "SHA-256", ...issuer.keys.privateKey.algorithm },
    ...period(validity),
    extensions: [
      new BasicConstraintsExtension(authority, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature | signing, true),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
      await AuthorityKeyIdentifierExtension.create(issuer.keys.publicKey),
      ...(authority && names === undefined ? [] : [new ExtendedKeyUsageExtension([usage])]),
      ...(names === undefined ? [] : [new SubjectAlternativeNameExtension(names.map(nameOf))]),
      ...(critical ? [new Extension("1.2.3.4.5", true, Uint8Array.of(0x05, 0x00))] : []),
    ],
  });
  const key = new Uint8Array(await crypto.subtle.exportKey("pkcs8", keys.privateKey));
  return {
    certificate: certificate.toString("pem"),
    key: PemConverter.encode(key, "PRIVATE KEY"),
  };
}

function nameOf(value: string): { readonly type: "dns" | "ip"; readonly value: string } {
  return { type: /^[\d.]+$|:/.test(value) ? "ip" : "dns", value };
}

function period(validity: Validity = "now"): { readonly notBefore: Date; readonly notAfter: Date } {
  const days = { "now": -1, "expired": -20, "not yet": 10 }[validity];
  const from = Date.now() + days * DAY_MS;
  return { notBefore: new Date(from), notAfter: new Date(from + 10 * DAY_MS) };
}

/** The hash is that of signatures by RSA: ECDSA and Ed25519 choose theirs elsewhere. */
async function generateKeys(kind: KeyKind, hash = "SHA-256"): Promise<CryptoKeyPair> {
  const [name, bits] = kind.split("-");
  const algorithm = name === "RSA"
    ? {
      name: "RSASSA-PKCS1-v1_5",
      hash,
      publicExponent: Uint8Array.of(1, 0, 1),
      modulusLength: Number(bits),
    }
    : name === "Ed25519"
    ? { name }
    : { name: "ECDSA", namedCurve: kind };
  const keys = await crypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  if (!("privateKey" in keys)) throw new Error(`${kind} is of one key`);
  return keys;
}
