import assert from "node:assert/strict";
import { testCases } from "../support/cases.ts";
import {
  asVersion1,
  type Certificate,
  createAuthority,
  selfSigned,
} from "../support/certificates.ts";
import { objects } from "../support/lines.ts";
import { noOpenssl, startOpenssl } from "../support/openssl.ts";
import { runProgram, sourceOnly, startProgram } from "../support/program.ts";
import { startProxy } from "../support/proxy.ts";
import { namedUnless } from "../support/tools.ts";

// Faults of real servers and their certificates, and the hints that follow.

const authority = await createAuthority("Corporate CA");
const namesake = await createAuthority("Corporate CA");
const stranger = await createAuthority("Another CA");
const intermediate = await authority.intermediate("Corporate CA 2");
const good = await authority.server(["127.0.0.1", "localhost"]);
const below = await intermediate.server(["127.0.0.1"]);
const client = await authority.client("pod-1");
const strange = await stranger.client("nobody");
const expired = await authority.client("pod-1", "expired");
const version1 = { ...good, certificate: asVersion1(good.certificate) };
const critical = await selfSigned(["127.0.0.1"], { critical: true });
const forClients = await selfSigned(["127.0.0.1"], { use: "client" });
const sha1 = await selfSigned(["127.0.0.1"], { key: "RSA-2048", hash: "SHA-1" });
const rsa1024 = await selfSigned(["127.0.0.1"], { key: "RSA-1024" });
const unnamed = await selfSigned([]);

/** Takes what OpenSSL itself takes no more. */
const LENIENT = ["-cipher", "DEFAULT:@SECLEVEL=0"];
/** Demands a client's certificate of the authority. */
const MUTUAL = ["-Verify", "2", "-verify_return_error", "-CAfile", "{authority}"];

interface Case {
  readonly what: string;
  readonly server: Certificate;
  readonly serverArgs?: readonly string[];
  /** By default the authority's. */
  readonly ca?: string | null;
  readonly client?: Certificate;
  readonly host?: string;
  readonly args?: readonly string[];
  readonly message: RegExp;
  readonly hint: RegExp;
  /** At which step of `check` it shows: since TLS 1.3 a client is rejected only after its part of the handshake. */
  readonly step?: "tls" | "http";
}

const MAKE_ANOTHER = /create another.*--ca does not help/;
const NO_CA_HELPS = (fault: RegExp) => new RegExp(`${fault.source}.*${MAKE_ANOTHER.source}`);

