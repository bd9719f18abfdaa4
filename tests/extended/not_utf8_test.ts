import assert from "node:assert/strict";
import { objects } from "../support/lines.ts";
import { type ProgramOptions, runProgram, sourceOnly } from "../support/program.ts";
import { startReceiver } from "../support/receiver.ts";
import { namedUnless, noLinux, noPosix } from "../support/tools.ts";

/** A shell that sets a variable to a value with a byte that is not UTF-8, and becomes the program. */
function withVariable(name: string, value: string): Pick<ProgramOptions, "through"> {
  return { through: ["sh", "-c", `export ${name}="$(printf '${value}')"; exec "$@"`, "sh"] };
}

const SECRET = "SECRETPASSWORD";
const URL_HINT = ", and other bytes percent-encoded, for example %E9";

for (
  const [name, value, more = ""] of [
    ["HTTPS_PROXY", `http://user:${SECRET}\\351@127.0.0.1:1`, URL_HINT],
    ["HTTP_PROXY", `http://user:${SECRET}\\351@127.0.0.1:1`, URL_HINT],
    ["all_proxy", `http://user:${SECRET}\\351@127.0.0.1:1`, URL_HINT],
    ["NO_PROXY", `${SECRET}\\351`, URL_HINT],
    ["DT_ENDPOINT", `http://user:${SECRET}\\351@127.0.0.1:1`, URL_HINT],
    ["DT_API_TOKEN", `dt0c01.PUBLIC.${SECRET}\\351`],
    ["OTEL_EXPORTER_OTLP_HEADERS", `X-Key=${SECRET}\\351`],
    ["OTEL_RESOURCE_ATTRIBUTES", `key=${SECRET}\\351`],
    ["INTERVAL", `${SECRET}\\351`],
  ] as const
) {
  Deno.test({
    ...namedUnless(
      noPosix,
      `${name} with a byte that is not UTF-8 is a usage error that names it, not its value`,
    ),
    async fn() {
      await using receiver = await startReceiver();
      const args = name === "DT_ENDPOINT" ? [] : ["--endpoint", receiver.url];
      for (const output of ["text", "json"]) {
        const { status, stdout, stderr } = await runProgram({
          ...withVariable(name, value),
          args: [...args, "--loop", "--iterations", "1", "--output", output],
        });
        assert.equal(status, 2, stderr);
        assert.equal(stdout, "");
        const message = `Invalid ${name} (value not shown) (environment): expected UTF-8${more}`;
        assert.equal(
          stderr,
          output === "text"
            ? `ERROR: ${message}\n`
            : `${JSON.stringify({ type: "error", message })}\n`,
        );
      }
      assert.equal(receiver.requests.length, 0);
    },
  });
}

Deno.test({
  ...namedUnless(noPosix, "check names a variable that is not UTF-8 in its first step"),
  async fn() {
    const { status, stdout, stderr } = await runProgram({
      ...withVariable("HTTPS_PROXY", `http://user:${SECRET}\\351@127.0.0.1:1`),
      args: ["check", "--endpoint", "http://127.0.0.1:1", "--output", "json"],
    });
    const [step, summary] = objects(stdout);
    assert.deepEqual([step?.name, step?.ok, summary?.ok], ["config", false, false]);
    assert.match(String(step?.detail), /^Invalid HTTPS_PROXY \(value not shown\)/);
    assert.equal(status, summary?.exitCode);
    assert.ok(!(stdout + stderr).includes(SECRET));
  },
});

const foreign = ["SOMEBODY_ELSES", "TERM", "NO_COLOR", "GITHUB_ACTIONS", "LANG", "SSL_CERT_FILE"];
// Deno 2.6 reads NODE_OPTIONS before it runs the program: see docs/troubleshooting.md.
const ofNode = ["NODE_EXTRA_CA_CERTS", ...sourceOnly ? ["NODE_OPTIONS"] : []];
for (const name of [...foreign, ...ofNode]) {
  Deno.test({
    ...namedUnless(noPosix, `${name} may hold bytes that are not UTF-8`),
    async fn() {
      await using receiver = await startReceiver();
      const { status, stderr } = await runProgram({
        ...withVariable(name, "\\351"),
        // The spool and standard input need Node modules.
        args: ["--endpoint", receiver.url, "--spool", "spool"],
        stdin: "",
      });
      assert.equal(status, 0, stderr);
      assert.ok(!stderr.includes("unicode"), stderr);
      assert.equal(receiver.requests.length, 1);
    },
  });
}

if (sourceOnly) {
  Deno.test({
    ...namedUnless(
      noPosix,
      "INIT_CWD that is not UTF-8 is a usage error",
    ),
    async fn() {
      const { status, stderr } = await runProgram({
        ...withVariable("INIT_CWD", "/\\351"),
        args: ["plot", "--value", "1"],
      });
      assert.equal(status, 2);
      assert.equal(
        stderr,
        "ERROR: Invalid INIT_CWD (value not shown) (environment): expected UTF-8\n",
      );
    },
  });
}

Deno.test({
  ...namedUnless(
    noLinux,
    "relative paths begin at the working directory, also when its path is not UTF-8",
  ),
  // macOS names no file in other than UTF-8.
  async fn() {
    await using receiver = await startReceiver();
    const there =
      `d="$(printf 'd\\351')"; mkdir "$d"; cd "$d"; echo 7 >in; echo INTERVAL=0.1 >.env`;
    const { status, stdout } = await runProgram({
      through: ["sh", "-c", `${there}; exec "$@"`, "sh"],
      args: [
        ...["--endpoint", receiver.url, "--input", "in", "--loop", "--spool", "spool"],
        ...["--output", "json"],
      ],
    });
    assert.equal(status, 0);
    assert.equal(objects(stdout).at(-1)?.delivered, 1);
  },
});

const argument = ["sh", "-c", `exec "$@" "$(printf '%s\\351' 'X-Key=${SECRET}')"`, "sh"];

if (sourceOnly) {
  Deno.test({
    ...namedUnless(
      noPosix,
      "an argument that is not UTF-8 is a usage error that does not show it",
    ),
    async fn() {
      await using receiver = await startReceiver();
      const { status, stdout, stderr } = await runProgram({
        through: argument,
        args: ["--endpoint", receiver.url, "--header"],
      });
      assert.equal(status, 2);
      assert.equal(
        stdout + stderr,
        "ERROR: Invalid argument 4 (value not shown) (command line): expected UTF-8 without the character " +
          "U+FFFD, which stands for bytes that cannot be read\n",
      );
      assert.equal(receiver.requests.length, 0);
    },
  });
}

if (!sourceOnly) {
  Deno.test({
    ...namedUnless(
      noPosix,
      "the executable ends before it runs when an argument is not UTF-8, and Deno shows it",
    ),
    async fn() {
      await using receiver = await startReceiver();
      const { status, stdout, stderr } = await runProgram({
        through: argument,
        args: ["--endpoint", receiver.url, "--header"],
      });
      // As docs/troubleshooting.md and SECURITY.md say. When this fails, a Deno shows it no more: say so there.
      assert.notEqual(status, 0);
      assert.match(stderr, /panicked/);
      assert.ok(stderr.includes(SECRET));
      assert.equal(stdout, "");
      assert.equal(receiver.requests.length, 0);
    },
  });
}
