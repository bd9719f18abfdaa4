import assert from "node:assert/strict";
import { createAuthority } from "../support/certificates.ts";
import type { Fixture, Setup } from "../support/fixture.ts";
import { like, repeated } from "../support/lines.ts";
import { sourceOnly } from "../support/program.ts";
import type { Reply } from "../support/receiver.ts";
import { testFixtures } from "../support/run_fixture.ts";
import { beforeSend, SENDS_AND_SUMMARY, sentOnce } from "../support/wording.ts";
import { BODIES, type BodyCase, onWire, type Version, VERSIONS } from "../support/wire_response.ts";

// The status settles what a response means, whatever body, version of HTTP and route it came with.

const authority = await createAuthority();
const certificate = await authority.server(["127.0.0.1"]);

type Route = Pick<Setup, "tls" | "env" | "proxy" | "files"> & {
  readonly name: string;
  readonly scheme: "http" | "https";
  readonly args?: readonly string[];
};

const ca = { files: { "ca.pem": authority.certificate }, args: ["--ca", "ca.pem"] };
const ROUTES: readonly Route[] = [
  { name: "over TCP", scheme: "http" },
  { name: "over TCP and a proxy", scheme: "http", proxy: {}, env: { HTTP_PROXY: "{proxy}" } },
  { name: "over TLS", scheme: "https", tls: certificate, ...ca },
  {
    name: "over TLS and a proxy",
    scheme: "https",
    tls: certificate,
    proxy: {},
    env: { HTTPS_PROXY: "{proxy}" },
    ...ca,
  },
  // On Deno 2.6, with which an executable may be compiled, node:https verifies regardless.
  ...sourceOnly
    ? [
      { name: "with --insecure", scheme: "https", tls: certificate, args: ["--insecure"] } as const,
      {
        name: "with --insecure and a proxy",
        scheme: "https",
        tls: certificate,
        args: ["--insecure"],
        proxy: {},
        env: { HTTPS_PROXY: "{proxy}" },
      } as const,
    ]
    : [],
];

/** Setup of a fixture over a route; undefined where the version does not go over it. */
function over(route: Route, version: Version): Omit<Setup, "args"> | undefined {
  const { tls, env, proxy, files } = route;
  if (version !== "HTTP/2") {
    return { ...tls && { tls }, ...env && { env }, ...proxy && { proxy }, ...files && { files } };
  }
  // Without TLS nobody agrees on HTTP/2, and node:https does not speak it.
  if (tls === undefined || tls === "broken" || route.name.includes("insecure")) return undefined;
  return {
    tls: { ...tls, http2: true },
    ...env && { env },
    ...proxy && { proxy },
    ...files && { files },
  };
}

const INSECURE = "SSL verification disabled (INSECURE_SSL=true)";
const ONCE = /^accepted with status 200, but a partial success could not have been seen: /;

/** All of them come in one loop, but pages: what becomes of these depends on what comes after them. */
const LOOPED = BODIES.filter(({ means }) => means !== "sign-in");

/** Whether the executable may have been compiled with Deno 2.6: then a body of this kind may be taken for an empty one. */
function mayBeSilent(body: BodyCase): boolean {
  return !sourceOnly && body.mayBeSilent === true;
}

const loops = ROUTES.flatMap((route) =>
  VERSIONS.flatMap((version): readonly Fixture[] => {
    const setup = over(route, version);
    if (setup === undefined) return [];
    const cases = LOOPED.flatMap((body) => {
      const answer = onWire(body, version);
      return answer === undefined ? [] : [{ body, answer }];
    });
    return [{
      ...setup,
      name: `a loop posts every delta once, whatever body a 200 has: ${version} ${route.name}`,
      args: [
        ...["--endpoint", "{url}", "--output", "json", "--loop", "--interval", "0"],
        ...["--iterations", String(cases.length), ...route.args ?? []],
      ],
      bare: true,
      answers: cases.map(({ answer }) => answer),
      posts: cases.length,
      status: 3,
      stdout: SENDS_AND_SUMMARY,
      stderr: [repeated(like({ type: /^(warning|error)$/ }))],
      check({ sends, said, summary }) {
        cases.forEach(({ body }, i) => assertSent(sends[i] ?? {}, body));
        // One warning for all of them.
        assert.equal(said.filter((message) => ONCE.test(message)).length, 1, said.join("\n"));
        const partial = LOOPED.filter(({ means }) => means === "partial").length;
        const others = said.filter((message) => !ONCE.test(message) && message !== INSECURE);
        assert.equal(others.length, partial, others.join("\n"));
        assert.ok(others.every((message) => /only partly accepted/.test(message)));
        assert.equal(summary["delivered"], 5 * cases.length);
        assert.equal(summary["requests"], cases.length);
      },
    }];
  })
);

