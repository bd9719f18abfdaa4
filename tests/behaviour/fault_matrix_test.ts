import assert from "node:assert/strict";
import { createAuthority } from "../support/certificates.ts";
import { decode, partialSuccess } from "../support/decode.ts";
import { type Finished, type Program, startProgram } from "../support/program.ts";
import {
  type ExportAnswer,
  type ReceivedRequest,
  type Receiver,
  type ServerTls,
  startReceiver,
} from "../support/receiver.ts";

/**
 * A kind of trouble, and what has to become of the five measurements of each send. Of every row: the ledger adds up,
 * the exit status is the summary's, and what the receiver answered with 200 is what the program says it delivered.
 */
interface Row {
  readonly name: string;
  readonly answers?: readonly ExportAnswer[];
  readonly tls?: ServerTls | "broken";
  /** Nothing listens at the receiver's port. */
  readonly stopped?: boolean;
  /** `{url}` and `{port}` are replaced; added to QUICK. By default `--endpoint {url}`. */
  readonly args?: readonly string[];
  /** Files in the working directory: path and text. */
  readonly files?: Readonly<Record<string, string>>;
  readonly meanwhile?: (world: World) => Promise<void>;
  readonly expect: Partial<Ledger> & {
    /** 0 when everything is delivered, else 1. */
    readonly exitCode?: number;
    /** Of each send in turn. */
    readonly outcomes?: readonly string[];
    readonly requests?: number;
    readonly possiblyDuplicated?: boolean;
    readonly stderr?: RegExp;
  };
  /** The receiver may have taken what the program cannot know of. */
  readonly ambiguous?: boolean;
  readonly check?: (world: World, finished: Finished) => void | Promise<void>;
}

interface World {
  readonly receiver: Receiver;
  readonly program: Program;
}

interface Ledger {
  readonly recorded: number;
  readonly delivered: number;
  readonly rejected: number;
  readonly dropped: number;
  readonly pending: number;
}

const QUICK = [["--output", "json"], ["--timeout", "0.4"], ["--retry-for", "2.5"]] as const;
const LOOP = ["--endpoint", "{url}", "--loop"] as const;
const SPOOL = ["--spool", "spool"] as const;
const ONE_SEND = 5;

const DELIVERED = { delivered: 5, outcomes: ["accepted"] } as const;
const REJECTED = { rejected: 5, outcomes: ["rejected"], requests: 1 } as const;
const LOST = {
  dropped: 5,
  outcomes: ["failed"],
  stderr: /5 measurements not delivered and lost/,
} as const;
const KEPT = {
  pending: 5,
  stderr: /5 measurements not delivered, kept in spool: the next start sends them/,
} as const;

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

const retryAfter = (value: string | (() => string)): ExportAnswer => () => ({
  status: 429,
  headers: { "retry-after": typeof value === "string" ? value : value() },
});
const partial = (points: number, message = ""): ExportAnswer => ({
  headers: { "content-type": "application/x-protobuf" },
  body: partialSuccess(points, message),
});
/** How long after the first request the second came, in ms. */
const gap = ({ receiver: { requests: [one, two] } }: World) => (two?.at ?? NaN) - (one?.at ?? NaN);

const authority = await createAuthority();
const certificate = await authority.server(["127.0.0.1"]);

