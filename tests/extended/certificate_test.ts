import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { testCases } from "../support/cases.ts";
import {
  asVersion1,
  type Certificate,
  createAuthority,
  derOf,
  selfSigned,
} from "../support/certificates.ts";
import { objects } from "../support/lines.ts";
import { type Finished, runProgram, startProgram } from "../support/program.ts";
import { startReceiver } from "../support/receiver.ts";

// Nothing that a file holds may crash or hang the program.

type Content = string | Uint8Array;
type Setting = "--client-cert" | "--client-key" | "--ca";

const authority = await createAuthority();
const good = await authority.client("pod-1");
const server = await authority.server(["127.0.0.1"]);
const strange = await createAuthority("Another authority");

const FILE: Readonly<Record<Setting, string>> = {
  "--client-cert": "client.pem",
  "--client-key": "client.key",
  "--ca": "ca.pem",
};
const GOOD = {
  "client.pem": good.certificate,
  "client.key": good.key,
  "ca.pem": authority.certificate,
};
const ARGS = Object.entries(FILE).flat();
/** Each way to use a certificate. */
const COMMANDS = [
  ["send", "--retry-for", "0"],
  ["send", "--loop", "--interval", "0", "--iterations", "2", "--retry-for", "0"],
  ["check", "--output", "json"],
] as const;

/** Gives the messages of the program, and requires that there is no stack trace. */
function saidBy(command: readonly string[], { status, stdout, stderr }: Finished): string {
  assert.ok(status < 128, `it crashed with ${status}: ${stderr}`);
  assert.doesNotMatch(
    stderr + stdout,
    /panicked|Unexpected error|^\s+at .*:\d+:\d+|stack backtrace/m,
  );
  if (command[0] !== "check") return stderr;
  return objects(stdout).map(({ detail }) => String(detail)).join("\n");
}

async function run(
  command: readonly string[],
  files: Readonly<Record<string, Content>>,
  endpoint = "https://127.0.0.1:1",
): Promise<Finished> {
  return await runProgram({
    args: [...command, "--endpoint", endpoint, "--timeout", "5", ...ARGS],
    files: { ...GOOD, ...files },
  });
}

const pem = (label: string, content: string) =>
  `-----BEGIN ${label}-----\n${content}\n-----END ${label}-----\n`;
const bytes = (text: string) => new TextEncoder().encode(text);
const utf16 = (text: string) =>
  Uint8Array.from([0xff, 0xfe, ...[...text].flatMap((character) => [character.charCodeAt(0), 0])]);
/** How a file of PKCS#12 begins: a sequence whose first element is the version, 3. */
const pkcs12 = Uint8Array.from([0x30, 0x82, 0x04, 0x10, 0x02, 0x01, 0x03, 0x30, 0x82, 0xff]);
const secp256k1 = generateKeyPairSync("ec", { namedCurve: "secp256k1" }).privateKey
  .export({ type: "pkcs8", format: "pem" }).toString();
const critical = await selfSigned(["pod-1"], { use: "client", critical: true });
const version1 = { ...good, certificate: asVersion1(good.certificate) };
const rsa1024 = await selfSigned(["pod-1"], { use: "client", key: "RSA-1024" });
const pair = ({ certificate, key }: Certificate) => ({
  "client.pem": certificate,
  "client.key": key,
});

/** A byte of the certificate's outermost fields is another: it is not a certificate any more. */
function damaged(certificate: string): string {
  const der = derOf(certificate);
  der.fill(0xff, 4, 8);
  return pem("CERTIFICATE", der.toBase64());
}

/** A byte within: it still looks like one. */
function twisted(certificate: string): string {
  const der = derOf(certificate);
  const at = new TextDecoder("latin1").decode(der).indexOf("\x55\x1d\x13");
  der[at - 1] = 0x7f;
  return pem("CERTIFICATE", der.toBase64());
}

type Unusable = readonly [
  what: string,
  setting: Setting,
  files: Readonly<Record<string, Content>>,
  reason: RegExp,
];
const unusableAs =
  (setting: Setting) => (what: string, content: Content, reason: RegExp): Unusable => [
    what,
    setting,
    { [FILE[setting]]: content },
    reason,
  ];
const certificate = unusableAs("--client-cert");
const key = unusableAs("--client-key");
const ca = unusableAs("--ca");

