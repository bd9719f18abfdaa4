import assert from "node:assert/strict";
import { decode, type Decoded, type Values } from "../support/decode.ts";
import { type Finished, type Program, startProgram } from "../support/program.ts";
import { type Proxy, type ProxyOptions, startProxy } from "../support/proxy.ts";
import {
  type ExportAnswer,
  type ReceivedRequest,
  type Receiver,
  type ServerTls,
  startReceiver,
} from "../support/receiver.ts";

/** Part of every secret here: nothing that the program writes may hold it. */
export const MARK = "S3CRET";
export const TOKEN = `dt0c01.PUBLIC.${MARK}TOKEN`;
const USER = `user-${MARK}`;
const PASSWORD = `pass-${MARK}`;
/** In each row that does not set them itself: a token and a header that must not be seen. */
const ENVIRONMENT = {
  DT_API_TOKEN: TOKEN,
  OTEL_EXPORTER_OTLP_HEADERS: `x-scope=${MARK}HEADER`,
  // From source: Deno's own request now and then would come to a row's proxy.
  DENO_NO_UPDATE_CHECK: "1",
} as const;

/**
 * (arguments, environment, .env, receiver's answers, signal) -> (requests, standard output, standard error, exit
 * status). In arguments, variables, .env and files `{url}`, `{port}`, `{secretUrl}` (user name, password and query
 * in it), `{proxy}` and `{secretProxy}` are replaced by what was started for the row.
 */
export interface Row {
  readonly name: string;
  /** By default `--endpoint {secretUrl}`. */
  readonly args?: readonly string[];
  /** Added to a token and a header; an empty text leaves one of them out. */
  readonly env?: Readonly<Record<string, string>>;
  readonly dotenv?: string;
  readonly files?: Readonly<Record<string, string>>;
  readonly answers?: readonly ExportAnswer[];
  readonly tls?: ServerTls | "broken";
  /** Nothing listens at the receiver's port. */
  readonly stopped?: boolean;
  readonly proxy?: ProxyOptions;
  /** Meets the program while it runs; sends it a signal, for example. */
  readonly meanwhile?: (world: World) => Promise<void>;

  readonly status?: number;
  /** Lines as `normalized()` leaves them; not looked at when undefined. */
  readonly stdout?: Lines;
  /** By default nothing may come. */
  readonly stderr?: Lines;
  /** How many, or what each is like; 1 by default. Each is decoded and looked through in any case. */
  readonly requests?: number | readonly Expected[];
  readonly check?: (outcome: Outcome) => void;
}

/** Each text is a whole line; each expression matches one. */
export type Lines = readonly (string | RegExp)[];

export interface World {
  readonly program: Program;
  readonly receiver: Receiver;
}

export interface Outcome extends Finished {
  readonly receiver: Receiver;
  readonly proxy: Proxy | undefined;
  readonly requests: readonly Received[];
}

export interface Received extends ReceivedRequest {
  readonly decoded: Decoded;
}

/** What is not named is as the program sends it when only an endpoint is given. */
export interface Expected {
  readonly target?: string;
  /** Of each its value; null: it must not be there. */
  readonly headers?: Readonly<Record<string, string | null>>;
  readonly resource?: Values;
  readonly name?: string;
  readonly unit?: string;
  readonly description?: string;
  readonly bounds?: readonly number[];
  /** On every data point, over the sample's own. */
  readonly attributes?: Values;
}

/** From a row's start on, so many of the rows that follow run beside it. */
const AT_ONCE = 4;

/** A test for each row; a few run at the same time. */
export function testRows(rows: readonly Row[]): void {
  const running = new Map<Row, Promise<void>>();
  const start = (row: Row) => {
    const run = running.get(row) ?? play(row);
    running.set(row, run);
    run.catch(() => {}); // the row's own test tells
    return run;
  };
  rows.forEach((row, i) => {
    Deno.test({
      name: row.name,
      // What runs beside a test opens and closes its own.
      sanitizeOps: false,
      sanitizeResources: false,
      async fn() {
        rows.slice(i, i + AT_ONCE).forEach(start);
        await start(row);
      },
    });
  });
}

