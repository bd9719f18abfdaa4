import { like, repeated } from "../support/lines.ts";
import type { ReceivedRequest } from "../support/receiver.ts";
import { type Fixture, MARK, TOKEN } from "../support/fixture.ts";
import { testFixtures } from "../support/run_fixture.ts";
import {
  beforeSend,
  loopOf,
  PLAIN_URL,
  sentOnce,
  sentToDynatrace,
  SHOWN_URL,
} from "../support/wording.ts";

const other = (what: string) => `dt0c01.OTHER.${MARK}${what}`;
const none = { DT_API_TOKEN: "", OTEL_EXPORTER_OTLP_HEADERS: "" };
const authorization = (value: string | null) => [{ headers: { authorization: value } }];
/** One accepted send with this Authorization. */
const sends = (value: string | null) => ({ requests: authorization(value), stdout: sentOnce() });
/** Resolved when the token file has its second content. */
const rotated = Promise.withResolvers<void>();

const rows: readonly Fixture[] = [
  {
    name: "DT_API_TOKEN goes to --endpoint",
    args: ["--endpoint", "{url}"],
    ...sends(`Api-Token ${TOKEN}`),
  },
  {
    name: "DT_API_TOKEN goes to DT_ENDPOINT",
    args: [],
    env: { DT_ENDPOINT: "{url}" },
    ...sends(`Api-Token ${TOKEN}`),
  },
  {
    name: "DT_API_TOKEN does not go to OTEL_EXPORTER_OTLP_ENDPOINT",
    args: [],
    env: { OTEL_EXPORTER_OTLP_ENDPOINT: "{url}" },
    ...sends(null),
  },
  {
    name: "DT_API_TOKEN does not go to OTEL_EXPORTER_OTLP_METRICS_ENDPOINT",
    args: [],
    env: { OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: "{url}/v1/metrics" },
    ...sends(null),
  },
  {
    name: "DT_API_TOKEN goes to an OTEL_… URL whose path holds /api/v2/otlp",
    args: [],
    env: { OTEL_EXPORTER_OTLP_ENDPOINT: "{url}/e/abc12345/api/v2/otlp" },
    requests: [{
      target: "/e/abc12345/api/v2/otlp/v1/metrics",
      headers: { authorization: `Api-Token ${TOKEN}` },
    }],
    stdout: sentToDynatrace("http://127.0.0.1:PORT/e/abc12345/api/v2/otlp/v1/metrics"),
  },
  {
    name: "DT_API_TOKEN of .env is used",
    args: ["--endpoint", "{url}"],
    env: none,
    dotenv: `DT_API_TOKEN=${other("DOTENV")}\n`,
    ...sends(`Api-Token ${other("DOTENV")}`),
  },
  {
    name: "a token that already says Api-Token does not say it twice",
    args: ["--endpoint", "{url}"],
    env: { DT_API_TOKEN: `Api-Token ${TOKEN}` },
    ...sends(`Api-Token ${TOKEN}`),
  },
  {
    name: "a platform token is a Bearer, and its secret part is not shown",
    args: ["--endpoint", "{url}"],
    env: { DT_API_TOKEN: `dt0s16.PUBLIC.${MARK}` },
    answers: [{ status: 401, body: `no: dt0s16.PUBLIC.${MARK}` }],
    status: 1,
    stdout: beforeSend(),
    stderr: [/401 Unauthorized: no: dt0s16\.PUBLIC\.\*\*\*$/, /Hint/],
    requests: authorization(`Bearer dt0s16.PUBLIC.${MARK}`),
  },
  {
    name: "a variable's token keeps the scheme that is given with it",
    args: ["--endpoint", "{url}"],
    env: { DT_API_TOKEN: `bearer ${TOKEN}` },
    ...sends(`Bearer ${TOKEN}`),
  },
  {
    name: "a file's token keeps the scheme that is given with it",
    args: ["--endpoint", "{url}", "--token-file", "t"],
    files: { t: `API-TOKEN dt0s16.PUBLIC.${MARK}\n` },
    ...sends(`Api-Token dt0s16.PUBLIC.${MARK}`),
  },
  {
    name: "--header Authorization beats --token-file, DT_API_TOKEN and DT_API_TOKEN_FILE",
    args: ["--endpoint", "{url}", "--header", `Authorization=Bearer ${MARK}1`, "--token-file", "t"],
    env: { DT_API_TOKEN_FILE: "t" },
    files: { t: other("FILE") },
    ...sends(`Bearer ${MARK}1`),
  },
  {
    name: "--token-file beats DT_API_TOKEN and DT_API_TOKEN_FILE",
    args: ["--endpoint", "{url}", "--token-file", "secrets/token"],
    env: { DT_API_TOKEN_FILE: "other" },
    files: { "secrets/token": `${other("FILE")}\n`, other: other("WRONG") },
    ...sends(`Api-Token ${other("FILE")}`),
  },
  {
    name: "DT_API_TOKEN beats DT_API_TOKEN_FILE",
    args: ["--endpoint", "{url}"],
    env: { DT_API_TOKEN_FILE: "t" },
    files: { t: other("WRONG") },
    ...sends(`Api-Token ${TOKEN}`),
  },
  {
    name: "DT_API_TOKEN_FILE is read when nothing beats it",
    args: ["--endpoint", "{url}"],
    env: { ...none, DT_API_TOKEN_FILE: "t" },
    files: { t: `  ${other("FILE")}\r\n` },
    ...sends(`Api-Token ${other("FILE")}`),
  },
  {
    name: "the token file is read again for every send of a loop",
    args: [
      "--endpoint",
      "{url}",
      "--token-file",
      "t",
      "--loop",
      "--interval",
      "0",
      "--iterations=2",
    ],
    files: { t: other("FIRST") },
    answers: [() => rotated.promise.then(() => 200)],
    async meanwhile({ program, receiver }) {
      await receiver.waitForRequests(1);
      await Deno.writeTextFile(`${program.directory}/t`, other("SECOND"));
      rotated.resolve();
    },
    requests: [
      ...authorization(`Api-Token ${other("FIRST")}`),
      ...authorization(`Api-Token ${other("SECOND")}`),
    ],
    stdout: loopOf(0, 2, PLAIN_URL),
  },
  {
    name: "a token that is rotated during a loop loses nothing",
    args: [
      ...["--endpoint", "{url}", "--token-file", "t", "--loop", "--interval", "0.3"],
      ...["--iterations", "60", "--spool", "spool", "--output", "json"],
    ],
    files: { t: other("EXPIRED") },
    answers: Array.from(
      { length: 200 },
      () => ({ headers }: ReceivedRequest) =>
        headers.get("authorization") === `Api-Token ${other("NEW")}` ? 200 : 401,
    ),
    async meanwhile({ program }) {
      await program.waitForStdout(/("type":"send"[^]*){2}/);
      await Deno.writeTextFile(`${program.directory}/u`, other("NEW"));
      await Deno.rename(`${program.directory}/u`, `${program.directory}/t`);
      await program.waitForStdout('"outcome":"accepted"');
      program.signal("SIGTERM");
    },
    posts: "any",
    stdout: [
      like({ type: "send", outcome: "failed", status: 401 }),
      repeated(like({ type: "send", outcome: "failed" }), 1),
      repeated(like({ outcome: "accepted" }), 1),
      like({ type: "summary", rejected: 0, dropped: 0, pending: 0, exitCode: 0 }),
    ],
    stderr: [
      like({ type: "error", message: /not delivered yet: 401 / }),
      repeated(like({ type: "error", message: /not delivered yet/ })),
    ],
  },
  {
    name: "an Authorization header with a raw space in the variable suffices for DT_ENDPOINT",
    args: [],
    env: {
      DT_ENDPOINT: "{url}",
      DT_API_TOKEN: "",
      OTEL_EXPORTER_OTLP_HEADERS: `Authorization=Api-Token ${other("HEADER")}`,
    },
    ...sends(`Api-Token ${other("HEADER")}`),
  },
  {
    name: "an Authorization header with an encoded space in the variable suffices for DT_ENDPOINT",
    args: [],
    env: {
      DT_ENDPOINT: "{url}",
      DT_API_TOKEN: "",
      OTEL_EXPORTER_OTLP_METRICS_HEADERS: `Authorization=Api-Token%20${other("HEADER")}`,
    },
    ...sends(`Api-Token ${other("HEADER")}`),
  },
  {
    name: "--header Authorization suffices for DT_ENDPOINT, with an encoded space too",
    args: ["--header", `Authorization=Api-Token%20${other("FLAG")}`],
    env: { ...none, DT_ENDPOINT: "{url}" },
    ...sends(`Api-Token ${other("FLAG")}`),
  },
  {
    name: "the header of the variable goes to an OTEL_… endpoint, where a token does not",
    args: [],
    env: {
      OTEL_EXPORTER_OTLP_ENDPOINT: "{url}",
      OTEL_EXPORTER_OTLP_HEADERS: `authorization=Bearer ${MARK}2`,
    },
    ...sends(`Bearer ${MARK}2`),
  },
  {
    name: "user name and password of the URL make Basic authentication when there is no other",
    args: ["--endpoint", "{secretUrl}"],
    env: none,
    stdout: sentOnce(SHOWN_URL),
    requests: authorization(`Basic ${btoa(`user-${MARK}:pass-${MARK}`)}`),
  },
  {
    name: "--token-file warns when the token is not sent to an OTEL_… endpoint",
    args: ["--token-file", "t"],
    env: { OTEL_EXPORTER_OTLP_ENDPOINT: "{url}" },
    files: { t: other("FILE") },
    ...sends(null),
    stderr: [/^WARNING: .*--token-file is not sent to http:\/\/127\.0\.0\.1:PORT\/v1\/metrics/],
  },
  {
    name: "a missing token is exit 2 with DT_ENDPOINT, and the message names both",
    args: [],
    env: { ...none, DT_ENDPOINT: "{url}" },
    status: 2,
    stderr: [/DT_ENDPOINT and DT_API_TOKEN.*DT_API_TOKEN is missing/, /./, /./, /./],
    requests: 0,
  },
  {
    name: "a missing token is exit 2 with --endpoint whose path holds /api/v2/otlp",
    args: ["--endpoint", "{url}/api/v2/otlp"],
    env: none,
    status: 2,
    stderr: [/DT_API_TOKEN is missing/, /./, /./, /./],
    requests: 0,
  },
  {
    name: "no token is needed for --endpoint of another receiver",
    args: ["--endpoint", "{url}"],
    env: none,
    ...sends(null),
  },
  {
    name: "a token with a blank in it is exit 2, and only its public part is shown",
    args: ["--endpoint", "{url}"],
    env: { DT_API_TOKEN: `dt0c01.PUBLIC.${MARK} ${MARK}` },
    status: 2,
    stderr: [
      /^ERROR: Invalid DT_API_TOKEN dt0c01\.PUBLIC\.\*\*\* \(environment\): expected a token /,
    ],
    requests: 0,
  },
  {
    name: "--token-file that does not exist is exit 2",
    args: ["--endpoint", "{url}", "--token-file", "missing"],
    status: 2,
    stderr: [/^ERROR: .*--token-file \(command line\), "missing": it does not exist$/],
    requests: 0,
  },
  {
    name: "DT_API_TOKEN_FILE that is empty is exit 2",
    args: ["--endpoint", "{url}"],
    env: { ...none, DT_API_TOKEN_FILE: "t" },
    files: { t: "\n" },
    status: 2,
    stderr: [/^ERROR: .*DT_API_TOKEN_FILE, "t", is empty/],
    requests: 0,
  },
];
testFixtures(rows);
