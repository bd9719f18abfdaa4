import assert from "node:assert/strict";
import { MARK, TOKEN, usageError } from "../support/fixture.ts";
import { like } from "../support/lines.ts";
import { runProgram, sourceOnly } from "../support/program.ts";
import { testFixtures } from "../support/run_fixture.ts";
import { beforeSend, sentOnce, sentToDynatrace } from "../support/wording.ts";
import { namedUnless, reasonUnless } from "../support/tools.ts";

const url = ["--endpoint", "{url}"];
const dynatrace = { DT_ENDPOINT: "{url}/api/v2/otlp" };

// Dynatrace's rules about tokens, before anything is sent.

const OAUTH = `dt0s02.PUBLIC.${MARK}`;

testFixtures([
  {
    name: "send names a token that cannot ingest, and where it is from, before it sends",
    args: [],
    env: { ...dynatrace, DT_API_TOKEN: OAUTH },
    answers: [401],
    requests: [{ target: "/api/v2/otlp/v1/metrics" }],
    status: 1,
    stdout: beforeSend("http://127.0.0.1:PORT/api/v2/otlp/v1/metrics"),
    stderr: [
      /^WARNING: Dynatrace rule token-kind: DT_API_TOKEN: the token starts with dt0s02: .*401\. Remedy: create/,
      /^ERROR: .*401 Unauthorized$/,
      /^ {2}Hint: /,
    ],
  },
  {
    name: "send names what is wrong with a token in a file, in JSON, once in a loop",
    args: [
      ...["--token-file", "t", "--loop", "--interval", "0", "--iterations", "2"],
      ...["--output", "json"],
    ],
    env: dynatrace,
    files: { t: `dt0c01.PUBLIC.${MARK}` },
    requests: [{ target: "/api/v2/otlp/v1/metrics" }, { target: "/api/v2/otlp/v1/metrics" }],
    stdout: "any",
    stderr: [
      like({ type: "warning", message: /token-shape: --token-file: after dt0c01\. there are 6/ }),
    ],
  },
  usageError(
    "--strict ends the program over a token before anything is sent",
    { args: ["--strict"], env: { ...dynatrace, DT_API_TOKEN: OAUTH } },
    /^ERROR: Dynatrace rule token-kind: DT_API_TOKEN: /,
    "Nothing was sent, because of --strict",
  ),
  {
    name: "send does not show a token that stands where a scheme belongs",
    args: ["--header", `Authorization=${MARK}A ${MARK}B`],
    env: dynatrace,
    requests: [{ target: "/api/v2/otlp/v1/metrics" }],
    stdout: sentToDynatrace("http://127.0.0.1:PORT/api/v2/otlp/v1/metrics"),
    stderr: [
      /rule token-shape: --header: /,
      /rule token-scheme: --header: .*starts with something that is not a Dynatrace scheme/,
    ],
  },
  {
    name: "send has no word on the token of another receiver",
    args: url,
    env: { DT_API_TOKEN: OAUTH },
    stdout: sentOnce(),
  },
]);

// A token file that others may read.

/** The hint of the step `config` for a token file, read by a user and in groups of its own. */
async function tokenFileHint(
  mode: number,
  file: { readonly uid: number; readonly gid: number },
  reader: { readonly uid: number; readonly groups: readonly number[] },
): Promise<unknown> {
  const directory = await Deno.makeTempDir();
  try {
    const path = `${directory}/token`;
    await Deno.writeTextFile(path, TOKEN);
    await Deno.chown(path, file.uid, file.gid);
    await Deno.chmod(path, mode);
    await Deno.chmod(directory, 0o755);
    const [group] = reader.groups;
    const { stdout } = await runProgram({
      args: ["check", "--output", "json", "--endpoint", "http://127.0.0.1:1", "--token-file", path],
      cwd: directory,
      through: [
        ...["setpriv", `--reuid=${reader.uid}`, `--regid=${group}`],
        `--groups=${reader.groups.join(",")}`,
      ],
    });
    const [line = "{}"] = stdout.split("\n");
    const step: unknown = JSON.parse(line);
    assert.ok(typeof step === "object" && step !== null && "ok" in step && "hint" in step, stdout);
    assert.equal(step.ok, true, stdout);
    return step.hint;
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

const ROOT = 0;
const POD = 65532;
const FS_GROUP = 2000;
const pod = { uid: POD, groups: [POD, FS_GROUP] };
const mounted = { uid: ROOT, gid: FS_GROUP };
const OTHERS =
  /other users can read.*run chmod 600; in Kubernetes, set the volume's defaultMode to 0440/;

for (
  const [what, mode, file, reader, hint] of [
    ["root's, 0440, of the pod's fsGroup", 0o440, mounted, pod, null],
    ["root's, 0640, of the pod's fsGroup", 0o640, mounted, pod, null],
    [
      "root's, 0440, of the group that the process runs in",
      0o440,
      { uid: ROOT, gid: POD },
      pod,
      null,
    ],
    ["0400, of the process", 0o400, { uid: POD, gid: POD }, pod, null],
    ["root's, 0440, of root's group, read by root", 0o440, { uid: 0, gid: 0 }, {
      uid: 0,
      groups: [0],
    }, null],
    // Deno 2.6, with which an executable may be compiled, does not tell these groups.
    ...sourceOnly
      ? [
        ["root's, 0440, of the fsGroup, read by root", 0o440, mounted, {
          uid: ROOT,
          groups: [ROOT, FS_GROUP],
        }, null] as const,
      ]
      : [],
    ["0640, of the process and its group", 0o640, { uid: POD, gid: POD }, pod, OTHERS],
    [
      "root's, 0440, of another group, read by root",
      0o440,
      mounted,
      { uid: 0, groups: [0] },
      OTHERS,
    ],
    ["root's, 0460, which the pod's group may write", 0o460, mounted, pod, OTHERS],
    ["root's, 0644, as Kubernetes mounts it by default", 0o644, mounted, pod, OTHERS],
  ] as const
) {
  Deno.test({
    ...namedUnless(
      reasonUnless(
        Deno.build.os === "linux" && Deno.uid() === 0,
        "only root on Linux changes into another user",
      ),
      `check ${hint === null ? "has no word on" : "warns of"} a token file that is ${what}`,
    ),
    async fn() {
      const found = await tokenFileHint(mode, file, reader);
      if (hint === null) assert.equal(found, null);
      else assert.match(String(found), hint);
    },
  });
}
