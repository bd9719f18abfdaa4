import assert from "node:assert/strict";
import type { Fixture } from "../support/fixture.ts";
import { sourceOnly } from "../support/program.ts";
import { testFixtures } from "../support/run_fixture.ts";
import {
  beforeSend,
  lostLine,
  NOT_ANSWERED,
  sendJson,
  sentOnce,
  SHOWN_URL,
  summaryJson,
} from "../support/wording.ts";

const once = ["--retry-for", "0"];
const url = ["--endpoint", "{secretUrl}", ...once];

const rows: readonly Fixture[] = [
  {
    name: "a refused connection is told with a hint",
    args: url,
    stopped: true,
    status: 1,
    stdout: beforeSend(SHOWN_URL),
    stderr: [
      lostLine(/Connection refused$/),
      /^ {2}Hint: nothing is listening on 127\.0\.0\.1:PORT/,
    ],
    requests: 0,
  },
  {
    name: "a refused connection in JSON has no status and is dropped at the end",
    args: [...url, "--output", "json"],
    stopped: true,
    status: 1,
    stdout: [
      sendJson({ outcome: "failed", status: null, message: "Connection refused" }),
      summaryJson({ delivered: 0, dropped: 5, exitCode: 1, points: 0, latencyMs: NOT_ANSWERED }),
    ],
    stderr: [/Connection refused.*Hint: nothing is listening/],
    requests: 0,
  },
  {
    name: "a name that DNS does not know is told with a hint",
    args: ["--endpoint", "http://collector.invalid:4318", ...once],
    status: 1,
    stdout: beforeSend("http://collector.invalid:4318/v1/metrics"),
    stderr: [
      lostLine(/failed to lookup address information/),
      /^ {2}Hint: the name collector\.invalid cannot be resolved/,
    ],
    requests: 0,
  },
  {
    name: "a connection that breaks without an answer is told",
    stdout: beforeSend(SHOWN_URL),
    args: url,
    answers: ["reset-after-body"],
    status: 1,
    stderr: [lostLine(/connection/), /^ {2}Hint: .*broke/],
  },
  {
    name: "an answer that breaks off after its status is a success, with a warning",
    stdout: sentOnce(SHOWN_URL),
    args: url,
    answers: ["half-answer"],
    stderr: [
      "WARNING: accepted with status 200, but a partial success could not have been seen: " +
      "the response body was cut off",
    ],
  },
  {
    name: "a receiver that does not answer is told with a hint",
    stdout: beforeSend(SHOWN_URL),
    args: [...url, "--timeout", "0.9"],
    answers: ["hang"],
    status: 1,
    stderr: [
      lostLine("no response within 0.9 s"),
      /^ {2}Hint: 127\.0\.0\.1:PORT does not respond in time/,
    ],
  },
  {
    name: "https to a port that speaks http is told with a hint",
    stdout: beforeSend("https://127.0.0.1:PORT/v1/metrics"),
    args: ["--endpoint", "https://127.0.0.1:{port}", ...once],
    status: 1,
    stderr: [lostLine(), /^ {2}Hint: .*http:\/\//],
    requests: 0,
    answers: ["refuse"],
  },
  {
    name: "an http request goes through HTTP_PROXY",
    env: { HTTP_PROXY: "{proxy}" },
    proxy: {},
    stdout: sentOnce(SHOWN_URL),
    check: ({ proxy }) => equalProxied(proxy?.requests, [{ method: "POST", tunnel: false }]),
  },
  {
    name: "HTTP_PROXY gets user name and password",
    stdout: sentOnce(SHOWN_URL),
    env: { HTTP_PROXY: "{secretProxy}" },
    proxy: { credentials: { user: "user", password: "S3CRETPASSWORD" } },
    check: ({ proxy }) => equalProxied(proxy?.requests, [{ method: "POST", tunnel: false }]),
  },
  {
    name: "a proxy that wants other credentials is told with a hint",
    stdout: beforeSend(SHOWN_URL),
    args: url,
    env: { HTTP_PROXY: "{proxy}" },
    proxy: { credentials: { user: "user", password: "S3CRETPASSWORD" } },
    status: 1,
    stderr: [
      "ERROR: 5 measurements not delivered: 407 Proxy Authentication Required",
      /^ {2}Hint: the proxy http:.* requires a user name and password: set HTTP_PROXY=/,
    ],
    requests: 0,
  },
  {
    name: "NO_PROXY excepts a host from HTTP_PROXY",
    stdout: sentOnce(SHOWN_URL),
    env: { HTTP_PROXY: "{proxy}", NO_PROXY: "localhost,127.0.0.1" },
    proxy: {},
    check: ({ proxy }) => equalProxied(proxy?.requests, []),
  },
  {
    name: "a name that only the proxy knows is sent to it",
    stdout: sentOnce("http://collector.invalid:PORT/v1/metrics"),
    args: ["--endpoint", "http://collector.invalid:{port}"],
    env: { http_proxy: "{proxy}" },
    proxy: {},
    check: ({ proxy }) => equalProxied(proxy?.requests, [{ method: "POST", tunnel: false }]),
  },
  {
    name: "a proxy that is not there is named in the hint, without its credentials",
    stdout: beforeSend("http://collector.invalid:4318/v1/metrics"),
    args: ["--endpoint", "http://collector.invalid:4318", ...once],
    env: { HTTP_PROXY: "http://user:S3CRET@127.0.0.1:{port}" },
    stopped: true,
    status: 1,
    stderr: [
      lostLine(/refused/i),
      /^ {2}Hint: .*collector\.invalid:4318 go through the proxy http:\/\/\*\*\*:\*\*\*@127\.0\.0\.1:PORT\/, where nothing is listening: check HTTP_PROXY/,
    ],
    requests: 0,
  },
];
testFixtures(rows);

// The Fetch standard's list of blocked ports is known to Deno 2.9, not to the 2.6 of some executables.
if (sourceOnly) {
  testFixtures([{
    name: "a port that fetch never connects to is told as such, and not tried again",
    args: ["--endpoint", "http://127.0.0.1:1"],
    status: 1,
    stdout: beforeSend("http://127.0.0.1:1/v1/metrics"),
    stderr: [
      lostLine(/port 1 /),
      /^ {2}Hint: .*another port/,
    ],
    requests: 0,
  }]);
}

function equalProxied(
  requests: readonly {
    readonly method: string;
    readonly tunnel: boolean;
    readonly refused: number | undefined;
  }[] = [],
  expected: readonly { readonly method: string; readonly tunnel: boolean }[],
): void {
  assert.deepEqual(
    requests.map(({ method, tunnel, refused }) => ({ method, tunnel, refused })),
    expected.map((request) => ({ ...request, refused: undefined })),
  );
}
