import "reflect-metadata"; // the next line's library needs it to be there before
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  PemConverter,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509CertificateGenerator,
} from "@peculiar/x509";

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
const DAY_MS = 24 * 60 * 60 * 1000;

/** A certificate and its key, as PEM. */
export interface Certificate {
  readonly certificate: string;
  readonly key: string;
}

/** When a certificate is valid, seen from now. */
export type Validity = "now" | "expired" | "not yet";

export interface Authority extends Certificate {
  /** A server's certificate for host names and IPv4 or IPv6 addresses. */
  server(names: readonly string[], validity?: Validity): Promise<Certificate>;
  client(commonName: string, validity?: Validity): Promise<Certificate>;
}

/** Something that can sign certificates. */
interface Issuer {
  readonly name: string;
  readonly keys: CryptoKeyPair;
}

export async function createAuthority(commonName = "Test authority"): Promise<Authority> {
  const issuer: Issuer = { name: `CN=${commonName}`, keys: await generateKeys() };
  return {
    ...await certify({ subject: issuer.name, issuer, keys: issuer.keys, authority: true }),
    async server(names, validity) {
      const subject = `CN=${names[0] ?? "server"}`;
      return await certify({ subject, issuer, keys: await generateKeys(), names, validity });
    },
    async client(commonName, validity) {
      return await certify({
        subject: `CN=${commonName}`,
        issuer,
        keys: await generateKeys(),
        validity,
      });
    },
  };
}

/** A server's certificate that signed itself: as `authority` it is one that TLS takes for no server's. */
export async function selfSigned(
  names: readonly string[],
  { authority = false }: { readonly authority?: boolean } = {},
): Promise<Certificate> {
  const issuer: Issuer = { name: `CN=${names[0] ?? "server"}`, keys: await generateKeys() };
  return await certify({ subject: issuer.name, issuer, keys: issuer.keys, names, authority });
}

interface Request {
  readonly subject: string;
  readonly issuer: Issuer;
  readonly keys: CryptoKeyPair;
  readonly authority?: boolean;
  /** Of a server; a client's certificate has none. */
  readonly names?: readonly string[];
  readonly validity?: Validity | undefined;
}

async function certify(
  { subject, issuer, keys, authority = false, names, validity }: Request,
): Promise<Certificate> {
  const signing = authority ? KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign : 0;
  const usage = names === undefined ? ExtendedKeyUsage.clientAuth : ExtendedKeyUsage.serverAuth;
  const certificate = await X509CertificateGenerator.create({
    subject,
    issuer: issuer.name,
    publicKey: keys.publicKey,
    signingKey: issuer.keys.privateKey,
    signingAlgorithm: ALGORITHM,
    ...period(validity),
    extensions: [
      new BasicConstraintsExtension(authority, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature | signing, true),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
      await AuthorityKeyIdentifierExtension.create(issuer.keys.publicKey),
      ...(authority && names === undefined ? [] : [new ExtendedKeyUsageExtension([usage])]),
      ...(names === undefined ? [] : [new SubjectAlternativeNameExtension(names.map(nameOf))]),
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

function generateKeys(): Promise<CryptoKeyPair> {
  return crypto.subtle.generateKey(
    { name: "ECDSA", namedCurve: "P-256" },
    true,
    ["sign", "verify"],
  );
}
