import { messageOf } from "../platform/errors.ts";
import { demandUsablePair } from "../platform/older_deno.ts";
import { type CertificateFacts, certificateFacts } from "./certificate.ts";
import { derOf, type PemBlock, pemBlocks, pemOf } from "./pem.ts";
import { certificateFault } from "./tls_hints.ts";

// Whether a file can be used is for the TLS library to say; this module asks it before anything else happens, and puts
// its answer into words that name the file. Needed only where such a file is given: import it dynamically.

/** The file of a client certificate that cannot be used, the reason, and the remedy. */
export interface Unusable {
  readonly file: "certificate" | "key";
  readonly reason: string;
}

/** Checks a client's certificate and its key, both PEM; undefined if they can be used. */
export function unusableClient(cert: string, key: string): Unusable | undefined {
  const chain = certificatesIn(cert);
  if (typeof chain === "string") return { file: "certificate", reason: chain };
  if (chain.length > LONGEST_CHAIN) {
    return {
      file: "certificate",
      reason:
        `it holds ${chain.length} certificates, but a server accepts at most ${LONGEST_CHAIN}: ` +
        "keep the client's own and those that signed it",
    };
  }
  const lacking = unreadableKey(key);
  if (lacking !== undefined) return { file: "key", reason: lacking };
  const refusal = rejectionBy(() => demandUsablePair({ cert, key }));
  if (refusal !== undefined) return unusablePair(refusal, chain, key);
  const wrong = misplacedSigner(chain);
  return wrong === undefined ? undefined : {
    file: "certificate",
    reason: `the chain is in the wrong order: certificate ${wrong.issuer + 1} signed certificate ${
      wrong.signed + 1
    } and must follow it`,
  };
}

/** Checks a file of CA certificates, PEM; returns the reason if it cannot be used. */
export function unusableAuthorities(text: string): string | undefined {
  const found = certificatesIn(text);
  if (typeof found === "string") return found;
  const whole = refusalOfAuthorities(text);
  if (whole === undefined) return undefined;
  // The first that is refused: each half is asked for, since a file may hold thousands.
  let [from, to] = [0, found.length];
  while (to - from > 1) {
    const middle = (from + to) >> 1;
    const half = found.slice(from, middle).map(({ pem }) => pem).join("");
    if (refusalOfAuthorities(half) === undefined) from = middle;
    else to = middle;
  }
  const one = refusalOfAuthorities(found[from]?.pem ?? "");
  return one === undefined
    ? rejected(whole)
    : `${certificateName(from, found.length)} in it ${faultIn(one)}`;
}

function refusalOfAuthorities(pem: string): string | undefined {
  return rejectionBy(() => Deno.createHttpClient({ caCerts: [pem] }).close());
}

/** Maximum length of a chain that OpenSSL accepts. */
const LONGEST_CHAIN = 100;

/** Runs a use of a file and returns the TLS library's objection, if it has one. */
function rejectionBy(use: () => void): string | undefined {
  try {
    use();
    return undefined;
  } catch (thrown) {
    return messageOf(thrown);
  }
}

function unusablePair(refusal: string, chain: readonly InChain[], key: string): Unusable {
  if (/KeyMismatch/.test(refusal)) {
    const own = chain.findIndex(({ pem }) =>
      rejectionBy(() => demandUsablePair({ cert: pem, key })) === undefined
    );
    return own < 0
      ? {
        file: "key",
        reason: "the key does not match the certificate: use the key that " +
          "the certificate was created with",
      }
      : {
        file: "certificate",
        reason: `the chain is in the wrong order: the client's own certificate is number ${
          own + 1
        } in the file; put it first, then the one that signed it, and so on`,
      };
  }
  if (/\bkeys?\b/.test(refusal)) {
    return {
      file: "key",
      reason:
        `the key is damaged, mislabelled, or of a kind that this program cannot use: use ${KINDS}`,
    };
  }
  return {
    file: "certificate",
    reason: /invalid peer certificate/.test(refusal)
      ? `${certificateName(0, chain.length)} in it ${faultIn(refusal)}`
      : rejected(refusal),
  };
}

