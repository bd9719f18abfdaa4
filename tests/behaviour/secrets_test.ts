import assert from "node:assert/strict";
import { rpcStatus } from "../support/decode.ts";
import { runProgram, startProgram } from "../support/program.ts";
import { type ExportAnswer, type ReceivedRequest, startReceiver } from "../support/receiver.ts";
import { atLeastOne } from "../support/cases.ts";

const SECRET = "Xk7dQ2mP9sLw4vTz8bNc1rYjX3hG5fKq";
const TOKEN = `dt0c01.PUBLICPART.${SECRET}`;
const PASSWORD = "p&ss'word";
const ENV = { DT_API_TOKEN: TOKEN };

const html = { "content-type": "text/html" };
const json = { "content-type": "application/json" };
const plain = { "content-type": "text/plain" };

function everyCharacter(write: (code: number) => string): (text: string) => string {
  return (text) => text.split("").map((unit) => write(unit.charCodeAt(0))).join("");
}

const hex = (code: number) => code.toString(16);

/** Forms in which a receiver may repeat a text. */
const FORMS: readonly ((text: string) => string)[] = [
  (text) => text,
  (text) => text.toLowerCase(),
  (text) => text.toUpperCase(),
  everyCharacter((code) => `%${hex(code)}`),
  everyCharacter((code) => code % 2 === 0 ? `%${hex(code)}` : String.fromCharCode(code)),
  everyCharacter((code) => `&#${code};`),
  everyCharacter((code) => `&#x${hex(code)};`),
  everyCharacter((code) => `\\u00${hex(code)}`),
  everyCharacter((code) => `\\x${hex(code)}`),
  (text) => btoa(text),
  (text) => encodeURIComponent(everyCharacter((code) => `&#${code};`)(text)),
];

const credentials = ({ headers }: ReceivedRequest) =>
  (headers.get("authorization") ?? "").replace(/^\S+ /, "");

/** Every form in every kind of answer: text, a page, two kinds of JSON, protobuf. */
const ECHOES: readonly ExportAnswer[] = FORMS.flatMap((form) => [
  (request) => ({
    status: 403,
    headers: plain,
    body: `may not: <${form(credentials(request))}>`,
  }),
  (request) => ({
    status: 401,
    headers: html,
    body: `<html><title>${form(credentials(request))} is wrong</title>`,
  }),
  (request) => ({
    status: 400,
    headers: json,
    body: JSON.stringify({ error: { message: `no: ${form(credentials(request))}` } }),
  }),
  (request) => ({
    status: 400,
    headers: json,
    body: JSON.stringify({ reasons: [{ header: form(credentials(request)) }] }),
  }),
  (request) => ({
    status: 400,
    headers: { "content-type": "application/x-protobuf" },
    body: rpcStatus(3, `no: ${form(credentials(request))}`),
  }),
]);

/** Nothing of a secret, in none of the forms in which it was repeated. */
function assertHidden(shown: string, secret = SECRET): void {
  for (const part of [secret, secret.slice(0, 8), secret.slice(-8)]) {
    for (const form of FORMS) assert.ok(!shown.includes(form(part)), `${form(part)} in ${shown}`);
  }
}

for (const output of ["text", "json"]) {
  Deno.test(`send hides a token that comes back, in whatever form, as ${output}`, async () => {
    await using receiver = await startReceiver({ answers: ECHOES });
    const { status, stdout, stderr } = await runProgram({
      args: [
        ...["--endpoint", receiver.url, "--output", output, "--loop", "--verbose"],
        ...["--interval", "0", "--iterations", String(ECHOES.length)],
      ],
      env: ENV,
    });
    assert.equal(status, 1);
    assertHidden(stdout + stderr);
    assert.match(stderr, /403 Forbidden: may not: <dt0c01\.PUBLICPART\.\*\*\*>/);
    const told = stderr.split("\n").filter((line) => line.includes("***"));
    assert.ok(told.length >= ECHOES.length, stderr);
  });
}

Deno.test("send hides a token in the middle of which an answer is cut, by it or by the receiver", async () => {
  const cut: readonly ExportAnswer[] = Array.from(
    { length: TOKEN.length },
    (_, i) => (request: ReceivedRequest) => ({
      status: 400,
      headers: plain,
      // In turn: what the program cuts at 2000 characters, and what comes cut.
      body: i % 2 === 0
        ? `${"x".repeat(2000 - i)}${credentials(request)} ${"y".repeat(100)}`
        : `token ${credentials(request).slice(0, i)}`,
    }),
  );
  await using receiver = await startReceiver({ answers: cut });
  const { stdout, stderr } = await runProgram({
    args: [
      ...["--endpoint", receiver.url, "--output", "json", "--loop"],
      ...["--interval", "0", "--iterations", String(cut.length)],
    ],
    env: ENV,
  });
  assert.equal(receiver.requests.length, cut.length);
  assert.ok(!(stdout + stderr).includes(SECRET.slice(0, 6)));
});

