import assert from "node:assert/strict";
import { createAuthority } from "../support/certificates.ts";
import { decode, partialSuccess } from "../support/decode.ts";
import { inDirectory } from "../support/directory.ts";
import type { Expectation, Fixture, Setup, World } from "../support/fixture.ts";
import { error, like, type Line, repeated, warning } from "../support/lines.ts";
import { measurementsIn, type Outcome } from "../support/outcome.ts";
import {
  type ExportAnswer,
  type ReceivedRequest,
  type Receiver,
  startReceiver,
} from "../support/receiver.ts";
import { runFixture, testAtOnce } from "../support/run_fixture.ts";
import { SPLITTABLE_ARGS } from "../support/sample.ts";
import { LOAD, loopHeading, PLAIN_URL, SENDS_AND_SUMMARY } from "../support/wording.ts";

/**
 * Kinds of trouble, and what has to become of the five measurements of each send. Of every one the harness asserts that
 * the ledger adds up, that the exit status is the summary's, and that what the receiver answered with 200 is what the
 * program says it delivered.
 */
interface Fault extends Setup, Pick<Expectation, "posts" | "ambiguous" | "check"> {
  readonly name: string;
  /** Added to `--output json`; by default `--endpoint {url}`. */
  readonly args?: readonly string[];
  /** What is said on standard error; nothing by default. */
  readonly said?: readonly Line[];
  readonly expect: Partial<Counts> & {
    readonly status?: number;
    /** Of the only send. */
    readonly outcome?: string;
    readonly possiblyDuplicated?: boolean;
    /** Lines of sends in place of the only one, where there are more. */
    readonly sends?: readonly Line[];
  };
}

interface Counts {
  readonly recorded: number;
  readonly delivered: number;
  readonly rejected: number;
  readonly dropped: number;
  readonly pending: number;
}

const LOOP = ["--endpoint", "{url}", "--loop"] as const;
const LARGE = ["--endpoint", "{url}", ...SPLITTABLE_ARGS] as const;
const SPOOL = ["--spool", "spool"] as const;
const FIVE = 5;

/** Each failed attempt that is tried again. */
const RETRY = warning(/^attempt \d+ failed: /);
const RETRIES = repeated(RETRY);
const DUPLICATED = warning(/^possibly duplicated: /);
const HALVED = warning(/^413 Content Too Large: sending it again in two halves/);
const NOT_YET = error(/^5 measurements not delivered yet: /);
/** How often something is said or sent depends on the machine. */
const SOME = repeated(like({ type: /^(warning|error)$/, message: /not delivered yet|left out$/ }));
const SENDS = repeated(like({ type: /^(send|late)$/, outcome: /^(accepted|failed)$/ }));
const LOST_SAID = error(/^5 measurements not delivered and lost: /);
const KEPT_SAID = error(
  /^5 measurements not delivered, kept in spool: the next start sends them/,
);
const refusedFor = (why: RegExp) =>
  error(new RegExp(`^5 measurements not delivered: .*${why.source}`));

const unseen = (why: RegExp) =>
  warning(
    new RegExp(
      `^accepted with status \\d+, but a partial success could not have been seen: .*${why.source}`,
    ),
  );

const DELIVERED = { delivered: FIVE, outcome: "accepted" } as const;
const REJECTED = { rejected: FIVE, outcome: "rejected" } as const;
const LOST = { dropped: FIVE, outcome: "failed" } as const;
const KEPT = { pending: FIVE, outcome: "failed" } as const;

const signal = (name: Deno.Signal) => ({ program }: World) => Promise.resolve(program.signal(name));
const whenAsked = (count: number) => ({ receiver }: World) =>
  receiver.waitForRequests(count).then(() => {});
const whenBackingOff = ({ program }: World) =>
  program.waitForStderr("trying again in").then(() => {});
const whenReported = (count: number) => ({ program }: World) =>
  program.waitForStdout(new RegExp(`(?:"type":"send"[^]*){${count}}`)).then(() => {});
const inTurn = (...steps: readonly ((world: World) => Promise<void>)[]) => async (world: World) => {
  for (const step of steps) await step(world);
};

function fixtureOf(fault: Fault): Fixture {
  const { name, args = ["--endpoint", "{url}"], said = [], expect, ...rest } = fault;
  const { status, outcome, possiblyDuplicated, sends, ...counts } = expect;
  const send = like({
    type: "send",
    measurements: FIVE,
    ...outcome !== undefined && { outcome },
    ...possiblyDuplicated !== undefined && { possiblyDuplicated },
  });
  const ledger: Counts = {
    recorded: FIVE,
    delivered: 0,
    rejected: 0,
    dropped: 0,
    pending: 0,
    ...counts,
  };
  const exitCode = status ?? (ledger.delivered === ledger.recorded ? 0 : 1);
  return {
    posts: 1,
    ...rest,
    name: `faults: ${name}`,
    args: ["--output", "json", ...args],
    status: exitCode,
    stdout: [...sends ?? [send], like({ type: "summary", exitCode, ...ledger })],
    stderr: said,
    async check(outcome) {
      if (args.includes("spool")) {
        const { length } = await kept(outcome.program.directory);
        assert.equal(length > 0, ledger.pending > 0, "what is pending is in the spool");
      }
      await fault.check?.(outcome);
    },
  };
}

