import assert from "node:assert/strict";
import { baseEndpoint } from "../../src/http/endpoint.ts";
import { RECEIVERS } from "../../src/receivers/profiles.ts";
import { failureHint } from "../../src/http/hints.ts";
import { failure, withTlsHint } from "../../src/http/transport.ts";

type Destination = Parameters<typeof withTlsHint>[1];

const setting = (name: string, value: string) => ({ name, source: "command line", value } as const);
const endpoint = baseEndpoint(
  setting("--endpoint", "https://collector:4318"),
  () => undefined,
  RECEIVERS,
);
const BARE: Destination = { endpoint, tls: { insecure: false, ca: undefined, client: undefined } };
const FULL: Destination = {
  endpoint,
  tls: {
    insecure: false,
    ca: setting("--ca", "ca.pem"),
    client: { cert: setting("--client-cert", "c.pem"), key: setting("--client-key", "c.key") },
  },
};

const failed = (message: string) =>
  failure(
    new TypeError(
      `error sending request for url (https://collector:4318/): client error (Connect): ${message}`,
    ),
  );
const hint = async (message: string, destination: Destination) =>
  failureHint(await withTlsHint(failed(message), destination), endpoint) ?? "";

/** Every alert that rustls has a name for, and one that it has none for: what to do without and with a client certificate. */
const alerts: readonly (readonly [name: string, without: RegExp, withClient: RegExp])[] = [
  ["AccessDenied", /--client-cert and --client-key/, /have it allowed/],
  ["BadCertificate", /--client-cert and --client-key/, /your client certificate.*create another/],
  ["BadCertificateHashValue", /its log/, /its log/],
  ["BadCertificateStatusResponse", /its log/, /its log/],
  ["BadRecordMac", /its log/, /its log/],
  ["CertificateExpired", /--client-cert and --client-key/, /your client certificate.*renew it/],
  ["CertificateRequired", /--client-cert and --client-key/, /does not accept this kind of key/],
  ["CertificateRevoked", /--client-cert and --client-key/, /revoked/],
  ["CertificateUnknown", /--client-cert and --client-key/, /does not trust the CA/],
  ["CertificateUnobtainable", /its log/, /its log/],
  ["CloseNotify", /its log/, /its log/],
  ["DecodeError", /its log/, /its log/],
  ["DecompressionFailure", /its log/, /its log/],
  ["DecryptError", /--client-cert and --client-key/, /cannot verify a signature/],
  ["DecryptionFailed", /its log/, /its log/],
  ["EncryptedClientHelloRequired", /its log/, /its log/],
  ["ExportRestriction", /its log/, /its log/],
  ["HandshakeFailure", /if .* requires a client certificate.*--client-cert/, /kind of key/],
  ["IllegalParameter", /see its log/, /RSA or P-256/],
  ["InappropriateFallback", /its log/, /its log/],
  ["InsufficientSecurity", /stronger/, /stronger/],
  ["InternalError", /the server failed/, /the server failed/],
  ["MissingExtension", /its log/, /its log/],
  ["NoApplicationProtocol", /check the port/, /check the port/],
  ["NoCertificate", /--client-cert and --client-key/, /does not accept this kind of key/],
  ["NoRenegotiation", /its log/, /its log/],
  ["ProtocolVersion", /too old: enable TLS 1\.2/, /too old: enable TLS 1\.2/],
  ["RecordOverflow", /its log/, /its log/],
  ["UnexpectedMessage", /its log/, /its log/],
  ["UnknownCA", /--client-cert and --client-key/, /does not trust the CA that signed your client/],
  ["UnknownPSKIdentity", /its log/, /its log/],
  ["UnrecognisedName", /name collector/, /name collector/],
  ["UnsupportedCertificate", /--client-cert and --client-key/, /extendedKeyUsage=clientAuth/],
  ["UnsupportedExtension", /its log/, /its log/],
  ["UserCanceled", /its log/, /its log/],
  ["AlertDescription(0xc8)", /its log/, /its log/],
];

Deno.test("failureHint() knows every alert, and takes none for a server without TLS", async () => {
  for (const [name, without, withClient] of alerts) {
    const message = `received fatal alert: ${name}`;
    assert.notEqual(failed(message).cause, "certificate", name);
    assert.match(await hint(message, BARE), without, name);
    assert.match(await hint(message, FULL), withClient, name);
    for (const destination of [BARE, FULL]) {
      assert.doesNotMatch(await hint(message, destination), /http:|INSECURE_SSL|--ca /, name);
    }
  }
});