Deno.test("send hides words of headers, a cookie and the password of the URL", async () => {
  const sent = ["second-word", "cookie-one", PASSWORD, "queryvalue"];
  const echo = FORMS.map((form) => (): { status: number; headers: typeof plain; body: string } => ({
    status: 400,
    headers: plain,
    body: sent.map((secret) => `<${form(encodeURIComponent(secret))}>`).join(" ") +
      sent.map((secret) => `<${secret}>`).join(" "),
  }));
  await using receiver = await startReceiver({ answers: echo });
  const url = new URL(receiver.url);
  url.username = "somebody";
  url.password = PASSWORD;
  url.search = "?key=queryvalue";
  const { stdout, stderr } = await runProgram({
    args: [
      ...["--endpoint", url.href, "--header", "X-Scope=first-word second-word"],
      ...["--header", "Cookie=a=cookie-one; b=c", "--output", "json", "--loop"],
      ...["--interval", "0", "--iterations", String(echo.length)],
    ],
  });
  assert.equal(receiver.requests.length, echo.length);
  for (const secret of atLeastOne(sent)) assertHidden(stdout + stderr, secret);
});

for (const output of ["text", "json"]) {
  Deno.test(`check hides a token that comes back, in whatever form, as ${output}`, async () => {
    const answer = (request: ReceivedRequest) => ({
      status: 401,
      headers: {
        ...plain,
        server: `sees ${credentials(request)}`,
        location: `http://${credentials(request)}/`,
      },
      body: FORMS.map((form) => form(credentials(request))).join("\n"),
    });
    await using receiver = await startReceiver({ answers: [answer] });
    const { status, stdout, stderr } = await runProgram({
      args: ["check", "--endpoint", receiver.url, "--output", output],
      env: ENV,
    });
    assert.equal(status, 1);
    assert.equal(stderr, "");
    assertHidden(stdout);
    assert.match(stdout, /server(?: |":")sees dt0c01\.PUBLICPART\.\*\*\*/);
  });
}

Deno.test("send hides where a redirect leads when that repeats the token", async () => {
  const answer = (request: ReceivedRequest) => ({
    status: 302,
    headers: { location: `http://${credentials(request)}.example/${credentials(request)}` },
  });
  await using receiver = await startReceiver({ answers: [answer] });
  const { stdout, stderr } = await runProgram({
    args: ["--endpoint", receiver.url],
    env: ENV,
  });
  assertHidden(stdout + stderr);
  assert.match(stderr, /redirects/);
});

Deno.test("send --plot hides a token that is an attribute too, and cut", async () => {
  await using receiver = await startReceiver();
  const attributes = FORMS.flatMap((form, i) => ["--attr", `a${i}=${form(TOKEN)}`]);
  const { status, stdout, stderr } = await runProgram({
    args: [
      ...["--endpoint", receiver.url, "--plot", "--value", "1", ...attributes],
      ...["--attr", `long=${"x".repeat(270)}${TOKEN}`],
    ],
    env: ENV,
  });
  assert.equal(status, 0);
  assertHidden(stdout + stderr);
  assert.match(stdout, /a0=dt0c01\.PUBLICPART\.\*\*\*/);
});

Deno.test("a token that was rotated stays hidden", async () => {
  const second = SECRET.toUpperCase().split("").toReversed().join("");
  const both = () => ({ status: 400, headers: plain, body: `neither ${SECRET} nor ${second}` });
  await using receiver = await startReceiver({ answers: [both] });
  await using program = await startProgram({
    args: [
      ...["--endpoint", receiver.url, "--token-file", "token", "--loop"],
      ...["--interval", "0.2", "--iterations", "1000"],
    ],
    files: { token: TOKEN },
  });
  await receiver.waitForRequests(1);
  await Deno.writeTextFile(`${program.directory}/new`, `dt0c01.PUBLICPART.${second}`);
  await Deno.rename(`${program.directory}/new`, `${program.directory}/token`);
  let seen = 1;
  while (!receiver.requests.some((request) => credentials(request).endsWith(second))) {
    await receiver.waitForRequests(++seen);
  }
  receiver.answer(both);
  await program.waitForStderr(/(.*neither){2}/s);
  program.signal("SIGINT");
  await program.finished;
  const told = program.stderr.split("\n").filter((line) => line.includes("neither"));
  assert.match(told.at(-1) ?? "", /neither \*\*\* nor \*\*\*$/);
  assertHidden(program.stderr);
});

Deno.test("what is no secret is not hidden: the program's own words, even those that a secret holds", async () => {
  const { stdout } = await runProgram({
    args: ["check", "--endpoint", "http://127.0.0.1:1/api/v2/otlp"],
    env: { DT_API_TOKEN: "dt0c01." },
  });
  assert.match(stdout, /the token does not look like dt0c01\./);
});

Deno.test("an error does not quote a secret that was given in the place of another value", async () => {
  const { status, stderr } = await runProgram({
    args: ["--endpoint", "http://127.0.0.1:1", "--header", "X-Key=letmein-please"],
    env: { INTERVAL: "letmein-please" },
  });
  assert.equal(status, 2);
  assert.match(stderr, /INTERVAL "\*\*\*"/);
});