const retryAfter = (value: string | (() => string), status = 429): ExportAnswer => () => ({
  status,
  headers: { "retry-after": typeof value === "string" ? value : value() },
});
/** An answer that denies the batch that came first, whenever it comes, and takes all others. */
const denyFirst = (status: number) => {
  let first: bigint | undefined;
  return () => ({ content }: ReceivedRequest) => {
    const end = decode(content).metrics[0]?.points[0]?.end;
    first ??= end;
    return end === first ? status : 200;
  };
};
const partial = (points: number, message = ""): ExportAnswer => ({
  headers: { "content-type": "application/x-protobuf" },
  body: partialSuccess(points, message),
});
/** As C's asctime() writes it in UTC. */
const asctime = (date: Date) => {
  const [weekday = "", day = "", month = "", year = "", time = ""] = date.toUTCString().split(
    /,? /,
  );
  return `${weekday} ${month} ${String(Number(day)).padStart(2)} ${time} ${year}`;
};
/** How long after the first request the second came, in ms. */
const gap = ({ requests: [one, two] }: Outcome) => (two?.at ?? NaN) - (one?.at ?? NaN);

const authority = await createAuthority();
const certificate = await authority.server(["127.0.0.1"]);

const faults: readonly Fault[] = [
  { name: "200", expect: DELIVERED },
  {
    name: "200, not compressed",
    args: ["--endpoint", "{url}", "--compression", "none"],
    expect: DELIVERED,
  },
  {
    name: "a 200 with an empty body and the type text/html",
    answers: [{ headers: { "content-type": "text/html" } }],
    expect: DELIVERED,
  },
  ...[201, 202, 204].map((status): Fault => ({
    name: String(status),
    answers: [status],
    expect: DELIVERED,
  })),
  ...[400, 401, 403, 404, 405, 415, 500, 501].map((status): Fault => ({
    name: String(status),
    answers: [status],
    said: [refusedFor(new RegExp(`${status}\\b`))],
    expect: REJECTED,
  })),
  {
    name: "413 for every request",
    args: LARGE,
    answers: Array.from({ length: 9 }, () => 413),
    posts: 5,
    said: [HALVED, HALVED, refusedFor(/413 /)],
    expect: REJECTED,
  },
  {
    name: "413 for more than one point",
    args: LARGE,
    answers: Array.from(
      { length: 9 },
      () => ({ content }: ReceivedRequest) => pointsIn(content) > 1 ? 413 : 200,
    ),
    posts: 5,
    said: [HALVED, HALVED],
    expect: DELIVERED,
  },
  {
    name: "413, and 503 for a half of it",
    args: LARGE,
    answers: [413, 503],
    posts: 4,
    said: [HALVED, RETRY],
    expect: DELIVERED,
  },
  {
    name: "413, and 400 for a half of it",
    args: LARGE,
    answers: [413, 400],
    posts: 3,
    said: [HALVED, error(/^5 measurements taken only in part: 400 /)],
    expect: { delivered: 1, rejected: 4, outcome: "partial" },
  },
  {
    name: "400 for a request that is too large, in a Collector's words",
    args: LARGE,
    answers: [{ status: 400, body: "http: request body too large\n" }],
    posts: 3,
    said: [
      warning(/^400 Bad Request: http: request body too large: sending it again in two halves/),
    ],
    expect: DELIVERED,
  },
  {
    name: "413 in a loop: no later request is as large",
    args: [...LARGE, "--loop", "--interval", "0.1", "--iterations", "3"],
    answers: Array.from(
      { length: 99 },
      () => ({ content }: ReceivedRequest) => pointsIn(content) > 2 ? 413 : 200,
    ),
    posts: "any",
    said: [HALVED, SOME],
    expect: { recorded: 15, delivered: 15, sends: [repeated(like({ type: /^(send|late)$/ }), 3)] },
  },
  {
    name: "413 for less than 128 KiB, whose halves nobody would refuse for their size",
    answers: [413],
    said: [refusedFor(/413 /)],
    expect: REJECTED,
  },
  ...[401, 403].flatMap((status): Fault[] => [
    {
      name: `${status} with a spool`,
      answers: [status],
      args: ["--endpoint", "{url}", ...SPOOL],
      said: [KEPT_SAID],
      expect: KEPT,
    },
    {
      name: `${status} for the first requests of a loop`,
      answers: [status, status, status],
      args: [...LOOP, "--interval", "0.3", "--iterations", "5"],
      posts: "any",
      said: [NOT_YET, SOME],
      expect: {
        recorded: 25,
        delivered: 25,
        sends: [repeated(like({ type: /^(send|late)$/ }), 5)],
      },
    },
    {
      name: `${status} for one batch of a loop`,
      answers: Array.from({ length: 99 }, denyFirst(status)),
      args: [...LOOP, "--interval", "0.3", "--iterations", "5"],
      posts: "any",
      said: [NOT_YET, SOME, error(/^5 measurements of iteration 1 not delivered: 40[13] /), SOME],
      expect: {
        recorded: 25,
        delivered: 20,
        rejected: 5,
        sends: [
          like({ type: "send", outcome: "failed", status }),
          SENDS,
          like({ type: "late", iteration: 1, outcome: "rejected", status }),
          SENDS,
        ],
      },
    },
    {
      name: `${status} for all of a loop`,
      answers: Array.from({ length: 99 }, () => status),
      args: [...LOOP, "--interval", "0.3", "--iterations", "2"],
      posts: "any",
      said: [NOT_YET, SOME, error(/^10 measurements not delivered and lost: 40[13] /)],
      expect: { recorded: 10, dropped: 10, sends: [repeated(like({ outcome: "failed" }), 2)] },
    },
    {
      name: `SIGTERM after ${status} in a loop`,
      answers: [status],
      args: LOOP,
      meanwhile: inTurn(whenReported(1), signal("SIGTERM")),
      posts: 2,
      said: [NOT_YET],
      expect: { delivered: FIVE, sends: [like({ outcome: "failed" }), like({ type: "late" })] },
    },
  ]),
  ...[429, 502, 503, 504].map((status): Fault => ({
    name: `${status}, then 200`,
    answers: [status],
    posts: 2,
    said: [RETRY],
    expect: { ...DELIVERED, possiblyDuplicated: false },
  })),
  ...[[429, 503], [502, 504]].map((statuses): Fault => ({
    name: `${statuses.join(", ")}, then 200`,
    answers: statuses,
    posts: 3,
    said: [RETRY, RETRY],
    expect: DELIVERED,
  })),
  {
    name: "503, then 401",
    answers: [503, 401],
    posts: 2,
    said: [RETRY, refusedFor(/401 /)],
    expect: REJECTED,
  },
  {
    name: "503, then a redirect",
    answers: [503, 302],
    posts: 2,
    said: [RETRY, refusedFor(/302 /)],
    expect: REJECTED,
  },
  {
    name: "503 for longer than --retry-for",
    answers: Array.from({ length: 50 }, () => 503),
    args: ["--endpoint", "{url}", "--retry-for", "1"],
    posts: "any",
    said: [RETRIES, LOST_SAID],
    expect: LOST,
  },
  {
    name: "503 for longer than --retry-for, then 200 in a loop",
    answers: [503, 503, 503],
    args: [...LOOP, "--interval", "0.2", "--iterations", "5"],
    posts: "any",
    said: [repeated(like({ type: /^(warning|error)$/ }))],
    expect: { recorded: 25, delivered: 25, sends: [repeated(like({ type: /^(send|late)$/ }), 5)] },
  },
  ...[301, 302, 303, 307, 308].map((status): Fault => ({
    name: `a redirect with ${status}`,
    answers: [() => ({ status, headers: { location: "/elsewhere" } })],
    said: [refusedFor(/redirects are not followed/)],
    expect: REJECTED,
  })),
  {
    name: "a sign-in page with 200",
    answers: [{
      headers: { "content-type": "text/html" },
      body: "<html><title>Sign in</title></html>",
    }],
    ambiguous: true,
    said: [refusedFor(/the body is not an OTLP response: a web page, "Sign in/)],
    expect: REJECTED,
  },
  {
    name: "a sign-in page with a spool",
    answers: [{
      headers: { "content-type": "text/html" },
      body: "<html><title>Sign in</title></html>",
    }],
    args: ["--endpoint", "{url}", ...SPOOL],
    ambiguous: true,
    said: [KEPT_SAID],
    expect: KEPT,
  },
  ...["0.5", "true", '"many"'].map((count): Fault => ({
    name: `a partial success in JSON whose count is ${count}`,
    answers: [{
      headers: { "content-type": "application/json" },
      body: `{"partialSuccess":{"rejectedDataPoints":${count}}}`,
    }],
    said: [unseen(/is not OTLP: /)],
    expect: DELIVERED,
  })),
  {
    name: "a partial success in JSON that is null, and a field that nobody knows",
    answers: [{
      headers: { "content-type": "application/json" },
      body: '{"partialSuccess":null,"new":{"rejectedDataPoints":3}}',
    }],
    expect: DELIVERED,
  },
  {
    name: "nobody at the port",
    stopped: true,
    args: ["--endpoint", "{url}", "--retry-for", "0.5"],
    posts: 0,
    said: [RETRIES, LOST_SAID],
    expect: LOST,
  },
  {
    name: "a connection closed before the request",
    answers: ["refuse"],
    ambiguous: true,
    posts: "any",
    // Whether it breaks before or after the request was written is chance.
    said: [RETRIES, repeated(DUPLICATED)],
    expect: DELIVERED,
  },
  {
    name: "a reset before the body",
    answers: ["reset-before-body"],
    ambiguous: true,
    posts: "any",
    said: [RETRIES, repeated(DUPLICATED)],
    expect: DELIVERED,
  },
  {
    name: "a reset after the body",
    answers: ["reset-after-body"],
    posts: 2,
    said: [RETRY, DUPLICATED],
    expect: { ...DELIVERED, possiblyDuplicated: true },
  },
  {
    name: "a reset after the body, every time",
    answers: Array.from({ length: 50 }, () => "reset-after-body" as const),
    args: ["--endpoint", "{url}", "--retry-for", "0.6"],
    posts: "any",
    said: [RETRIES, repeated(DUPLICATED), LOST_SAID],
    expect: LOST,
  },
  {
    name: "half an answer",
    answers: ["half-answer"],
    said: [unseen(/was cut off/)],
    expect: { ...DELIVERED, possiblyDuplicated: false },
  },
  {
    name: "an answer that trickles in, in time",
    answers: [{ everyMs: 5 }],
    expect: { ...DELIVERED, possiblyDuplicated: false },
  },
  {
    name: "an answer that trickles in, too slowly",
    answers: [{ everyMs: 1000 }],
    args: ["--endpoint", "{url}", "--timeout", "2"],
    ambiguous: true,
    posts: 2,
    said: [RETRY, DUPLICATED],
    expect: { ...DELIVERED, possiblyDuplicated: true },
  },
  {
    name: "an answer whose body never ends",
    answers: [{ headers: { "content-length": "9" }, body: "half", stuck: true }],
    args: ["--endpoint", "{url}", "--timeout", "2"],
    said: [unseen(/was not complete within 2 s/)],
    expect: { ...DELIVERED, possiblyDuplicated: false },
  },
  {
    name: "SIGTERM while the body of a 200 never ends",
    answers: [{ headers: { "content-length": "9" }, body: "half", stuck: true }],
    args: ["--endpoint", "{url}", "--timeout", "60"],
    meanwhile: inTurn(whenAsked(1), signal("SIGTERM")),
    said: [unseen(/was not complete before the program was interrupted/)],
    expect: { ...DELIVERED, possiblyDuplicated: false },
  },
  {
    name: "an answer without end",
    answers: ["endless"],
    said: [unseen(/was larger than the 4 MiB/)],
    expect: DELIVERED,
  },
  {
    name: "an answer of more than 4 MiB",
    answers: [{ body: new Uint8Array(4 * 2 ** 20 + 1) }],
    said: [unseen(/was larger than the 4 MiB/)],
    expect: DELIVERED,
  },
  {
    name: "a 503 of more than 4 MiB, then 200",
    answers: [{ status: 503, body: new Uint8Array(4 * 2 ** 20 + 1) }],
    posts: 2,
    said: [RETRY],
    expect: DELIVERED,
  },
  {
    name: "no answer, then 200",
    answers: ["hang"],
    args: ["--endpoint", "{url}", "--timeout", "2"],
    posts: 2,
    said: [RETRY, DUPLICATED],
    expect: { ...DELIVERED, possiblyDuplicated: true },
  },
  {
    name: "no answer, ever",
    answers: Array.from({ length: 50 }, () => "hang" as const),
    args: ["--endpoint", "{url}", "--timeout", "0.4", "--retry-for", "0.5"],
    posts: "any",
    said: [RETRIES, repeated(DUPLICATED), error(/lost: no answer within 0\.4 s/)],
    expect: LOST,
  },
  {
    name: "a name that nobody knows",
    // Within one send it is not tried again.
    args: ["--endpoint", "http://nobody.invalid:4318"],
    posts: 0,
    said: [error(/lost: .*the name nobody\.invalid is not known here/)],
    expect: LOST,
  },
  {
    name: "a proxy that wants a password",
    tls: certificate,
    env: { HTTPS_PROXY: "{proxy}" },
    proxy: { credentials: { user: "user", password: "password" } },
    posts: 0,
    said: [LOST_SAID],
    expect: LOST,
    check: ({ proxy }) => assert.equal(proxy?.requests.length, 1, "not tried again"),
  },
  {
    name: "TLS that breaks off half-way",
    tls: "broken",
    args: ["--endpoint", "{url}", "--retry-for", "0.5"],
    posts: 0,
    said: [RETRIES, LOST_SAID],
    expect: LOST,
  },
  {
    name: "a certificate that nobody signed",
    tls: certificate,
    posts: 0,
    said: [LOST_SAID],
    expect: LOST,
    check: ({ receiver }) => assert.equal(receiver.connections, 1, "not tried again within a send"),
  },
  {
    name: "plain HTTP where TLS is expected",
    args: ["--endpoint", "https://127.0.0.1:{port}", "--retry-for", "0.5"],
    posts: 0,
    said: [RETRIES, LOST_SAID],
    expect: LOST,
  },
  {
    name: "a receiver that is stopped and started again during a loop",
    args: [...LOOP, "--interval", "0.3", "--iterations", "6"],
    ambiguous: true,
    meanwhile: async ({ receiver, program }) => {
      await whenReported(1)({ receiver, program });
      await receiver.stop();
      await whenReported(3)({ receiver, program });
      await receiver.restart();
    },
    posts: "any",
    said: [repeated(like({ type: /^(warning|error)$/ }))],
    expect: { recorded: 30, delivered: 30, sends: [repeated(like({ type: /^(send|late)$/ }), 6)] },
    check: ({ points }) =>
      assert.equal(new Set(points.map(({ end }) => end)).size, 6, "each send with its own time"),
  },

  {
    name: "429 with Retry-After: 1",
    answers: [retryAfter("1")],
    posts: 2,
    said: [RETRY],
    expect: DELIVERED,
    check: (outcome) => assert.ok(gap(outcome) >= 1000, `again after ${gap(outcome)} ms`),
  },
  {
    name: "429 with Retry-After as a date",
    answers: [retryAfter(() => new Date(Date.now() + 2000).toUTCString())],
    posts: 2,
    said: [RETRY],
    expect: DELIVERED,
    check: (outcome) => assert.ok(gap(outcome) >= 900, `again after ${gap(outcome)} ms`),
  },
  ...["soon", "-5", "0", "Sat, 31 Jan 2015 12:00:20 GMT"].map((value): Fault => ({
    name: `429 with Retry-After: ${value}`,
    answers: [retryAfter(value)],
    posts: 2,
    said: [RETRY],
    expect: DELIVERED,
  })),
  ...["UTC", "Asia/Tokyo", "America/New_York"].map((TZ): Fault => ({
    name: `429 with Retry-After as asctime() writes it, with TZ=${TZ}`,
    answers: [retryAfter(() => asctime(new Date(Date.now() + 2000)))],
    env: { TZ },
    posts: 2,
    said: [RETRY],
    expect: DELIVERED,
    check: (outcome) => assert.ok(gap(outcome) >= 900, `again after ${gap(outcome)} ms`),
  })),
  {
    name: "429 with an absurdly long Retry-After",
    answers: [retryAfter("99999999999")],
    said: [error(/lost: 429 .*; Retry-After is 3600 s, longer than --retry-for \(30 s\)/)],
    expect: LOST,
  },
  {
    name: "429 with a Retry-After for everything that follows in a loop",
    answers: [retryAfter("1")],
    args: [...LOOP, "--interval", "0.3", "--iterations", "5"],
    posts: "any",
    said: [repeated(like({ type: /^(warning|error)$/ }))],
    expect: { recorded: 25, delivered: 25, sends: [repeated(like({ type: /^(send|late)$/ }), 5)] },
    check: (outcome) => assert.ok(gap(outcome) >= 1000, `again after ${gap(outcome)} ms`),
  },

  { name: "a partial success without a rejected point", answers: [partial(0)], expect: DELIVERED },
  {
    name: "a partial success with a warning alone",
    answers: [partial(0, "half of it is odd")],
    said: [warning("the receiver says: half of it is odd")],
    expect: DELIVERED,
  },
  {
    name: "a partial success with some points rejected",
    answers: [partial(1, "one is odd")],
    said: [error(/rejected 1 of 3 data points: one is odd/)],
    expect: { delivered: FIVE, outcome: "partial", status: 3 },
  },
  {
    name: "a partial success with all points rejected",
    answers: [partial(3, "all are odd")],
    ambiguous: true,
    said: [refusedFor(/rejected 3 of 3 data points: all are odd/)],
    expect: { ...REJECTED, status: 1 },
  },

  {
    name: "SIGTERM while it waits",
    args: LOOP,
    meanwhile: inTurn(whenReported(1), signal("SIGTERM")),
    expect: DELIVERED,
  },
  {
    name: "SIGINT while it waits",
    args: [...LOOP, ...SPOOL],
    meanwhile: inTurn(whenReported(1), signal("SIGINT")),
    expect: DELIVERED,
  },
  ...[[], SPOOL].flatMap((spool): Fault[] => {
    const how = spool.length > 0 ? "with a spool" : "without a spool";
    const left = spool.length > 0 ? KEPT : LOST;
    const leftSaid = spool.length > 0 ? KEPT_SAID : LOST_SAID;
    const signalled = Promise.withResolvers<void>();
    return [
      {
        name: `SIGTERM while it sends, ${how}, and an answer comes`,
        answers: [() => signalled.promise.then(() => 200)],
        args: [...LOOP, ...spool],
        meanwhile: inTurn(
          whenAsked(1),
          signal("SIGTERM"),
          () => Promise.resolve(signalled.resolve()),
        ),
        expect: DELIVERED,
      },
      {
        name: `SIGTERM while it sends, ${how}, and no answer comes`,
        answers: ["hang", "hang"],
        args: [...LOOP, "--timeout", "1", ...spool],
        meanwhile: inTurn(whenAsked(1), signal("SIGTERM")),
        // Another try follows if there is time left for one.
        posts: "any",
        said: [repeated(NOT_YET), RETRIES, repeated(DUPLICATED), leftSaid],
        expect: left,
      },
      {
        name: `SIGTERM while it backs off, ${how}, and the receiver is back`,
        answers: [retryAfter("3", 503)],
        args: [...LOOP, ...spool],
        meanwhile: inTurn(whenBackingOff, signal("SIGTERM")),
        posts: 2,
        said: [RETRY],
        expect: DELIVERED,
      },
      {
        name: `SIGTERM while it backs off, ${how}, and the receiver is not`,
        answers: Array.from({ length: 9 }, () => 503),
        args: [...LOOP, ...spool],
        meanwhile: inTurn(whenBackingOff, signal("SIGTERM")),
        posts: "any",
        said: [RETRIES, repeated(NOT_YET), leftSaid],
        expect: left,
      },
      {
        name: `SIGTERM while it waits, ${how}, with something pending`,
        answers: Array.from({ length: 9 }, () => 503),
        args: [...LOOP, "--retry-for", "0", ...spool],
        meanwhile: inTurn(whenReported(1), signal("SIGTERM")),
        posts: 2,
        said: [NOT_YET, leftSaid],
        expect: left,
      },
      {
        name: `SIGTERM twice, ${how}`,
        // The last try that follows the first signal gets no answer.
        answers: [retryAfter("2", 503), "hang"],
        args: [...LOOP, "--timeout", "60", ...spool],
        meanwhile: inTurn(whenBackingOff, signal("SIGTERM"), whenAsked(2), signal("SIGTERM")),
        posts: 2,
        said: [RETRY, repeated(NOT_YET), leftSaid],
        expect: left,
      },
    ];
  }),

  {
    name: "a torn file in the spool",
    args: ["--endpoint", "{url}", ...SPOOL],
    files: { "spool/001700000000000-00000000-0badf00d.otlp": "otlp-histogram spool 1 00\n{}" },
    said: [warning(/is torn or none of its requests: not sent, set aside/)],
    expect: DELIVERED,
  },
  {
    name: "a foreign file in the spool",
    args: ["--endpoint", "{url}", ...SPOOL],
    files: { "spool/notes.txt": "important" },
    said: [warning(/notes\.txt.*no files of a spool, not sent, left alone/)],
    expect: DELIVERED,
    check: async ({ program }) => {
      assert.equal(await Deno.readTextFile(`${program.directory}/spool/notes.txt`), "important");
    },
  },
  {
    name: "a spool that cannot be made",
    args: ["--endpoint", "{url}", "--spool", "file/spool"],
    files: { file: "in the way" },
    said: [warning(/Cannot use the spool.*kept in memory only/)],
    expect: DELIVERED,
  },
  {
    name: "a spool that cannot be made, and 503",
    answers: Array.from({ length: 50 }, () => 503),
    args: ["--endpoint", "{url}", "--retry-for", "0", "--spool", "file/spool"],
    files: { file: "in the way" },
    said: [warning(/Cannot use the spool.*kept in memory only/), LOST_SAID],
    expect: LOST,
  },
  {
    name: "--count 0 with an empty spool",
    args: ["--endpoint", "{url}", "--count", "0", ...SPOOL],
    posts: 0,
    expect: { recorded: 0, sends: [] },
  },
];

/** Requests in the spool. */
async function kept(directory: string): Promise<readonly string[]> {
  const names: string[] = [];
  try {
    for await (const { name } of Deno.readDir(`${directory}/spool`)) {
      if (name.includes(".otlp")) names.push(name);
    }
  } catch (thrown) {
    if (!(thrown instanceof Deno.errors.NotFound)) throw thrown;
  }
  return names;
}

function pointsIn(content: Uint8Array): number {
  return decode(content).metrics.reduce((sum, { points }) => sum + points.length, 0);
}

// What needs more than one process, or more than a receiver.

/** One run with a spool in a directory and to a receiver that others share. */
function send(
  cwd: string,
  receiver: Receiver,
  args: readonly string[],
  expected: Omit<Fault, "name" | "args">,
): Promise<Outcome> {
  const fault = { ...expected, name: "", args: ["--endpoint", "{url}", ...SPOOL, ...args] };
  return runFixture(fixtureOf(fault), { cwd, receiver });
}

/** Sends what the spool holds and nothing else, to its end. */
function sendWhatIsLeft(cwd: string, receiver: Receiver, left: number, said: readonly Line[] = []) {
  return send(cwd, receiver, ["--count", "0"], {
    posts: "any",
    said,
    expect: { recorded: left, delivered: left, sends: [repeated(like({ type: "late" }), 1)] },
  });
}

/** Nothing is accepted, and nothing tried again. */
const NOTHING_SENT = ["--retry-for", "0"] as const;
const ALWAYS_503 = Array.from({ length: 1000 }, () => 503);

/** Whether the tests may mount a file system of their own. */
const mayMount = Deno.build.os === "linux" && Deno.uid() === 0;
const needsMount = mayMount ? undefined : "only root on Linux may mount a file system";

async function command(name: string, ...args: readonly string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command(name, { args: [...args] }).output();
  assert.ok(success, `${name} ${args.join(" ")}: ${new TextDecoder().decode(stderr)}`);
}

/** What fills the disk is noticed as well. */
const FILLER = warning(/^"filler" in the spool "spool": .*not sent, left alone/);

/** A file system in memory in the place of the spool's directory. */
async function mounted(
  directory: string,
  options: string,
  work: () => Promise<void>,
): Promise<void> {
  await Deno.mkdir(`${directory}/spool`, { recursive: true });
  await command("mount", "-t", "tmpfs", "-o", options, "tmpfs", `${directory}/spool`);
  try {
    await work();
  } finally {
    await command("umount", `${directory}/spool`);
  }
}

const stories: readonly {
  readonly name: string;
  readonly ignore?: string | undefined;
  readonly run: () => Promise<unknown>;
}[] = [
  {
    name: "SIGTERM while it records",
    run: () =>
      runFixture({
        args: [...LOOP],
        meanwhile: async ({ program }) => {
          await program.waitForStdout("Press Ctrl+C");
          program.signal("SIGTERM");
        },
        posts: "any",
        // How far it comes before the signal does is the machine's affair.
        stdout: [
          ...loopHeading(60, PLAIN_URL),
          repeated(/^(\[TIME\] .*|Stopping\.\.\. .*|)$/),
          /^Delivered (0 of 0|5 of 5) measurements in /,
          ...LOAD,
          "Shutdown complete.",
        ],
        check: ({ accepted, stdout }) =>
          assert.ok(stdout.includes(`Delivered ${measurementsIn(...accepted)} of `)),
      }),
  },
  {
    name: "garbage in the place of HTTP",
    run: () => againstRaw("SSH-2.0-OpenSSH_9.9\r\n\r\n"),
  },
  {
    name: "HTTP with a broken head",
    run: () => againstRaw("HTTP/1.1 200\x00 OK\r\nno colon here\r\n\r\n"),
  },
  {
    name: "a spool left by one process, sent by the next",
    run: () =>
      inDirectory(async (cwd) => {
        await using receiver = await startReceiver({ answers: [503] });
        await send(cwd, receiver, NOTHING_SENT, { said: [KEPT_SAID], expect: KEPT });
        const { points } = await send(cwd, receiver, [], {
          posts: 2,
          expect: {
            recorded: 10,
            delivered: 10,
            sends: [like({ type: "late" }), like({ type: "send", outcome: "accepted" })],
          },
        });
        assert.ok((points[0]?.end ?? 0n) < (points.at(-1)?.end ?? 0n), "oldest first");
        assert.deepEqual(await kept(cwd), []);
      }),
  },
  {
    name: "--count 0 sends what the spool holds, and no more",
    run: () =>
      inDirectory(async (cwd) => {
        await using receiver = await startReceiver({ answers: [503, 503] });
        await send(cwd, receiver, NOTHING_SENT, { said: [KEPT_SAID], expect: KEPT });
        await send(cwd, receiver, [...NOTHING_SENT, "--compression", "none"], {
          said: [error(/^10 measurements not delivered, kept in spool/)],
          expect: { recorded: 10, pending: 10, outcome: "failed" },
        });
        await sendWhatIsLeft(cwd, receiver, 10);
        // The second process sent what the first had left, and not its own; each time the very same bytes.
        const bodies = receiver.requests.map(({ body }) => body);
        assert.equal(bodies.length, 4);
        assert.deepEqual([bodies[1], bodies[2]], [bodies[0], bodies[0]]);
        assert.deepEqual(
          receiver.requests.map(({ headers }) => headers.get("content-encoding")),
          ["gzip", "gzip", "gzip", null],
        );
      }),
  },
  {
    name: "--count 0 with a receiver that is down keeps everything",
    run: () =>
      inDirectory(async (cwd) => {
        await using receiver = await startReceiver({ answers: ALWAYS_503 });
        await send(cwd, receiver, NOTHING_SENT, { said: [KEPT_SAID], expect: KEPT });
        const before = await kept(cwd);
        await send(cwd, receiver, [...NOTHING_SENT, "--count", "0"], {
          said: [KEPT_SAID],
          expect: { pending: FIVE, sends: [] },
        });
        assert.deepEqual(await kept(cwd), before);
      }),
  },
  {
    name: "two processes on one spool: the second one says so and ends with 2",
    run: () =>
      inDirectory(async (cwd) => {
        await using receiver = await startReceiver();
        await send(cwd, receiver, ["--loop"], {
          meanwhile: async ({ program }) => {
            await program.waitForStdout('"type":"send"');
            await runFixture({
              args: ["--endpoint", "{url}", "--output", "json", ...SPOOL],
              posts: 0,
              status: 2,
              stderr: [error(/^Another process uses the spool "spool"/)],
            }, { cwd, receiver });
            program.signal("SIGTERM");
          },
          expect: DELIVERED,
        });
        // The lock ends with the process.
        await send(cwd, receiver, [], { expect: DELIVERED });
      }),
  },
  {
    name: "a spool whose process was killed is free for the next",
    run: () =>
      inDirectory(async (cwd) => {
        await using receiver = await startReceiver({ answers: ["hang"] });
        await killedWhenAsked(cwd, receiver, []);
        // The killed process may have delivered it.
        await sendWhatIsLeft(cwd, receiver, FIVE, [DUPLICATED]);
      }),
  },
  {
    name: "a directory for the spool that is read-only",
    run: () =>
      inDirectory(async (cwd) => {
        const sends = async () => {
          await using receiver = await startReceiver();
          await send(cwd, receiver, [], {
            said: [warning(/Cannot use the spool.*kept in memory only/)],
            expect: DELIVERED,
          });
        };
        if (mayMount) return await mounted(cwd, "size=1m,ro", sends);
        await Deno.mkdir(`${cwd}/spool`, { mode: 0o555 });
        await sends();
      }),
  },
  {
    name: "a full disk",
    ignore: needsMount,
    run: () =>
      inDirectory((cwd) =>
        mounted(cwd, "size=16k", async () => {
          await Deno.writeFile(`${cwd}/spool/filler`, new Uint8Array(16384)).catch(() => {});
          await using receiver = await startReceiver({ answers: [503] });
          await send(cwd, receiver, ["--loop", "--interval", "0", "--iterations", "3"], {
            posts: 4,
            // Said once.
            said: [FILLER, warning(/Cannot (use|write to) the spool/), RETRY],
            expect: { recorded: 15, delivered: 15, sends: [repeated(like({ type: "send" }), 3)] },
          });
        })
      ),
  },
  {
    name: "a disk that is full and has room again before the end",
    ignore: needsMount,
    run: () =>
      inDirectory((cwd) =>
        mounted(cwd, "size=64k", async () => {
          // The lock's own file is there before the disk is full.
          await using receiver = await startReceiver({ answers: ALWAYS_503 });
          await Deno.writeTextFile(`${cwd}/spool/lock`, "");
          await Deno.writeFile(`${cwd}/spool/filler`, new Uint8Array(65536)).catch(() => {});
          await send(cwd, receiver, ["--loop"], {
            meanwhile: async (world) => {
              await whenAsked(1)(world);
              await Deno.remove(`${cwd}/spool/filler`);
              world.program.signal("SIGTERM");
            },
            posts: "any",
            said: [
              FILLER,
              warning(/Cannot write to the spool/),
              RETRIES,
              repeated(NOT_YET),
              KEPT_SAID,
            ],
            expect: KEPT,
          });
          assert.equal((await kept(cwd)).length, 1);
        })
      ),
  },
  {
    name: "shutdown while the destination is down deletes nothing (opentelemetry-collector #15677)",
    run: () =>
      inDirectory(async (cwd) => {
        await using receiver = await startReceiver({ answers: ALWAYS_503 });
        const { summary } = await runFixture({
          ...everyInterval(...SPOOL),
          meanwhile: inTurn(whenReported(4), signal("SIGTERM")),
        }, { cwd, receiver });
        const { recorded = 0, pending } = summary;
        assert.ok(recorded >= 20 && pending === recorded, `${pending} of ${recorded}`);
        assert.equal((await kept(cwd)).length, recorded / 5);
        await using back = await startReceiver();
        await sendWhatIsLeft(cwd, back, recorded);
      }),
  },
  {
    name:
      "what is recorded is kept before it is sent, whatever kills the process (opentelemetry-collector #12711)",
    run: () =>
      inDirectory(async (cwd) => {
        // Killed while the first of several requests is under way: those behind it are kept as well.
        await using receiver = await startReceiver({ answers: ["hang"] });
        await killedWhenAsked(cwd, receiver, ["--series", "7000"], "{url}/api/v2/otlp");
        assert.equal((await kept(cwd)).length, 3);
        await using back = await startReceiver();
        await sendWhatIsLeft(cwd, back, 7000, [repeated(DUPLICATED, 1)]);
      }),
  },
  {
    name:
      "an outage longer than the bounds has its losses named and counted (opentelemetry-collector #15324)",
    run: () =>
      inDirectory(async (cwd) => {
        await using receiver = await startReceiver({ answers: ALWAYS_503 });
        const { summary, stderr } = await runFixture({
          ...everyInterval("--compression", "none", "--max-pending-mb", "0.005", ...SPOOL),
          meanwhile: async ({ program }) => {
            await program.waitForStderr(/(?:dropped, not delivered: more than 0.005 MB[^]*){3}/);
            program.signal("SIGTERM");
          },
        }, { cwd, receiver });
        const { recorded, dropped = 0, pending = 0 } = summary;
        const named = [...stderr.matchAll(/(\d+) measurements of iteration \d+ dropped/g)];
        assert.equal(named.reduce((sum, [, count]) => sum + Number(count), 0), dropped);
        assert.equal(recorded, dropped + pending);
        assert.equal((await kept(cwd)).length, pending / 5);
      }),
  },
];

/** A loop with a short interval to a receiver that takes nothing, until a signal ends it. */
function everyInterval(...args: readonly string[]): Setup & Expectation {
  return {
    args: [...LOOP, "--output", "json", "--interval", "0.1", ...NOTHING_SENT, ...args],
    posts: "any",
    status: 1,
    stdout: SENDS_AND_SUMMARY,
    stderr: [repeated(like({ type: /^(warning|error)$/ }), 1)],
  };
}

/** A run with a spool that is killed once a request has come. */
async function killedWhenAsked(
  cwd: string,
  receiver: Receiver,
  args: readonly string[],
  endpoint = "{url}",
): Promise<void> {
  const asked = receiver.requests.length + 1;
  await runFixture({
    args: ["--endpoint", endpoint, "--output", "json", ...args, ...SPOOL],
    meanwhile: inTurn(whenAsked(asked), signal("SIGKILL")),
    posts: 1,
    status: 137,
  }, { cwd, receiver });
}

async function againstRaw(text: string): Promise<void> {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  let connections = 0;
  const serving = (async () => {
    for await (const connection of listener) {
      connections++;
      await connection.read(new Uint8Array(65536)).catch(() => {});
      await connection.write(new TextEncoder().encode(text)).catch(() => {});
      connection.close();
    }
  })();
  const { port } = listener.addr;
  await runFixture(fixtureOf({
    name: "",
    args: ["--endpoint", `http://127.0.0.1:${port}`, "--retry-for", "0.5"],
    posts: 0,
    said: [RETRIES, repeated(DUPLICATED), LOST_SAID],
    expect: LOST,
  }));
  assert.ok(connections >= 1);
  listener.close();
  await serving.catch(() => {});
}

testAtOnce([
  ...faults.map(fixtureOf).map((fixture) => ({ ...fixture, run: () => runFixture(fixture) })),
  ...stories.map((story) => ({ ...story, name: `faults: ${story.name}` })),
]);