function assertSent(send: Readonly<Record<string, unknown>>, body: BodyCase): void {
  const { outcome, status, attempts, rejectedPoints, message } = send;
  const isPartial = body.means === "partial";
  assert.deepEqual({ outcome, status, attempts, rejectedPoints }, {
    outcome: isPartial ? "partial" : "accepted",
    status: 200,
    attempts: 1,
    rejectedPoints: isPartial ? 2 : 0,
  }, body.what);
  if (isPartial) return assert.equal(message, "rejected 2 of 3 data points: two are odd");
  if (mayBeSilent(body) && message === null) return;
  if (body.means === "accepted") return assert.equal(message, null, body.what);
  assert.ok(body.means instanceof RegExp);
  assert.match(String(message), /^a partial success could not have been seen: the response body /);
  assert.match(String(message), body.means, body.what);
}

/** Dynatrace's usual answer. */
const EMPTY_GZIP = {
  headers: { "content-type": "application/x-protobuf", "content-encoding": "gzip" },
};

const singles = ROUTES.flatMap((route) =>
  (["HTTP/1.0", "HTTP/1.1 in chunks", "HTTP/2"] as const).flatMap((version): readonly Fixture[] => {
    const setup = over(route, version);
    const answer = onWire(EMPTY_GZIP, version);
    if (setup === undefined || answer === undefined) return [];
    return [{
      ...setup,
      name: `200 with no body in gzip is accepted without a word: ${version} ${route.name}`,
      args: ["--endpoint", "{url}", ...route.args ?? []],
      answers: [answer],
      posts: 1,
      stdout: sentOnce(`${route.scheme}://127.0.0.1:PORT/v1/metrics`),
      stderr: route.args?.includes("--insecure") ? [`WARNING: ${INSECURE}`] : [],
    }];
  })
);

/** The bodies with which a refusal is tried. */
const REFUSED = BODIES.filter(({ what }) =>
  [
    "no body in gzip",
    "a body that says gzip and is not compressed",
    "gzip that ends too early",
    "protobuf on a connection that ends too early",
  ].includes(what)
);

const refusals = [400, 401, 413, 429, 503].flatMap((status, i) =>
  REFUSED.flatMap((body, j) =>
    // In turn; all pairs are tried in tests/http/transport_test.ts.
    [(i + j) % 2 === 0 ? "HTTP/1.1 in chunks" as const : "HTTP/2" as const].flatMap(
      (version): readonly Fixture[] => {
        const headers = { ...body.headers, ...status === 429 && { "retry-after": "60" } };
        const answer = onWire({ ...body, status, headers }, version);
        if (answer === undefined) return [];
        const isLater = status === 429 || status === 503;
        return [{
          ...version === "HTTP/2" && { tls: { ...certificate, http2: true }, files: ca.files },
          name: `${status} with ${body.what} is a ${status}: ${version}`,
          args: [
            ...["--endpoint", "{url}", "--value", "1", "--output", "json"],
            // A 429 is not tried again before its minute is over; a 401 is not tried again at all.
            ...["--retry-for", status === 503 ? "0" : "5"],
            ...version === "HTTP/2" ? ca.args : [],
          ],
          bare: true,
          answers: [answer],
          posts: 1,
          status: 1,
          stdout: [
            like({ type: "send", outcome: isLater ? "failed" : "rejected", status, attempts: 1 }),
            like({ type: "summary", exitCode: 1, delivered: 0 }),
          ],
          stderr: [like({ type: "error", message: new RegExp(`not delivered.*: ${status} `) })],
        }];
      },
    )
  )
);