/** In the words of rustls and webpki: what to do, and whether --ca or INSECURE_SSL is named as a way out. */
const certificates: readonly (readonly [message: string, hint: RegExp, ca: boolean])[] = [
  ["BadEncoding", /cannot be read.*create another/, false],
  ["Expired", /not valid now/, false],
  ["certificate expired: it is not valid after 2026-01-01", /not valid now/, false],
  ["certificate not valid yet: it is not valid before 2036-01-01", /not valid now/, false],
  ["Revoked", /revoked/, false],
  ["UnhandledCriticalExtension", /critical extension/, false],
  ["UnknownIssuer", /set --ca FILE to its CA/, true],
  ["BadSignature", /RSA key of fewer than 2,048 bits/, false],
  ["UnsupportedSignatureAlgorithm", /SHA-1/, false],
  [
    "UnsupportedSignatureAlgorithmContext { signature_algorithm_id: [6, 9], supported_algorithms: [] }",
    /SHA-1/,
    false,
  ],
  [
    "UnsupportedSignatureAlgorithmForPublicKeyContext { signature_algorithm_id: [] }",
    /signed/,
    false,
  ],
  ["NotValidForName", /is not for the name collector/, false],
  [
    'certificate not valid for name "collector"; certificate is only valid for Expired.example',
    /is not for the name collector/,
    false,
  ],
  [
    'certificate not valid for name "collector"; certificate is not valid for any names (according to …)',
    /names no host/,
    false,
  ],
  ["InvalidPurpose", /not meant for a server/, false],
  [
    "certificate does not allow extended key usage for server authentication, allows 1, 2, 3",
    /not meant for a server/,
    false,
  ],
  ["Other(OtherError(CaUsedAsEndEntity))", /is a CA certificate/, true],
  ["Other(OtherError(EndEntityUsedAsCa))", /not a CA's/, false],
  ["Other(OtherError(UnsupportedCertVersion))", /version 1/, false],
  ["Other(OtherError(UnsupportedCriticalExtension))", /critical extension/, false],
  ["Other(OtherError(PathLenConstraintViolated))", /pathlen/, false],
  ["Other(OtherError(NameConstraintViolation))", /nameConstraints/, false],
  ["Other(OtherError(MaximumPathDepthExceeded))", /too long/, false],
  ["Other(OtherError(EmptyEkuExtension))", /not meant for a server/, false],
  ["Other(OtherError(SignatureAlgorithmMismatch))", /cannot be read/, false],
  ["SomethingNew", /cannot be read/, false],
];

Deno.test("failureHint() names --ca for a certificate only where it helps", async () => {
  for (const [words, expected, ca] of certificates) {
    const message = `invalid peer certificate: ${words}`;
    assert.equal(failed(message).cause, "certificate", words);
    const said = await hint(message, BARE);
    assert.match(said, expected, words);
    const without = said.replace(/\. --ca does not help/, "");
    assert.equal(without.includes("--ca"), ca, said);
  }
});

Deno.test("failureHint() asks for the intermediate certificates when a CA is given already", async () => {
  const said = await hint("invalid peer certificate: UnknownIssuer", FULL);
  assert.match(said, /configure the server to send its intermediate certificates/);
});

Deno.test("failureHint() knows that a server without TLS sends no TLS", async () => {
  const said = await hint("received corrupt message of type InvalidContentType", BARE);
  assert.match(said, /http:\/\/ instead of https:\/\//);
});

Deno.test("failure() takes an alert in the middle of a connection for one that may have come too late", () => {
  const later = (alert: string) => failure(new TypeError(`received fatal alert: ${alert}`));
  assert.equal(later("InternalError").mayHaveArrived, true);
  // Since TLS 1.3 a client is rejected when it takes the handshake for done.
  assert.equal(later("CertificateRequired").mayHaveArrived, false);
  assert.equal(failed("received fatal alert: InternalError").mayHaveArrived, false);
});

Deno.test("failure() leaves out what an algorithm is called in numbers", () => {
  const { message } = failed(
    "invalid peer certificate: UnsupportedSignatureAlgorithmContext { signature_algorithm_id: [6, 9, 42] }",
  );
  assert.equal(message, "invalid peer certificate: UnsupportedSignatureAlgorithmContext");
});