const rows: readonly Row[] = [
  { name: "200", expect: { ...DELIVERED, requests: 1 } },
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
  ...[204, 400, 401, 403, 404, 405, 415, 500, 501].map((status): Row => ({
    name: String(status),
    answers: [status],
    expect: REJECTED,
  })),
  {
    name: "413 for every request",
    answers: Array.from({ length: 9 }, () => 413),
    expect: { rejected: 5, outcomes: ["rejected"], requests: 5 },
  },
  {
    name: "413 for more than one point",
    answers: Array.from(
      { length: 9 },
      () => ({ content }: ReceivedRequest) => pointsIn(content) > 1 ? 413 : 200,
    ),
    expect: { ...DELIVERED, requests: 5 },
  },
  {
    name: "413, and 503 for a half of it",
    answers: [413, 503],
    expect: { ...DELIVERED, requests: 4 },
  },
  {
    name: "413, and 400 for a half of it",
    answers: [413, 400],
    expect: { delivered: 1, rejected: 4, outcomes: ["partial"], requests: 3 },
  },
  ...[429, 502, 503, 504].map((status): Row => ({
    name: `${status}, then 200`,
    answers: [status],
    expect: { ...DELIVERED, requests: 2, possiblyDuplicated: false },
  })),
  ...[[429, 503], [502, 504]].map((statuses): Row => ({
    name: `${statuses.join(", ")}, then 200`,
    answers: statuses,
    args: ["--endpoint", "{url}", "--retry-for", "10"],
    expect: { ...DELIVERED, requests: 3 },
  })),
  { name: "503, then 401", answers: [503, 401], expect: { ...REJECTED, requests: 2 } },
  { name: "503, then a redirect", answers: [503, 302], expect: { ...REJECTED, requests: 2 } },
  {
    name: "503 for longer than --retry-for",
    answers: Array.from({ length: 50 }, () => 503),
    args: ["--endpoint", "{url}", "--retry-for", "1"],
    expect: LOST,
  },
  {
    name: "503 for longer than --retry-for, then 200 in a loop",
    answers: [503, 503, 503],
    args: [...LOOP, "--interval", "0.2", "--iterations", "5"],
    expect: { recorded: 25, delivered: 25 },
  },
  ...[301, 302, 303, 307, 308].map((status): Row => ({
    name: `a redirect with ${status}`,
    answers: [() => ({ status, headers: { location: "/elsewhere" } })],
    expect: { ...REJECTED, stderr: /redirects are not followed/ },
  })),
  {
    name: "a sign-in page with 200",
    answers: [{
      headers: { "content-type": "text/html" },
      body: "<html><title>Sign in</title></html>",
    }],
    ambiguous: true,
    expect: { ...REJECTED, stderr: /no OTLP answer: a web page, \\"Sign in/ },
  },
  {
    name: "nobody at the port",
    stopped: true,
    args: ["--endpoint", "{url}", "--retry-for", "0.5"],
    expect: LOST,
  },
  {
    name: "a connection closed before the request",
    answers: ["refuse"],
    ambiguous: true,
    expect: DELIVERED,
  },
  {
    name: "a reset before the body",
    answers: ["reset-before-body"],
    ambiguous: true,
    expect: DELIVERED,
  },
  {
    name: "a reset after the body",
    answers: ["reset-after-body"],
    expect: { ...DELIVERED, requests: 2, possiblyDuplicated: true, stderr: /possibly duplicated/ },
  },
  {
    name: "a reset after the body, every time",
    answers: Array.from({ length: 50 }, () => "reset-after-body" as const),
    args: ["--endpoint", "{url}", "--retry-for", "0.6"],
    expect: LOST,
  },
  {
    name: "half an answer",
    answers: ["half-answer"],
    expect: { ...DELIVERED, requests: 2, possiblyDuplicated: true },
  },
  {
    name: "an answer that trickles in, in time",
    answers: [{ everyMs: 5 }],
    args: ["--endpoint", "{url}", "--timeout", "9"],
    expect: { ...DELIVERED, requests: 1, possiblyDuplicated: false },
  },
  {
    name: "an answer that trickles in, too slowly",
    answers: [{ everyMs: 50 }],
    ambiguous: true,
    expect: { ...DELIVERED, requests: 2, possiblyDuplicated: true },
  },
  {
    name: "an answer without end",
    answers: ["endless"],
    args: ["--endpoint", "{url}", "--timeout", "9"],
    expect: { ...REJECTED, stderr: /larger than the 4 MiB/ },
  },
  {
    name: "an answer of more than 4 MiB",
    answers: [{ body: new Uint8Array(4 * 2 ** 20 + 1) }],
    args: ["--endpoint", "{url}", "--timeout", "9"],
    ambiguous: true,
    expect: { ...REJECTED, stderr: /larger than the 4 MiB/ },
  },
  {
    name: "a 503 of more than 4 MiB, then 200",
    answers: [{ status: 503, body: new Uint8Array(4 * 2 ** 20 + 1) }],
    args: ["--endpoint", "{url}", "--timeout", "9"],
    expect: { ...DELIVERED, requests: 2 },
  },
  {
    name: "no answer, then 200",
    answers: ["hang"],
    expect: { ...DELIVERED, requests: 2, possiblyDuplicated: true },
  },
  {
    name: "no answer, ever",
    answers: Array.from({ length: 50 }, () => "hang" as const),
    args: ["--endpoint", "{url}", "--retry-for", "0.5"],
    expect: { ...LOST, stderr: /no answer within 0\.4 s/ },
  },
  {
    name: "a name that nobody knows",
    args: ["--endpoint", "http://nobody.invalid:4318", "--retry-for", "0.2", "--timeout", "5"],
    expect: { ...LOST, requests: 0, stderr: /the name nobody\.invalid is not known here/ },
  },
  {
    name: "TLS that breaks off half-way",
    tls: "broken",
    args: ["--endpoint", "{url}", "--retry-for", "0.5"],
    expect: { ...LOST, requests: 0 },
  },
  {
    name: "a certificate that nobody signed",
    tls: certificate,
    expect: { ...LOST, requests: 0 },
    check: ({ receiver }) => assert.equal(receiver.connections, 1, "not tried again within a send"),
  },
  {
    name: "plain HTTP where TLS is expected",
    args: ["--endpoint", "https://127.0.0.1:{port}", "--retry-for", "0.5"],
    expect: { ...LOST, requests: 0 },
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
    expect: { recorded: 30, delivered: 30 },
    check: ({ receiver }) => {
      const ends = receiver.requests.flatMap(({ content }) =>
        decode(content).metrics.flatMap(({ points }) => points.map(({ end }) => end))
      );
      assert.equal(new Set(ends).size, 6, "each send with its own time");
    },
  },

  {
    name: "429 with Retry-After: 1",
    answers: [retryAfter("1")],
    expect: { ...DELIVERED, requests: 2 },
    check: (world) => assert.ok(gap(world) >= 1000, `again after ${gap(world)} ms`),
  },
  {
    name: "429 with Retry-After as a date",
    answers: [retryAfter(() => new Date(Date.now() + 2000).toUTCString())],
    args: ["--endpoint", "{url}", "--retry-for", "5"],
    expect: { ...DELIVERED, requests: 2 },
    check: (world) => assert.ok(gap(world) >= 900, `again after ${gap(world)} ms`),
  },
  ...["soon", "-5", "0", "Sat, 31 Jan 2015 12:00:20 GMT"].map((value): Row => ({
    name: `429 with Retry-After: ${value}`,
    answers: [retryAfter(value)],
    expect: { ...DELIVERED, requests: 2 },
  })),
  {
    name: "429 with an absurdly long Retry-After",
    answers: [retryAfter("99999999999")],
    expect: { ...LOST, requests: 1 },
  },
  {
    name: "429 with a Retry-After for everything that follows in a loop",
    answers: [retryAfter("1")],
    args: [...LOOP, "--interval", "0.3", "--iterations", "5"],
    expect: { recorded: 25, delivered: 25 },
    check: (world) => assert.ok(gap(world) >= 1000, `again after ${gap(world)} ms`),
  },

  { name: "a partial success without a rejected point", answers: [partial(0)], expect: DELIVERED },
  {
    name: "a partial success with a warning alone",
    answers: [partial(0, "half of it is odd")],
    expect: { ...DELIVERED, stderr: /the receiver says: half of it is odd/ },
  },
  {
    name: "a partial success with some points rejected",
    answers: [partial(1, "one is odd")],
    expect: {
      delivered: 5,
      outcomes: ["partial"],
      exitCode: 3,
      requests: 1,
      stderr: /rejected 1 of 3 data points: one is odd/,
    },
  },
  {
    name: "a partial success with all points rejected",
    answers: [partial(3, "all are odd")],
    ambiguous: true,
    expect: { ...REJECTED, exitCode: 1, stderr: /rejected 3 of 3 data points: all are odd/ },
  },

  {
    name: "SIGTERM while it waits",
    args: [...LOOP],
    meanwhile: inTurn(whenReported(1), signal("SIGTERM")),
    expect: { recorded: 5, delivered: 5 },
  },
  {
    name: "SIGINT while it waits",
    args: [...LOOP, ...SPOOL],
    meanwhile: inTurn(whenReported(1), signal("SIGINT")),
    expect: { recorded: 5, delivered: 5 },
    check: noneKept,
  },
  ...[[], SPOOL].flatMap((spool): Row[] => {
    const how = spool.length > 0 ? "with a spool" : "without a spool";
    const left = spool.length > 0 ? KEPT : { ...LOST, outcomes: ["failed"] };
    return [
      {
        name: `SIGTERM while it sends, ${how}, and an answer comes`,
        answers: [{ delayMs: 150 }],
        args: [...LOOP, ...spool],
        meanwhile: inTurn(whenAsked(1), signal("SIGTERM")),
        expect: { ...DELIVERED, requests: 1 },
        check: noneKept,
      },
      {
        name: `SIGTERM while it sends, ${how}, and no answer comes`,
        answers: ["hang", "hang"],
        args: [...LOOP, ...spool],
        meanwhile: inTurn(whenAsked(1), signal("SIGTERM")),
        expect: left,
        check: (_, { durationMs }) => assert.ok(durationMs < 5000, `it took ${durationMs} ms`),
      },
      {
        name: `SIGTERM while it backs off, ${how}, and the receiver is back`,
        answers: [() => ({ status: 503 })],
        args: [...LOOP, ...spool],
        meanwhile: inTurn(whenBackingOff, signal("SIGTERM")),
        expect: { ...DELIVERED, requests: 2 },
        check: noneKept,
      },
      {
        name: `SIGTERM while it backs off, ${how}, and the receiver is not`,
        answers: Array.from({ length: 9 }, () => 503),
        args: [...LOOP, ...spool],
        meanwhile: inTurn(whenBackingOff, signal("SIGTERM")),
        expect: left,
      },
      {
        name: `SIGTERM while it waits, ${how}, with something pending`,
        answers: Array.from({ length: 9 }, () => 503),
        args: [...LOOP, "--retry-for", "0.1", ...spool],
        meanwhile: inTurn(whenReported(1), signal("SIGTERM")),
        expect: { ...left, requests: 2 },
      },
      {
        name: `SIGTERM twice, ${how}`,
        // The last try that follows the first signal gets no answer.
        answers: [{ status: 503, headers: { "retry-after": "2" } }, "hang"],
        args: [...LOOP, "--timeout", "15", ...spool],
        meanwhile: inTurn(whenBackingOff, signal("SIGTERM"), whenAsked(2), signal("SIGTERM")),
        expect: left,
        check: (_, { durationMs }) => assert.ok(durationMs < 10_000, `it took ${durationMs} ms`),
      },
    ];
  }),

  {
    name: "a torn file in the spool",
    args: ["--endpoint", "{url}", ...SPOOL],
    files: { "spool/001700000000000-00000000-0badf00d.otlp": "otlp-histogram spool 1 00\n{}" },
    expect: {
      ...DELIVERED,
      requests: 1,
      stderr: /is torn or none of its requests: not sent, set aside/,
    },
  },
  {
    name: "a foreign file in the spool",
    args: ["--endpoint", "{url}", ...SPOOL],
    files: { "spool/notes.txt": "important" },
    expect: {
      ...DELIVERED,
      requests: 1,
      stderr: /notes\.txt.*no files of a spool, not sent, left alone/,
    },
    check: async ({ program }) => {
      assert.equal(await Deno.readTextFile(`${program.directory}/spool/notes.txt`), "important");
    },
  },
  {
    name: "a spool that cannot be made",
    args: ["--endpoint", "{url}", "--spool", "file/spool"],
    files: { file: "in the way" },
    expect: { ...DELIVERED, stderr: /Cannot use the spool.*kept in memory only/ },
  },
  {
    name: "a spool that cannot be made, and 503",
    answers: Array.from({ length: 50 }, () => 503),
    args: ["--endpoint", "{url}", "--retry-for", "0.3", "--spool", "file/spool"],
    files: { file: "in the way" },
    expect: LOST,
  },
  {
    name: "--count 0 with an empty spool",
    args: ["--endpoint", "{url}", "--count", "0", ...SPOOL],
    expect: { recorded: 0, outcomes: [], requests: 0 },
  },
];

async function noneKept({ program }: World): Promise<void> {
  assert.deepEqual(await kept(program.directory), []);
}

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

function measurementsIn(content: Uint8Array): number {
  return decode(content).metrics.flatMap(({ points }) => points).reduce(
    (sum, { count }) => sum + count,
    0,
  );
}

/** Measurements in the requests that the receiver answered with 200. */
function taken({ requests }: Receiver): number {
  return requests.filter(({ answered }) => answered === 200).reduce(
    (sum, { content }) => sum + measurementsIn(content),
    0,
  );
}

/** What is not given is quick: no flag may come twice. */
function quickly(...args: readonly string[]): readonly string[] {
  return [...QUICK.flatMap((pair) => args.includes(pair[0]) ? [] : pair), ...args];
}

type Line = Readonly<Record<string, unknown>>;

function jsonLines(text: string): readonly Line[] {
  return text.split("\n").filter((line) => line !== "").map((line): Line => {
    const parsed: unknown = JSON.parse(line);
    assert.ok(typeof parsed === "object" && parsed !== null, `no object: ${line}`);
    return { ...parsed };
  });
}

/** The ledger of a run's summary, checked in itself and against the exit status. */
function ledgerOf(
  { stdout, stderr, status }: Finished,
): Ledger & { readonly lines: readonly Line[] } {
  const lines = jsonLines(stdout);
  const summary = lines.at(-1) ?? {};
  assert.equal(summary["type"], "summary", `the last line is no summary:\n${stdout}\n${stderr}`);
  const number = (name: string) => {
    const value = summary[name];
    assert.ok(typeof value === "number", `${name} is ${value}`);
    return value;
  };
  const ledger = {
    recorded: number("recorded"),
    delivered: number("delivered"),
    rejected: number("rejected"),
    dropped: number("dropped"),
    pending: number("pending"),
  };
  const { recorded, delivered, rejected, dropped, pending } = ledger;
  assert.equal(recorded, delivered + rejected + dropped + pending, JSON.stringify(summary));
  assert.equal(status, summary["exitCode"], "the exit status is the summary's");
  if (rejected + dropped + pending > 0) {
    assert.equal(status, 1, "what is not delivered is no success");
  }
  for (const line of jsonLines(stderr)) assert.match(String(line["type"]), /^(error|warning)$/);
  return { ...ledger, lines };
}

async function play(row: Row): Promise<void> {
  await using receiver = await startReceiver({
    answers: row.answers ?? [],
    ...row.tls !== undefined && { tls: row.tls },
  });
  if (row.stopped) await receiver.stop();
  const args = (row.args ?? ["--endpoint", "{url}"]).map((arg) =>
    arg.replaceAll("{url}", receiver.url).replaceAll("{port}", String(receiver.port))
  );
  await using program = await startProgram({
    args: quickly(...args),
    ...row.files && { files: row.files },
  });
  const world = { receiver, program };
  await row.meanwhile?.(world);
  const finished = await program.finished;
  const { lines, ...ledger } = ledgerOf(finished);
  const { outcomes, requests, possiblyDuplicated, stderr, exitCode, ...expected } = row.expect;
  const told = `${finished.stdout}\n${finished.stderr}`;
  assert.deepEqual(ledger, {
    recorded: ONE_SEND,
    delivered: 0,
    rejected: 0,
    dropped: 0,
    pending: 0,
    ...expected,
  }, told);
  const sends = lines.filter(({ type }) => type === "send");
  if (outcomes) assert.deepEqual(sends.map(({ outcome }) => outcome), outcomes, told);
  if (requests !== undefined) assert.equal(receiver.requests.length, requests, told);
  if (possiblyDuplicated !== undefined) {
    assert.equal(sends.some((send) => send["possiblyDuplicated"]), possiblyDuplicated, told);
  }
  assert.match(finished.stderr, stderr ?? /^/);
  assert.equal(finished.status, exitCode ?? (ledger.delivered === ledger.recorded ? 0 : 1), told);
  const took = taken(receiver);
  if (row.ambiguous) {
    assert.ok(took >= ledger.delivered, `${took} taken, ${ledger.delivered} delivered`);
  } else assert.equal(took, ledger.delivered, `the receiver took ${took}\n${told}`);
  const keeps = (row.args ?? []).includes("spool");
  if (keeps) {
    assert.equal(
      (await kept(program.directory)).length > 0,
      ledger.pending > 0,
      "what is pending is in the spool",
    );
  }
  await row.check?.(world, finished);
}

// Rows that need more than one process, or more than a receiver.

/** Runs `work` in a directory that is removed afterwards. */
async function inDirectory(work: (directory: string) => Promise<void>): Promise<void> {
  const directory = await Deno.makeTempDir({ prefix: "otlp-histogram-test-" });
  try {
    await work(directory);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

async function send(cwd: string, receiver: Receiver, ...args: readonly string[]) {
  await using program = await startProgram({
    cwd,
    args: quickly("--endpoint", receiver.url, ...args),
  });
  const finished = await program.finished;
  return { ...finished, ...ledgerOf(finished) };
}

const ALWAYS_503 = Array.from({ length: 100 }, () => 503);

/** Whether the tests may mount a file system of their own. */
const mayMount = Deno.build.os === "linux" && Deno.uid() === 0;

async function command(name: string, ...args: readonly string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command(name, { args: [...args] }).output();
  assert.ok(success, `${name} ${args.join(" ")}: ${new TextDecoder().decode(stderr)}`);
}

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
  readonly ignore?: boolean;
  readonly tell: () => Promise<void>;
}[] = [
  {
    name: "SIGTERM while it records",
    tell: async () => {
      await using receiver = await startReceiver();
      await using program = await startProgram({ args: ["--endpoint", receiver.url, "--loop"] });
      await program.waitForStdout("Press Ctrl+C");
      program.signal("SIGTERM");
      const { status, stdout } = await program.finished;
      const [, delivered, recorded] = /Delivered (\d+) of (\d+) measurements?/.exec(stdout) ?? [];
      assert.equal(status, 0);
      assert.equal(delivered, recorded, stdout);
      assert.equal(Number(delivered), taken(receiver));
      assert.match(stdout, /Shutdown complete\.\n$/);
    },
  },
  {
    name: "garbage in the place of HTTP",
    tell: () => againstRaw("SSH-2.0-OpenSSH_9.9\r\n\r\n"),
  },
  {
    name: "HTTP with a broken head",
    tell: () => againstRaw("HTTP/1.1 200\x00 OK\r\nno colon here\r\n\r\n"),
  },
  {
    name: "a spool left by one process, sent by the next",
    tell: () =>
      inDirectory(async (cwd) => {
        await using receiver = await startReceiver({ answers: ALWAYS_503.slice(0, 1) });
        const first = await send(cwd, receiver, ...SPOOL, "--retry-for", "0");
        assert.deepEqual([first.pending, first.status], [5, 1]);
        assert.match(first.stderr, /kept in spool: the next start sends them/);
        const second = await send(cwd, receiver, ...SPOOL);
        assert.deepEqual([second.recorded, second.delivered, second.status], [10, 10, 0]);
        assert.equal(taken(receiver), 10);
        const [, before, after] = receiver.requests.map(({ content }) =>
          decode(content).metrics[0]?.points[0]
        );
        assert.ok((before?.end ?? 0n) < (after?.end ?? 0n), "oldest first");
        assert.deepEqual(second.lines.map(({ type }) => type), ["late", "send", "summary"]);
        assert.deepEqual(await kept(cwd), []);
      }),
  },
  {
    name: "--count 0 sends what the spool holds, and no more",
    tell: () =>
      inDirectory(async (cwd) => {
        await using receiver = await startReceiver({ answers: ALWAYS_503.slice(0, 2) });
        for (const compression of ["gzip", "none"]) {
          await send(cwd, receiver, ...SPOOL, "--compression", compression, "--retry-for", "0");
        }
        const emptied = await send(cwd, receiver, ...SPOOL, "--count", "0");
        assert.deepEqual([emptied.recorded, emptied.delivered, emptied.status], [10, 10, 0]);
        assert.equal(taken(receiver), 10);
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
    tell: () =>
      inDirectory(async (cwd) => {
        await using receiver = await startReceiver({ answers: ALWAYS_503 });
        await send(cwd, receiver, ...SPOOL, "--retry-for", "0");
        const before = await kept(cwd);
        const { pending, status } = await send(
          cwd,
          receiver,
          ...SPOOL,
          "--count",
          "0",
          "--retry-for",
          "0",
        );
        assert.deepEqual([pending, status], [5, 1]);
        assert.deepEqual(await kept(cwd), before);
      }),
  },
  {
    name: "two processes on one spool: the second one says so and ends with 2",
    tell: () =>
      inDirectory(async (cwd) => {
        await using receiver = await startReceiver();
        const args = quickly("--endpoint", receiver.url, "--loop", ...SPOOL);
        await using first = await startProgram({ cwd, args });
        await first.waitForStdout('"type":"send"');
        await using second = await startProgram({ cwd, args });
        const { status, stdout, stderr } = await second.finished;
        assert.deepEqual([status, stdout], [2, ""]);
        assert.match(stderr, /Another process uses the spool \\"spool\\"/);
        assert.equal(receiver.requests.length, 1);
        first.signal("SIGTERM");
        assert.equal((await first.finished).status, 0);
        assert.equal(
          (await send(cwd, receiver, ...SPOOL)).status,
          0,
          "the lock ends with the process",
        );
      }),
  },
  {
    name: "a spool whose process was killed is free for the next",
    tell: () =>
      inDirectory(async (cwd) => {
        await using receiver = await startReceiver({ answers: ["hang"] });
        await using first = await startProgram({
          cwd,
          args: ["--endpoint", receiver.url, ...SPOOL],
        });
        await receiver.waitForRequests(1);
        first.signal("SIGKILL");
        await first.finished;
        const next = await send(cwd, receiver, ...SPOOL, "--count", "0");
        assert.deepEqual([next.delivered, next.status], [5, 0]);
        assert.equal(taken(receiver), 5);
        assert.match(
          next.stderr,
          /possibly duplicated/,
          "the killed process may have delivered it",
        );
      }),
  },
  {
    name: "a directory for the spool that is read-only",
    tell: () =>
      inDirectory(async (cwd) => {
        const sends = async () => {
          await using receiver = await startReceiver();
          const { delivered, status, stderr } = await send(cwd, receiver, ...SPOOL);
          assert.deepEqual([delivered, status, taken(receiver)], [5, 0, 5]);
          assert.match(stderr, /Cannot use the spool.*kept in memory only/);
        };
        if (mayMount) return await mounted(cwd, "size=1m,ro", sends);
        await Deno.mkdir(`${cwd}/spool`, { mode: 0o555 });
        await sends();
      }),
  },
  {
    name: `a full disk${mayMount ? "" : " (not run: only root on Linux may make one)"}`,
    ignore: !mayMount,
    tell: () =>
      inDirectory((cwd) =>
        mounted(cwd, "size=16k", async () => {
          await Deno.writeFile(`${cwd}/spool/filler`, new Uint8Array(16384)).catch(() => {});
          await using receiver = await startReceiver({ answers: [503] });
          const { delivered, recorded, status, stderr } = await send(
            cwd,
            receiver,
            ...SPOOL,
            "--loop",
            "--interval",
            "0",
            "--iterations",
            "3",
          );
          assert.deepEqual([recorded, delivered, status, taken(receiver)], [15, 15, 0, 15]);
          assert.equal(
            stderr.match(/Cannot (use|write to) the spool/g)?.length,
            1,
            `said once:\n${stderr}`,
          );
        })
      ),
  },
  {
    name: `a disk that is full and has room again before the end${
      mayMount ? "" : " (not run: only root on Linux may make one)"
    }`,
    ignore: !mayMount,
    tell: () =>
      inDirectory((cwd) =>
        mounted(cwd, "size=64k", async () => {
          // The lock's own file is there before the disk is full.
          await using receiver = await startReceiver({ answers: ALWAYS_503 });
          await Deno.writeTextFile(`${cwd}/spool/lock`, "");
          await Deno.writeFile(`${cwd}/spool/filler`, new Uint8Array(65536)).catch(() => {});
          await using program = await startProgram({
            cwd,
            args: quickly("--endpoint", receiver.url, "--loop", ...SPOOL),
          });
          await receiver.waitForRequests(1);
          await Deno.remove(`${cwd}/spool/filler`);
          program.signal("SIGTERM");
          const finished = await program.finished;
          assert.match(finished.stderr, /Cannot write to the spool/);
          assert.equal(ledgerOf(finished).pending, 5);
          assert.equal((await kept(cwd)).length, 1);
        })
      ),
  },
  {
    name: "shutdown while the destination is down deletes nothing (opentelemetry-collector #15677)",
    tell: () =>
      inDirectory(async (cwd) => {
        await using receiver = await startReceiver({ answers: ALWAYS_503 });
        await using program = await startProgram({
          cwd,
          args: quickly(
            ...["--endpoint", receiver.url, "--loop", ...SPOOL],
            ...["--interval", "0.1", "--retry-for", "0"],
          ),
        });
        await whenReported(4)({ receiver, program });
        program.signal("SIGTERM");
        const finished = await program.finished;
        const { recorded, pending } = ledgerOf(finished);
        assert.ok(recorded >= 20 && pending === recorded, finished.stdout);
        assert.equal((await kept(cwd)).length, recorded / 5);
        await using back = await startReceiver();
        const { delivered } = await send(cwd, back, ...SPOOL, "--count", "0");
        assert.deepEqual([delivered, taken(back)], [recorded, recorded]);
      }),
  },
  {
    name:
      "what is recorded is kept before it is sent, whatever kills the process (opentelemetry-collector #12711)",
    tell: () =>
      inDirectory(async (cwd) => {
        // Killed while the first of several requests is under way: those behind it are kept as well.
        await using receiver = await startReceiver({ answers: ["hang"] });
        await using program = await startProgram({
          cwd,
          args: [
            "--endpoint",
            `${receiver.url}/api/v2/otlp`,
            "--header",
            "Authorization=x",
            "--series",
            "7000",
            ...SPOOL,
          ],
        });
        await receiver.waitForRequests(1);
        program.signal("SIGKILL");
        await program.finished;
        assert.equal((await kept(cwd)).length, 3);
        await using back = await startReceiver();
        const { delivered } = await send(cwd, back, ...SPOOL, "--count", "0");
        assert.deepEqual([delivered, taken(back)], [7000, 7000]);
      }),
  },
  {
    name:
      "an outage longer than the bounds has its losses named and counted (opentelemetry-collector #15324)",
    tell: () =>
      inDirectory(async (cwd) => {
        await using receiver = await startReceiver({ answers: ALWAYS_503 });
        await using program = await startProgram({
          cwd,
          args: quickly(
            ...["--endpoint", receiver.url, "--compression", "none", "--retry-for", "0"],
            ...["--loop", "--interval", "0.05", "--max-pending-mb", "0.005", ...SPOOL],
          ),
        });
        await program.waitForStderr(/(?:dropped, not delivered: more than 0.005 MB[^]*){3}/);
        program.signal("SIGTERM");
        const finished = await program.finished;
        const { recorded, dropped, pending } = ledgerOf(finished);
        const named = [...finished.stderr.matchAll(/(\d+) measurements of iteration \d+ dropped/g)];
        assert.equal(named.reduce((sum, [, count]) => sum + Number(count), 0), dropped);
        assert.equal(recorded, dropped + pending);
        assert.equal((await kept(cwd)).length, pending / 5);
      }),
  },
];

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
  await using program = await startProgram({
    args: quickly("--endpoint", `http://127.0.0.1:${listener.addr.port}`, "--retry-for", "0.5"),
  });
  const finished = await program.finished;
  assert.equal(ledgerOf(finished).dropped, 5);
  assert.equal(finished.status, 1);
  assert.ok(connections >= 1);
  listener.close();
  await serving.catch(() => {});
}

/** From a test's start on, so many of those that follow run beside it. */
const AT_ONCE = 4;

const all = [
  ...rows.map((row) => ({ name: row.name, ignore: false, tell: () => play(row) })),
  ...stories.map((story) => ({ ignore: false, ...story })),
];
const running = new Map<number, Promise<void>>();

function start(index: number): Promise<void> {
  const run = running.get(index) ?? (all[index]?.ignore ? undefined : all[index]?.tell()) ??
    Promise.resolve();
  running.set(index, run);
  run.catch(() => {}); // its own test tells
  return run;
}

all.forEach(({ name, ignore }, index) => {
  Deno.test({
    name: `faults: ${name}`,
    ignore,
    // What runs beside a test opens and closes its own.
    sanitizeOps: false,
    sanitizeResources: false,
    async fn() {
      for (let beside = index; beside < index + AT_ONCE; beside++) start(beside);
      await start(index);
    },
  });
});