const successes = [201, 202, 204].flatMap((status) =>
  VERSIONS.flatMap((version): readonly Fixture[] => {
    const answer = onWire({ ...EMPTY_GZIP, status }, version);
    const setup = over(
      version === "HTTP/2"
        ? { name: "", scheme: "https", tls: certificate, ...ca }
        : { name: "", scheme: "http" },
      version,
    );
    if (answer === undefined || setup === undefined) return [];
    return [{
      ...setup,
      name: `${status} is a success: ${version}`,
      args: ["--endpoint", "{url}", "--output", "json", ...version === "HTTP/2" ? ca.args : []],
      answers: [answer],
      posts: 1,
      stdout: [
        like({ type: "send", outcome: "accepted", status, attempts: 1, message: null }),
        like({ type: "summary", exitCode: 0 }),
      ],
    }];
  })
);

const pages = BODIES.filter(({ means }) => means === "sign-in").map((body): Fixture => ({
  name: `200 with ${body.what} is not accepted`,
  args: ["--endpoint", "{url}"],
  answers: [onWire(body, "HTTP/1.1") ?? 500],
  ambiguous: true,
  status: 1,
  stdout: beforeSend(),
  stderr: [
    /^ERROR: 5 measurements not delivered: 200, but the body is not an OTLP response: /,
    /^ {2}Hint: .*sign-in page/,
  ],
}));

/** Steps that come before, all of them good. */
const BEFORE = {
  http: /^\{"type":"step","name":"(config|dns|tcp)","ok":true,/,
  ingest: /^\{"type":"step","name":"(config|dns|tcp|http|token)","ok":true,/,
};

/** Bodies that `check` is tried with: one of each kind. */
const CHECKED = BODIES.filter(({ what }) =>
  [
    "no body in gzip",
    "no body of the type text/html",
    "one in gzip of two members",
    "an empty message in gzip",
    "a body that says deflate and is not compressed",
    "gzip that ends too early",
    "protobuf on a connection that ends too early",
    "nothing of a body that was announced",
    "{} in JSON",
    "OK as text",
    "a line break as text",
    "a page",
    "a page that breaks off",
  ].includes(what)
);

/** Findings of `check` and `check --canary`, which post one request and two. */
const checks = CHECKED.flatMap((body) =>
  [false, true].flatMap((canary): readonly Fixture[] => {
    // Two versions in turn, as far as they go.
    const version = canary ? "HTTP/1.1 in chunks" : "HTTP/1.1";
    const answer: Reply | undefined = onWire(body, version);
    if (answer === undefined) return [];
    const isPage = body.means === "sign-in";
    const isPartial = body.means === "partial";
    const ok = isPage || isPartial ? false : body.foreign ? null : true;
    const last = isPage ? "http" as const : "ingest" as const;
    const posts = canary && !isPage && !isPartial ? 2 : 1;
    return [{
      name: `check${canary ? " --canary" : ""} finds ${
        ok === null ? "undecided" : ok ? "good" : "bad"
      } a 200 with ${body.what}`,
      args: ["check", "--endpoint", "{url}", "--output", "json", ...canary ? ["--canary"] : []],
      bare: true,
      answers: [answer, answer],
      posts,
      status: ok ? 0 : 1,
      stdout: [
        repeated(BEFORE[last], isPage ? 3 : 5),
        like({
          type: "step",
          name: last,
          ok,
          status: 200,
          ...body.means instanceof RegExp && !mayBeSilent(body) &&
            (body.foreign ? { detail: body.means } : { hint: body.means }),
        }),
        like({ type: "summary", ok, exitCode: ok ? 0 : 1 }),
      ],
    }];
  })
);

testFixtures([...singles, ...loops, ...refusals, ...successes, ...pages, ...checks]);