const unusable: readonly Unusable[] = [
  ["of X.509 version 1", "--client-cert", pair(version1), /is of X\.509 version 1.*create another/],
  [
    "with an unknown critical extension",
    "--client-cert",
    pair(critical),
    /has a critical extension that the TLS library does not know: create another/,
  ],
  certificate("damaged within", twisted(good.certificate), /certificate/),
  certificate("damaged", damaged(good.certificate), /is damaged/),
  certificate("empty", "", /it is empty/),
  certificate("of NUL bytes", new Uint8Array(4096), /expected a PEM file/),
  certificate("that is not base64", pem("CERTIFICATE", "!§$%&/()="), /is damaged/),
  certificate("cut off", good.certificate.slice(0, 300), /is cut off/),
  certificate(
    "followed by one that is cut off",
    good.certificate + authority.certificate.slice(0, 300),
    /certificate 2 in it is cut off/,
  ),
  certificate("in DER", derOf(good.certificate), /seems to be DER: convert it with openssl x509/),
  certificate(
    "in PKCS#12",
    pkcs12,
    /seems to be PKCS#12: convert it with openssl pkcs12 -clcerts -nokeys/,
  ),
  certificate("in UTF-16", utf16(good.certificate), /seems to be UTF-16: save it as UTF-8/),
  certificate(
    "that is indented",
    good.certificate.replaceAll(/^/gm, "  "),
    /at the start of a line/,
  ),
  certificate(
    "not in UTF-8",
    Uint8Array.from([0xc3, 0x28, 0xff, 0xfe, 0x80, 0x0a]),
    /expected a PEM file/,
  ),
  certificate(
    "under another label",
    good.certificate.replaceAll("CERTIFICATE", "X509 CERTIFICATE"),
    /it holds X509 CERTIFICATE/,
  ),
  certificate(
    "after those that signed it",
    authority.certificate + good.certificate,
    /wrong order: the client's own certificate is number 2/,
  ),
  certificate("a thousand times", good.certificate.repeat(1000), /it holds 1000 certificates/),
  certificate("of sixteen million empty lines", "\n".repeat(16 * 2 ** 20), /it is empty/),
  certificate(
    "larger than a file of settings may be",
    "x".repeat(17 * 2 ** 20),
    /it is larger than 16 MiB/,
  ),
  certificate(
    "of a million lines that begin one",
    "-----BEGIN X-----\n".repeat(900_000),
    /it holds X/,
  ),
  ["of RSA with 1,024 bits", "--client-key", pair(rsa1024), /a kind that this program cannot use/],
  key("of secp256k1", secp256k1, /a kind that .* cannot use.*P-256/),
  key("empty", "", /it is empty/),
  key("of another certificate", strange.key, /does not match/),
  key("cut off", good.key.slice(0, 100), /is cut off/),
  key("encrypted", pem("ENCRYPTED PRIVATE KEY", "AAAA"), /is encrypted.*openssl pkey/),
  key(
    "under the label of another kind",
    good.key.replaceAll("PRIVATE KEY", "RSA PRIVATE KEY"),
    /mislabelled/,
  ),
  key(
    "under a label of its own",
    good.key.replaceAll("PRIVATE KEY", "MY PRIVATE KEY"),
    /mislabelled/,
  ),
  key("that is a certificate", good.certificate, /it holds CERTIFICATE/),
  key("in DER", derOf(good.key), /seems to be DER: convert it with openssl pkey/),
  key("in PKCS#12", pkcs12, /seems to be PKCS#12: convert it with openssl pkcs12 -nocerts -nodes/),
  ca("of random bytes", bytes("\x00\x01PEM\xff".repeat(99)), /expected a PEM/),
  ca("damaged", damaged(authority.certificate), /is damaged/),
  ca(
    "of which one is damaged within",
    authority.certificate.repeat(5) + twisted(authority.certificate) +
      authority.certificate,
    /certificate 6 in it cannot be read by the TLS library/,
  ),
];

testCases(unusable.map(([what, setting, files, reason]) => ({
  name: `${setting} ${what} is exit status 2 for send, a loop and check`,
  async run() {
    for (const command of COMMANDS) {
      const finished = await run(command, files);
      assert.equal(finished.status, 2, finished.stderr + finished.stdout);
      const said = saidBy(command, finished);
      assert.match(said, new RegExp(`${setting}.*"${RegExp.escape(FILE[setting])}"`));
      assert.match(said, reason);
    }
  },
})));

/** Files that are not text. Each is tried with one command: how it is read is the same for all. */
for (
  const [i, [path, reason]] of ([
    ["/dev/zero", /larger than 16 MiB/],
    [".", /directory/],
    ["none.pem", /it does not exist/],
  ] as const).entries()
) {
  for (const setting of ["--client-cert", "--client-key", "--ca"] as const) {
    Deno.test(`${setting} ${path} is exit status 2`, async () => {
      const command = COMMANDS[i % COMMANDS.length] ?? [];
      const args = Object.entries({ ...FILE, [setting]: path }).flat();
      const finished = await runProgram({
        args: [...command, "--endpoint", "https://127.0.0.1:1", ...args],
        files: GOOD,
      });
      assert.equal(finished.status, 2, finished.stderr + finished.stdout);
      const said = saidBy(command, finished);
      assert.ok(said.includes(setting), said);
      assert.match(said, reason);
    });
  }
}

for (const command of COMMANDS) {
  Deno.test(`SIGTERM ends ${command.slice(0, 2).join(" ")} while a pipe with a certificate says nothing`, async () => {
    const directory = await Deno.makeTempDir();
    try {
      const made = await new Deno.Command("mkfifo", { args: [`${directory}/client.pem`] }).output();
      assert.ok(made.success);
      for (const [name, content] of Object.entries(GOOD)) {
        if (name !== "client.pem") await Deno.writeTextFile(`${directory}/${name}`, content);
      }
      await using program = await startProgram({
        args: [...command, "--endpoint", "https://127.0.0.1:1", ...ARGS],
        cwd: directory,
      });
      // Opened once the program has opened it.
      using _writer = await Deno.open(`${directory}/client.pem`, { write: true });
      program.signal("SIGTERM");
      const finished = await program.finished;
      assert.equal(finished.status, 2);
      assert.match(saidBy(command, finished), /--client-cert.*it did not end$/m);
    } finally {
      await Deno.remove(directory, { recursive: true });
    }
  });
}

/** Odd, but the TLS library reads it: whether it is accepted is for the server to say. */
const odd: readonly (readonly [what: string, files: Readonly<Record<string, Content>>])[] = [
  ["of P-521", pair(await selfSigned(["pod-1"], { use: "client", key: "P-521" }))],
  ["of Ed25519", pair(await selfSigned(["pod-1"], { use: "client", key: "Ed25519" }))],
  [
    "signed with SHA-1",
    pair(await selfSigned(["pod-1"], { use: "client", key: "RSA-2048", hash: "SHA-1" })),
  ],
  ["for a server", pair(server)],
  ["that has expired", pair(await authority.client("pod-1", "expired"))],
  ["of an authority", pair(authority)],
  ["before one of version 1", {
    "client.pem": good.certificate + asVersion1(authority.certificate),
  }],
  ["before one with a critical extension", {
    "client.pem": good.certificate + critical.certificate,
  }],
];

testCases(odd.map(([what, files]) => ({
  name: `--client-cert ${what} is sent, and what the server says of it is printed`,
  async run() {
    await using receiver = await startReceiver({
      tls: { ...server, clientAuthority: authority.certificate },
    });
    for (const command of COMMANDS) {
      const finished = await run(command, files, receiver.url);
      assert.ok(finished.status === 0 || finished.status === 1, finished.stderr);
      const said = saidBy(command, finished);
      if (finished.status === 1) assert.match(said, /fatal alert|connection|closed|reset|broken/i);
      assert.doesNotMatch(finished.stderr + finished.stdout, /http:\/\/ instead/);
    }
  },
})));

/** Read as it is meant, though a tool has changed it. */
const harmless: readonly (readonly [what: string, files: Readonly<Record<string, Content>>])[] = [
  ["with the line ends of Windows", {
    "client.pem": good.certificate.replaceAll("\n", "\r\n"),
    "client.key": good.key.replaceAll("\n", "\r\n"),
  }],
  ["with the line ends of an old Macintosh", {
    "client.pem": good.certificate.replaceAll("\n", "\r"),
  }],
  ["behind a byte order mark", {
    "client.pem": `\ufeff${good.certificate}`,
    "client.key": `\ufeff${good.key}`,
  }],
  ["with NUL bytes behind it", { "client.pem": `${good.certificate}\0\0\0` }],
  ["with text and its key in one file", {
    "client.pem": `subject=CN = pod-1\n${good.certificate}${good.key}`,
    "client.key": `subject=CN = pod-1\n${good.certificate}${good.key}`,
  }],
  ["with its authority behind it", { "client.pem": good.certificate + authority.certificate }],
  ["and 200 authorities", { "ca.pem": strange.certificate.repeat(200) + authority.certificate }],
];

testCases(harmless.map(([what, files]) => ({
  name: `a client certificate ${what} is accepted`,
  async run() {
    await using receiver = await startReceiver({
      tls: { ...server, clientAuthority: authority.certificate },
    });
    const finished = await run(["send"], files, receiver.url);
    assert.equal(finished.status, 0, finished.stderr);
    assert.equal(receiver.requests[0]?.client, "pod-1");
  },
})));
