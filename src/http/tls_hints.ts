import { VERIFIES_REGARDLESS } from "../platform/older_deno.ts";
import type { DestinationConfig } from "./destination_config.ts";
import type { Failure } from "./reply.ts";

// Hints for the words of rustls and its webpki: `Error`, `CertificateError`, `AlertDescription`, `webpki::Error`. A send
// that succeeds needs none of them: import this module dynamically.

/** Fault of a certificate, whoever presents it, and the remedy. */
export interface CertificateFault {
  /** End of a sentence about the certificate: "is of X.509 version 1". */
  readonly fault: string;
  readonly remedy: string;
}

interface CertificateRow extends CertificateFault {
  readonly words: RegExp;
  /**
   * Whether INSECURE_SSL still makes a connection possible: the TLS library cannot use a certificate that it cannot
   * read.
   */
  readonly isReadable: boolean;
}

const UNREADABLE = {
  fault: "cannot be read by the TLS library",
  remedy: "create another certificate",
  isReadable: false,
};

/** Faults of a certificate itself, whatever it is compared with: it has to be replaced. The first match counts. */
const FAULTS: readonly CertificateRow[] = [
  {
    words: /UnsupportedCertVersion/,
    fault: "is of X.509 version 1, and TLS requires version 3",
    remedy: "create another certificate with extensions (openssl x509 -req -extfile FILE)",
    isReadable: true,
  },
  {
    words: /UnsupportedCriticalExtension|UnhandledCriticalExtension/,
    fault: "has a critical extension that the TLS library does not know",
    remedy: "create another certificate without that extension, or mark it as not critical",
    isReadable: false,
  },
  {
    words: /extended key usage|InvalidPurpose|RequiredEkuNotFound|EmptyEkuExtension/,
    fault: "is not meant for a server",
    remedy: "create another certificate with extendedKeyUsage=serverAuth",
    isReadable: true,
  },
  {
    words: /UnsupportedSignatureAlgorithm/,
    fault: "is signed in a way that TLS rejects, such as with SHA-1",
    remedy: "create another certificate, signed with SHA-256",
    isReadable: true,
  },
  {
    words: /EndEntityUsedAsCa/,
    fault: "is signed by a certificate that is not a CA's",
    remedy: "have a CA sign it (basicConstraints=CA:TRUE)",
    isReadable: true,
  },
  {
    words: /PathLenConstraintViolated/,
    fault: "is signed by a longer chain of CAs than one of them allows (pathlen)",
    remedy: "have it signed by a CA that is allowed to",
    isReadable: true,
  },
  {
    words: /NameConstraint/,
    fault: "is signed by a CA that is not allowed to sign for this name (nameConstraints)",
    remedy: "have another CA sign it, or use a name that the CA allows",
    isReadable: true,
  },
  {
    words: /MaximumPath|MaximumSignatureChecks/,
    fault: "has a chain that is too long or too complex",
    remedy: "configure the server to send only its own and its intermediate certificates",
    isReadable: true,
  },
  { words: /BadEncoding|Other\(/, ...UNREADABLE },
];

/** Finds the fault of a certificate itself from the words of the TLS library. */
export function certificateFault(message: string): CertificateFault | undefined {
  return FAULTS.find(({ words }) => words.test(message));
}

/** Last resort, if this program can use it. */
const UNVERIFIED = VERIFIES_REGARDLESS ? "" : "; for a test only, set INSECURE_SSL=true";

type Destination = Pick<DestinationConfig, "endpoint" | "tls">;
type Hint = (destination: Destination) => string;

/** Faults of a server's certificate in how it is used. Names come first, because they may hold any word. */
const VERDICTS: readonly (readonly [words: RegExp, hint: Hint])[] = [
  [
    /not valid for any names/,
    () =>
      "the server's certificate names no host (subjectAltName), and TLS ignores its common name: create another " +
      `certificate with subjectAltName. --ca does not help${UNVERIFIED}`,
  ],
  [
    /not valid for name|NotValidForName/,
    ({ endpoint }) =>
      `the server's certificate is not for the name ${endpoint.url.hostname}: use a name that it contains`,
  ],
  [
    /expired|not valid yet|Expired|NotValidYet/,
    () => "the server's certificate is not valid now: renew it, or check this machine's clock",
  ],
  [
    /CaUsedAsEndEntity/,
    () =>
      "the server's certificate is a CA certificate, as openssl req -x509 creates it, and TLS rejects one from a " +
      "server; --ca does not help. Create one with openssl req -x509 -addext basicConstraints=CA:FALSE " +
      `and name that with --ca, or sign a server certificate with it${UNVERIFIED}`,
  ],
  [
    /Revoked/,
    () => "the server's certificate has been revoked: create another one. --ca does not help",
  ],
  [
    /BadSignature/,
    ({ tls }) =>
      "the server's certificate, or one in its chain, has an RSA key of fewer than 2,048 bits: create another one. " +
      (tls.ca !== undefined
        ? "If its keys are longer, --ca holds a CA of the same name with another key: use the CA that signed it"
        : "--ca does not help"),
  ],
  [
    // In the words of node:https, which was asked not to verify.
    /unable to verify/,
    () =>
      "the server's certificate cannot be used even unverified: create another one with an RSA key of 2,048 bits or " +
      "more, or P-256, and without unknown critical extensions",
  ],
  [
    /UnknownIssuer/,
    ({ tls }) =>
      (tls.ca !== undefined
        ? "--ca holds no CA that the server's certificates lead to: configure the server to send its " +
          "intermediate certificates, or add them to that file; if it sends them, set --ca FILE to its root CA"
        : "the server's certificate is not signed by a known authority: set --ca FILE to its CA") +
      UNVERIFIED,
  ],
];

/** Explains why the server's certificate is rejected, and what to do. */
function certificateHint(message: string, destination: Destination): string {
  const verdict = VERDICTS.find(([words]) => words.test(message));
  if (verdict !== undefined) return verdict[1](destination);
  const { fault, remedy, isReadable } = FAULTS.find(({ words }) => words.test(message)) ??
    UNREADABLE;
  return `the server's certificate, or one in its chain, ${fault}: ${remedy}. --ca does not help` +
    (isReadable ? UNVERIFIED : "");
}

const GIVE_ONE = "set --client-cert and --client-key";

/** Creates the hint for an alert by which the server rejects the client's certificate; another one if there is none. */
function ofClient(rejected: string): Hint {
  return ({ tls }) =>
    tls.client !== undefined ? rejected : `the server requires a client certificate: ${GIVE_ONE}`;
}

const NO_CLIENT = ofClient(
  "the server requires a client certificate, but got none: it does not accept this kind of key (--client-key); " +
    "use one of RSA or P-256",
);

const CONFIGURE = "configure the server for TLS 1.3, or for TLS 1.2 with ECDHE and AES-GCM";

const TOO_OLD = "the server's TLS version is too old: enable TLS 1.2 or 1.3 on the server";

/** Hint per alert of a server (RFC 8446, 6.2), by its name in rustls. */
const ALERTS: Readonly<Record<string, Hint>> = {
  AccessDenied: ofClient(
    "the server denies your client certificate access (--client-cert): have it allowed there",
  ),
  BadCertificate: ofClient(
    "the server cannot use your client certificate (--client-cert): create another, signed with SHA-256 by a CA that the " +
      "server trusts, and see its log for the reason",
  ),
  CertificateExpired: ofClient(
    "your client certificate (--client-cert) is not valid now: renew it, or check the clocks here and on the server",
  ),
  CertificateRequired: NO_CLIENT,
  CertificateRevoked: ofClient(
    "your client certificate (--client-cert) has been revoked: request another one",
  ),
  CertificateUnknown: ofClient(
    "the server rejects your client certificate (--client-cert), usually because it does not trust the CA " +
      "that signed it: use one of a CA that it trusts, and see its log for the reason",
  ),
  DecryptError: ofClient(
    "the server cannot verify a signature made with --client-key or in --client-cert: create another certificate, with " +
      "an RSA key of 2,048 bits or more, or P-256, and signed with SHA-256",
  ),
  HandshakeFailure: ({ tls }) =>
    tls.client !== undefined
      ? `the server and this program have no cipher suite or kind of key in common: ${CONFIGURE}, and use a client ` +
        "certificate with an RSA or P-256 key"
      : `if the server requires a client certificate, ${GIVE_ONE}; otherwise ${CONFIGURE}`,
  IllegalParameter: ({ tls }) =>
    `the server rejects what this program sent in the TLS handshake: see its log${
      tls.client !== undefined
        ? "; use a client certificate with an RSA or P-256 key and without certificates that are not of its chain"
        : ""
    }`,
  InsufficientSecurity: () =>
    "the server requires stronger cipher suites or keys than this program offers: see its log",
  InternalError: () => "the server failed in the TLS handshake: see its log",
  NoApplicationProtocol: () =>
    "the server speaks neither HTTP/1.1 nor HTTP/2 on this port: check the port",
  NoCertificate: NO_CLIENT,
  ProtocolVersion: () => TOO_OLD,
  UnknownCA: ofClient(
    "the server does not trust the CA that signed your client certificate (--client-cert): use one of a CA that it " +
      "trusts, with the intermediate certificates after it in the same file",
  ),
  UnrecognisedName: ({ endpoint }) =>
    `the server has no certificate for the name ${endpoint.url.hostname}: use a name that it serves`,
  UnsupportedCertificate: ofClient(
    "the server rejects this kind of client certificate (--client-cert): create another with " +
      "extendedKeyUsage=clientAuth and an RSA or P-256 key",
  ),
};

/** Hint for a failure of TLS; undefined if the server may speak something else. */
export function tlsHint(
  { cause, message }: Pick<Failure, "cause" | "message">,
  destination: Destination,
): string | undefined {
  if (cause === "certificate") return certificateHint(message, destination);
  if (/peer is incompatible: .*Tls|UnknownProtocolVersion/.test(message)) return TOO_OLD;
  if (/peer is incompatible|peer misbehaved/.test(message)) {
    return `the server and this program do not agree on how to speak TLS: ${CONFIGURE}`;
  }
  const alert = /received fatal alert: (\w+)/.exec(message)?.[1];
  if (alert === undefined) return undefined;
  return ALERTS[alert]?.(destination) ??
    "the server ended the TLS handshake: see its log, or the log of a firewall or proxy in between";
}