function faultIn(refusal: string): string {
  const found = certificateFault(refusal);
  return found === undefined
    ? `is rejected by the TLS library (${refusal})`
    : `${found.fault}: ${found.remedy}`;
}

function rejected(refusal: string): string {
  return `the TLS library rejects it: ${refusal}`;
}

const NO_CERTIFICATE = "expected a PEM file with -----BEGIN CERTIFICATE-----";

interface InChain extends CertificateFacts {
  readonly pem: string;
}

/** Reads the certificates of a PEM file, at least one, or returns the reason if there is none. */
function certificatesIn(text: string): readonly InChain[] | string {
  const blocks = pemBlocks(text);
  const found = blocks.filter(({ label }) => label === "CERTIFICATE");
  if (found.length === 0) return noCertificate(text, blocks);
  const certificates: InChain[] = [];
  for (const [i, block] of found.entries()) {
    if (!block.isWhole) return `${certificateName(i, found.length)} in it is cut off: ${NO_END}`;
    const der = derOf(block);
    const facts = der === undefined ? undefined : certificateFacts(der);
    if (facts === undefined) return `${certificateName(i, found.length)} in it is damaged`;
    certificates.push({ ...facts, pem: pemOf(block) });
  }
  return certificates;
}

const NO_END = "its -----END … line is missing";

function certificateName(index: number, count: number): string {
  return count === 1 ? "the certificate" : `certificate ${index + 1}`;
}

function noCertificate(text: string, blocks: readonly PemBlock[]): string {
  const [first] = blocks;
  if (first?.label === "TRUSTED CERTIFICATE") {
    return "it is in OpenSSL's own form: convert it with openssl x509 -in FILE -out NEW.pem";
  }
  if (first !== undefined) return `${NO_CERTIFICATE}, and it holds ${first.label}`;
  return `${NO_CERTIFICATE}${otherForm(text, "openssl x509", "openssl pkcs12 -clcerts -nokeys")}`;
}

/** Guesses the form of a file without a PEM block, and says how to convert it. */
function otherForm(text: string, fromDer: string, fromPkcs12: string): string {
  if (text.trim() === "") return ", and it is empty";
  if (text.includes("-----BEGIN")) {
    return " at the start of a line";
  }
  if (text.replaceAll("\0", "").includes("-----BEGIN")) {
    return ", and it seems to be UTF-16: save it as UTF-8";
  }
  // A DER sequence; that of PKCS#12 begins with its version, 3.
  if (!text.startsWith("0") || !/[^\t\n\r -~]/.test(text)) return "";
  return text.slice(2, 9).includes("\x02\x01\x03")
    ? `, and it seems to be PKCS#12: convert it with ${fromPkcs12} -in FILE -out NEW.pem`
    : `, and it seems to be DER: convert it with ${fromDer} -inform der -in FILE -out NEW.pem`;
}

/** Finds the first certificate whose signer is in the file but not next to it. */
function misplacedSigner(
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
const KINDS = "RSA of 2,048 to 8,192 bits, P-256, P-384, P-521 or Ed25519";

/**
 * Checks the file of a private key as far as possible without the TLS library; returns the reason if it cannot be
 * used.
 */
function unreadableKey(text: string): string | undefined {
  const blocks = pemBlocks(text);
  const key = blocks.find(({ label }) => label.endsWith("PRIVATE KEY"));
  if (key === undefined) {
    const [other] = blocks;
    return NO_KEY +
      (other === undefined
        ? otherForm(text, "openssl pkey", "openssl pkcs12 -nocerts -nodes")
        : `, and it holds ${other.label}`);
  }
  if (key.label === "ENCRYPTED PRIVATE KEY" || key.content.includes("Proc-Type: 4,ENCRYPTED")) {
    return "the key is encrypted, and this program does not ask for a passphrase: " +
      "decrypt it with openssl pkey -in FILE -out NEW.key";
  }
  return key.isWhole ? undefined : `the key in it is cut off: ${NO_END}`;
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