const cases: readonly Case[] = [
  {
    what: "a certificate of X.509 version 1",
    server: version1,
    message: /UnsupportedCertVersion/,
    hint: NO_CA_HELPS(/is of X\.509 version 1/),
  },
  {
    what: "an unknown critical extension",
    server: critical,
    message: /UnsupportedCriticalExtension/,
    hint: NO_CA_HELPS(/has a critical extension/),
  },
  {
    what: "a certificate for clients",
    server: forClients,
    message: /extended key usage/,
    hint: NO_CA_HELPS(/is not meant for a server/),
  },
  {
    what: "a signature with SHA-1",
    server: sha1,
    serverArgs: LENIENT,
    ca: sha1.certificate,
    message: /UnsupportedSignatureAlgorithm(Context)?$/m,
    hint: NO_CA_HELPS(/SHA-1/),
  },
  {
    what: "an RSA key of 1,024 bits",
    server: rsa1024,
    serverArgs: LENIENT,
    ca: rsa1024.certificate,
    message: /BadSignature/,
    hint: /RSA key of fewer than 2,048 bits: create another/,
  },
  {
    what: "a CA with the name of the right one",
    server: good,
    ca: namesake.certificate,
    message: /BadSignature/,
    hint: /--ca holds a CA of the same name with another key: use the CA that signed/,
  },
  {
    what: "a certificate without names",
    server: unnamed,
    ca: unnamed.certificate,
    message: /not valid for any names/,
    hint: /names no host \(subjectAltName\).*create another/,
  },
  {
    what: "an intermediate certificate that the server keeps to itself",
    server: below,
    message: /UnknownIssuer/,
    hint: /configure the server to send its intermediate certificates/,
  },
  {
    what: "an unknown CA",
    server: good,
    ca: null,
    message: /UnknownIssuer/,
    hint: /set --ca FILE to its CA/,
  },
  ...(["-tls1_2", "-tls1_3"] as const).flatMap((version): readonly Case[] => {
    const step = version === "-tls1_3" ? "http" : "tls";
    const mutual = { server: good, serverArgs: [version, ...MUTUAL], step } as const;
    return [
      {
        ...mutual,
        what: `no client certificate where one is required (${version})`,
        message: /fatal alert: (HandshakeFailure|CertificateRequired)/,
        hint: /requires a client certificate.*--client-cert and --client-key/,
      },
      {
        ...mutual,
        what: `a client certificate of a CA that the server does not trust (${version})`,
        client: strange,
        message: /fatal alert: UnknownCA/,
        hint: /the server does not trust the CA that signed your client certificate/,
      },
      {
        ...mutual,
        what: `a client certificate that has expired (${version})`,
        client: expired,
        message: /fatal alert: CertificateExpired/,
        hint: /your client certificate \(--client-cert\) is not valid now/,
      },
      {
        ...mutual,
        what: `a client certificate that is a server's (${version})`,
        client: good,
        message: /fatal alert: UnsupportedCertificate/,
        hint: /extendedKeyUsage=clientAuth/,
      },
    ];
  }),
  {
    what: "TLS 1.1",
    server: good,
    serverArgs: ["-tls1_1", ...LENIENT],
    message: /fatal alert: ProtocolVersion/,
    hint: /the server's TLS version is too old: enable TLS 1\.2 or 1\.3/,
  },
  {
    what: "no cipher suite in common",
    server: good,
    serverArgs: ["-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-SHA"],
    message: /fatal alert: HandshakeFailure/,
    hint: /configure the server for TLS 1\.3, or for TLS 1\.2 with ECDHE/,
  },
  {
    what: "a server that knows another name",
    server: good,
    serverArgs: [
      ...["-servername", "other.example", "-servername_fatal"],
      ...["-cert2", "{certificate}", "-key2", "{key}"],
    ],
    host: "localhost",
    message: /fatal alert: UnrecognisedName/,
    hint: /no certificate for the name localhost: use a name that it serves/,
  },
  ...(sourceOnly
    ? [{
      what: "--insecure and a certificate that cannot even be read",
      server: critical,
      args: ["--insecure"],
      message: /unable to verify/,
      hint: /cannot be used even unverified/,
    }] as const
    : []),
];

async function tried(
  { server, serverArgs, ca = authority.certificate, client, host = "127.0.0.1", ...more }: Case,
  command: readonly string[],
): Promise<{ readonly status: number; readonly stdout: string; readonly stderr: string }> {
  await using openssl = await startOpenssl(server, serverArgs, {
    authority: authority.certificate,
  });
  return await runProgram({
    args: [
      ...command,
      ...["--endpoint", `https://${host}:${openssl.port}`],
      ...ca === null ? [] : ["--ca", "ca.pem"],
      ...client === undefined ? [] : ["--client-cert", "c.pem", "--client-key", "c.key"],
      ...more.args ?? [],
    ],
    files: {
      "ca.pem": ca ?? "",
      "c.pem": client?.certificate ?? "",
      "c.key": client?.key ?? "",
    },
  });
}