async function play(row: Row): Promise<void> {
  await using receiver = await startReceiver({
    answers: row.answers ?? [],
    ...row.tls !== undefined && { tls: row.tls },
  });
  if (row.stopped) await receiver.stop();
  await using proxy = row.proxy && startProxy(row.proxy);
  const fill = (text: string) => filled(text, receiver, proxy);
  const fillAll = (texts: Readonly<Record<string, string>> = {}) =>
    Object.fromEntries(Object.entries(texts).map(([name, text]) => [name, fill(text)]));
  await using program = await startProgram({
    args: (row.args ?? ["--endpoint", "{secretUrl}"]).map(fill),
    env: fillAll({ ...ENVIRONMENT, ...row.env }),
    files: fillAll(row.files),
    ...row.dotenv !== undefined && { dotenv: fill(row.dotenv) },
  });
  await row.meanwhile?.({ program, receiver });
  const finished = await program.finished;
  assertNoSecret(finished);
  const outcome = {
    ...finished,
    stdout: normalized(finished.stdout, receiver, proxy),
    stderr: normalized(finished.stderr, receiver, proxy),
  };
  // All three at once: when a row fails, each tells about the others.
  assert.deepEqual({
    status: outcome.status,
    stdout: row.stdout === undefined ? [] : matched(outcome.stdout, row.stdout),
    stderr: matched(outcome.stderr, row.stderr ?? []),
  }, { status: row.status ?? 0, stdout: row.stdout ?? [], stderr: row.stderr ?? [] });
  const { requests: expected = 1 } = row;
  assert.equal(receiver.requests.length, typeof expected === "number" ? expected : expected.length);
  const requests = receiver.requests.map((request, i) => {
    const decoded = decode(request.content);
    const like = typeof expected === "number" ? undefined : expected[i];
    assertRequest({ ...request, decoded }, { ...aimOf(row), ...like });
    return { ...request, decoded };
  });
  row.check?.({ ...outcome, receiver, proxy, requests });
}

function filled(text: string, receiver: Receiver, proxy: Proxy | undefined): string {
  const secret = new URL(receiver.url);
  secret.username = USER;
  secret.password = PASSWORD;
  return text
    .replaceAll("{url}", receiver.url)
    .replaceAll("{port}", String(receiver.port))
    .replaceAll(
      "{secretUrl}",
      `${secret.origin.replace("//", `//${USER}:${PASSWORD}@`)}?key=${MARK}`,
    )
    .replaceAll("{proxy}", proxy?.url ?? "")
    .replaceAll("{secretProxy}", proxy?.urlWithCredentials ?? "");
}

/** Where a row without arguments sends to. */
function aimOf({ args }: Row): Expected {
  return args === undefined || args.includes("{secretUrl}")
    ? { target: `/v1/metrics?key=${MARK}` }
    : {};
}

export function assertNoSecret({ stdout, stderr }: Pick<Finished, "stdout" | "stderr">): void {
  for (const text of [stdout, stderr]) {
    assert.ok(!text.includes(MARK), `A secret was written:\n${text}`);
    assert.ok(!text.includes(btoa(`${USER}:${PASSWORD}`)), `Credentials were written:\n${text}`);
  }
}

/** What changes from run to run is replaced by a word: ports, times, sizes, durations. */
export function normalized(text: string, receiver?: Receiver, proxy?: Proxy): string {
  return text
    .replaceAll(`:${receiver?.port ?? "none"}`, ":PORT")
    .replaceAll(`:${proxy?.port ?? "none"}`, ":PROXY")
    .replaceAll(/\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\]/g, "[TIME]")
    .replaceAll(/"time":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"/g, '"time":"TIME"')
    .replaceAll(/"(bytes|durationMs)":\d+(\.\d+)?/g, '"$1":"N"')
    .replaceAll(/\d+ bytes/g, "N bytes")
    .replaceAll(/\bin \d+\.\d (ms|s)\b/g, "in N $1");
}

/** The lines of a text, each that an expression matches as that expression. */
function matched(text: string, expected: Lines): Lines {
  assert.ok(text === "" || text.endsWith("\n"), `The last line does not end:\n${text}`);
  return text.split("\n").slice(0, -1).map((line, i) => {
    const like = expected[i];
    return like instanceof RegExp && like.test(line) ? like : line;
  });
}

const RESOURCE = { "service.name": "my-service", "deployment.environment": "prod" };
const BOUNDS = [5, 10, 25, 50, 75, 100, 250, 500, 1000, 2500, 5000];
/** The predecessor's five by their attributes: how many, and between what. */
const SAMPLE = [
  { method: "GET", status: 200n, count: 3, low: 10, high: 180 },
  { method: "POST", status: 201n, count: 1, low: 20, high: 100 },
  { method: "PUT", status: 200n, count: 1, low: 30, high: 90 },
];

/** One DELTA histogram of the sample, whole and consistent in itself. */
function assertRequest(request: Received, expected: Expected): void {
  const { headers, decoded } = request;
  assert.equal(request.method, "POST");
  assert.equal(request.target, expected.target ?? "/v1/metrics");
  assert.equal(headers.get("content-type"), "application/x-protobuf");
  assert.equal(headers.get("content-length"), String(request.body.length));
  assert.match(
    headers.get("user-agent") ?? "",
    /^otlp-histogram\/\d+\.\d+\.\d+ OTel-OTLP-Exporter-/,
  );
  for (const [name, value] of Object.entries(expected.headers ?? {})) {
    assert.equal(headers.get(name), value, `header ${name}`);
  }
  assert.deepEqual(decoded.resource, expected.resource ?? RESOURCE);
  assert.deepEqual(decoded.scope, { name: "example-meter", version: "1.0.0" });
  const [metric, ...others] = decoded.metrics;
  assert.ok(metric !== undefined && others.length === 0, "one metric");
  assert.equal(metric.name, expected.name ?? "http.server.duration");
  assert.equal(metric.unit, expected.unit ?? "ms");
  assert.equal(metric.description, expected.description ?? "HTTP request duration");
  assert.equal(metric.temporality, "delta");
  assert.equal(metric.points.length, SAMPLE.length);
  metric.points.forEach((point, i) => {
    const sample = SAMPLE[i];
    assert.ok(sample !== undefined);
    const { count, low, high } = sample;
    assert.deepEqual(point.attributes, {
      "http.method": sample.method,
      "http.status_code": sample.status,
      ...expected.attributes,
    });
    assert.equal(point.count, count);
    const bounds = expected.bounds ?? BOUNDS;
    assert.deepEqual(point.bounds, bounds);
    assert.equal(point.counts.length, bounds.length + 1);
    assert.equal(point.counts.reduce((sum, n) => sum + n, 0), count);
    const { min = NaN, max = NaN, sum = NaN } = point;
    assert.ok(low <= min && min <= max && max <= high, `${min} to ${max} in ${low} to ${high}`);
    assert.ok(count * min - 1e-9 <= sum && sum <= count * max + 1e-9, `${sum} of ${min} to ${max}`);
    const bucketOf = (value: number) => bounds.filter((bound) => bound < value).length;
    assert.ok((point.counts[bucketOf(min)] ?? 0) > 0 && (point.counts[bucketOf(max)] ?? 0) > 0);
    assert.equal(point.start, metric.points[0]?.start);
    assert.equal(point.end, metric.points[0]?.end);
    assert.ok(point.start <= point.end);
  });
}

/** What one send prints before it is known what becomes of it. */
export function beforeSend(url: string): readonly string[] {
  return [
    `Sending histogram metrics to: ${url}`,
    "Recording sample measurements...",
    "Measurements recorded. Waiting for export...",
  ];
}

/** What one send prints that was accepted. */
export function afterSend(metric = "http.server.duration"): readonly string[] {
  return [
    "✓ Metrics exported successfully! Sent 5 measurements.",
    "",
    `Note: Check Dynatrace UI for the metric '${metric}'`,
  ];
}

/** `{secretUrl}` as it may be shown. */
export const SHOWN_URL = "http://***:***@127.0.0.1:PORT/v1/metrics?key=***";

/** The line of JSON of an accepted send, with what is different about it; keys in their order. */
export function sendJson(different: Readonly<Record<string, unknown>> = {}): string {
  return JSON.stringify({
    type: "send",
    time: "TIME",
    iteration: 1,
    measurements: 5,
    points: 3,
    outcome: "accepted",
    attempts: 1,
    status: 200,
    bytes: "N",
    durationMs: "N",
    rejectedPoints: 0,
    possiblyDuplicated: false,
    message: null,
    ...different,
  });
}

export function summaryJson(different: Readonly<Record<string, unknown>> = {}): string {
  return JSON.stringify({
    type: "summary",
    recorded: 5,
    delivered: 5,
    rejected: 0,
    dropped: 0,
    pending: 0,
    invalid: 0,
    rejectedPoints: 0,
    sends: 1,
    exitCode: 0,
    ...different,
  });
}