testCases(cases.flatMap((it) => [
  {
    name: `send explains ${it.what}`,
    ignore: noOpenssl,
    async run() {
      const { status, stderr } = await tried(it, ["send", "--retry-for", "0"]);
      assert.equal(status, 1);
      assert.match(stderr, it.message);
      const hint = /^ {2}Hint: (.*)$/m.exec(stderr)?.[1] ?? "";
      assert.match(hint, it.hint);
      assert.doesNotMatch(hint, /http:\/\//);
    },
  },
  {
    name: `check explains ${it.what}`,
    ignore: noOpenssl,
    async run() {
      const { status, stdout } = await tried(it, ["check", "--output", "json"]);
      assert.equal(status, 1);
      const failed = objects(stdout).find(({ ok }) => ok === false);
      assert.equal(failed?.name, it.step ?? "tls");
      assert.match(
        String(failed?.detail).replace(/; (its )?certificate (of|cannot) .*/, ""),
        it.message,
      );
      assert.match(String(failed?.hint), it.hint);
      assert.doesNotMatch(String(failed?.hint), /http:\/\//);
    },
  },
]));

Deno.test({
  ...namedUnless(
    noOpenssl,
    "check sends the client certificate through a proxy, too, and ends when it is told to",
  ),
  async fn() {
    const files = {
      "ca.pem": authority.certificate,
      "c.pem": client.certificate,
      "c.key": client.key,
    };
    await using openssl = await startOpenssl(good, ["-tls1_2", ...MUTUAL], {
      authority: authority.certificate,
    });
    await using proxy = startProxy({ to: openssl.port });
    await using program = await startProgram({
      args: [
        ...["check", "--output", "json", "--endpoint", "https://localhost", "--timeout", "60"],
        ...["--ca", "ca.pem", "--client-cert", "c.pem", "--client-key", "c.key"],
      ],
      env: { HTTPS_PROXY: proxy.url },
      files,
    });
    const stdout = await program.waitForStdout(/"name":"tls".*\n/);
    const tls = objects(stdout).find(({ name }) => name === "tls");
    assert.equal(tls?.ok, true, stdout);
    // The server does not answer the request that follows.
    program.signal("SIGTERM");
    assert.equal((await program.finished).status, 1);
  },
});

Deno.test({
  ...namedUnless(
    noOpenssl,
    "check explains through a proxy why the client certificate is rejected",
  ),
  async fn() {
    await using openssl = await startOpenssl(good, ["-tls1_2", ...MUTUAL], {
      authority: authority.certificate,
    });
    await using proxy = startProxy({ to: openssl.port });
    const { status, stdout } = await runProgram({
      args: [
        ...["check", "--output", "json", "--endpoint", "https://localhost"],
        ...["--ca", "ca.pem", "--client-cert", "c.pem", "--client-key", "c.key"],
      ],
      env: { HTTPS_PROXY: proxy.url },
      files: {
        "ca.pem": authority.certificate,
        "c.pem": strange.certificate,
        "c.key": strange.key,
      },
    });
    assert.equal(status, 1);
    const failed = objects(stdout).find(({ ok }) => ok === false);
    assert.equal(failed?.name, "tls");
    assert.match(String(failed?.detail), /fatal alert: UnknownCA/);
    assert.match(String(failed?.hint), /does not trust the CA that signed your client certificate/);
  },
});

for (const signals of [["SIGTERM"], ["SIGINT", "SIGTERM"]] as const) {
  Deno.test(`check ends after ${signals.join(" and ")} while a server does not answer its handshake`, async () => {
    using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    await using program = await startProgram({
      args: [
        ...["check", "--output", "json", "--timeout", "600"],
        ...["--endpoint", `https://127.0.0.1:${listener.addr.port}`],
        ...["--client-cert", "c.pem", "--client-key", "c.key"],
      ],
      files: { "c.pem": client.certificate, "c.key": client.key },
    });
    await program.waitForStdout(/"name":"tcp".*\n/);
    for (const signal of signals) program.signal(signal);
    assert.equal((await program.finished).status, 1);
  });
}

/** Answer of a TLS 1.0 server that does not look at the client's offer. */
const SERVER_HELLO_1_0 = Uint8Array.from([
  ...[0x16, 0x03, 0x01, 0x00, 0x2a, 0x02, 0x00, 0x00, 0x26, 0x03, 0x01],
  ...new Array<number>(32).fill(7),
  ...[0x00, 0xc0, 0x13, 0x00],
]);
const alert = (code: number) => Uint8Array.from([0x15, 0x03, 0x03, 0x00, 0x02, 0x02, code]);

for (
  const [what, bytes, message, hint] of [
    [
      "a hello of TLS 1.0",
      SERVER_HELLO_1_0,
      /incompatible|Version/,
      /the server's TLS version is too old/,
    ],
    ["the alert internal_error", alert(80), /InternalError/, /the server failed in the TLS hand/],
    ["the alert no_application_protocol", alert(120), /NoApplicationProtocol/, /check the port/],
    ["an alert that nobody knows", alert(200), /0xc8/, /ended the TLS handshake: see its log/],
  ] as const
) {
  Deno.test(`send explains ${what} in answer to its hello`, async () => {
    using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const serving = (async () => {
      for await (const connection of listener) {
        await connection.read(new Uint8Array(65_536));
        await connection.write(bytes);
        await connection.closeWrite();
        // Until the client has read it: a reset would overtake it.
        await connection.read(new Uint8Array(65_536)).catch(() => {});
        connection.close();
      }
    })();
    const { status, stderr } = await runProgram({
      args: ["--endpoint", `https://127.0.0.1:${listener.addr.port}`, "--retry-for", "0"],
    });
    listener.close();
    await serving.catch(() => {});
    assert.equal(status, 1);
    assert.match(stderr, message);
    assert.match(/^ {2}Hint: (.*)$/m.exec(stderr)?.[1] ?? "", hint);
    assert.doesNotMatch(stderr, /http:\/\//);
  });
}
